"""Answers to a DataFrame: values, metadata, shapes, codebook, kinds of missing.

May import: decode, survey.
"""
