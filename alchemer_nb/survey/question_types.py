"""Question types: which type of question has which kind of answer.

The types are those of https://apihelp.alchemer.com/help/surveyquestion-returned-fields-v5: a word
in upper case, and the more exact ``properties.map_key``. Types in none of the sets are unknown:
each leaf of their answers becomes a column of text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from alchemer_nb.survey.definition import Question

Kind = Literal["category", "number", "boolean", "text", "date", "list"]
Names = Literal["alias", "id", "text"]  # of columns; here, as `%load_ext` needs it

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
_GRIDS = {*GRID_SINGLE, *GRID_CELLS, MENU_GRID, "rank-table"}
TABLE = "matrix"
GROUP = {"group", "contactgroup"}
_KEYS = {
    *SINGLE, *MULTI, *NUMBER, *TEXT, *ITEMS, *GRID_SINGLE, *GRID_CELLS, *GROUP,
    MENU_GRID, TABLE, "date",
}  # fmt: skip
# Elements that show, send or compute something and ask nothing.
_NOT_ASKED = {"INSTRUCTIONS", "URLREDIRECT", "SCRIPT", "LOGIC", "MEDIA", "JAVASCRIPT", "EMAIL"}
_KEY_BY_TYPE = {  # for questions without a known `map_key`
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
_KEY_BY_ROW_TYPE = {  # the same for grids, by the type of their rows
    "RADIO": "table-radio",
    "MENU": "table-radio",
    "CHECKBOX": "table-checkbox",
    "TEXTBOX": "table-textbox",
    "MULTI_TEXTBOX": "table-textbox",
    "ESSAY": "table-textbox",
}


def question_key(question: Question) -> str:
    """Return the ``map_key`` of a question, derived from its type where it is not set."""
    if question.key in _KEYS:
        key = question.key
    elif question.type == "TABLE" and question.rows:
        key = _KEY_BY_ROW_TYPE.get(question.rows[0].type, "")
    else:
        key = _KEY_BY_TYPE.get(question.type, "")
    if key == "text" and question.subtype in ("NUMBER", "PERCENT", "DATE"):
        return question.subtype.lower()
    return key


def is_multi(question: Question) -> bool:
    """Check whether several options may be chosen; unanswered, such questions have no entry."""
    return question_key(question) in MULTI


def is_grid(question: Question) -> bool:
    """Check whether a question has rows that share its options; it may have none yet."""
    key = question_key(question)
    is_custom = key == TABLE or key in GROUP
    return not is_custom and (question.type == "TABLE" or key in _GRIDS)


def is_asked(question: Question) -> bool:
    """Check whether a question can have an answer at all."""
    if question.type == "EMAIL":  # an action, unless the key says that it is the question type
        return question.key == "email"
    return question.type not in _NOT_ASKED


def is_known(question: Question) -> bool:
    """Check whether the type is documented, so that the columns can be planned."""
    return bool(question_key(question)) or not is_asked(question)
