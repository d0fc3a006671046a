"""Previews of frames: as many columns as fit, with texts that are cut and short dates.

pandas shows a wide frame as its first and its last columns, and dates with seconds and zone. A
preview is shown by the cell whose value is the frame that a command returned; the frame itself is
unchanged, and other cells show it as pandas does.
"""

from __future__ import annotations

import shutil
import sys
import weakref
from html import escape
from typing import TYPE_CHECKING, Any

from alchemer_nb.visible import make_visible
from alchemer_nb.wire.text import counted

if TYPE_CHECKING:
    import pandas as pd

_MODULES = ("pandas", "pandas.core.frame")  # where DataFrame says it is, in pandas 3 and 2
_HTML_WIDTH = 120  # characters, about the width of JupyterLab
_PLAIN_WIDTH = 80  # in a notebook, where a terminal would know its own
_MOST_ROWS, _FIRST_ROWS = 60, 10  # of a longer frame only the first are shown, as pandas does
_WIDEST, _NARROWEST = 40, 16  # characters of a text
_GAP = "  "


class Previews:
    """The previews of one shell.

    Args:
        shell: What ``get_ipython()`` returns.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._formatter = shell.display_formatter.mimebundle_formatter
        # A frame, the number of its cell, and whether it is shown as pandas does.
        self._of: tuple[weakref.ref[Any], int, bool] | None = None

    def begin(self) -> None:
        """Register the previews with the shell."""
        for module in _MODULES:  # by name: without importing pandas
            self._formatter.for_type_by_name(module, "DataFrame", self._format)

    def end(self) -> None:
        """Show frames as before."""
        for module in _MODULES:
            self._formatter.pop(f"{module}.DataFrame", None)

    def offer(self, result: object, *, whole: bool = False) -> None:
        """Show a preview of a result, if it is a plain frame and the running cell's value.

        Args:
            result: What a command returned.
            whole: Show the frame as pandas does, but no characters that a terminal would obey.
        """
        pandas = sys.modules.get("pandas")  # not imported for a result that is no frame
        if pandas is not None and type(result) is pandas.DataFrame:
            self._of = weakref.ref(result), self._shell.execution_count, whole

    def _format(self, frame: pd.DataFrame) -> Any:
        """Return the MIME bundle of a frame; None for that of pandas."""
        own = getattr(type(frame), "_repr_mimebundle_", None)
        if own is not None:
            return own(frame)
        if self._of is None or self._of[0]() is not frame or not _has_pandas_html(frame):
            return None
        _, cell, is_whole = self._of
        if cell != self._shell.execution_count:
            return None
        if is_whole:
            texts = {"text/plain": repr(frame), "text/html": frame._repr_html_()}
            return {kind: make_visible(text) for kind, text in texts.items() if text}
        if _has_option_of_columns():
            return None
        has_kernel = getattr(self._shell, "kernel", None) is not None
        width = _PLAIN_WIDTH if has_kernel else shutil.get_terminal_size().columns
        return {
            "text/plain": preview_text(frame, width),
            "text/html": preview_html(frame),
        }


def _has_pandas_html(frame: pd.DataFrame) -> bool:
    """Check that no package, such as itables, shows frames in another way."""
    html = getattr(frame, "_repr_html_", None)
    return getattr(html, "__module__", "").startswith("pandas.")


def _has_option_of_columns() -> bool:
    """Check whether the user has said how many columns to show."""
    import pandas as pd

    return pd.get_option("display.max_columns") not in (0, 20)


def preview_text(frame: pd.DataFrame, width: int = _PLAIN_WIDTH) -> str:
    """Return the preview of a frame as plain text of so many characters a line at most."""
    cells, size = _cut(frame, width)
    columns = [] if _is_plain_index(frame) else [[_index_name(frame), *map(str, cells.index)]]
    columns += [[str(name), *texts] for name, texts in cells.items()]
    padded = []
    for texts in columns:
        widest = max(map(len, texts))
        is_number = all(text.replace(".", "").lstrip("-").isdigit() for text in texts[1:] if text)
        pad = str.rjust if is_number and len(texts) > 1 else str.ljust
        padded.append([pad(text, widest) for text in texts])
    lines = [_GAP.join(texts).rstrip() for texts in zip(*padded, strict=True)]
    return make_visible("\n".join([*(lines if len(frame) else []), size]))


def preview_html(frame: pd.DataFrame) -> str:
    """Return the preview of a frame as HTML."""
    cells, size = _cut(frame, _HTML_WIDTH)
    # escape=True: the texts are what strangers typed into a survey.
    table = cells.to_html(index=not _is_plain_index(frame), border=0, escape=True, notebook=True)
    return (
        f'<div class="jp-RenderedHTMLCommon" style="overflow-x:auto">{make_visible(table)}</div>'
        f'<div style="opacity:.8">{escape(size)}</div>'
    )


def _cut(frame: pd.DataFrame, width: int) -> tuple[pd.DataFrame, str]:
    """Return the cells that are shown, as text, and how much of the frame that is."""
    import pandas as pd

    rows = frame if len(frame) <= _MOST_ROWS else frame.head(_FIRST_ROWS)
    widest = max(_NARROWEST, min(_WIDEST, width // 2))
    shown: dict[Any, list[str]] = {}
    left = width + len(_GAP)
    if not _is_plain_index(frame):
        left -= max(map(len, (_index_name(frame), *map(str, rows.index)))) + len(_GAP)
    for number, name in enumerate(frame.columns):
        values = rows.iloc[:, number]
        if len(rows) and values.isna().all():
            continue
        texts = [_shorten(make_visible(text), widest) for text in _texts(values)]
        needed = max(map(len, (f"{name}", *texts))) + len(_GAP)
        if needed > left:
            if shown:
                break
            texts = [_shorten(text, max(1, left - len(_GAP))) for text in texts]
        shown[name] = texts
        left -= needed
    cells = pd.DataFrame(shown, index=rows.index, dtype=object)
    first = f"The first {len(rows):,} of " if len(rows) < len(frame) else ""
    size = f"{first}{counted(len(frame), 'row')}"
    if len(frame) and len(shown) < frame.shape[1]:
        return cells, f"{size}; {len(shown):,} of {counted(frame.shape[1], 'column')}"
    return cells, f"{size} × {counted(frame.shape[1], 'column')}"


def _is_plain_index(frame: pd.DataFrame) -> bool:
    return frame.index.name is None and frame.index.nlevels == 1


def _index_name(frame: pd.DataFrame) -> str:
    return str(frame.index.name or "")


def _texts(values: pd.Series) -> list[str]:
    """Return cells as short text: dates to the minute, whole numbers without a point."""
    import pandas as pd

    if isinstance(values.dtype, pd.DatetimeTZDtype) or values.dtype.kind == "M":
        wall = values.dt.tz_localize(None)
        has_time = bool((wall.dropna() != wall.dropna().dt.normalize()).any())
        texts = wall.dt.strftime("%Y-%m-%d %H:%M" if has_time else "%Y-%m-%d")
    elif values.dtype.kind == "f":
        texts = values.map("{:.10g}".format)
    else:
        texts = values.map(lambda value: " ".join(str(value).split()))
    is_empty = values.isna().to_numpy()
    return ["" if empty else str(text) for text, empty in zip(texts, is_empty, strict=True)]


def _shorten(text: str, widest: int) -> str:
    return text if len(text) <= widest else f"{text[: widest - 1]}…"
