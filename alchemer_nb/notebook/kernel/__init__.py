"""The running kernel: widget messages handled while a cell runs, and outputs.

May import: client, accessor, and what they may import.
"""
