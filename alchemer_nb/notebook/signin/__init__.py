"""Signing in: the session of a shell, the panel, its steps, and the prompt.

May import: notebook/kernel, and what it may import.
"""
