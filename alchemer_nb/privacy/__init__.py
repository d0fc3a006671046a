"""Personal data out of a frame: redaction, hashing, patterns of contact data.

May import: frame, and what frame may import.
"""
