"""Two definitions or several waves of a survey, side by side.

May import: frame, and what it may import.
"""
