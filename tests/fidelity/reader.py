"""What each cell of a frame must be, read from the JSON by the rules of the documentation alone.

A second reader, to compare the package with: it imports nothing of it. Shapes of answers:
https://apihelp.alchemer.com/help/surveyresponse-per-question-v5; of questions:
https://apihelp.alchemer.com/help/surveyquestion-returned-fields-v5.
"""

from __future__ import annotations

import html
import json
import math
import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]
Cell = str | float | bool | None

SINGLE = {"radio", "menu", "radio-likert", "single-image"}
MULTI = {"checkbox", "multi-image"}
NUMBER = {"radio-nps", "number", "percent", "slider"}
TEXT = {"text", "essay", "email", "hidden", "file"}
ITEMS = {"multitext": "text", "contsum": "number", "rank-dragdrop": "number"}
ITEMS["multi_slider"] = "number"
ROWS = {"table-radio", "table-menu", "rank-table"}  # one choice in each row
CELLS = {"table-checkbox": "boolean", "table-textbox": "text", "table-stars": "number"}
CELLS["table-menu-matrix"] = "text"
PARTS = {"group", "contactgroup", "matrix"}
SILENT = {"INSTRUCTIONS", "URLREDIRECT", "SCRIPT", "LOGIC", "MEDIA", "JAVASCRIPT"}
KNOWN = {*SINGLE, *MULTI, *NUMBER, *TEXT, *ITEMS, *ROWS, *CELLS, *PARTS, "date"}
KEY_OF_TYPE = {
    "RADIO": "radio", "MENU": "menu", "CHECKBOX": "checkbox", "NPS": "radio-nps",
    "SLIDER": "slider", "TEXTBOX": "text", "ESSAY": "essay", "HIDDEN": "hidden", "FILE": "file",
    "MULTI_TEXTBOX": "multitext", "CONT_SUM": "contsum", "RANK": "rank-dragdrop",
    "GROUP": "group", "MATRIX": "matrix", "MULTI_SLIDER": "multi_slider",
}  # fmt: skip
KEY_OF_ROWS = {"RADIO": "table-radio", "CHECKBOX": "table-checkbox", "TEXTBOX": "table-textbox"}
FIRST_SKU = 10001
ZONES = {"EST": -5, "EDT": -4, "GMT": 0}
ACCOUNT = ZoneInfo("America/New_York")


@dataclass(frozen=True)
class Leaves:
    """A map or list that a column of text has as JSON."""

    value: Any


@dataclass(frozen=True)
class Fact:
    """What one cell must be.

    Attributes:
        response: Id of the response.
        column: Name of the column with ``names="id"``.
        kind: Type of the question.
        label: The cell with ``values="label"``: a date is ISO text, a missing one None.
        code: The same with ``values="code"``.
    """

    response: int
    column: str
    kind: str
    label: Cell | Leaves
    code: Cell | Leaves


def plain(text: Any) -> str:
    """A text without tags, entities and runs of blanks."""
    words = html.unescape(re.sub(r"</?[A-Za-z][^<>]*>", " ", str(text)))
    return " ".join(words.split())


def text_of(answer: Any) -> str | None:
    """An answer as text, None where it is empty."""
    return None if answer in (None, "") else str(answer)


def number(text: Any) -> float | None:
    """The number that somebody typed, None for what is none."""
    words = str(text).strip().removesuffix("%").strip()
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?", words):
        words = words.replace(",", "")
    return float(words) if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", words) else None


def is_plain(text: Any) -> bool:
    """Whether a text says no more than its number: ``02134``, ``5%`` and long ones say more."""
    found = re.fullmatch(r"\+?(-?(?:0|[1-9]\d*))(?:\.(\d*?)0*)?", str(text).strip())
    return bool(found) and len(str(text).strip().lstrip("+-").replace(".", "")) < 16


def code_number(text: str) -> float | None:
    """The number of a reporting value that is the plain text of this number."""
    value = number(text)
    is_text = value is not None and text in (repr(value), repr(value).removesuffix(".0"))
    return value if is_text else None


def day(text: str) -> str | None:
    """The day of a typed date, month first, as ISO text."""
    found = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text.strip())
    try:
        month, of_month, year = map(int, found.groups())  # type: ignore[union-attr]
        return datetime(year, month, of_month).isoformat()
    except (AttributeError, ValueError):
        return None


