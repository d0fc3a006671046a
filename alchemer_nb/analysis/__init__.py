"""Tables, weights, charts and the report: what a frame of responses says, counted.

May import: frame, privacy, visible, _version, and what they may import.
"""
