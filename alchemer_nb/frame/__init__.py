"""Answers to a DataFrame: values, metadata, shapes, codebook, reasons of missing answers.

May import: decode, and what it may import.
"""
