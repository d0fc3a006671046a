"""The facts about each column of a frame, for exports with labels."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from alchemer_nb.errors import InvalidArgument, KnowledgeLost
from alchemer_nb.frame.description import CategoriesInUse, Description, read_description
from alchemer_nb.frame.values import codes_are_numbers, option_names
from alchemer_nb.survey.columns import TEXT_SUFFIXES, question_names
from alchemer_nb.survey.definition import Option
from alchemer_nb.survey.scales import is_scale, read_number
from alchemer_nb.wire.text import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    import pandas as pd

    from alchemer_nb.frame.options import Values
    from alchemer_nb.survey.columns import AnswerColumn, AnswerPath

_LARGEST_CODE = 2**31 - 100  # Stata keeps the last ones for its missing values


@dataclass(frozen=True, slots=True)
class Choices:
    """The categories of a column as codes and labels.

    Attributes:
        by_name: Category in the frame -> its code: a number, or the text of a string variable.
        labels: Code -> label; for all options, chosen or not.
        not_applicable: Codes that say that there is no answer.
        are_values: Whether the codes are reporting values; else they are positions from 1.
        note: Where the codes come from.
        ordered: Whether the options are a scale, "not applicable" ones left aside.
    """

    by_name: dict[str, Any]
    labels: dict[Any, str]
    not_applicable: tuple[Any, ...] = ()
    are_values: bool = True
    note: str = ""
    ordered: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the choices as JSON can hold them."""
        return {
            "by_name": self.by_name,
            "labels": list(self.labels.items()),
            "not_applicable": self.not_applicable,
            "ordered": self.ordered,
        }

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> Choices:
        """Return the choices that ``to_json`` gave."""
        labels, missing = dict(map(tuple, data["labels"])), tuple(data["not_applicable"])
        note = "codes are those of the file"
        return cls(data["by_name"], labels, missing, note=note, ordered=data["ordered"])