def moment(stamp: Any) -> str | None:
    """The moment of a stamp in UTC as ISO text; without a zone it is the time of the account."""
    words = str(stamp or "").split(" ")
    if len(words) < 2:
        return None
    local = datetime.fromisoformat(" ".join(words[:2]))
    zone: tzinfo = ACCOUNT if len(words) < 3 else timezone(timedelta(hours=ZONES[words[2]]))
    return local.replace(tzinfo=zone).astimezone(UTC).isoformat()


def items(value: Any) -> Iterator[tuple[str, Any]]:
    """The items of a map; ``[]`` is an empty one, and a list has its items by id."""
    if isinstance(value, list):
        yield from ((str(one.get("id")), one) for one in value)
    elif value:
        yield from ((str(key), one) for key, one in value.items())


def key_of(question: Json, rows: list[Json]) -> str:
    """The ``map_key`` of a question, or what its type and rows say in its place."""
    properties = question.get("properties") or {}
    key = str(properties.get("map_key") or "")
    if key not in KNOWN:
        kind = question["type"]
        key = KEY_OF_TYPE.get(kind, key)
        if kind == "TABLE" and rows:
            key = KEY_OF_ROWS.get(rows[0]["type"], "")
    subtype = str(properties.get("subtype") or "").lower()
    return subtype if key == "text" and subtype in ("number", "percent", "date") else key


def titles_of(option: Json) -> list[str]:
    """The label of an option in each language."""
    return [plain(text) for text in option["title"].values()]


class Choices:
    """The options of a single choice, in order."""

    def __init__(self, options: list[Json], language: str) -> None:
        self.options = {str(one["id"]): one for one in options}
        self.values = {own: str(one["value"]) for own, one in self.options.items()}
        self.plain = {
            own: plain(one["title"].get(language) or one["title"].get("English", ""))
            or self.values[own]
            for own, one in self.options.items()
        }
        self.labels, self.codes = _told_apart(self.plain), _told_apart(self.values)
        numbers = [code_number(text) for text in self.values.values()]
        self.is_coded = None not in numbers and len(set(numbers)) == len(numbers) > 0
        self.is_scale = self.is_coded and all(
            code_number(text) is not None for one in options for text in titles_of(one)
        )

    def is_other(self, own: str) -> bool:
        """Whether something may be written in."""
        return bool((self.options[own].get("properties") or {}).get("other"))

    def find(self, entry: Json) -> str | None:
        """The id of the chosen option: by id, else by value, else by label, where one has it."""
        own = str(entry.get("answer_id") or "").removesuffix("-other")
        if own in self.options:
            return own
        for texts in (self.values, self.plain):
            found = [each for each, text in texts.items() if text == text_of(entry.get("answer"))]
            if len(found) == 1:
                return found[0]
        return None


def _told_apart(texts: dict[str, str]) -> dict[str, str]:
    often = Counter(texts.values())
    return {own: f"{text} [{own}]" if often[text] > 1 else text for own, text in texts.items()}


