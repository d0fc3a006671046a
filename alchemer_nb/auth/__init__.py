"""Get credentials: from the environment, from profiles, or by the OAuth sign-in.

Used by ``connect()`` and by the sign-in panel. May import: http, and what it may import.
"""
