"""Bytes of response pages to answers: each distinct entry is read once.

May import: survey, wire.
"""
