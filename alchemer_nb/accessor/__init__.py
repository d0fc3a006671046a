"""``df.alchemer``: the accessor of frames of responses.

May import: frame, privacy, compare, export, analysis, fetch.
"""
