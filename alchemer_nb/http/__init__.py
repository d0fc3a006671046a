"""One call and its judged reply: transport, credentials, regions, secrets, limits and retries.

The only folder that sends anything. May import: wire.
"""
