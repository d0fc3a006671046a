"""``df.alchemer``: the accessor of frames of responses.

May import: privacy, compare, export, analysis, fetch, and what they may import.
"""
