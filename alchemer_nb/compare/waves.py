"""Waves of a survey under one another.

The next wave is a copy of the survey, or another survey: its ids mean nothing to the first. So
columns are matched by alias, then by words, and what was matched how is told.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alchemer_nb.compare.wave_values import cast, dtype_of, renamed
from alchemer_nb.errors import InvalidArgument
from alchemer_nb.frame.build import ATTRS
from alchemer_nb.frame.description import Facts
from alchemer_nb.frame.text_dtype import text_dtype
from alchemer_nb.frame.values import option_names
from alchemer_nb.frame.wordtable import WordTable
from alchemer_nb.survey.columns import INDEX
from alchemer_nb.wire.text import bare

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

_BY = ("id", "name", "alias", "words")  # the surest first
_ALIKE = ("values", "multi", "shape", "language", "tz")


@dataclass
class _Column:
    """One column of the result.

    Attributes:
        name: What it is called there.
        names: What it is called in each wave that has it.
        keys: By what it can be found: pairs of one of ``_BY`` and a text.
        book: Its row of the codebook, from the first wave that has it.
        how: How it was matched.
        notes: What an analyst should look at.
    """

    name: Any
    names: dict[str, Any]
    keys: set[tuple[str, str]]
    book: dict[str, Any] | None
    how: str = ""
    notes: list[str] = field(default_factory=list)


class _Wave:
    """One of the frames, and what it knows of its columns."""

    def __init__(self, label: str, frame: pd.DataFrame) -> None:
        self.label = label
        self.frame = frame
        text = frame.attrs.get(ATTRS)
        self.facts: dict[str, Any] = Facts(text).read() if isinstance(text, str) else {}
        self.asked: dict[str, Any] = self.facts.get("asked", {})
        self.names = self.asked.get("names", "alias")
        book = self.facts.get("codebook", [])
        self._book = {row.get(f"column_{self.names}"): row for row in book}
        if frame.columns.has_duplicates:
            twice = frame.columns[frame.columns.duplicated()][0]
            raise InvalidArgument(f"the frame of {label!r} has two columns {str(twice)[:60]!r}")

    def options(self, name: Any) -> dict[str, tuple[str, str]]:
        """Categories of a column that are options -> option id and reporting value."""
        text, dtype = self.frame.attrs.get(ATTRS), self.frame[name].dtype
        kept = text.kept if isinstance(text, Facts) else None
        column = kept.names.get(name) if kept is not None else None
        if kept is None or column is None or kept.options.rendered != "label":
            return {}
        if not isinstance(dtype, pd.CategoricalDtype):
            return {}
        labels = option_names(
            column.choices, "label", (kept.options.language, kept.survey.language)
        )
        told = {x: (o.id, o.value) for x, o in zip(labels, column.choices, strict=True)}
        return {label: own for label, own in told.items() if label in dtype.categories}

    def column(self, name: Hashable) -> _Column:
        """What one of its columns may be found by."""
        row = self._book.get(name)
        keys = {("name", str(name))}
        if row is None:  # your own, which may be called as a question is
            keys.add(("alias", str(name)))
        elif row.get("part") not in ("metadata", "url variable"):
            keys = {("words", bare(row.get("column_text")))} - {("words", "")}
            if row["column_alias"] != row["column_id"]:
                keys.add(("alias", row["column_alias"]))
            if self.facts.get("survey_id"):  # an id means something within one survey
                keys.add(("id", f"{self.facts['survey_id']} {row['column_id']}"))
        return _Column(name, {self.label: name}, keys, row)


def stack_waves(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Lays the waves of a survey under one another.

    Columns that are one question are matched by alias, else by their words; metadata, url
    variables and your own columns by name. The first wave that has a column names it.

    Args:
        frames: Wave -> frame of responses in the wide shape, in the order to give them.

    Returns:
        Index ``wave`` (the waves as categories) above ``response_id``; every column of any wave.
        Options are put together in order, and are ordered only where all waves have the same;
        one whose words alone changed is called as in the last wave. What is of different kinds
        becomes text. Notes say so.
        ``result.alchemer.waves`` tells what matched how.

    Raises:
        InvalidArgument: Fewer than two frames, or frames made by different choices.

    Example:
        >>> waves = {
        ...     "2025": client.responses("Customer satisfaction 2025", progress="none"),
        ...     "2026": client.responses(9000001, progress="none"),
        ... }
        >>> stack_waves(waves).groupby("wave", observed=False)["nps"].mean().index.tolist()
        ['2025', '2026']
    """
    waves = [_Wave(str(label), frame) for label, frame in frames.items()]
    _check(waves)
    columns = _matched(waves)
    index = _index(waves)
    data = {column.name: _values(column, waves, index) for column in columns}
    result = pd.DataFrame(data, index=index)
    result.attrs = {ATTRS: _facts(columns, waves)}
    return result


