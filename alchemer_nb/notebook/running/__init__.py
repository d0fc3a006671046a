"""Downloads under way: the bar, and downloads in the background.

May import: notebook/kernel.
"""
