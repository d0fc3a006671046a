"""``df.alchemer``: what can be asked of a frame of responses.

May import: frame, privacy, compare, export.
"""
