"""The result of ``doctor``: a table to read, and a text without values for a bug report."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from dataclasses import astuple, dataclass, fields
from html import escape
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from alchemer_nb.doctor.shapes import PathShape
from alchemer_nb.visible import make_visible
from alchemer_nb.wire.text import counted

if TYPE_CHECKING:
    import pandas as pd

OK, ALLOWED, REFUSED, TROUBLE, NOTE, NOT_TRIED = (
    *("ok", "allowed", "refused", "trouble"),
    *("note", "not tried"),
)
RIGHTS, SHAPES = "rights", "shapes"
_WIDTH = 96
_E_MAIL = re.compile(r"[^\s@<>()\"']+@[^\s@<>()\"']+")
_CELL = "text-align:left;vertical-align:top;padding:1px 12px 1px 0"
_WRAPPED = f"{_CELL};white-space:normal;overflow-wrap:anywhere"


@dataclass(frozen=True, slots=True)
class Check:
    """One check and what it found.

    Attributes:
        area: ``"network"``, ``"sign-in"``, ``"rights"``, ``"rate limit"``, ``"this computer"`` or
            ``"shapes"``.
        name: What was checked.
        result: ``OK``, ``ALLOWED``, ``REFUSED``, ``TROUBLE``, ``NOTE`` or ``NOT_TRIED``.
        detail: What was found.
        advice: What to do next.
        public: The detail without any value, for a bug report; None if it has none.
    """

    area: str
    name: str
    result: str
    detail: str = ""
    advice: str = ""
    public: str | None = None

    def without_values(self) -> Check:
        """Return the check as a bug report may show it."""
        detail = self.detail if self.public is None else self.public
        return Check(self.area, self.name, self.result, _hide(detail))


def _hide(text: str) -> str:
    return make_visible(_E_MAIL.sub("<e-mail>", hide_home(text)))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Diagnosis:
    """What ``doctor`` found.

    Attributes:
        checks: All checks, in the order of the table.
        paths: The paths of the replies that were compared with the expected shapes.
        utc: When it began.
    """

    checks: tuple[Check, ...]
    paths: tuple[PathShape, ...]
    utc: str

    @property
    def ok(self) -> bool:
        """Whether there is no trouble; a missing right is none."""
        return all(check.result != TROUBLE for check in self.checks)

    @property
    def frame(self) -> pd.DataFrame:
        """One row a check: area, check, result, detail, advice."""
        import pandas as pd

        rows = [(c.area, c.name, c.result, c.detail, c.advice) for c in self.checks]
        return pd.DataFrame(rows, columns=["area", "check", "result", "detail", "advice"])

    @property
    def shapes(self) -> pd.DataFrame:
        """One row a path of the compared replies, with JSON types and counts, without values."""
        import pandas as pd

        names = [field.name for field in fields(PathShape)]
        return pd.DataFrame([astuple(path) for path in self.paths], columns=names)

    @property
    def summary(self) -> str:
        """The result in one line."""
        counts = Counter(check.result for check in self.checks)
        trouble = [check.name for check in self.checks if check.result == TROUBLE]
        found = [
            f"trouble with {', '.join(trouble)}" if trouble else "no trouble found",
            f"{counted(counts[REFUSED], 'right')} refused" if counts[REFUSED] else "",
            counted(counts[NOTE], "note") if counts[NOTE] else "",
        ]
        return f"Doctor: {', '.join(filter(None, found))}"

    def text(self) -> str:
        """Return all of it for a bug report.

        It has no key, name, title, address, id or answer, and no path of your own folders: of an
        error only its kind, of your settings only their names.
        """
        lines = [f"alchemer_nb doctor, {self.utc}"]
        for check in (check.without_values() for check in self.checks):
            start = f"{check.area:<14}{check.name:<17}{check.result:<10}"
            lines.append(f"{start}{check.detail}".rstrip())
        different = [path for path in self.paths if path.difference]
        if self.paths:
            lines.append(f"{counted(len(self.paths), 'path')} compared, {len(different)} differ:")
        lines += [
            f"  {path.reply}: {path.path}: {path.difference} × {path.count}"
            f" ({path.types or 'none'}; expected {path.expected or 'nothing'})"
            for path in different
        ]
        return _hide("\n".join(lines))

    def __repr__(self) -> str:
        lines, indent = [self.summary], " " * 42
        wrapper = textwrap.TextWrapper(_WIDTH, subsequent_indent=indent, break_on_hyphens=False)
        for area, name, result, detail, advice in self._shown():
            start = f"{area:<15}{name:<17}{result:<10}"
            lines.append(wrapper.fill(f"{start}{detail}").rstrip())
            if advice:
                lines.append(wrapper.fill(f"{indent}→ {advice}"))
        return make_visible("\n".join([*lines, self._last_line]))

    def _repr_html_(self) -> str:
        # No colours of its own: it must be readable in a light and in a dark theme.
        rows = []
        for area, name, result, detail, advice in self._shown():
            strong = ";font-weight:600" if result in (TROUBLE, REFUSED) else ""
            below = f'<div style="opacity:.8">→ {escape(advice)}</div>' if advice else ""
            rows.append(
                f'<tr><th style="{_CELL}">{escape(area)}</th><td style="{_CELL}">{escape(name)}'
                f'</td><td style="{_CELL}{strong};white-space:nowrap">{result}</td>'
                f'<td style="{_WRAPPED}">{escape(detail)}{below}</td></tr>'
            )
        # Browsers break a line behind a hyphen: half the option could be copied.
        last_line = escape(self._last_line).replace(
            "--text", '<span style="white-space:nowrap">--text</span>'
        )
        last = f'<div style="opacity:.8">{last_line}</div>'
        return make_visible(
            f"<div><div>{escape(self.summary)}</div><table>{''.join(rows)}</table>{last}</div>"
        )

    @property
    def _last_line(self) -> str:
        more = "; .shapes has every path that was compared" if self.paths else ""
        return (
            "For a bug report, without your data: %alchemer doctor --text, or .text() of this "
            f"result in Python{more}"
        )

    def _shown(self) -> list[tuple[str, str, str, str, str]]:
        """Return the rows to show: what has the same result in one row, an area named once."""
        rows = []
        for area, checks in groupby(self.checks, key=lambda check: check.area):
            listed = list(checks)
            if area in (RIGHTS, SHAPES):
                listed = _join_equal(listed)
            for number, one in enumerate(listed):
                shown_area = "" if number else area
                rows.append((shown_area, one.name, one.result, one.detail, one.advice))
        return rows


def _join_equal(checks: list[Check]) -> list[Check]:
    joined: dict[tuple[str, str, str, str], list[str]] = {}
    for check in checks:
        # Of what is as it should be, the names are enough.
        detail = "" if check.result in (ALLOWED, OK) else check.detail
        joined.setdefault((check.area, check.result, detail, check.advice), []).append(check.name)
    rows = []
    for (area, result, detail, advice), names in joined.items():
        if len(names) == 1 and detail:
            rows.append(Check(area, names[0], result, detail, advice))
        else:
            listed = ", ".join(names) + (f": {detail}" if detail else "")
            name = "as expected" if (area, result) == (SHAPES, OK) else ""
            rows.append(Check(area, name, result, listed, advice))
    return rows


def hide_home(text: str) -> str:
    """Return a text with ``~`` in place of the home folder."""
    try:
        home = str(Path.home())
    except RuntimeError:  # there is none
        return text
    return text.replace(home, "~") if len(home) > 1 else text
