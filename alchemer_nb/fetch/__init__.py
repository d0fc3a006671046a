"""The pages of one download: in flight, in order, reconciled at the end, with their progress.

May import: http, decode, survey.
"""
