"""What a command may use of the shell it runs in."""

from __future__ import annotations

import re
import sys
import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alchemer_nb.client.client import Client
    from alchemer_nb.notebook.known import KnownSurveys
    from alchemer_nb.notebook.running.background import Downloads
    from alchemer_nb.notebook.signin.session import Session

# What a command gives whose result comes later or not at all: no name is given a value.
LATER: Final = object()
_PARTS = re.compile(r"(?<=;) | (?=→)")
_INDENT = "  "
_WIDE = 96  # characters, which JupyterLab has room for beside an open file browser


@dataclass(frozen=True, slots=True)
class Context:
    """The session and the settings of one call of the magic.

    Attributes:
        session: Who is signed in.
        known: Surveys for Tab.
        downloads: Those that run beside the cells.
        variables: The notebook's names, for ``switch NAME`` of a client made in Python.
        region: The region that ``login`` starts with, or an empty text.
        progress: How a download shows its progress.
        echo: Whether a download is told in words.
        target: The name that the result is kept under, or None.
        shell: The shell itself.
    """

    session: Session
    known: KnownSurveys
    downloads: Downloads
    variables: Mapping[str, Any] = field(default_factory=dict)
    region: str = ""
    progress: str = "auto"
    echo: bool = True
    target: str | None = None
    shell: Any = None

    @property
    def client(self) -> Client:
        """The current client.

        Raises:
            ConfigurationError: Nobody is signed in.
        """
        return self.session.require_client()


def say(text: str) -> None:
    """Prints a line into the cell's output, for what is told beside a result."""
    sys.stdout.write(f"{text}\n")


def fold(line: str) -> str:
    """Breaks a long line where its parts end, else between words.

    Notebooks break printed text in the middle of a word where a line is full.
    """
    lines = [""]
    for part in _PARTS.split(line):
        if not lines[-1] or len(lines[-1]) + len(part) < _WIDE:
            lines[-1] += f" {part}" if lines[-1] else part
        else:
            lines.append(f"{_INDENT}{part}")
    options: dict[str, Any] = {"break_long_words": False, "break_on_hyphens": False}
    return "\n".join(
        textwrap.fill(each, _WIDE, subsequent_indent=_INDENT, **options) for each in lines
    )
