"""Answers to "Every question type", in each shape in which `survey_data` may hold them.

The letters are those of the list on https://apihelp.alchemer.com/help/surveyresponse-per-question-v5
in their order: (a) single choice … (o) what no source shows. A choice's reporting value
is in `answer`, its option id in `answer_id`; an entry that nobody answered has neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alchemer_nb.sandbox.demo.every_type_form import (
    DELETED_CHECKBOX,
    DELETED_OPTION,
    DELETED_RADIO,
    pages,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

Entry = dict[str, Any]

_TEXTS = {
    2: ("Ann", " Zoë ", "<b>Bo</b> &amp; Co", "a\nb", "名前"),
    3: ("Because.", "1", "Line one\nline two", "x" * 300),
    4: ("ann@example.org", "bo@example.org"),
    5: ("41", "7", "1,234.5", "about 40"),
    6: ("12%", "50", "half"),
    7: ("12/25/2025", "03/04/2026", "02/28/2026", "soon"),
    18: ("first",),
    19: ("second",),
    20: ("signs",),
}
_LISTS = {24: ("40", "60"), 25: ("Tea", "Coffee"), 29: ("3", "-2.5")}
_NOT_SHOWN = (2, 3, 5, 7, 8, 9, 10, 11, 12, 13, 14, 30, 31, 32)


class _TypesSheet:
    """The entries of one response, and the questions that they answer.

    Args:
        rng: Random generator.
        share: The probability with which a question is answered; 1 for all.
    """

    def __init__(self, rng: Random, share: float) -> None:
        self.rng = rng
        self.share = share
        self.entries: dict[int, Entry] = {}
        self.questions: dict[int, dict[str, Any]] = {}
        self.page: dict[int, int] = {}
        for page in pages():
            for question in page["questions"]:
                self._index(question, page["id"])

    def _index(self, question: dict[str, Any], page: int) -> None:
        if question["id"] > 10000:  # columns of a custom table have ids of their own
            return
        self.questions[question["id"]], self.page[question["id"]] = question, page
        for row in rows_of(question):
            self._index(row, page)

    @property
    def is_answered(self) -> bool:
        """Draw whether something is answered."""
        return self.rng.random() < self.share

    def head(self, own: int, kind: str | None = None, **parent: int) -> Entry:
        """Return the members that open an entry."""
        question = self.questions[own]
        words = question["title"]["English"]
        return {"id": own, "type": kind or question["type"], **parent, "question": words}

    def add(self, own: int, members: Entry, kind: str | None = None, **parent: int) -> None:
        """Add an entry at the top level."""
        head = {**self.head(own, kind, **parent), "section_id": self.page[own]}
        self.entries[own] = head | members | {"shown": True}

    def add_container(self, own: int, subquestions: Entry) -> None:
        """Add an entry with parts; `section_id` comes after them."""
        tail = {"section_id": self.page[own], "shown": True}
        self.entries[own] = {**self.head(own, "parent"), "subquestions": subquestions, **tail}

    def choice(self, choices: list[dict[str, Any]]) -> Entry:
        """Draw an option, or nothing."""
        if not self.is_answered:
            return {}
        chosen = self.rng.choice(choices)
        return {"answer": chosen["value"], "answer_id": chosen["id"]}


def rows_of(question: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a grid or the parts of a group, from a list or from a map by alias."""
    inner = question.get("sub_questions") or []
    return list(inner.values()) if isinstance(inner, dict) else inner


def answers(rng: Random, number: int) -> dict[str, Entry]:
    """Draw the answers of one response.

    Args:
        rng: Random generator.
        number: The response id: 1 answers everything, 2 nothing, 3 was shown nothing.
    """
    if number == 2:
        return {}
    sheet = _TypesSheet(rng, 1 if number == 1 else 0.6)
    if number == 3:
        for own in _NOT_SHOWN:
            head = {**sheet.head(own), "section_id": sheet.page[own], "shown": False}
            sheet.entries[own] = head
    else:
        writers: tuple[Callable[[_TypesSheet], None], ...] = (
            _texts, _choices, _edited, _several, _rows, _cells, _contact, _household, _tables,
            _gone, _unknown,
        )  # fmt: skip
        for write in writers:
            write(sheet)
    return {str(own): sheet.entries[own] for own in sorted(sheet.entries)}


def _texts(sheet: _TypesSheet) -> None:
    """Draw (d) texts, (e) hidden values with the id 0, (f) a stored file's name."""
    for own, texts in _TEXTS.items():
        sheet.add(own, {"answer": sheet.rng.choice(texts)} if sheet.is_answered else {})
    sheet.add(8, {"answer": "news", "answer_id": 0} if sheet.is_answered else {})
    name = f"12-{sheet.rng.getrandbits(128):032x}_photo.png"
    sheet.add(9, {"answer": name, "answer_id": 10017} if sheet.is_answered else {})