@dataclass
class Known:
    """The facts that a frame carries; empty for a frame of another origin.

    Attributes:
        facts: Facts of the download or file.
        records: Column -> its row of the codebook.
        columns: Column -> its part of the survey, also of columns that the frame does not have.
        described: Column -> its choices, in a frame that was read from SPSS or Stata.
        languages: Languages of the labels.
        values: The form of the frame's values.
        in_use: Distinguishes categories from texts that a filter left behind.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    columns: dict[str, AnswerColumn] = field(default_factory=dict)
    described: dict[str, Choices] = field(default_factory=dict)
    languages: tuple[str | None, ...] = ()
    values: str = "label"
    in_use: CategoriesInUse = field(default_factory=lambda: CategoriesInUse(Description()))

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Known:
        """Read the facts of a frame."""
        try:
            description = read_description(frame)
        except KnowledgeLost:
            return cls()
        facts = {"title": description.survey.title, **description.about}
        if description.options.shape == "long":  # its columns are no questions
            return cls(facts)
        columns: dict[str, AnswerColumn] = dict(description.columns)
        languages = description.languages
        for wave in reversed([*description.waves.values()]):
            columns |= wave.columns
            languages = wave.languages
        return cls(
            facts,
            description.records,
            columns,
            {n: Choices.of_json(each) for n, each in description.file_codes.items()},
            languages,
            description.options.values,
            CategoriesInUse(description),
        )

    @property
    def title(self) -> str:
        """The survey's title."""
        return str(self.facts.get("title") or "")

    @property
    def is_lost(self) -> bool:
        """True if the frame carries no facts."""
        return not self.facts

    def record(self, name: str) -> dict[str, Any]:
        """Return the row of the codebook; for a column of codes, that of its question."""
        return self.records.get(name) or self.records.get(self.label_column(name) or "") or {}

    def pieces(self, name: str) -> list[str]:
        """Return the words of a column: question, row, option, part."""
        row = self.record(name)
        words = [str(row.get(k) or "") for k in ("question", "row", "option")]
        words.append(TEXT_SUFFIXES.get(row.get("part", ""), ""))
        return [*filter(None, words)] or [name]

    def column(self, name: str) -> AnswerColumn | None:
        """Return the survey's column of that name."""
        return self.columns.get(name) or self.columns.get(self.label_column(name) or "")

    def is_metadata(self, name: str) -> bool:
        """Check whether a column has metadata, such as the status of a response, or its wave."""
        is_wave = name == "wave" and "waves" in self.facts
        return is_wave or self.record(name).get("part") == "metadata"

    def set_of(self, name: str) -> AnswerPath:
        """Return the path of the multi-select that a column is an option of; else ``()``."""
        column, row = self.column(name), self.records.get(name, {})
        if column is not None:
            is_option = column.part == "option" and column.kind == "boolean"
            return column.path[:-1] if is_option else ()
        ids = (str(row.get("parent_id") or ""), str(row.get("question_id") or ""))
        return ids if row.get("part") == "option" else ()

    def sets(self) -> dict[AnswerPath, list[str]]:
        """Return the names of the columns of each multi-select, here or not."""
        found: dict[AnswerPath, list[str]] = {}
        for name in {**self.records, **self.columns}:
            if path := self.set_of(name):
                found.setdefault(path, []).append(name)
        return found

    # -- categories -------------------------------------------------------------------------

    def choices(
        self, name: str, groups: Sequence[str], used: Container[str], *, whole: bool
    ) -> Choices | None:
        """Return codes and labels of a column; None for categories of the analyst's own.

        A column is known by its name, if the survey has each of its categories; else by its
        categories, if they are, in order, those of questions that all have the same codes.

        Args:
            name: Name of the column.
            groups: Its categories.
            used: Those that some cell holds.
            whole: Whether codes must be whole numbers.
        """
        own = self._choices_of(name, whole=whole)
        if own is not None:
            # A filter leaves received texts behind that no cell holds; a rename takes options away.
            stale = all(n in groups for n in own.by_name)
            if all(group in own.by_name or (stale and group not in used) for group in groups):
                return own
        alike: dict[tuple[Any, ...], tuple[str, Choices]] = {}
        for other in [*self.columns, *self.described]:
            for way in ("label", "code") if self.values == "both" else (None,):
                found = self._choices_of(other, whole=whole, way=way)
                if found is not None and list(found.by_name) == list(groups):
                    codes = (*found.by_name.values(), *found.not_applicable)
                    alike.setdefault(codes, (other, found))
        if len(alike) != 1:
            return None
        ((other, found),) = alike.values()
        return replace(found, note=f"{found.note}, as in {other}, which has the same options")

    def own_choices(self, name: str, groups: Sequence[str], left: Container[str] = ()) -> Choices:
        """Return 1, 2, … as codes of categories, in their order.

        Args:
            name: Name of the column.
            groups: Its categories.
            left: Those that get no label: somebody wrote them who is no longer in the frame.
        """
        known = self._choices_of(name, whole=False)
        aside = [g for g, c in known.by_name.items() if c in known.not_applicable] if known else []
        labels = {float(n): group for n, group in enumerate(groups, 1) if group not in left}
        missing = tuple(c for c, g in labels.items() if g in aside or _means_nothing(g))
        by_name = {group: float(number) for number, group in enumerate(groups, 1)}
        return Choices(by_name, labels, missing, False, "codes are positions of the categories")

    def given_choices(
        self, name: str, given: object, groups: Sequence[str], *, whole: bool
    ) -> Choices:
        """Return the codes that the argument ``codes`` has for a column.

        Args:
            name: Name of the column.
            given: A question, or category -> code.
            groups: The categories of the column.
            whole: Whether codes must be whole numbers.

        Raises:
            InvalidArgument: It leaves out a category, or does not fit.
        """
        if isinstance(given, (str, int)):
            other = self._find(str(given))
            choices = self._choices_of(other, whole=whole)
            if choices is None:
                raise InvalidArgument(f"codes: {other!r} has no options with codes")
            choices = replace(choices, note=f"{choices.note}, as in {other}")
        else:
            choices = _choices_of_map(name, given, whole=whole)
        lacking = [group for group in groups if group not in choices.by_name]
        if lacking:
            hint = did_you_mean(lacking[0], choices.by_name)
            raise InvalidArgument(f"codes for {name!r} leave out {lacking[0]!r}{hint}")
        return choices

    def _choices_of(self, name: str, *, whole: bool, way: Values | None = None) -> Choices | None:
        described = self.described.get(name)
        if described is not None:
            return _whole_numbers(described) if whole else described
        column = self.column(name)
        if column is None or column.part not in ("answer", "item", "leaf") or not column.choices:
            return None
        values = _codes(column.choices, whole=whole)
        codes = values or [float(n) for n in range(1, len(column.choices) + 1)]
        names = option_names(column.choices, way or self.way(name), self.languages)
        shown = option_names(column.choices, "label", self.languages)
        return Choices(
            dict(zip(names, codes, strict=True)),
            dict(zip(codes, shown, strict=True)),
            tuple(c for c, o in zip(codes, column.choices, strict=True) if o.is_not_applicable),
            bool(values),
            f"codes are {'reporting values' if values else 'positions of the options'}",
            is_scale(column),
        )

    def _find(self, question: str) -> str:
        """Return the name of the column of a question."""
        if question in self.columns or question in self.described:
            return question
        found = [
            name
            for name, column in self.columns.items()
            if column.part == "answer" and question in question_names(column)
        ]
        if len(found) == 1:
            return found[0]
        hint = did_you_mean(question, [*self.columns, *self.described])
        problem = f"{len(found)} columns belong to" if found else "this frame knows no"
        raise InvalidArgument(f"codes: {problem} question {question!r}{hint}")

    # -- numbers ----------------------------------------------------------------------------

    def numbers(self, name: str) -> Choices | None:
        """Return the labels of numbers that mean options: of a scale, or codes as values."""
        described = self.described.get(name)
        if described is not None:
            is_text = any(isinstance(code, str) for code in described.labels)
            return None if is_text else described
        column = self.column(name)
        if column is None or not column.choices or column.part != "answer":
            return None
        ids = self.way(name) == "id"
        if column.kind == "category" and not ids:
            is_coded = self.way(name) == "code" and codes_are_numbers(column.choices)
            if not is_coded:  # numbers in place of labels are the analyst's own
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
        return Choices({}, labels, tuple(dict.fromkeys(missing)), ordered=is_scale(column))

    def way(self, name: str) -> Values:
        """Return the form of the values of a column: label, code or id."""
        if self.values == "both":
            return "label" if name in self.columns else "code"
        return "code" if self.values == "code" else "id" if self.values == "id" else "label"

    def label_column(self, name: str) -> str | None:
        """Return the name of the column whose codes this one holds, with ``values="both"``."""
        stem = name.removesuffix("_code")
        return stem if self.values == "both" and stem != name and name not in self.columns else None


