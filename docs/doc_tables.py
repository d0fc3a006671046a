"""Parts of the documentation that are written from the code, and so are never out of date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alchemer_nb.notebook.magic.command_spec import command_help
from alchemer_nb.notebook.magic.command_table import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).resolve().parent


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


def security_policy() -> str:
    """Return what SECURITY.md says, below a heading of this page."""
    policy = HERE.parent / "SECURITY.md"
    text = policy.read_text("utf-8") if policy.is_file() else ""
    return "\n".join(f"#{line}" if line.startswith("#") else line for line in text.splitlines())


def if_there(page: str, text: str) -> Callable[[], str]:
    """Return what writes a text if a page exists."""
    return lambda: text if (HERE / page).is_file() else ""


TABLES = {
    "commands": commands_table,
    "help of commands": commands_help,
    "SECURITY.md": security_policy,
    "store-format in the list": if_there("store-format.md", "store-format"),
    "store-format": if_there(
        "store-format.md", "What is in each file: [Format of the store](store-format.md)."
    ),
}


def fill(text: str) -> str:
    """Return a page with its tables in place of ``<!-- table: NAME -->``."""
    for name, write in TABLES.items():
        text = text.replace(f"<!-- table: {name} -->", write())
    return text
