"""``Client``, its downloads and jobs, and the user's ``Survey``.

May import: store, fetch, frame, auth, compare, doctor.
"""
