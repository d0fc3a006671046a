"""Decode pages of responses into answers; each distinct entry is read once.

May import: survey, forks, and what they may import.
"""
