"""Redaction of personal data: dropping, hashing, patterns of contact data.

May import: frame, and what frame may import.
"""
