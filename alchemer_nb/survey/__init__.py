"""The definition of a survey: questions and their types, planned columns, names, conditions.

Parsed once and never changed; nothing here knows responses. May import: wire, files, and what they
may import.
"""
