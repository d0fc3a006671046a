"""What the kernel does for us: messages pumped while a cell runs, and outputs.

May import: client, accessor.
"""
