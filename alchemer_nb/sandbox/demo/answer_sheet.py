"""The answers of one response, in the shapes of a real `survey_data` of 2017.

Sources of the shapes: single choices, texts, hidden values, radio grids and checkboxes were seen
in real payloads; checkbox grids, textbox lists and continuous sums are documented; a ranking in
the container of a textbox list, leaving these lists out when empty, the place of `comments` at the
end, and quoting questions and labels in the survey's first language whatever the response's own,
are our choice: no source documents.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alchemer_nb.sandbox.demo.survey_writer import FIRST_SKU

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from alchemer_nb.sandbox.demo.survey_writer import Option, Question


class Sheet:
    """Collects the entries of one response.

    Args:
        last_page: The last page that was reached; None for all.
        keep_rest: Whether the questions behind it are present as not shown, or absent.
    """

    def __init__(self, last_page: int | None = None, *, keep_rest: bool = False) -> None:
        self._last_page = last_page
        self._keep_rest = keep_rest
        self._entries: dict[int, dict[str, Any]] = {}
        self._piped = 0

    def survey_data(self) -> dict[str, dict[str, Any]]:
        """Return the entries by question id, in ascending order of the number."""
        return {str(number): self._entries[number] for number in sorted(self._entries)}

    def choose(
        self,
        question: Question,
        option: Option | None,
        *,
        shown: bool = True,
        original: str | None = None,
        comment: str | None = None,
    ) -> None:
        """Answer a single choice, or skip it.

        Args:
            question: A radio, dropdown or NPS question, or a row of a radio grid.
            option: What was chosen; None when the question was skipped.
            shown: False for an answer that logic hid later.
            original: The reporting value at the time, where it was edited since.
            comment: What was typed into the comment box.
        """
        members: dict[str, Any] = {}
        if option is not None:
            members = {} if original is None else {"original_answer": original}
            members |= {"answer": option.value, "answer_id": option.sku}
        comments = {} if comment is None else {"comments": comment}
        self._add(question, {**members, "shown": shown, **comments})

    def _add(self, question: Question, members: dict[str, Any]) -> None:
        if self._reached(question):
            self._entries[question.id] = {**question.head, **members}

    def write_in(self, question: Question, option: Option, text: str) -> None:
        """Answer a single choice with typed text: the id becomes `"10024-other"`."""
        self._add(question, {"answer": text, "answer_id": f"{option.sku}-other", "shown": True})

    def type_text(self, question: Question, text: str | None) -> None:
        """Answer a text, essay, e-mail, number or date question; None skips it."""
        members = {} if text is None else {"answer": text}
        self._add(question, {**members, "shown": True})

    def fill_hidden(self, question: Question, text: str | None) -> None:
        """Fill a hidden value: it has the option id 0 when filled."""
        members = {} if text is None else {"answer": text, "answer_id": 0}
        self._add(question, {**members, "shown": True})

    def tick(self, question: Question, ticked: Iterable[tuple[Option, str | None]]) -> None:
        """Tick options of a checkbox question; with no tick the question is left out.

        Args:
            question: The question.
            ticked: Options in their order, each with its write-in text or None.
        """
        self._contain(
            question, ((option, option.value if text is None else text) for option, text in ticked)
        )

    def fill_list(self, question: Question, texts: Mapping[int, str]) -> None:
        """Fill a textbox list, continuous sum or ranking.

        Args:
            question: The question.
            texts: The text of each item, by the item's index; items may be missing.
        """
        self._contain(
            question,
            ((item, texts[place]) for place, item in enumerate(question.options) if place in texts),
        )

    def _contain(self, question: Question, answers: Iterable[tuple[Option, str]]) -> None:
        if not self._reached(question):
            return
        options = {
            str(option.sku): {"id": option.sku, "option": option.label, "answer": text}
            for option, text in answers
        }
        if options:
            self._entries[question.id] = {**question.head, "options": options, "shown": True}

    def rate(self, grid: Question, chosen: Sequence[Option | None]) -> None:
        """Answer a radio grid, one option or None per row: each row is an entry of its own."""
        if self._reached(grid):
            for row, option in zip(grid.rows, chosen, strict=True):
                self.choose(row, option)

    def mark(self, grid: Question, marked: Iterable[tuple[int, int]]) -> None:
        """Mark cells (row, column) of a checkbox grid: all cells are present, empty ones null."""
        if self._reached(grid):
            self._entries[grid.id] = _cells(grid, frozenset(marked), shown=True)

    def fill_group(self, group: Question, texts: Sequence[str]) -> None:
        """Fill the parts of a contact form: an empty part has the answer `""`."""
        if self._reached(group):
            self._entries[group.id] = _parts(group, texts, shown=True)

    def pipe(self, question: Question, rows: Iterable[tuple[str, Collection[int]]]) -> None:
        """Answer a grid, or a question that is repeated, for texts of an earlier answer.

        Each row is an entry at the top level, as real surveys have it; its id counts from 10001
        in each response, over all questions.

        Args:
            question: A radio question or radio grid; or a checkbox grid, whose cells are invented.
            rows: The text of each row, and the indexes of the options chosen there.
        """
        if not self._reached(question):
            return
        for text, places in rows:
            number = FIRST_SKU + self._piped
            self._piped += 1
            head = {"id": number, "type": "RADIO", "parent": question.id, "question": text}
            if question.kind == "checkbox-grid":
                head["type"] = "parent"
                head["subquestions"] = _row_cells(question, text, places, shown=True)
            head["section_id"] = question.page
            if question.kind != "checkbox-grid":
                for option in (question.options[place] for place in places):
                    head |= {"answer": option.value, "answer_id": option.sku}
            self._entries[number] = {**head, "shown": True}

    def hide(self, question: Question) -> None:
        """Add a question of a reached page that logic did not show."""
        if self._reached(question):
            self._not_shown(question)

    def _not_shown(self, question: Question) -> None:
        if question.kind == "checkbox-grid" and question.rows:
            self._entries[question.id] = _cells(question, frozenset(), shown=False)
        elif question.kind == "contact":
            self._entries[question.id] = _parts(question, [""] * len(question.rows), shown=False)
        elif question.head["type"] != "parent":
            self._entries[question.id] = {**question.head, "shown": False}
            for row in question.rows:
                self._entries[row.id] = {**row.head, "shown": False}

    def _reached(self, question: Question) -> bool:
        if self._last_page is None or question.page <= self._last_page:
            return True
        if self._keep_rest:
            self._not_shown(question)
        return False


def _cells(grid: Question, marked: frozenset[tuple[int, int]], *, shown: bool) -> dict[str, Any]:
    rows: dict[str, Any] = {}
    for number, row in enumerate(grid.rows):
        places = {place for place, _ in enumerate(grid.options) if (number, place) in marked}
        rows[str(row.id)] = _row_cells(grid, row.head["question"], places, shown=shown)
    return _around(grid, rows, shown=shown)


def _row_cells(
    grid: Question, text: str, marked: Collection[int], *, shown: bool
) -> dict[str, dict[str, Any]]:
    return {
        str(column.sku): {
            "id": column.sku,
            "type": "CHECKBOX",
            "parent": grid.id,
            "question": f"{text} : {column.label}",
            "answer": column.value if place in marked else None,
            "shown": shown,
        }
        for place, column in enumerate(grid.options)
    }


def _parts(group: Question, texts: Sequence[str], *, shown: bool) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    for row, text in zip(group.rows, texts, strict=True):
        head = row.head
        parts[str(row.id)] = {
            "id": head["id"],
            "question": head["question"],
            "type": head["type"],
            "parent": head["parent"],
            "answer": text,
        }
    return _around(group, parts, shown=shown)


def _around(question: Question, subquestions: dict[str, Any], *, shown: bool) -> dict[str, Any]:
    head = question.head
    return {
        "id": head["id"],
        "type": head["type"],
        "question": head["question"],
        "subquestions": subquestions,
        "section_id": head["section_id"],
        "shown": shown,
    }