def _choices(sheet: _TypesSheet) -> None:
    """Draw (a) single choices, (c) write-ins, (n) comments; image select names its type."""
    for own in (11, 12, 13, 15, 17):
        sheet.add(own, sheet.choice(sheet.questions[own]["options"]))
    sheet.add(14, {"answer": str(sheet.rng.randrange(0, 101))} if sheet.is_answered else {})
    entry = sheet.choice(sheet.questions[10]["options"])
    if entry.get("answer_id") == 10103:
        entry = {"answer": "A <i>tandem</i>", "answer_id": "10103-other"}
    comments = {"comments": "Since <b>1999</b>"} if sheet.is_answered else {}
    sheet.add(10, entry)
    sheet.entries[10] |= comments


def _edited(sheet: _TypesSheet) -> None:
    """Draw (b) reporting values that were edited later, and an option that is gone."""
    entry = sheet.choice(sheet.questions[16]["options"])
    if entry and sheet.rng.random() < 0.5:
        old = {"1": "Old", "2": "New", "3": "Newest"}[entry["answer"]]
        entry = {"original_answer": old, **entry}
    elif entry and sheet.rng.random() < 0.2:
        entry = {"answer": "Ancient", "answer_id": 10149}
    sheet.add(16, entry)


def _several(sheet: _TypesSheet) -> None:
    """Draw (h) several choices, (l) lists and sums, (m) ranks, under `answer` or under `rank`."""
    ticked = _ticked(sheet, 21)
    if "10035" in ticked:
        ticked["10035"]["answer"] = "By post"
    if sheet.is_answered:  # an option that left the definition since
        gone = {"id": DELETED_OPTION, "option": "Fax", "answer": "9"}
        ticked[str(DELETED_OPTION)] = gone
    for own, options in ((21, ticked), (22, _ticked(sheet, 22))):
        if options:  # without a tick there is no entry
            sheet.add(own, {"options": options}, "parent")
    for own, texts in _LISTS.items():
        _list(sheet, own, "answer", texts)
    _list(sheet, 23, sheet.rng.choice(("answer", "rank")), ("2", "1"))  # invented: `rank`


def _ticked(sheet: _TypesSheet, own: int) -> Entry:
    return {
        str(one["id"]): {"id": one["id"], "option": one["title"]["English"], "answer": one["value"]}
        for one in sheet.questions[own]["options"]
        if sheet.is_answered
    }


def _list(sheet: _TypesSheet, own: int, key: str, texts: tuple[str, ...]) -> None:
    items = {
        str(one["id"]): {"id": one["id"], "option": one["title"]["English"], key: text}
        for one, text in zip(sheet.questions[own]["options"], texts, strict=True)
        if sheet.is_answered
    }
    if items:
        sheet.add(own, {"options": items}, "parent")


def _rows(sheet: _TypesSheet) -> None:
    """Draw (g) radio grids: each row is an entry of its own."""
    for own in (30, 33, 26):  # invented: a dropdown grid and a rank grid do as a radio grid
        for row in rows_of(sheet.questions[own]):
            sheet.add(row["id"], sheet.choice(sheet.questions[own]["options"]), parent=own)


def _cells(sheet: _TypesSheet) -> None:
    """Draw (i) grids with a value in each cell: all cells are there, the empty ones null."""
    drawn: dict[int, tuple[str, Callable[[dict[str, Any]], str]]] = {
        36: ("MENU", lambda _: sheet.rng.choice(("Never", "Often"))),  # invented
        40: ("CHECKBOX", lambda column: column["value"]),
        43: ("TEXTBOX", lambda column: f"{column['value']} {sheet.rng.randrange(9)}"),
        46: ("MULTI_TEXTBOX", lambda _: str(sheet.rng.randrange(1, 6))),
    }
    for own, (kind, draw) in drawn.items():
        sheet.add_container(own, dict(_grid(sheet, own, kind, draw)))


def _grid(
    sheet: _TypesSheet, own: int, kind: str, draw: Callable[[dict[str, Any]], str]
) -> Iterator[tuple[str, Entry]]:
    for row in rows_of(sheet.questions[own]):
        cells = {}
        for column in sheet.questions[own]["options"]:
            words = f"{row['title']['English']} : {column['title']['English']}"
            answer = draw(column) if sheet.is_answered else None
            cells[str(column["id"])] = {
                "id": column["id"],
                "type": kind,
                "parent": own,
                "question": words,
                "answer": answer,
                "shown": True,
            }
        yield str(row["id"]), cells


def _part(sheet: _TypesSheet, own: int, parent: int, answer: str) -> Entry:
    return {**sheet.head(own, parent=parent), "answer": answer if sheet.is_answered else ""}


def _with_original(options: Entry) -> Entry:
    return {own: {**one, "original_answer": one["answer"]} for own, one in options.items()}


