"""One call and its judged reply: transport, credentials, regions, secrets, rate limit, retries.

The only folder that sends anything. May import: wire, files, forks, _version, and what they may
import.
"""
