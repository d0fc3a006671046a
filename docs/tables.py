"""Tables of the documentation that are written from the code, so that they are never out of date."""

from __future__ import annotations

from alchemer_nb.notebook.magic.command_spec import command_help
from alchemer_nb.notebook.magic.command_table import COMMANDS


def commands_table() -> str:
    """Return one row for each command of the magic, by group."""
    parts: list[str] = []
    group = ""
    for command in COMMANDS.values():
        if command.group != group:
            group = command.group
            parts += ["", f"**{group}**", "", "| command | what it does |", "|---|---|"]
        usage = command.usage.replace("|", "\\|")
        parts.append(f"| [`{usage}`](#command-{command.name}) | {command.summary} |")
    return "\n".join(parts)


def commands_help() -> str:
    """Return a section for each command, with the text of ``%alchemer COMMAND --help``."""
    parts: list[str] = []
    for command in COMMANDS.values():
        parts += [
            f"(command-{command.name})=",
            f"### `{command.name}`",
            "",
            "```text",
            command_help(command).rstrip(),
            "```",
            "",
        ]
    return "\n".join(parts)


TABLES = {"commands": commands_table, "help of commands": commands_help}