def _contact(sheet: _TypesSheet) -> None:
    """Draw (j) a contact form: its parts have neither `section_id` nor `shown`."""
    topics = _with_original(_ticked(sheet, 63))
    parts = {
        "61": _part(sheet, 61, 60, "Ann"),
        "62": _part(sheet, 62, 60, "ann@example.org"),
        "63": {**sheet.head(63, parent=60), "options": topics or []},
    }
    sheet.add_container(60, parts)


def _household(sheet: _TypesSheet) -> None:
    """Draw (j) a custom group: choice, number, checkboxes, tables, a list without id or type."""
    names = {
        str(one["id"]): {"option": one["title"]["English"], "answer": text}
        for one, text in zip(sheet.questions[71]["options"], ("Al", "Bea"), strict=True)
        if sheet.is_answered
    }
    text = {"answer": ""}
    rated = {
        str(row["id"]): sheet.head(row["id"], parent=73)
        | (sheet.choice(sheet.questions[73]["options"]) or text)
        for row in rows_of(sheet.questions[73])
    }
    who = dict(_grid(sheet, 68, "TEXTBOX", lambda _: str(sheet.rng.randrange(90))))
    rent = sheet.choice(sheet.questions[65]["options"]) or text
    parts: dict[str, Any] = {
        "65": {**sheet.head(65, parent=64), **rent},
        "66": _part(sheet, 66, 64, "3"),
        "67": {**sheet.head(67, parent=64), "options": _with_original(_ticked(sheet, 67)) or []},
        "68": {**sheet.head(68, parent=64), "subquestions": who},
        "71": names or [],
        "73": {**sheet.head(73, parent=64), "subquestions": rated},
    }
    sheet.add_container(64, parts)


def _tables(sheet: _TypesSheet) -> None:
    """Draw (k) custom tables, keyed by the ids of their columns, which count from 10001 in each."""
    for own in (83, 84):
        size, colour, price, extras = rows_of(sheet.questions[own])

        def cell(column: dict[str, Any], members: Entry, page: int = sheet.page[own]) -> Entry:
            head = {"id": column["id"], "type": column["type"]}
            words = {"question": column["title"]["English"], "section_id": page}
            return {**head, **words, **members, "shown": True}

        ticked = {
            str(one["id"]): {"id": one["id"], "option": one["title"]["English"]}
            | {"answer": one["value"]}
            for one in extras["options"]
            if sheet.is_answered
        }
        columns = {
            "10001": cell(size, sheet.choice(size["options"])),
            "10002": cell(colour, sheet.choice(colour["options"])),
            "10003": cell(price, {"answer": sheet.rng.choice(("250", "99.5"))}),
            # invented: the form of a checkbox in a custom table
            "10004": cell(extras, {"options": ticked or []}),
        }
        sheet.add_container(own, columns)


def _gone(sheet: _TypesSheet) -> None:
    """Draw answers to questions that left the definition since."""
    if not sheet.is_answered:
        return
    page = {"section_id": 3}
    words = {"question": "Asked <b>once</b>?"}
    sheet.entries[DELETED_RADIO] = {
        "id": DELETED_RADIO, "type": "RADIO", **words, **page,
        "answer": "Yes", "answer_id": 10981, "shown": True,
    }  # fmt: skip
    options = {"10991": {"id": 10991, "option": "Red", "answer": "r"}}
    words = {"question": "Which colours, once?"}
    sheet.entries[DELETED_CHECKBOX] = {
        "id": DELETED_CHECKBOX, "type": "parent", **words, **page, "options": options,
        "shown": True,
    }  # fmt: skip


def _unknown(sheet: _TypesSheet) -> None:
    """Draw (r) a signature and clicks on a picture, and (o) a shape of which no source tells."""
    # The shapes are in the schema of a program that reads responses; invented: what was drawn.
    name = {"signature": "M12,40L90,38L60,55", "name": "Ann Example"}
    sheet.add(89, {"answer": name} if sheet.is_answered else {})
    clicks = [_click(sheet, number) for number in range(1, sheet.rng.randrange(2, 5))]
    picture = {"response": {"imageW": 640, "imageH": 480, "dots": clicks}}
    sheet.add(90, {"answer": picture} if sheet.is_answered else {})
    if sheet.is_answered:  # invented
        piles = {"pile": {"first": "card 1", "second": "card 2"}, "left": "card 3"}
        sheet.add_container(91, piles)


def _click(sheet: _TypesSheet, number: int) -> Entry:
    x, y = sheet.rng.randrange(640), sheet.rng.randrange(480)
    place = {"x": x, "y": y, "xPercent": x / 640 * 100, "yPercent": y / 480 * 100}
    words = {"answer": sheet.rng.choice(("Like", "Dislike")), "comment": "", "color": "#2e7d32"}
    return {"id": number, **place, **words, "gridX": x // 64, "gridY": y // 48}