def report(facts: Mapping[str, Any]) -> pd.DataFrame:
    """What matched how, from the facts of stacked waves.

    Returns:
        ``column``, ``matched`` (text), its name in each wave, ``notes``; one row a column.
    """
    labels = [str(wave["wave"]) for wave in facts.get("waves", ())]
    rows = facts.get("matched", [])
    data: dict[str, Any] = {
        "column": [r["column"] for r in rows],
        "matched": [r["matched"] for r in rows],
    }
    for label in labels:
        data[label] = [row["names"].get(label) for row in rows]
    data["notes"] = [row["notes"] or None for row in rows]
    return WordTable({name: pd.array(values, dtype=text_dtype()) for name, values in data.items()})


def _check(waves: Sequence[_Wave]) -> None:
    if len(waves) < 2:
        raise InvalidArgument('give two waves or more: stack_waves({"2025": df1, "2026": df2})')
    for name in _ALIKE:
        chosen = {w.label: w.asked[name] for w in waves if name in w.asked}
        if len(set(chosen.values())) > 1:
            said = ", ".join(f"{label}: {value!r}" for label, value in chosen.items())
            raise InvalidArgument(
                f"the frames were made with different {name}= ({said}); make them alike first: "
                f"df.alchemer.relabel({name}=…)"
            )
        if name == "shape" and "long" in chosen.values():
            raise InvalidArgument('waves are stacked wide; df.alchemer.relabel(shape="wide")')


# -- which columns are one ------------------------------------------------------------------


def _matched(waves: Sequence[_Wave]) -> list[_Column]:
    columns: list[_Column] = []
    for wave in waves:
        own = [wave.column(name) for name in wave.frame.columns]
        places: list[_Column | None] = [None] * len(own)
        for how in _BY:
            _pair(own, columns, places, how)
        columns = _merged(columns, own, places, wave.label)
    for column in columns:
        missing = [wave.label for wave in waves if wave.label not in column.names]
        if len(column.names) == 1:
            column.how = f"only in {next(iter(column.names))}"
        elif missing:
            column.notes.append(f"not in {', '.join(missing)}")
    return columns


def _pair(
    own: Sequence[_Column],
    columns: Sequence[_Column],
    places: list[_Column | None],
    how: str,
) -> None:
    """Finds the column of the result for those of a wave that have none; a doubt is no match."""
    taken = {id(column) for column in places if column is not None}
    there = _by_key((column for column in columns if id(column) not in taken), how)
    here = _by_key((c for c, place in zip(own, places, strict=True) if place is None), how)
    numbers = {id(column): number for number, column in enumerate(own)}
    for key, candidates in here.items():
        if len(candidates) != 1 or len(there.get(key, ())) != 1:
            continue
        column, match = candidates[0], there[key][0]
        places[numbers[id(column)]] = match
        match.how = ", ".join(dict.fromkeys((*match.how.split(", "), how))).strip(", ")
        words = {key for key in match.keys if key[0] == "words"}
        if words and not words & column.keys:
            match.notes.append(f"other words in {next(iter(column.names))}")


