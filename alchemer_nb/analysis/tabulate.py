"""Count the answers to a question by the columns of a banner: builds a ``Table``."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count, product
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from alchemer_nb.analysis.blocks import BannerColumn, Bases, Block, Row
from alchemer_nb.analysis.question import (
    Choice,
    Item,
    QuestionAnswers,
    as_choices,
    as_label,
    read_question,
)
from alchemer_nb.analysis.significance import Testing, find_lower
from alchemer_nb.analysis.statistics import (
    are_whole,
    deviation,
    different,
    highest,
    lowest,
    margin,
    mean,
    median,
)
from alchemer_nb.analysis.table import Percent, Table
from alchemer_nb.analysis.weights import read_weights
from alchemer_nb.errors import ConfigurationError, InvalidArgument
from alchemer_nb.files import import_optional
from alchemer_nb.frame.description import describe_wide
from alchemer_nb.frame.options import check_choice
from alchemer_nb.survey.columns import INDEX
from alchemer_nb.wire.text import counted, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Sort = Literal["survey", "descending", "ascending"]
MOST_COLUMNS = 60
MOST_CHARACTERS = 100  # of a text that can be a column
NPS_GROUPS = (("Promoters (9–10)", 9, 10), ("Passives (7–8)", 7, 8), ("Detractors (0–6)", 0, 6))


def banner_names(by: Any) -> tuple[str | int, ...]:
    """Return the names of banner questions, given as one name or as several.

    Raises:
        InvalidArgument: They are no names.
    """
    if by is None:
        return ()
    if isinstance(by, str | int | np.integer):
        return (by if isinstance(by, str) else int(by),)
    if isinstance(by, pd.Series | pd.DataFrame | bytes) or not isinstance(by, Iterable):
        raise InvalidArgument(
            f"by names questions or columns, such as 'region', and is no {type(by).__name__}"
        )
    return tuple(by)


@dataclass(frozen=True)
class TableOptions:
    """How a question is tabulated; see ``AlchemerAccessor.table``."""

    by: tuple[str | int, ...] = ()
    weight: str = ""
    percent: Percent = "column"
    nets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    sort: Sort = "survey"
    top: int = 2
    not_applicable: bool = False
    testing: Testing | None = field(default_factory=Testing)
    most_days: int = 31  # dates farther apart are counted by month or year

    def __post_init__(self) -> None:
        check_choice("percent", self.percent, ("column", "row", "total"))
        check_choice("sort", self.sort, ("survey", "descending", "ascending"))
        if not isinstance(self.top, int) or isinstance(self.top, bool) or self.top < 0:
            raise InvalidArgument(f"top is a number of options, such as 2, not {self.top!r}")
        if not isinstance(self.nets, Mapping) or not all(
            isinstance(label, str) and isinstance(parts, list | tuple)
            for label, parts in self.nets.items()
        ):
            raise InvalidArgument(
                'nets are lists of options by label, such as {"Good": ["Good", "Very good"]}'
            )


@dataclass(frozen=True, eq=False)
class Banner:
    """The columns of a table, and which rows of the frame are in each.

    Attributes:
        columns: The columns; the first is the total.
        members: Whether each row is in each column (bool, rows x columns).
        groups: The places of the columns of each banner question that can be compared.
        outside: The words of each banner question, and the rows that are in none of its columns.
        notes: What a reader must know.
    """

    columns: tuple[BannerColumn, ...]
    members: np.ndarray
    groups: tuple[tuple[int, ...], ...] = ()
    outside: tuple[tuple[str, np.ndarray], ...] = ()
    notes: tuple[str, ...] = ()

    def in_the_total_alone(self, in_base: np.ndarray) -> Iterator[str]:
        """Yield a sentence for each banner question that some of the base are in no column of."""
        for title, rows in self.outside:
            if count := int((rows & in_base).sum()):
                responses = counted(count, "response")
                are = "is" if count == 1 else "are"
                yield f"In the total alone: {responses} that {are} in no column of {title!r}."


def tabulate(frame: pd.DataFrame, question: str | int, options: TableOptions) -> Table:
    """Count the answers to a question.

    Raises:
        InvalidArgument: A question or option is unknown, or does not fit.
        KnowledgeLost: The frame carries no description.
    """
    description = describe_wide(frame)
    answers = read_question(frame, description, question)
    weighting = read_weights(frame, options.weight)
    banner = build_banner(frame, options)
    tests = _tests_of(banner, options)
    if not isinstance(tests, Testing):
        columns = tuple(replace(column, letter="") for column in banner.columns)
        banner = replace(banner, columns=columns)
    _check_nets(options, answers)
    builder = _Builder(banner, weighting.values, options, tests)
    blocks = tuple(builder.block(_countable(item, options)) for item in answers.items)
    outside = banner.in_the_total_alone(builder.in_base)
    notes = (*answers.notes, *banner.notes, *outside, *weighting.notes, *builder.notes)
    on_rows = _notes_on_rows(frame, builder.in_base)
    sentence = ""
    if isinstance(tests, Testing):
        sentence = tests.sentence(weighting.values is not None)
    elif tests:
        notes = (*notes, tests)
    return Table(
        title=answers.title,
        question=answers.name,
        banner=banner.columns,
        blocks=blocks,
        percent=options.percent,
        weight=weighting.name,
        is_question=not answers.is_own,
        notes=tuple(dict.fromkeys((*notes, *on_rows))),
        tests=sentence,
    )


def _tests_of(banner: Banner, options: TableOptions) -> Testing | str | None:
    """Return the tests to make; a sentence where they are left out; None for none."""
    if options.testing is None or not banner.groups:
        return None
    if options.percent != "column":
        return "The columns were not compared: that is done for percents of the column alone."
    try:
        import_optional("scipy", "analysis")
    except ConfigurationError as error:
        return f"The columns were not compared: {error}."
    return options.testing


# -- banner -----------------------------------------------------------------------------------


def build_banner(frame: pd.DataFrame, options: TableOptions) -> Banner:
    """Return the columns of a table, and the rows of the frame that are in each.

    Raises:
        InvalidArgument: A banner question is unknown, a grid, or has too many answers.
    """
    columns = [BannerColumn("", "Total")]
    members = [np.ones(len(frame), bool)]
    groups, notes, outside, letters = [], [], [], _letters()
    for name, title, item in _banner_items(frame, options.by):
        overlaps = item.kind == "multi"
        places = []
        for label, who in _groups_of(item, options.not_applicable):
            places.append(len(columns))
            letter = "" if overlaps else next(letters)
            columns.append(BannerColumn(title, label, letter))
            members.append(who)
        if overlaps:
            notes.append(f"Columns of {title!r} share respondents, so they are not compared.")
        elif len(places) > 1:
            groups.append(tuple(places))
        nobody = np.zeros(len(frame), bool)
        inside = np.logical_or.reduce([nobody, *(members[place] for place in places)])
        outside.append((title, ~inside))
        if len(columns) - 1 > MOST_COLUMNS:
            raise InvalidArgument(
                f"the banner has more than {MOST_COLUMNS} columns: {name!r} has {len(places)}"
            )
    if not groups:
        columns = [replace(column, letter="") for column in columns]
    return Banner(
        tuple(columns), np.column_stack(members), tuple(groups), tuple(outside), tuple(notes)
    )


def _banner_items(frame: pd.DataFrame, by: Sequence[str | int]) -> Iterator[tuple[str, str, Item]]:
    """Yield name, words and answers of each banner question; equal words get the name appended."""
    description = describe_wide(frame)
    found: dict[tuple[str, ...], QuestionAnswers] = {}
    for name in by:
        question = read_question(frame, description, name)
        if len(question.items) != 1:
            rows = ", ".join(item.columns[0] for item in question.items[:4])
            more = " …" if len(question.items) > 4 else ""
            raise InvalidArgument(
                f"by={name!r} is a grid with {len(question.items)} rows; name one: {rows}{more}"
            )
        found.setdefault(question.items[0].columns, question)
    often = Counter(question.title for question in found.values())
    for each in found.values():
        title = f"{each.title} [{each.name}]" if often[each.title] > 1 else each.title
        yield each.name, title, each.items[0]


def _letters() -> Iterator[str]:
    """Yield A to Z, then AA, AB and so on."""
    for length in count(1):
        for letters in product(string.ascii_uppercase, repeat=length):
            yield "".join(letters)


def _groups_of(item: Item, not_applicable: bool) -> Iterable[tuple[str, np.ndarray]]:
    """Return the label and the rows of each column of a banner question."""
    if item.kind == "nps":
        return [
            (label, (item.numbers >= low) & (item.numbers <= high))
            for label, low, high in NPS_GROUPS
        ]
    is_text = item.kind == "text"
    item = as_choices(item)
    longest = max((len(choice.label) for choice in item.choices), default=0)
    if is_text and longest > MOST_CHARACTERS:
        raise InvalidArgument(
            f"{item.columns[0]!r} holds texts with {longest:,} characters, too long for a banner",
            hint="Put them into groups, in a column of your own",
        )
    return [
        (choice.label, item.holders(place))
        for place, choice in enumerate(item.choices)
        if not_applicable or not choice.not_applicable
    ]


# -- blocks -----------------------------------------------------------------------------------


def _countable(item: Item, options: TableOptions) -> Item:
    """Return an item of dates with choices: all days, months or years from first to last."""
    if item.kind != "date":
        return item
    dates = pd.Series(pd.to_datetime(item.values)).reset_index(drop=True)
    present = dates.dropna()
    if present.empty:
        return item
    span = (present.max() - present.min()).days
    unit = "D" if span <= options.most_days else "M" if span <= 366 * 3 else "Y"
    local = dates.dt.tz_localize(None) if dates.dt.tz is not None else dates
    periods = local.dt.to_period(unit)
    every = pd.period_range(periods.dropna().min(), periods.dropna().max(), freq=unit)
    codes = pd.Index(every).get_indexer(pd.Index(periods))
    digits = {"Y": 4, "M": 7, "D": 10}[unit]  # pandas 2 has the year 1 as "1"
    choices = tuple(Choice(str(period).zfill(digits)) for period in every)
    return replace(item, choices=choices, codes=np.where(item.answered, codes, -1))


class _Builder:
    """Builds the blocks of a table, each from an item."""

    def __init__(
        self,
        banner: Banner,
        weights: np.ndarray | None,
        options: TableOptions,
        tests: Testing | str | None,
    ) -> None:
        self._banner, self._options = banner, options
        self._weights = weights
        self._tests = tests if isinstance(tests, Testing) else None
        rows = len(banner.members)
        self._w = np.ones(rows) if weights is None else weights
        self._is_used = np.ones(rows, bool) if weights is None else ~np.isnan(weights)
        self._w = np.where(self._is_used, self._w, 0.0)
        self._in_banner = banner.members & self._is_used[:, None]
        # Rows are added up by the set of columns that they are in, of which there are few.
        bits = self._in_banner @ (1 << np.arange(self._in_banner.shape[1], dtype=np.int64))
        self._sets, of_sets = pd.factorize(bits)
        self._sets_in_banner = (of_sets[:, None] >> np.arange(self._in_banner.shape[1])) & 1
        self._groups = [
            (places, _column_of(self._in_banner[:, list(places)])) for places in banner.groups
        ]
        self._compared: _Compared | None = None
        self.in_base = np.zeros(rows, bool)
        self.notes: list[str] = []

    def block(self, item: Item) -> Block:
        """Build the block of an item."""
        apart = np.zeros(len(item.answered), bool)
        if not self._options.not_applicable:
            apart = item.not_applicable
        base = (item.asked if item.kind == "text" else item.answered) & ~apart
        self.in_base |= base & self._is_used
        bases = self._bases(item, base, apart)
        rows = [*self._choice_rows(item, base, bases), *self._statistics(item, base)]
        has_apart = any(choice.not_applicable for choice in item.choices)
        if has_apart and not self._options.not_applicable:
            rows.append(self._apart_row(item, apart))
            self.notes.append("Answers that are not applicable are in no base and no mean.")
        return Block(item.label, item.kind, bases, tuple(rows))

    def _count(self, rows: np.ndarray) -> np.ndarray:
        return self._add(rows).astype(np.int64)

    def _weigh(self, rows: np.ndarray) -> np.ndarray:
        return self._add(np.where(rows, self._w, 0.0))

    def _add(self, values: np.ndarray) -> np.ndarray:
        """Return the sum of the values of the rows in each column of the table (float64)."""
        by_set = np.bincount(self._sets, values, minlength=len(self._sets_in_banner))
        added: np.ndarray = (by_set[:, None] * self._sets_in_banner).sum(axis=0)
        return added

    def _bases(self, item: Item, base: np.ndarray, apart: np.ndarray) -> Bases:
        weighted = self._weigh(base)
        squares = self._add(np.where(base, self._w**2, 0.0))
        with np.errstate(invalid="ignore", divide="ignore"):
            effective = np.where(squares > 0, weighted**2 / squares, 0.0)
        return Bases(
            self._count(item.asked), self._count(base), weighted, effective, self._count(apart)
        )

    def _choice_rows(self, item: Item, base: np.ndarray, bases: Bases) -> list[Row]:
        held = self._choices(item)
        rows = [
            replace(self._share_row(label, "choice", who & base, base, bases), score=score)
            for label, who, score in held
        ]
        if self._options.sort != "survey":
            sign = -1 if self._options.sort == "descending" else 1
            rows.sort(key=lambda row: sign * row.weighted[0])
        by_label: dict[str, np.ndarray] = {}
        for label, who, _ in held:
            by_label[label] = who | by_label.get(label, np.zeros_like(who))
        for label, wanted in self._nets(item).items():
            parts = [by_label[part] for part in wanted if part in by_label]
            if wanted and not parts:
                continue  # a net of other items
            any_of = np.logical_or.reduce([np.zeros(len(base), bool), *parts])
            rows.append(self._share_row(label, "net", any_of & base, base, bases))
        return rows

    def _choices(self, item: Item) -> list[tuple[str, np.ndarray, float]]:
        """Return the label, the rows and the score of each choice."""
        if item.kind == "text":
            return [("Answered", item.answered, np.nan)]
        with_na, found = self._options.not_applicable, []
        for place, choice in enumerate(item.choices):
            score = np.nan
            if not choice.not_applicable and (item.has_scale or item.has_order_alone):
                score = place if item.has_order_alone else choice.score
            if with_na or not choice.not_applicable:
                found.append((choice.label, item.holders(place), score))
        return found

    def _nets(self, item: Item) -> dict[str, list[str]]:
        """Return the nets of an item: those asked for, and the boxes of a scale or NPS."""
        nets = {label: [*map(as_label, parts)] for label, parts in self._options.nets.items()}
        if item.kind == "nps":
            for label, low, high in NPS_GROUPS:
                parts = [c.label for c in item.choices if low <= c.score <= high]
                nets.setdefault(label, parts)
        is_scale = item.kind in ("single", "number") and item.is_scale
        if is_scale and item.has_scale:
            self._add_boxes(item, nets)
        elif self._options.top not in (0, TableOptions.top):
            is_nps = item.kind == "nps"
            self._note_no_boxes("NPS has groups" if is_nps else "no scale with numbers")
        elif is_scale and item.choices and not any(choice.is_step for choice in item.choices):
            self.notes.append("No mean and no boxes: the reporting values are no numbers.")
        return nets

    def _add_boxes(self, item: Item, nets: dict[str, list[str]]) -> None:
        """Add the highest and the lowest steps of a scale to the nets, or say why not."""
        scored = [choice for choice in item.choices if choice.is_step]
        steps = sorted({choice.score for choice in scored})  # of waves: one, however worded
        top = self._options.top
        if top and len(steps) >= 2 * top:
            for box, inside in ((f"Top {top}", steps[: -top - 1 : -1]),
                                (f"Bottom {top}", steps[:top])):  # fmt: skip
                held = [c.label for score in inside for c in scored if c.score == score]
                self.notes.append(f"{box}: {', '.join(nets.setdefault(box, held))}.")
        elif top not in (0, TableOptions.top):
            self._note_no_boxes(f"a scale of {len(steps)} has no room")

    def _note_no_boxes(self, why: str) -> None:
        top = self._options.top
        self.notes.append(f"Top {top} and bottom {top} are left out: {why}.")

    def _share_row(
        self, label: str, kind: Literal["choice", "net"], who: np.ndarray, base: np.ndarray,
        bases: Bases,
    ) -> Row:  # fmt: skip
        weighted = self._weigh(who)
        letters = self._compare(who.astype(np.float64), base, is_share=True)
        of = self._whole(weighted, bases)
        with np.errstate(invalid="ignore", divide="ignore"):
            values = np.where(of > 0, 100 * weighted / of, np.nan)
        return Row(label, kind, values, self._count(who), weighted, letters)

    def _whole(self, weighted: np.ndarray, bases: Bases) -> np.ndarray:
        """Return what the percents of a row are of, for each column."""
        if self._options.percent == "column":
            return bases.weighted
        if self._options.percent == "total":
            return np.full(len(weighted), bases.weighted[0])
        return np.full(len(weighted), weighted[0])

    def _apart_row(self, item: Item, apart: np.ndarray) -> Row:
        labels = [choice.label for choice in item.choices if choice.not_applicable]
        label = labels[0] if len(labels) == 1 else "Not applicable"
        weighted = self._weigh(apart)
        nothing = np.full(len(weighted), np.nan)
        return Row(label, "not applicable", nothing, self._count(apart), weighted)

    # -- statistics ---------------------------------------------------------------------------

    def _statistics(self, item: Item, base: np.ndarray) -> list[Row]:
        if item.kind == "text":
            texts = pd.Series(item.values).reset_index(drop=True)
            return [self._statistic("Different texts", texts, item.answered, different)]
        if not len(item.numbers):
            return []
        numbers = pd.Series(item.numbers)
        valid = base & np.isfinite(item.numbers)
        self._note_unscored(item, base & ~valid)
        if item.kind == "nps":
            shifted = np.select([item.numbers >= 9, item.numbers <= 6], [100.0, -100.0], 0.0)
            score = pd.Series(np.where(np.isfinite(item.numbers), shifted, np.nan))
            row = self._statistic("NPS", score, valid, mean, is_mean=True)
            margins = self._each(score, valid, margin)
            return [
                replace(row, margins=margins, decimals=0),
                self._statistic("Mean", numbers, valid, mean, is_mean=True),
            ]
        name = "Mean rank" if item.kind == "rank" else "Mean"
        rows = [self._statistic(name, numbers, valid, mean, is_mean=True)]
        if item.kind == "rank":
            return rows
        rows.append(self._statistic("Standard deviation", numbers, valid, deviation))
        if item.kind == "number" and not item.choices:
            rows += [
                self._statistic("Median", numbers, valid, median),
                self._statistic("Lowest", numbers, valid, lowest),
                self._statistic("Highest", numbers, valid, highest),
            ]
        return rows

    def _note_unscored(self, item: Item, rows: np.ndarray) -> None:
        """Say which answers of the base are in no mean."""
        if rows.any() and item.choices:
            places = np.unique(item.codes[rows & self._is_used]).tolist()
            words = ", ".join(item.choices[place].label for place in places if place >= 0)
            if words:
                self.notes.append(f"In no mean, as they have no number: {words}.")

    def _each(self, values: Any, valid: np.ndarray, function: Any) -> np.ndarray:
        found = []
        for place in range(len(self._banner.columns)):
            rows = valid & self._in_banner[:, place] & (self._w > 0)
            with np.errstate(over="ignore", invalid="ignore"):  # of numbers near 1e308
                cells = values[rows].to_numpy()
                found.append(function(cells, self._w[rows]) if len(cells) else np.nan)
        return np.array(found, np.float64)

    def _statistic(
        self, label: str, values: Any, valid: np.ndarray, function: Any, *, is_mean: bool = False
    ) -> Row:
        letters: tuple[str, ...] = ()
        if is_mean:
            letters = self._compare(values.to_numpy(np.float64), valid, is_share=False)
        found = self._each(values, valid, function)
        whole = function in (median, lowest, highest, different) and are_whole(found)
        return Row(
            label, "statistic", found, self._count(valid), self._weigh(valid), letters,
            decimals=0 if whole else 2,
        )  # fmt: skip

    # -- tests --------------------------------------------------------------------------------

    def _compare(self, values: np.ndarray, base: np.ndarray, *, is_share: bool) -> tuple[str, ...]:
        """Return the letters of each column: those of the columns that are lower."""
        if self._tests is None:
            return ()
        found = [""] * len(self._banner.columns)
        if self._compared is None or self._compared.base is not base:
            self._compared = self._compared_rows(base)
        for places, rows, column, weights in self._compared.groups:
            lower = find_lower(
                values[rows], column, weights, places, self._tests, is_share=is_share
            )
            for high, lows in lower.items():
                found[high] = " ".join(self._banner.columns[low].letter for low in sorted(lows))
        return tuple(found)

    def _compared_rows(self, base: np.ndarray) -> _Compared:
        groups = []
        for places, column in self._groups:
            rows = np.flatnonzero(base & (column >= 0) & (self._w > 0))
            weights = None if self._weights is None else self._w[rows]
            groups.append((places, rows, column[rows], weights))
        return _Compared(base, groups)


@dataclass(frozen=True, eq=False)
class _Compared:
    """The rows that are compared, for one base and all rows of the table that have it.

    Attributes:
        base: Which rows of the frame are in the base.
        groups: For each banner question, the places of its columns, then positions in the frame,
            columns and weights of the rows.
    """

    base: np.ndarray
    groups: list[tuple[tuple[int, ...], np.ndarray, np.ndarray, np.ndarray | None]]


def _column_of(members: np.ndarray) -> np.ndarray:
    """Return the position of the column that each row is in, -1 for none (int64)."""
    return np.where(members.any(axis=1), members.argmax(axis=1), -1)


def _check_nets(options: TableOptions, answers: QuestionAnswers) -> None:
    """Refuse nets of what is no option of any item, or is in no base."""
    choices = [each for item in answers.items for each in _countable(item, options).choices]
    labels = dict.fromkeys(choice.label for choice in choices)
    in_base = {c.label for c in choices if options.not_applicable or not c.not_applicable}
    for label in (as_label(part) for parts in options.nets.values() for part in parts):
        if label not in labels:
            hint = did_you_mean(label, labels)
            raise InvalidArgument(f"nets: {label[:60]!r} is no option of the question{hint}")
        if label not in in_base:
            raise InvalidArgument(
                f"nets: {label[:60]!r} is in no base, as it is not applicable",
                hint="not_applicable=True counts it like any other answer",
            )


def _notes_on_rows(frame: pd.DataFrame, in_base: np.ndarray) -> Iterator[str]:
    """Yield sentences on responses of the base that are a test, not complete, or there twice."""
    if INDEX in frame.index.names and (n := int(frame.index.duplicated()[in_base].sum())):
        repeat = "repeats" if n == 1 else "repeat"
        yield f"{counted(n, 'row')} of the base {repeat} a response that is there already."
    tests = frame.get("is_test_data")
    if tests is not None and (n := int(tests[in_base].isin([True]).sum())):
        yield f"{counted(n, 'test response')} in the base."
    if "status" not in frame.columns:
        return
    found = frame["status"].astype(object)[in_base].value_counts()
    partial, out = int(found.get("Partial", 0)), int(found.get("Disqualified", 0))
    each = [f"{n:,} {word}" for n, word in ((partial, "partial"), (out, "disqualified")) if n]
    responses = "response" if partial + out == 1 else "responses"
    if each:
        yield f"{' and '.join(each)} {responses} in the base."
