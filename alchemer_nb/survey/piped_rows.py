"""Rows that a survey makes of earlier answers ("piping"), so that its definition lacks them.

Each response lists its own piped rows as top-level entries whose ids count from 10001 anew, so the
same id is another row, even of another grid, in the next response; what identifies a row is its
question (``parent``) and its text (facts: two real surveys read through v5 in 2017). From both an
id is made, which stays the same in every response and download.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from alchemer_nb.survey.definition import Question
from alchemer_nb.survey.question_types import (
    GROUP,
    MENU_GRID,
    TABLE,
    is_grid,
    question_key,
)
from alchemer_nb.wire.ids import id_number, is_option_id
from alchemer_nb.wire.text import slug, strip_html

_HASH_MARK = "~"  # in no slug, so that two texts never have one id
_HASH_DIGITS, _SHOWN_DIGITS = 16, 4
# The last words of other columns of a question: "q39_brand_other" holds the write-ins of "Brand".
_NAME_SUFFIXES = {"other", "comment", "raw", "again"}
_ROW_TYPES = {
    "table-radio": "RADIO",
    "table-menu": "MENU",
    "table-checkbox": "CHECKBOX",
    "table-textbox": "TEXTBOX",
    "table-stars": "MULTI_TEXTBOX",
    MENU_GRID: "MULTI_TEXTBOX",
}


def find_parent(
    entry_id: str, entry: Any, questions: Mapping[str, Question]
) -> tuple[Question, str] | None:
    """Return the question and the text of a piped row; None for any other entry.

    At the top level only piped rows have ids from 10001, as options and columns of tables lie below
    a question. A row that was removed from a grid has a small id like every question, which is the
    same in all responses, and stays a removed question.

    Args:
        entry_id: Key of a top-level entry.
        entry: The entry as received.
        questions: Questions of the definition, and their parts, by id.

    Returns:
        Question and text. The question has no type if it is no longer in the definition.
    """
    if not isinstance(entry, Mapping) or id_number(entry_id) is None or not is_option_id(entry_id):
        return None
    above = id_number(entry.get("parent"))
    if not above or is_option_id(str(above)) or not strip_html(entry.get("question")):
        return None
    parent = questions.get(str(above)) or Question(str(above), "", "", {})
    if question_key(parent) == TABLE and any(row.id == entry_id for row in parent.rows):
        return None  # a column of a custom table, which the definition knows
    return parent, str(entry["question"])


def piped_row_id(parent: Question, text: str) -> str:
    """Return the id of a piped row, from its text alone: equal up to case and blanks, equal ids.

    Example:
        >>> [piped_row_id(Question("39", "", "", {}), text) for text in ("Brand A", " brand  a")]
        ['39_brand_a', '39_brand_a']
    """
    words = unicodedata.normalize("NFC", strip_html(text)).casefold()
    letters = unicodedata.normalize("NFKD", words)  # accents are letters of their own here
    plain = "".join(each for each in letters if not unicodedata.combining(each))
    stem = slug("".join(each if each.isascii() else " " for each in plain))
    is_whole = stem.replace("_", " ") == words
    if is_whole and not _ends_as_another_column(stem, parent):
        return f"{parent.id}_{stem}"
    return f"{parent.id}_{stem}{_HASH_MARK}{_digest(words)}"


def _digest(words: str) -> str:
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_DIGITS]


def _ends_as_another_column(stem: str, parent: Question) -> bool:
    """Check whether a row could be taken for a column of its question or of another row."""
    last = stem.rpartition("_")[2]
    if last.isdigit():
        return is_option_id(last)
    has_no_other = stem == "other" and is_grid(parent)  # a grid itself has no write-in
    return last in _NAME_SUFFIXES and not has_no_other


def shown_row_id(row_id: str, *, in_full: bool = False) -> str:
    """Return the id of a piped row as column names have it.

    Args:
        row_id: The id.
        in_full: Whether to write all digits of the hash, where the column would have the id of
            another one.
    """
    stem, mark, digits = row_id.partition(_HASH_MARK)
    if not mark and not in_full:
        return stem
    digits = digits or _digest(stem.partition("_")[2].replace("_", " "))
    return f"{stem.rstrip('_')}_{digits if in_full else digits[:_SHOWN_DIGITS]}"


def parent_of_row(row_id: str) -> str:
    """Return the id of the question of a piped row; any other id is its own."""
    return row_id.partition("_")[0]


def piped_row(parent: Question, row_id: str, text: str, language: str) -> Question:
    """Return a piped row as the definition would have it: like its siblings, else like its parent.

    A question that is repeated for each answer is its own row.
    """
    key = question_key(parent)
    if is_grid(parent):  # without a key, rows are single choices: the only ones that were seen
        own = Question(row_id, _ROW_TYPES.get(key, "RADIO"), "", {})
        like = parent.rows[0] if parent.rows else own
    elif key in GROUP or key == TABLE:  # what a repeated one looks like is not known
        like = Question(row_id, "", "", {})
    else:
        like = parent
    return replace(
        like,
        id=row_id,
        titles={language: text},
        alias="",
        rows=(),
        page=parent.page,
        parent=parent.id,
        varname=None,
    )
