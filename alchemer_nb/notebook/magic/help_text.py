"""The help of the magic, written from the command table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alchemer_nb.notebook.magic.command_spec import Command

_WIDEST_LEFT_COLUMN = 30
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
    """Return one line for each command, and the rules of the line."""
    groups: dict[str, list[str]] = {}
    for command in commands.values():
        line = f"  {_usage(command):<28} {command.summary}"
        groups.setdefault(command.group, []).append(line)
    groups["Help"] = [f"  {'help [COMMAND]':<28} this page, or the options of a command"]
    listed = "\n\n".join("\n".join([name, *lines]) for name, lines in groups.items())
    return f"%alchemer COMMAND …\n\n{listed}\n\n{_RULES}"


def command_help(command: Command) -> str:
    """Return the help of one command."""
    positionals = [(positional.name, positional.help) for positional in command.positionals]
    options = [(option.usage, option.help) for option in command.options]
    options.append(("-h, --help", "show this help"))
    longest = max(len(usage) for usage, _ in positionals + options)
    column = min(longest + 4, _WIDEST_LEFT_COLUMN)
    parts = [
        f"usage: %alchemer {_usage(command)}" + " [options]" * bool(command.options),
        command.summary,
    ]
    if positionals:
        parts.append(_two_columns("positional arguments:", positionals, column))
    parts.append(_two_columns("options:", options, column))
    if command.body:
        parts.append(f"lines below %%alchemer {command.name} …:\n{command.body}")
    if command.example:
        parts.append(f"example:\n  {command.example}")
    return "\n\n".join(parts) + "\n"


def docstring(commands: Mapping[str, Command]) -> str:
    """Return the text for ``%alchemer?``: the overview and the options of every command."""
    pages = "\n\n".join(command_help(c).rstrip() for c in commands.values() if len(c.options) > 1)
    return f"Survey data from Alchemer as pandas DataFrames.\n\n{overview(commands)}\n{pages}\n"


def _usage(command: Command) -> str:
    return " ".join([command.name, *(positional.usage for positional in command.positionals)])


def _two_columns(title: str, rows: Sequence[tuple[str, str]], column: int) -> str:
    lines = [title]
    for left, right in rows:
        if len(left) + 4 > column:  # too wide: the right column begins on the next line
            lines += [f"  {left}", " " * column + right]
        else:
            lines.append(f"  {left}".ljust(column) + right)
    return "\n".join(lines)
