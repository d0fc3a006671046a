"""Questions and pages in the shape that the API gives them, written from a few words.

The shapes are those of real survey definitions of 2017: language maps for every title, `[]` for
what is empty, question ids that grid rows share, option ids (SKUs) from 10001 that are unique in
the survey. Two things no source documents are our choice: a radio grid's row repeats the columns as
its own options, and a sub-question is only listed below its table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: One text for all languages, or one text for each language of the survey in its order.
Text = str | tuple[str, ...]

FIRST_SKU = 10001

# kind -> base_type, type, properties.map_key, properties.subtype
_KINDS: dict[str, tuple[str, str, str, str]] = {
    "radio": ("Question", "RADIO", "radio", ""),
    "menu": ("Question", "MENU", "menu", ""),
    "nps": ("Question", "NPS", "radio-nps", ""),
    "text": ("Question", "TEXTBOX", "text", ""),
    "number": ("Question", "TEXTBOX", "number", "NUMBER"),
    "email": ("Question", "TEXTBOX", "email", "EMAIL"),
    "date": ("Question", "TEXTBOX", "date", "DATE"),
    "essay": ("Question", "ESSAY", "essay", ""),
    "checkbox": ("Question", "CHECKBOX", "checkbox", ""),
    "textlist": ("Question", "MULTI_TEXTBOX", "multitext", ""),
    "contsum": ("Question", "CONT_SUM", "contsum", ""),
    "rank": ("Question", "RANK", "rank-dragdrop", ""),
    "radio-grid": ("Question", "TABLE", "table-radio", ""),
    "checkbox-grid": ("Question", "TABLE", "table-checkbox", ""),
    "contact": ("Question", "GROUP", "contactgroup", ""),
    "file": ("Question", "FILE", "file", ""),
    "hidden": ("Action", "HIDDEN", "hidden", ""),
    "instructions": ("Decorative", "INSTRUCTIONS", "instructions", ""),
}

# What a grid of this kind has as rows, and what a group has as parts.
_ROW_KIND = {"radio-grid": "radio", "checkbox-grid": "checkbox", "contact": "text"}

# Kinds whose answer comes as a container, under the type word "parent".
_CONTAINERS = {"checkbox", "textlist", "contsum", "rank", "checkbox-grid", "contact"}


@dataclass(frozen=True, slots=True)
class Choice:
    """An answer option as it is planned: its words, its reporting value, its flags.

    Args:
        text: The label.
        value: The reporting value; the label in the first language where not given.
        flags: Option properties besides `disabled`, such as `other`, `na` or `dependent`.
    """

    text: Text
    value: str | None = None
    flags: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Option:
    """An answer option as responses need it."""

    sku: int
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question as responses need it.

    Attributes:
        kind: The word of this module for its type.
        page: The number of its page, from 1.
        head: The keys that open each of its entries in `survey_data`.
        options: Its options, or the columns of a grid.
        rows: The rows of a grid, or the parts of a group.
        wire: The question object as the API gives it.
    """

    id: int
    kind: str
    page: int
    head: dict[str, Any]
    options: tuple[Option, ...]
    rows: tuple[Question, ...]
    wire: dict[str, Any]


