"""Frames to files of other programs and back: Parquet, SPSS, Stata, Excel.

May import: frame, and what it may import.
"""
