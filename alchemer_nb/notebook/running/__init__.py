"""Running downloads: views of their progress, and downloads in the background.

May import: notebook/kernel, and what it may import.
"""
