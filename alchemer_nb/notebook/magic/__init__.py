"""``%alchemer``: command table, parser, completion, help, and what each command does.

May import: notebook/running, notebook/demo, and what they may import.
"""