def _by_key(columns: Iterable[_Column], how: str) -> dict[tuple[str, str], list[_Column]]:
    found: dict[tuple[str, str], list[_Column]] = {}
    for column in columns:
        for key in column.keys:
            if key[0] == how:
                found.setdefault(key, []).append(column)
    return found


def _merged(
    columns: list[_Column], own: Sequence[_Column], places: Sequence[_Column | None], label: str
) -> list[_Column]:
    """Adds a wave: what is new stands behind what it stood behind there."""
    result = list(columns)
    taken = {column.name for column in columns}
    before = -1
    for column, match in zip(own, places, strict=True):
        if match is None:
            if column.name in taken:
                column.name = _free(f"{column.name}_{label}", taken)
            taken.add(column.name)
            before += 1
            result.insert(before, column)
        else:
            match.names |= column.names
            match.keys |= column.keys
            before = next(i for i, each in enumerate(result) if each is match)
    return result


def _free(name: str, taken: set[Any]) -> str:
    while name in taken:
        name += "_"
    return name


# -- their values ---------------------------------------------------------------------------


def _index(waves: Sequence[_Wave]) -> pd.MultiIndex:
    labels = [wave.label for wave in waves]
    codes = np.repeat(np.arange(len(waves)), [len(wave.frame) for wave in waves])
    categories = pd.Index(labels, dtype=text_dtype())
    ids: list[Any] = []
    for wave in waves:
        frame = wave.frame
        ids.extend(frame[INDEX] if INDEX in frame.columns else frame.index)
    outer = pd.Categorical.from_codes(codes, categories=categories)
    return pd.MultiIndex.from_arrays([outer, pd.Index(ids)], names=["wave", INDEX])


def _values(column: _Column, waves: Sequence[_Wave], index: pd.MultiIndex) -> pd.Series[Any]:
    there = [wave for wave in waves if wave.label in column.names]
    pieces = [wave.frame[column.names[wave.label]] for wave in there]
    told = [wave.options(column.names[wave.label]) for wave in there]
    for place, words in enumerate(renamed(told)):
        taken = set(pieces[place].cat.categories) if words else set()  # by a text of no option
        now = {old: new for old, new in words.items() if new not in taken}
        if now:
            pieces[place] = pieces[place].cat.rename_categories(now)
            said = ", ".join(f"{old!r} is now {new!r}" for old, new in now.items())
            column.notes.append(f"{there[place].label}: {said}")
    dtypes = [piece.dtype for piece in pieces]
    whole = len(pieces) == len(waves)
    dtype = dtype_of(column.notes, dtypes, [piece.notna().any() for piece in pieces], whole=whole)
    by_wave = {wave.label: piece for wave, piece in zip(there, pieces, strict=True)}
    made = [
        cast(by_wave[wave.label], dtype)
        if wave.label in by_wave
        else pd.Series([None] * len(wave.frame), dtype=dtype)
        for wave in waves
    ]
    return pd.concat(made, ignore_index=True).astype(dtype).set_axis(index)


# -- what is told ---------------------------------------------------------------------------


def _facts(columns: Sequence[_Column], waves: Sequence[_Wave]) -> Facts:
    first = waves[0]
    named = f"column_{first.names}"
    facts = {
        "title": " / ".join(dict.fromkeys(str(w.facts.get("title") or w.label) for w in waves)),
        "asked": first.asked,
        "waves": [
            {"wave": w.label, **{k: v for k, v in w.facts.items() if k != "codebook"}}
            for w in waves
        ],
        "matched": [
            {"column": c.name, "matched": c.how, "names": c.names, "notes": "; ".join(c.notes)}
            for c in columns
        ],
        "codebook": [{**c.book, named: c.name} for c in columns if c.book is not None],
    }
    return Facts(json.dumps(facts, ensure_ascii=False, default=str))