def _codes(options: tuple[Option, ...], *, whole: bool) -> list[float] | None:
    """Return reporting values as codes; None if they are no different numbers."""
    codes = [read_number(option.value) for option in options]
    return codes if _are_codes(codes, whole=whole) else None


def _are_codes(codes: Sequence[float], *, whole: bool) -> bool:
    if any(c != c for c in codes) or len(set(codes)) < len(codes):
        return False
    return not whole or all(c == int(c) and abs(c) <= _LARGEST_CODE for c in codes)


def _choices_of_map(name: str, given: object, *, whole: bool) -> Choices:
    """Return the codes that an analyst gave, with categories as labels."""
    if not isinstance(given, dict) or not given:
        raise InvalidArgument(
            f"codes: {name!r} takes the name of a question, or a dict of category and number"
        )
    codes = [float("nan") if isinstance(c, str) else read_number(c) for c in given.values()]
    if not _are_codes(codes, whole=whole):
        kind = "different whole numbers" if whole else "different numbers"
        raise InvalidArgument(f"codes: the codes of {name!r} are {kind}")
    by_name = dict(zip(map(str, given), codes, strict=True))
    missing = tuple(code for group, code in by_name.items() if _means_nothing(group))
    labels = {code: group for group, code in by_name.items()}
    return Choices(by_name, labels, missing, note="codes as given")


def _means_nothing(label: str) -> bool:
    """Check whether a label says that there is no answer, as the survey's labels are judged."""
    return Option("", {"": label}, label).is_not_applicable


def _whole_numbers(choices: Choices) -> Choices:
    """Return choices with positions from 1 as codes, unless the codes are whole numbers."""
    numbers = [float("nan") if isinstance(code, str) else code for code in choices.labels]
    if _are_codes(numbers, whole=True):
        return choices
    position = {code: float(number) for number, code in enumerate(choices.labels, 1)}
    return replace(
        choices,
        by_name={name: position[code] for name, code in choices.by_name.items()},
        labels={position[code]: label for code, label in choices.labels.items()},
        not_applicable=tuple(position[c] for c in choices.not_applicable if c in position),
        are_values=False,
        note="codes are positions of the options",
    )
