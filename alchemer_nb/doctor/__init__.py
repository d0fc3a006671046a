"""Checks of everything that a download depends on, and a report that holds no data.

May import: store, auth, and what they may import.
"""