class Reader:
    """What the cells of the responses to one survey must be.

    Args:
        questions: The list of ``surveyquestion``, with rows of grids listed a second time.
        responses: The list of ``surveyresponse``.
        language: Language of the labels, where an option has one in it; else English.
    """

    def __init__(
        self, questions: list[Json], responses: list[Json], language: str = "English"
    ) -> None:
        self._language = language
        below = {str(row["id"]) for each in questions for row in self._rows(each)}
        self._top = [each for each in questions if str(each["id"]) not in below]
        self._responses = responses
        self._known = {str(each["id"]) for each in questions}
        self._by_id = {str(each["id"]): each for each in self._top}
        self._piped = dict.fromkeys(
            (str(entry["parent"]), plain(entry["question"]))
            for response in responses
            for own, entry in items(response.get("survey_data"))
            if _is_piped(own, entry)
        )
        self._gone: dict[str, dict[str, None]] = {}  # column -> options that have left the survey
        self._id = 0
        self._kind = ""

    @staticmethod
    def _rows(question: Json) -> list[Json]:
        return [row for _, row in items(question.get("sub_questions"))]

    def facts(self) -> Iterator[Fact]:
        """Every cell: of each question, whoever answered it, and of what is in no definition."""
        list(self._all())  # from which it is known which options are gone
        yield from self._all()

    def _all(self) -> Iterator[Fact]:
        for response in self._responses:
            self._id = int(response["id"])
            data = dict(items(response.get("survey_data")))
            yield from self._about(response)
            for question in self._top:
                yield from self._question(question, data.get(str(question["id"])), data)
            yield from self._piped_rows(data)
            for own, entry in data.items():
                if own not in self._known and not _is_piped(own, entry):
                    self._kind = f"removed {entry.get('type')}"
                    yield from self._leaves(f"q{own}", entry)

    def _about(self, response: Json) -> Iterator[Fact]:
        """The fields of the response that are no answers."""
        self._kind = "field"
        for name in ("status", "language", "link_id", "contact_id"):
            yield self._fact(name, response.get(name) or None)
        yield self._fact("is_test_data", str(response.get("is_test_data")) == "1")
        for name in ("date_started", "date_submitted", "date_updated"):
            yield self._fact(name, moment(response.get(name)))
        seconds = response.get("response_time")
        yield self._fact("response_time", None if seconds is None else float(seconds))
        self._kind = "url variable"
        given = response.get("url_variables") or {}
        pairs = ((one["key"], one) for one in given) if isinstance(given, list) else given.items()
        for name, one in pairs:
            yield self._fact(f"url_{name}", one["value"] if isinstance(one, dict) else one)

    def _fact(self, column: str, label: Any, code: Any = ...) -> Fact:
        return Fact(self._id, column, self._kind, label, label if code is ... else code)

    def _question(
        self, question: Json, entry: Json | None, around: Json, stem: str = ""
    ) -> Iterator[Fact]:
        """The cells of a question.

        Args:
            question: The question.
            entry: Its entry.
            around: The entries beside it, in which the rows of a grid are.
            stem: Column of the custom table that it is in.
        """
        rows, entry = self._rows(question), entry or {}
        self._kind = key = key_of(question, rows)
        column = f"{stem}_{question['id']}" if stem else f"q{question['id']}"
        below = dict(items(entry.get("subquestions")))
        if question["type"] in SILENT:
            return
        if key in PARTS:
            for part in rows:
                inside = below.get(str(part["id"]))
                yield from self._question(part, inside, below, column if key == "matrix" else "")
        elif key in ROWS and rows:
            choices = Choices(question["options"], self._language)
            for row in rows:
                own = str(row["id"])
                of_row = around.get(own) or below.get(own) or {}
                is_scale = choices.is_coded if key == "rank-table" else choices.is_scale
                yield from self._single(f"q{own}", of_row, choices, is_scale=is_scale)
        elif key in CELLS:
            for row in rows:
                cells = dict(items(below.get(str(row["id"]))))
                yield from self._cells(f"q{row['id']}", question["options"], cells, key)
        else:
            yield from self._plain(column, question, entry, key)
        if question.get("comment") or entry.get("comments"):
            self._kind = "comment"
            yield self._fact(f"{column}_comment", entry.get("comments") or None)

    def _plain(self, column: str, question: Json, entry: Json, key: str) -> Iterator[Fact]:
        options = question["options"]
        if key in SINGLE:
            choices = Choices(options, self._language)
            yield from self._single(column, entry, choices, is_scale=choices.is_scale)
        elif key in MULTI:
            yield from self._multi(column, entry, Choices(options, self._language))
        elif key == "date" or key in NUMBER:
            yield from self._before_edit(column, entry)
            yield from self._typed(column, entry.get("answer"), key)
        elif key in ITEMS:
            yield from self._items(column, options, entry, ITEMS[key])
        elif key in TEXT:
            yield self._fact(column, text_of(entry.get("answer")))
        elif key not in ROWS:
            yield from self._leaves(column, entry)

    def _single(
        self, column: str, entry: Json, choices: Choices, *, is_scale: bool
    ) -> Iterator[Fact]:
        answer, own = text_of(entry.get("answer")), None
        if answer not in (None, "") or entry.get("answer_id"):
            own = choices.find(entry)
        yield from self._before_edit(column, entry)
        if any(map(choices.is_other, choices.options)):
            is_written = str(entry.get("answer_id")).endswith("-other")
            yield self._fact(f"{column}_other", answer if is_written else None)
        if is_scale:
            found = None if own is None else code_number(choices.values[own])
            yield self._fact(column, found)
            if own is None and answer:
                yield self._fact(f"{column}_raw", answer)
        elif own is not None:
            code = choices.codes[own]
            yield self._fact(
                column, choices.labels[own], code_number(code) if choices.is_coded else code
            )
        else:
            text = answer or None  # no option of the definition
            yield self._fact(column, text, None if choices.is_coded else text)
            if choices.is_coded and text:
                yield self._fact(f"{column}_raw", None, text)

    def _before_edit(self, column: str, entry: Json) -> Iterator[Fact]:
        before = entry.get("original_answer")
        if before not in (None, "", entry.get("answer")):
            yield self._fact(f"{column}_original_answer", before)

    def _multi(self, column: str, entry: Json, choices: Choices) -> Iterator[Fact]:
        """Listed is chosen, unless its answer is null; an absent entry says nothing."""
        chosen = {
            own: one
            for own, one in items(entry.get("options"))
            if one.get("answer", "") is not None or one.get("original_answer") is not None
        }
        gone = self._gone.setdefault(column, {})
        gone |= dict.fromkeys(chosen.keys() - choices.options.keys())
        for own in (*choices.options, *gone):
            is_chosen = own in chosen if chosen else None
            yield self._fact(
                f"{column}_{own}", is_chosen, None if is_chosen is None else float(is_chosen)
            )
            if own in choices.options and choices.is_other(own):
                one = chosen.get(own, {})
                typed = one.get("original_answer") or one.get("answer") or None
                is_label = typed in (choices.values[own], *titles_of(choices.options[own]))
                yield self._fact(f"{column}_{own}_other", None if is_label else typed)

    def _typed(self, column: str, answer: Any, key: str) -> Iterator[Fact]:
        answer = text_of(answer)
        if key == "date":
            found: Cell = None if answer is None else day(str(answer))
        else:
            found = None if answer is None else number(answer)
        yield self._fact(column, found)
        is_more = key not in ("radio-nps", "date") and answer and not is_plain(answer)
        if answer and (found is None or is_more):
            yield self._fact(f"{column}_raw", answer)

    def _items(self, column: str, options: list[Json], entry: Json, kind: str) -> Iterator[Fact]:
        answer = entry.get("answer")  # newer ranks are a map there
        listed = entry.get("options") or (answer if isinstance(answer, dict | list) else None)
        given = dict(items(entry if listed is None and "id" not in entry else listed))
        for one in options:
            item = given.get(str(one["id"]), {})
            value = item.get("rank", item.get("answer"))
            yield from self._item(f"{column}_{one['id']}", value, kind)

    def _item(self, column: str, value: Any, kind: str) -> Iterator[Fact]:
        if kind == "number":
            yield from self._typed(column, value, "number")
        else:
            yield self._fact(column, text_of(value))

    def _cells(self, column: str, options: list[Json], cells: Json, key: str) -> Iterator[Fact]:
        given = {own: cell.get("answer") for own, cell in cells.items()}
        is_answered = any(answer not in (None, "") for answer in given.values())
        for one in options:
            own, answer = f"{column}_{one['id']}", given.get(str(one["id"]))
            if CELLS[key] == "boolean":
                chosen = answer not in (None, "") if is_answered else None
                yield self._fact(own, chosen, None if chosen is None else float(chosen))
            else:
                yield from self._item(own, answer, CELLS[key])

    def _piped_rows(self, data: Json) -> Iterator[Fact]:
        """A row that is made of an earlier answer: its text says which it is."""
        given = {
            (str(entry["parent"]), plain(entry["question"])): entry
            for own, entry in data.items()
            if _is_piped(own, entry)
        }
        self._kind = "piped row"
        for parent, text in self._piped:
            slug = "_".join(re.findall(r"[a-z0-9]+", text.lower()))
            choices = Choices(self._by_id[parent]["options"], self._language)
            entry, is_scale = given.get((parent, text), {}), choices.is_scale
            yield from self._single(f"q{parent}_{slug}", entry, choices, is_scale=is_scale)

    def _leaves(self, column: str, entry: Json) -> Iterator[Fact]:
        """All that an entry has where nothing is known of its type."""
        answer = entry.get("answer")
        if isinstance(answer, dict | list):
            yield self._fact(column, Leaves(answer))
        elif answer not in (None, ""):
            yield self._fact(column, str(answer))
        for own, one in items(entry.get("options")):
            yield from self._leaves(f"{column}_{own}", one)
        for own, below in items(entry.get("subquestions")):
            of_cell = f"q{own}" if own.isdigit() and int(own) < FIRST_SKU else f"{column}_{own}"
            if not isinstance(below, dict):
                yield self._fact(of_cell, str(below))
            elif "answer" in below:
                yield from self._leaves(of_cell, below)
            else:
                yield from self._leaves(of_cell, {"subquestions": below})


def _is_piped(own: str, entry: Json) -> bool:
    return int(own) >= FIRST_SKU and bool(entry.get("parent"))


def is_same(expected: Cell | Leaves, found: Any) -> bool:
    """Whether a cell, None where it is missing, is what it must be."""
    if isinstance(expected, Leaves):
        return isinstance(found, str) and json.loads(found) == expected.value
    if isinstance(expected, float) and not isinstance(found, str) and found is not None:
        return math.isclose(expected, found, rel_tol=1e-15)
    if isinstance(expected, bool):
        return found is expected
    return found == expected
