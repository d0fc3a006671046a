"""The formats of Alchemer: JSON, flags, ids, dates, HTML text, pages, query parameters.

Pure functions on what is sent or received; nothing here calls the network. May import: errors, and
what it may import.
"""
