"""Fetch the pages of a download in parallel, read them in order, and report the progress.

May import: http, decode, interrupts, and what they may import.
"""
