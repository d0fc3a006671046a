"""Signs that a response was not given with care: flags for each, which delete nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

import numpy as np
import pandas as pd

from alchemer_nb.analysis.question import read_question
from alchemer_nb.analysis.shown import NOTHING
from alchemer_nb.analysis.wave_questions import read_wave_questions
from alchemer_nb.errors import InvalidArgument
from alchemer_nb.frame.description import describe_wide
from alchemer_nb.frame.missing import cell_states
from alchemer_nb.frame.reasons import ANSWERED, SKIPPED
from alchemer_nb.survey.question_types import GRID_SINGLE, question_key
from alchemer_nb.visible import make_visible
from alchemer_nb.wire.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alchemer_nb.analysis.question import Item
    from alchemer_nb.frame.description import Description

_GRIDS = {**dict.fromkeys(GRID_SINGLE, "answer"), "table-stars": "item"}  # part of their cells
_FEWEST_ROWS = 3  # of a grid in which the same answer everywhere means something
_OPEN = ("text", "essay")
_ENOUGH = 1000  # characters of an answer in which a word is looked for
_NOT_FLAGGED = (None, False, 0, "", "0")  # 0 is False
_TEXTS = ("check", "how")
_SUMMARY = ("check", "flagged", "of", "percent", "how")


@dataclass(frozen=True, eq=False)
class Quality:
    """Flags of responses, and how many have each.

    Attributes:
        flags: One row for each response, with the frame's index: a column of True, False and NA
            (boolean) for each check, and ``flags``, how many of them are True (int64).
        summary: One row for each check: ``check``, ``flagged``, ``of`` (int64), ``percent``
            (float64) and ``how`` it is made (text).
        notes: What could not be checked, and why.
    """

    flags: pd.DataFrame
    summary: pd.DataFrame
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        lines = [
            f"{row.check}: {row.flagged:,} of {row.of:,} ({_percent(row.percent)} %): {row.how}"
            for row in self.summary.itertuples()
        ]
        several = int((self.flags["flags"] > 1).sum())
        lines.append(f"{counted(several, 'response')} with more than one flag. Nothing is deleted.")
        return make_visible("\n".join((*lines, *self.notes)))

    def _repr_html_(self) -> str:
        left, right = 'style="text-align:left"', 'style="text-align:right"'
        head = "".join(f"<th {left if name in _TEXTS else right}>{name}</th>" for name in _SUMMARY)
        rows = "".join(
            f"<tr><td {left}>{escape(str(row.check))}</td><td {right}>{row.flagged:,}</td>"
            f"<td {right}>{row.of:,}</td><td {right}>{_percent(row.percent)}</td>"
            f"<td {left}>{escape(str(row.how))}</td></tr>"
            for row in self.summary.itertuples()
        )
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        return make_visible(f"{table}{notes}<p>Nothing is deleted.</p>")


def _percent(number: Any) -> str:
    return NOTHING if math.isnan(number) else f"{number:.1f}"


def check_quality(frame: pd.DataFrame, speed: float) -> Quality:
    """Flag responses; see ``AlchemerAccessor.quality``.

    Raises:
        InvalidArgument: ``speed`` is no part of the median.
        KnowledgeLost: The frame carries no description.
    """
    if not isinstance(speed, int | float | np.floating) or not 0 < speed < 1:
        raise InvalidArgument("speed is a part of the median time, such as 0.33")
    description = describe_wide(frame)
    found: dict[str, tuple[Any, str]] = {}
    notes: list[str] = []
    checks = (
        _speeders(frame, float(speed)),
        *_straight_lines(frame, description),
        _repeated_sessions(frame),
        _empty_opens(frame, description),
        _own_flags(frame),
    )
    for name, flags, text in checks:
        if flags is None:
            notes.append(text)
        else:
            found[name] = (pd.array(flags, dtype="boolean"), text)
    data = {name: flags for name, (flags, _) in found.items()}
    whole = pd.DataFrame(data, index=frame.index)
    whole["flags"] = whole.sum(axis=1, skipna=True).astype("int64") if data else 0
    rows = []
    for name, (flags, text) in found.items():
        of, flagged = int((~flags.isna()).sum()), int(flags.sum())
        share = 100 * flagged / of if of else np.nan
        rows.append(dict(zip(_SUMMARY, (name, flagged, of, share, text), strict=True)))
    summary = pd.DataFrame(rows, columns=list(_SUMMARY))
    return Quality(whole, summary, tuple(notes))


_Check = tuple[str, Any, str]


def _speeders(frame: pd.DataFrame, speed: float) -> _Check:
    if "response_time" not in frame.columns:
        return "speeder", None, 'Speeders need response_time (metadata="standard").'
    seconds = read_seconds(frame)
    is_known = np.isfinite(seconds)
    limit = speed * float(np.median(seconds[is_known])) if is_known.any() else math.nan
    flags = [
        bool(each < limit) if known else pd.NA
        for each, known in zip(seconds.tolist(), is_known.tolist(), strict=True)
    ]
    shown = f"{limit:,.1f}".removesuffix(".0")
    how = f"less than {shown} seconds, {speed:.2g} times the median"
    return "speeder", flags, how if is_known.any() else "no response has a time"


def read_seconds(frame: pd.DataFrame) -> np.ndarray:
    """Return the time of each response in seconds (float64, NaN for none)."""
    given = frame["response_time"]
    if pd.api.types.is_timedelta64_dtype(given.dtype):
        given = given.dt.total_seconds()
    seconds: np.ndarray = pd.to_numeric(given, errors="coerce").to_numpy(
        np.float64, na_value=np.nan
    )
    return seconds


def _straight_lines(frame: pd.DataFrame, description: Description) -> Iterator[_Check]:
    """Yield a check for each grid: the same answer in all of its rows."""
    for name, names in read_wave_questions(frame, description, _grids).items():
        answers = [read_question(frame, description, each) for each in names]
        items = [item for each in answers for item in each.items]
        if len(items) < _FEWEST_ROWS:
            continue
        places: dict[str, int] = {}
        for item in items:  # rows may differ in the options that an analyst added
            for choice in item.choices:
                places.setdefault(choice.label, len(places))
        codes = np.column_stack([_positions(item, places) for item in items])
        given = (codes >= 0).sum(axis=1)
        first = codes.max(axis=1)
        same = ((codes == first[:, None]) | (codes < 0)).all(axis=1)
        flags = [
            bool(is_same) if count >= _FEWEST_ROWS else pd.NA
            for is_same, count in zip(same.tolist(), given.tolist(), strict=True)
        ]
        how = f"the same answer in all rows of {answers[0].title!r}"
        yield f"straight_{name}", flags, how


def _positions(item: Item, places: Mapping[str, int]) -> np.ndarray:
    """Return which answer each row of the frame has, -1 for none: its option, or its stars."""
    if not item.choices:
        stars: np.ndarray = np.nan_to_num(item.numbers, nan=-1)
        return stars
    own = np.array([*(places[choice.label] for choice in item.choices), -1])
    found: np.ndarray = own[item.codes]
    return found


def _grids(frame: pd.DataFrame, description: Description) -> dict[tuple[str, ...], list[str]]:
    """Return the columns of each grid with one answer a row or cell, by what it may be called."""
    found: dict[tuple[str, ...], list[str]] = {}
    for name, column in description.columns.items():
        parent = column.parent
        if parent is None or name not in frame.columns:
            continue
        if _GRIDS.get(question_key(parent)) == column.part:
            words = tuple(filter(None, (f"q{parent.id}", parent.alias)))
            found.setdefault(words, []).append(name)
    return found


def _repeated_sessions(frame: pd.DataFrame) -> _Check:
    if "session_id" not in frame.columns:
        return "repeated_session", None, 'Repeated sessions need session_id (metadata="all").'
    sessions = frame["session_id"]
    repeated = sessions.duplicated(keep=False) & sessions.notna()
    flags = [
        pd.NA if is_missing else bool(flag)
        for flag, is_missing in zip(repeated, sessions.isna(), strict=True)
    ]
    return "repeated_session", flags, "several responses of one session"


def _empty_opens(frame: pd.DataFrame, description: Description) -> _Check:
    """Check for answers to open questions that say nothing, such as a dash, in all of them."""
    said = np.zeros(len(frame), np.int64)
    empty = np.zeros(len(frame), np.int64)
    for _, rows, wave in description.pieces(frame):
        opens = [
            name
            for name, column in wave.columns.items()
            if column.part == "answer" and question_key(column.question) in _OPEN
            if name in frame.columns
        ]
        states = cell_states(frame.iloc[rows], wave, opens)
        for name in opens:
            was_asked = np.isin(states[name], (ANSWERED, SKIPPED))
            cells = frame[name].iloc[rows]
            wrote = cells.notna().to_numpy(bool)
            speaks = cells.isin([text for text in cells.dropna().unique() if _says_something(text)])
            said[rows] += was_asked & speaks.to_numpy(bool)
            empty[rows] += was_asked & wrote & ~speaks.to_numpy(bool)
    flags = [
        pd.NA if not (words + nothing) else bool(nothing and not words)
        for words, nothing in zip(said.tolist(), empty.tolist(), strict=True)
    ]
    return "empty_open", flags, "open answers without a word, such as a dash"


def _says_something(text: Any) -> bool:
    """Check whether a text has a digit, two different letters, or one that is a word."""
    signs = {sign for sign in str(text)[:_ENOUGH].casefold() if sign.isalnum()}
    # A Chinese character is a word: it is wide.
    return len(signs) > 1 or any(s.isdigit() or east_asian_width(s) in "WF" for s in signs)


def _own_flags(frame: pd.DataFrame) -> _Check:
    if "data_quality" not in frame.columns:
        return "alchemer_flag", None, 'Alchemer\'s own flags need data_quality (metadata="all").'
    flags = [bool(_count_flags(text)) for text in frame["data_quality"]]
    return "alchemer_flag", flags, "flagged by Alchemer: gibberish, bad words, straight lines …"


def _count_flags(text: Any) -> int:
    """Count the questions that Alchemer flagged; a branch may be missing, a map or ``[]``."""
    if not isinstance(text, str):
        return 0
    try:
        return _leaves(json.loads(text))
    except ValueError:
        return 0


def _leaves(value: Any) -> int:
    if isinstance(value, Mapping):
        return sum(map(_leaves, value.values()))
    if isinstance(value, list):
        return sum(map(_leaves, value))
    return int(value not in _NOT_FLAGGED)
