"""``%alchemer``: command table, parser, completion, help, and what each command does.

May import: every other part of notebook.
"""
