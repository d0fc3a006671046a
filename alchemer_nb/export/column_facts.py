"""The facts about each column of a frame, for exports with labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alchemer_nb.errors import KnowledgeLost
from alchemer_nb.frame.description import read_description
from alchemer_nb.frame.values import codes_are_numbers, option_names, read_number

if TYPE_CHECKING:
    import pandas as pd

    from alchemer_nb.frame.options import Values
    from alchemer_nb.survey.columns import AnswerColumn
    from alchemer_nb.survey.definition import Option

_LARGEST_CODE = 2**31 - 100  # Stata keeps the last ones for its missing values
_PARTS = {"other": "other, written in", "comment": "comment", "raw": "as received"}


@dataclass(frozen=True, slots=True)
class Choices:
    """The options of a column as codes and labels.

    Attributes:
        by_name: What each option is called in the frame -> its code.
        labels: Code -> label.
        not_applicable: Codes of options that say that there is no answer.
        are_values: Whether the codes are reporting values; else they are positions from 1.
    """

    by_name: dict[str, float]
    labels: dict[float, str]
    not_applicable: tuple[float, ...]
    are_values: bool


@dataclass
class Known:
    """The facts that a frame carries; empty for a frame of another origin."""

    facts: dict[str, Any] = field(default_factory=dict)
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    columns: dict[str, AnswerColumn] = field(default_factory=dict)
    languages: tuple[str | None, ...] = ()
    values: str = "label"

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Known:
        """Read the facts of a frame."""
        try:
            description = read_description(frame)
        except KnowledgeLost:
            return cls()
        if description.options.shape == "long":  # its columns are no questions
            return cls(dict(description.about))
        columns: dict[str, AnswerColumn] = dict(description.columns)
        languages = description.languages
        for wave in reversed([*description.waves.values()]):
            columns |= wave.columns
            languages = wave.languages
        return cls(
            dict(description.about),
            description.records,
            columns,
            languages,
            description.options.values,
        )

    @property
    def title(self) -> str:
        """The survey's title."""
        return str(self.facts.get("title") or "")

    def record(self, name: str) -> dict[str, Any]:
        """Return the row of the codebook; for a column of codes, that of its question."""
        return self.records.get(name) or self.records.get(self._coded(name) or "") or {}

    def pieces(self, name: str) -> list[str]:
        """Return the words of a column: question, row, option, part."""
        row = self.record(name)
        words = [str(row.get(k) or "") for k in ("question", "row", "option")]
        return [*filter(None, words), *filter(None, [_PARTS.get(row.get("part", ""), "")])] or [
            name
        ]

    def column(self, name: str) -> AnswerColumn | None:
        """Return the survey's column of that name."""
        return self.columns.get(name) or self.columns.get(self._coded(name) or "")

    def choices(self, name: str, *, whole: bool) -> Choices | None:
        """Return the options of a category as codes and labels.

        Reporting values are the codes if all of a question are different numbers; else the options
        count from 1, chosen or not, so that waves of a survey agree.

        Args:
            name: Name of the column.
            whole: Whether codes must be whole numbers.
        """
        column = self.column(name)
        if column is None or not column.choices:
            return None
        if column.part not in ("answer", "item", "leaf"):
            return None
        way = self.way(name)
        codes = _codes(column.choices, whole=whole)
        are_values = codes is not None
        codes = codes or [float(n) for n in range(1, len(column.choices) + 1)]
        names = option_names(column.choices, way, self.languages)
        shown = option_names(column.choices, "label", self.languages)
        return Choices(
            dict(zip(names, codes, strict=True)),
            dict(zip(codes, shown, strict=True)),
            tuple(c for c, o in zip(codes, column.choices, strict=True) if o.is_not_applicable),
            are_values,
        )

    def numbers(self, name: str) -> Choices | None:
        """Return the labels of numbers that mean options: of a scale, or codes as values."""
        column = self.column(name)
        if column is None or not column.choices or column.part != "answer":
            return None
        ids = self.way(name) == "id"
        if column.kind == "category" and not ids and not codes_are_numbers(column.choices):
            return None
        labels: dict[float, str] = {}
        missing = []
        for option in column.choices:
            code = read_number(option.id if ids else option.value)
            label = option.label(*self.languages)
            if code != code:
                continue
            if option.is_not_applicable:
                missing.append(code)
            if read_number(label) != code:
                labels[code] = f"{labels[code]} / {label}" if code in labels else label
        return Choices({}, labels, tuple(dict.fromkeys(missing)), not ids)

    def way(self, name: str) -> Values:
        """Return the form of the values of a column: label, code or id."""
        if self.values == "both":
            return "label" if name in self.columns else "code"
        return "code" if self.values == "code" else "id" if self.values == "id" else "label"

    def _coded(self, name: str) -> str | None:
        """Return the name of the column whose codes this one holds, with ``values="both"``."""
        stem = name.removesuffix("_code")
        return stem if self.values == "both" and stem != name and name not in self.columns else None


def _codes(options: tuple[Option, ...], *, whole: bool) -> list[float] | None:
    """Return reporting values as codes; None if they are no different numbers."""
    codes = [read_number(option.value) for option in options]
    if any(c != c for c in codes) or len(set(codes)) < len(codes):
        return None
    if whole and any(c != int(c) or abs(c) > _LARGEST_CODE for c in codes):
        return None
    return codes
