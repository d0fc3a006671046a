"""What is known about each column of a frame, for the files that carry labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alchemer_nb.frame.build import ATTRS
from alchemer_nb.frame.description import Facts, Kept
from alchemer_nb.frame.values import codes_are_numbers, option_names, read_number

if TYPE_CHECKING:
    import pandas as pd

    from alchemer_nb.frame.values import Values
    from alchemer_nb.survey.columns import Column
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
    """What the frame knows about itself; everything is empty for a frame from elsewhere."""

    facts: dict[str, Any] = field(default_factory=dict)
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    columns: dict[str, Column] = field(default_factory=dict)
    kept: Kept | None = None
    values: str = "label"

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Known:
        """Reads it from a frame."""
        text = frame.attrs.get(ATTRS)
        if not isinstance(text, str):
            return cls()
        kept = text.kept if isinstance(text, Facts) else None
        try:
            facts = Facts(text).read()
        except ValueError:
            return cls()
        asked = facts.get("asked", {})
        if asked.get("shape") == "long":  # its columns are no questions
            return cls(facts)
        name = f"column_{asked.get('names', 'alias')}"
        records = {str(row.get(name)): row for row in facts.get("codebook", ())}
        columns = dict(kept.names) if kept else {}
        return cls(facts, records, columns, kept, asked.get("values", "label"))

    @property
    def title(self) -> str:
        """The survey's title."""
        return str(self.facts.get("title") or "")

    def record(self, name: str) -> dict[str, Any]:
        """Its row of the codebook; of a column of codes, its question's."""
        return self.records.get(name) or self.records.get(self._coded(name) or "") or {}

    def pieces(self, name: str) -> list[str]:
        """The words for a column: question, row, option, part."""
        row = self.record(name)
        words = [str(row.get(k) or "") for k in ("question", "row", "option")]
        return [*filter(None, words), *filter(None, [_PARTS.get(row.get("part", ""), "")])] or [
            name
        ]

    def column(self, name: str) -> Column | None:
        """The survey's column of that name."""
        return self.columns.get(name) or self.columns.get(self._coded(name) or "")

    def choices(self, name: str, *, whole: bool) -> Choices | None:
        """The options of a column of one choice, as codes.

        Reporting values are the codes where all of a question's are different numbers; else its
        options count from 1, chosen or not, so that waves of a survey agree.

        Args:
            name: Of the column.
            whole: Whether only whole numbers will do.
        """
        column = self.column(name)
        if column is None or self.kept is None or not column.choices:
            return None
        if column.part not in ("answer", "item", "leaf"):
            return None
        spoken = (self.kept.options.language, self.kept.survey.language)
        way = self.way(name)
        codes = _codes(column.choices, whole=whole)
        are_values = codes is not None
        codes = codes or [float(n) for n in range(1, len(column.choices) + 1)]
        names = option_names(column.choices, way, spoken)
        shown = option_names(column.choices, "label", spoken)
        return Choices(
            dict(zip(names, codes, strict=True)),
            dict(zip(codes, shown, strict=True)),
            tuple(c for c, o in zip(codes, column.choices, strict=True) if o.is_not_applicable),
            are_values,
        )

    def numbers(self, name: str) -> Choices | None:
        """Labels of numbers that stand for options: a scale, or codes asked for as values."""
        column = self.column(name)
        if column is None or self.kept is None or not column.choices or column.part != "answer":
            return None
        spoken = (self.kept.options.language, self.kept.survey.language)
        ids = self.way(name) == "id"
        if column.kind == "category" and not ids and not codes_are_numbers(column.choices):
            return None
        labels: dict[float, str] = {}
        missing = []
        for option in column.choices:
            code = read_number(option.id if ids else option.value)
            label = option.label(*spoken)
            if code != code:
                continue
            if option.is_not_applicable:
                missing.append(code)
            if read_number(label) != code:
                labels[code] = f"{labels[code]} / {label}" if code in labels else label
        return Choices({}, labels, tuple(dict.fromkeys(missing)), not ids)

    def way(self, name: str) -> Values:
        """How the values of a column are given: by label, code or id."""
        if self.values == "both":
            return "label" if name in self.columns else "code"
        return "code" if self.values == "code" else "id" if self.values == "id" else "label"

    def _coded(self, name: str) -> str | None:
        """The column whose codes this one holds, with ``values="both"``."""
        stem = name.removesuffix("_code")
        return stem if self.values == "both" and stem != name and name not in self.columns else None


def _codes(options: tuple[Option, ...], *, whole: bool) -> list[float] | None:
    """Reporting values as codes, None where they do not serve."""
    codes = [read_number(option.value) for option in options]
    if any(c != c for c in codes) or len(set(codes)) < len(codes):
        return None
    if whole and any(c != int(c) or abs(c) > _LARGEST_CODE for c in codes):
        return None
    return codes
