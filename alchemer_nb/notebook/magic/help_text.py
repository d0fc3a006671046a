"""The help of the magic, written from the table that the parser reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alchemer_nb.notebook.magic.parser import LineParser

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alchemer_nb.notebook.magic.command_spec import Command

_RULES = """\
Results
  df = %alchemer COMMAND …     or   %alchemer df << COMMAND …   or   -o df
  %%alchemer df << responses SURVEY …   with conditions in the lines below

Values
  {expression} and $name stand for Python values, inside quotes too; {{ }} $$ for the characters.
  Quotes keep blanks together: "Customer satisfaction". A backslash is a plain character.
  A word that begins with # starts a comment.
"""


def overview(commands: Mapping[str, Command]) -> str:
    """All commands with one line each, and the rules of the line."""
    groups: dict[str, list[str]] = {}
    for command in commands.values():
        words = [command.name, *(place.shown for place in command.positionals)]
        line = f"  {' '.join(words):<28} {command.summary}"
        groups.setdefault(command.group, []).append(line)
    groups.setdefault("Help", []).append(
        f"  {'help [COMMAND]':<28} this page, or the options of a command"
    )
    listed = "\n\n".join("\n".join([name, *lines]) for name, lines in groups.items())
    return f"%alchemer COMMAND …\n\n{listed}\n\n{_RULES}"


def of_command(command: Command) -> str:
    """The help of one command."""
    parts = [LineParser(command).format_help().rstrip()]
    if command.body:
        parts.append(f"lines below %%alchemer {command.name} …:\n{command.body}")
    if command.example:
        parts.append(f"example:\n  {command.example}")
    return "\n\n".join(parts) + "\n"


def docstring(commands: Mapping[str, Command]) -> str:
    """What ``%alchemer?`` shows: the overview and the options of every command."""
    pages = "\n\n".join(of_command(c).rstrip() for c in commands.values() if len(c.options) > 1)
    return f"Survey data from Alchemer as pandas DataFrames.\n\n{overview(commands)}\n{pages}\n"
