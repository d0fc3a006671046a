"""Redaction of personal data: dropping, hashing, patterns of contact data.

May import: frame, and what it may import.
"""
