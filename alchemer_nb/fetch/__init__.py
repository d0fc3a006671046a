"""The pages of one download: fetched side by side, read in order, without gaps; and its progress.

May import: http, decode, survey.
"""
