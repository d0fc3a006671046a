"""Lines in a cell's output, and outputs that are replaced later, in whichever cell they are.

A saved notebook holds the last content of such an output, so a widget that is no longer of use is
replaced by a line of text.
"""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from html import escape
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from alchemer_nb.visible import make_visible

if TYPE_CHECKING:
    from collections.abc import Iterable

_RED = "color: var(--jp-error-color1, #c62828)"
_DIM = "opacity: 0.7; font-size: 90%"
_WIDTH = 96  # characters that fit into JupyterLab when its file browser is open
_INDENT = "  "
_OPTION = re.compile(r"(?<!\S)--[a-z][a-z-]*")
_BREAKS = re.compile(r"(?<=;) | (?=→)")  # where a line is broken rather than between words


def line_bundle(line: str, *, failed: bool = False, dim: bool = False) -> dict[str, Any]:
    """Return the MIME bundle of a line: as HTML, which wraps, and as plain text, wrapped."""
    if not line:
        return {"text/plain": ""}
    line, style = make_visible(line), _RED if failed else _DIM if dim else ""
    attribute = f' style="{style}"' if style else ""
    # Browsers break a line behind a hyphen: half an option could be copied.
    unbroken = _OPTION.sub(r'<span style="white-space:nowrap">\g<0></span>', escape(line))
    return {"text/plain": _wrap(line), "text/html": f"<div{attribute}>{unbroken}</div>"}


def show_line(line: str) -> None:
    """Show a line in the running cell, in a notebook as HTML: printed lines have another font."""
    if _has_kernel():
        add_output(line_bundle(line))
    else:
        width = min(_WIDTH, shutil.get_terminal_size().columns - 1)
        print_text(_wrap(make_visible(line), width))


def add_output(bundle: dict[str, Any]) -> str:
    """Display one more output in the running cell, and return a name for ``replace_outputs``."""
    name = f"alchemer-nb-{uuid4().hex}"
    _publish(bundle, name, update=False)
    return name


def replace_outputs(names: Iterable[str], bundle: dict[str, Any]) -> None:
    """Replace the content of outputs, in whichever cell they are."""
    # A terminal cannot replace what it has printed: it would print the line once more.
    if _has_kernel():
        for name in names:
            _publish(bundle, name, update=True)


def _publish(bundle: dict[str, Any], name: str, *, update: bool) -> None:
    from IPython.display import publish_display_data

    # https://jupyter-client.readthedocs.io/en/stable/messaging.html#update-display-data
    publish_display_data(bundle, transient={"display_id": name}, update=update)  # type: ignore[no-untyped-call]  # IPython has no hints


def print_text(text: str) -> None:
    """Print a text into the cell's output."""
    sys.stdout.write(f"{make_visible(text)}\n")


def _has_kernel() -> bool:
    from IPython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None


def _wrap(line: str, width: int = _WIDTH) -> str:
    """Wrap a line: front ends break a line of plain text in the middle of a word."""
    wrapper = textwrap.TextWrapper(
        width, subsequent_indent=_INDENT, break_long_words=False, break_on_hyphens=False
    )
    lines = [""]
    # In several sentences a semicolon is nothing special, as in the error of a refused key.
    is_prose = ". " in line and "→" not in line
    for part in [line] if is_prose else _BREAKS.split(line):
        joined = f"{lines[-1]} {part}" if lines[-1] else part
        if len(joined) > width:
            # The next part goes on in the last line of one that is longer than a line.
            before = lines.pop()
            lines += [before] if before else []
            lines += wrapper.wrap(f"{_INDENT}{part}" if lines else part)
        else:
            lines[-1] = joined
    return "\n".join(lines)
