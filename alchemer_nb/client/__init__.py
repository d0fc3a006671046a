"""``Client``, its downloads and jobs, and the user's ``Survey``.

May import: store, auth, compare, doctor, and what they may import.
"""
