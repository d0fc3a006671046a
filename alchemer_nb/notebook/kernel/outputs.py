"""Outputs that can be written anew, in whichever cell they stand.

What is saved with a notebook is what such an output says last, so a widget that is of no more use
is replaced by a line of text.
"""

from __future__ import annotations

import re
import sys
import textwrap
from html import escape
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Iterable


EMPTY: dict[str, Any] = {"text/plain": ""}
_RED = "color: var(--jp-error-color1, #c62828)"


def text(line: str, *, failed: bool = False) -> dict[str, Any]:
    """A line as an output shows it: wrapped between words, in the page's own letters."""
    style = f' style="{_RED}"' if failed else ""
    return {"text/plain": line, "text/html": f"<div{style}>{escape(line)}</div>"}


def show(bundle: dict[str, Any]) -> str:
    """Shows something as one more output of the running cell; gives the name to rewrite it by."""
    name = f"alchemer-nb-{uuid4().hex}"
    _publish(bundle, name, update=False)
    return name


def rewrite(names: Iterable[str], bundle: dict[str, Any]) -> None:
    """Writes outputs anew, wherever they stand."""
    from IPython import get_ipython

    # A terminal cannot take back what it has printed: it would show the line once more.
    if getattr(get_ipython(), "kernel", None) is not None:
        for name in names:
            _publish(bundle, name, update=True)


def _publish(bundle: dict[str, Any], name: str, *, update: bool) -> None:
    from IPython.display import publish_display_data

    publish_display_data(bundle, transient={"display_id": name}, update=update)  # type: ignore[no-untyped-call]  # IPython has no hints


_PARTS = re.compile(r"(?<=;) | (?=→)")


_INDENT = "  "


_WIDE = 96  # characters, which JupyterLab has room for beside an open file browser


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
