"""Question types: which word means which kind of answer.

The words are those of https://apihelp.alchemer.com/help/surveyquestion-returned-fields-v5: a type
in upper case, and the finer ``properties.map_key``. What is in none of the sets is unknown: its
answers are kept leaf by leaf.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from alchemer_nb.survey.definition import Question

Kind = Literal["category", "number", "boolean", "text", "date", "list"]

SINGLE = {"radio", "menu", "single-image", "radio-likert"}
MULTI = {"checkbox", "multi-image"}
NUMBER = {"radio-nps", "number", "percent", "slider"}
TEXT = {"text", "essay", "email", "hidden", "file", "urlredirect"}
ITEMS: dict[str, Kind] = {
    "multitext": "text",
    "contsum": "number",
    "rank-dragdrop": "number",
    "rank-table": "number",
    "multi_slider": "number",
}
GRID_SINGLE = {"table-radio", "table-menu"}
GRID_CELLS: dict[str, Kind] = {
    "table-checkbox": "boolean",
    "table-textbox": "text",
    "table-stars": "number",
}
MENU_GRID = "table-menu-matrix"
TABLE = "matrix"
GROUP = {"group", "contactgroup"}
_KEYS = {
    *SINGLE, *MULTI, *NUMBER, *TEXT, *ITEMS, *GRID_SINGLE, *GRID_CELLS, *GROUP,
    MENU_GRID, TABLE, "date",
}  # fmt: skip
# They show, send or compute something and ask nothing.
_NO_ANSWER = {
    "INSTRUCTIONS",
    "URLREDIRECT",
    "SCRIPT",
    "LOGIC",
    "MEDIA",
    "JAVASCRIPT",
    "EMAIL",
}
_BY_WORD = {
    "RADIO": "radio",
    "MENU": "menu",
    "CHECKBOX": "checkbox",
    "NPS": "radio-nps",
    "SLIDER": "slider",
    "MULTI_SLIDER": "multi_slider",
    "TEXTBOX": "text",
    "ESSAY": "essay",
    "HIDDEN": "hidden",
    "FILE": "file",
    "MULTI_TEXTBOX": "multitext",
    "CONT_SUM": "contsum",
    "RANK": "rank-dragdrop",
    "IMAGE_SELECT": "multi-image",
    "GROUP": "group",
    "MATRIX": TABLE,
}
_BY_ROW = {
    "RADIO": "table-radio",
    "MENU": "table-radio",
    "CHECKBOX": "table-checkbox",
    "TEXTBOX": "table-textbox",
    "MULTI_TEXTBOX": "table-textbox",
    "ESSAY": "table-textbox",
}


def question_key(question: Question) -> str:
    """The type as a ``map_key`` word, found from the type word where ``map_key`` is unset."""
    if question.key in _KEYS:
        key = question.key
    elif question.type == "TABLE" and question.rows:
        key = _BY_ROW.get(question.rows[0].type, "")
    else:
        key = _BY_WORD.get(question.type, "")
    if key == "text" and question.subtype in ("NUMBER", "PERCENT", "DATE"):
        return question.subtype.lower()
    return key


def is_multi(question: Question) -> bool:
    """Whether several options may be chosen, and an unanswered entry is absent."""
    return question_key(question) in MULTI


def is_asked(question: Question) -> bool:
    """Whether a question can have an answer at all."""
    if question.type == "EMAIL":  # an action, unless the key says that it is the question type
        return question.key == "email"
    return question.type not in _NO_ANSWER


def is_known(question: Question) -> bool:
    """Whether its type is one of the reference, so that its columns can be told beforehand."""
    return bool(question_key(question)) or not is_asked(question)
