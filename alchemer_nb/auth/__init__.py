"""How credentials are found or obtained: environment, profiles, and the OAuth sign-in.

Used by ``connect()`` and by the sign-in panel. May import: http.
"""