class SurveyWriter:
    """Writes the pages of one survey, and remembers each question under a name.

    Args:
        languages: The languages of the survey; the first is the one that responses quote.

    Attributes:
        pages: The pages so far, in the shape of the API.
        questions: The questions so far, by name.
    """

    def __init__(self, languages: Sequence[str]) -> None:
        self.languages = tuple(languages)
        self.pages: list[dict[str, Any]] = []
        self.questions: dict[str, Question] = {}
        self._last_question = 0
        self._next_sku = FIRST_SKU

    def by_language(self, text: Text) -> dict[str, str]:
        """Return a text as a language map."""
        texts = (text,) * len(self.languages) if isinstance(text, str) else text
        return dict(zip(self.languages, texts, strict=True))

    def definition(
        self,
        number: int,
        title: Text,
        *,
        created: int,
        modified: int,
        internal_title: str = "",
        kind: str = "Standard Survey",
        status: str = "Launched",
        team: str = "0",
    ) -> dict[str, Any]:
        """Return the survey around the pages, as `DemoSurvey` has it."""
        return {
            "id": number,
            "title": title if isinstance(title, str) else title[0],
            "internal_title": internal_title,
            "type": kind,
            "status": status,
            "team": team,
            "languages": list(self.languages),
            "title_ml": self.by_language(title),
            "created": created,
            "modified": modified,
            "pages": self.pages,
        }

    def page(self, title: Text) -> None:
        """Open the next page."""
        page = {
            "id": len(self.pages) + 1,
            "title": self.by_language(title),
            "description": [],
            "properties": {"hidden": False, "piped_from": ""},
            "questions": [],
        }
        self.pages.append(page)

    def ask(
        self,
        name: str,
        kind: str,
        title: Text,
        choices: Iterable[Choice] = (),
        *,
        rows: Iterable[tuple[str, Text]] = (),
        alias: str | None = None,
        **settings: Any,
    ) -> Question:
        """Add a question to the open page.

        Args:
            name: Its key in `questions`.
            kind: A word such as `radio`, `number`, `checkbox-grid`.
            title: The words of the question.
            choices: Its options, or the columns of a grid.
            rows: Alias and words of each row of a grid or part of a group.
            alias: The `shortname`; the name where not given, `""` for none.
            settings: `comment`, `has_showhide_deps`, or properties.
        """
        number = self._number()
        wire_options = [self._option(choice) for choice in choices]
        wire = self._question(number, kind, title, name if alias is None else alias, settings)
        wire["options"] = wire_options
        parts = tuple(self._row(number, kind, row, wire_options) for row in rows)
        if parts:
            wire["sub_questions"] = [part.wire for part in parts]
        self.pages[-1]["questions"].append(wire)
        question = self._to_question(kind, wire, parts)
        self.questions[name] = question
        return question

    def _number(self) -> int:
        self._last_question += 1
        return self._last_question

    def _option(self, choice: Choice) -> dict[str, Any]:
        titles = self.by_language(choice.text)
        value = titles[self.languages[0]] if choice.value is None else choice.value
        sku = self._next_sku
        self._next_sku += 1
        properties = {"disabled": False, **choice.flags}
        return {"id": sku, "title": titles, "value": value, "properties": properties}

    def _row(
        self, parent: int, kind: str, row: tuple[str, Text], columns: list[dict[str, Any]]
    ) -> Question:
        alias, title = row
        row_kind = _ROW_KIND[kind]
        wire = self._question(self._number(), row_kind, title, alias, {})
        wire["options"] = [dict(column) for column in columns]
        question = self._to_question(row_kind, wire, ())
        words = question.head["question"]
        if kind == "radio-grid":
            place = {"parent": parent, "question": words, "section_id": len(self.pages)}
        else:
            place = {"parent": parent, "question": words}
        head = {"id": wire["id"], "type": wire["type"], **place}
        return Question(
            question.id, row_kind, question.page, head, question.options, (), question.wire
        )

    def _question(
        self, number: int, kind: str, title: Text, alias: str, settings: dict[str, Any]
    ) -> dict[str, Any]:
        base_type, word, map_key, subtype = _KINDS[kind]
        properties = self._properties(map_key)
        if subtype:
            properties["subtype"] = subtype
        settings = dict(settings)
        comment = settings.pop("comment", False)
        triggers = settings.pop("has_showhide_deps", False)
        return {
            "id": number,
            "base_type": base_type,
            "type": word,
            "title": self.by_language(title),
            "shortname": alias,
            "varname": [""],
            "description": [],
            "has_showhide_deps": triggers,
            "comment": comment,
            "properties": properties | settings,
        }

    def _properties(self, map_key: str) -> dict[str, Any]:
        labels = ("inputmask", "r_extreme_label", "l_extreme_label", "center_label")
        return {
            "option_sort": False,
            "required": False,
            "hidden": False,
            "orientation": "VERT",
            "labels_right": True,
            "map_key": map_key,
            "show_title": False,
            "question_description": self.by_language(""),
            "question_description_above": False,
            "soft-required": False,
            "disabled": False,
            "messages": {label: [] for label in (*labels, "right_label", "left_label")},
            "hide_after_response": False,
            "custom_css": "",
            "break_after": False,
            "url": "http://",
        }

    def _to_question(self, kind: str, wire: dict[str, Any], rows: tuple[Question, ...]) -> Question:
        first = self.languages[0]
        head = {
            "id": wire["id"],
            "type": "parent" if kind in _CONTAINERS else wire["type"],
            "question": wire["title"][first],
            "section_id": len(self.pages),
        }
        options = tuple(
            Option(option["id"], option["value"], option["title"][first])
            for option in wire["options"]
        )
        return Question(wire["id"], kind, len(self.pages), head, options, rows, wire)
