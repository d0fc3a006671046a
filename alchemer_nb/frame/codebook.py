"""The codebook: one row for each column of a responses frame."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import pandas as pd

from alchemer_nb.frame.metadata import STANDARD
from alchemer_nb.frame.text_dtype import text_dtype
from alchemer_nb.frame.wordtable import table_html
from alchemer_nb.survey.columns import Column, name_columns, plan
from alchemer_nb.survey.definition import conditional_ids
from alchemer_nb.survey.question_types import question_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from alchemer_nb.survey.definition import Definition

FIELDS = (
    "column_id",
    "column_alias",
    "column_text",
    "question_id",
    "parent_id",
    "parent_alias",
    "option_id",
    "page",
    "page_title",
    "type",
    "part",
    "alias",
    "question",
    "row",
    "option",
    "reporting_value",
    "required",
    "logic",
    "n_asked",
    "n_answered",
    "removed",
    "notes",
)
_FLAGS = ("required", "logic", "removed")
_COUNTS = ("page", "n_asked", "n_answered")
# What fits on a screen; everything else is a column away.
SHORT = (
    *("column_alias", "question", "row", "option", "type", "part"),
    *("n_asked", "n_answered", "notes"),
)


class Codebook(pd.DataFrame):
    """A DataFrame of all fields that shows the few one reads; any step gives a plain one."""

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    def _short(self) -> pd.DataFrame:
        """The fields one reads, as text, as far as they hold anything."""
        there = [name for name in SHORT if name in self.columns]
        names = [name for name in there if name in SHORT[:2] or self[name].notna().any()]
        shown = {name: ["" if pd.isna(v) else str(v) for v in self[name]] for name in names}
        return pd.DataFrame(shown)

    def _repr_html_(self) -> str | None:
        shown = table_html(self._short(), set(_COUNTS))
        return f"{shown}<p>{html.escape(self._more())}</p>"

    def __repr__(self) -> str:
        shown = self._short().to_string(max_rows=60, max_colwidth=48, index=False)
        return f"{shown}\n{self._more()}"

    def _more(self) -> str:
        hidden = [n for n in self.columns if n not in self._short().columns]
        return f"{len(self)} columns; also held: {', '.join(map(str, hidden))}"


def records(
    survey: Definition,
    columns: Sequence[Column],
    *,
    metadata: Sequence[str] = STANDARD,
    urls: Iterable[str] = (),
    notes: dict[str, list[str]] | None = None,
    language: str | None = None,
) -> list[dict[str, Any]]:
    """One dict for each output column, in the order of the frame.

    Args:
        survey: The definition.
        columns: Columns of answers.
        metadata: Names of the metadata columns.
        urls: Names of url variables.
        notes: What was noted while the values were made, by column id.
        language: Whose words.
    """
    by_alias, by_text = (
        name_columns(columns, survey, names, metadata, language) for names in ("alias", "text")
    )
    conditional = conditional_ids(survey)
    pages = {page.id: (i, page) for i, page in enumerate(survey.pages, 1)}
    rows = [_plain(name, "metadata") for name in metadata]
    for column, alias, text in zip(columns, by_alias, by_text, strict=True):
        number, page = pages.get(column.question.page, (None, None))
        rows.append(
            {
                "column_id": column.id,
                "column_alias": alias,
                "column_text": text,
                "page": number,
                "page_title": page.title(language, survey.language) if page else "",
                "notes": "; ".join(_notes(column, notes or {})),
                **_about(column, survey, language),
                "logic": bool({column.question.id, column.question.parent} & conditional),
            }
        )
    rows.extend(_plain(f"url_{name}", "url variable") for name in urls)
    return [{name: row.get(name) for name in FIELDS} for row in rows]


def _notes(column: Column, notes: dict[str, list[str]]) -> list[str]:
    """What was noted of a column; of a list, of its options too."""
    return [text for each in (column, *column.parts) for text in notes.get(each.id, ())]


def frame(rows: list[dict[str, Any]]) -> Codebook:
    """The records as a DataFrame: texts, counts and ``page`` Int64, flags bool."""
    data: dict[str, Any] = {}
    for name in FIELDS:
        values = [row.get(name) for row in rows]
        if name in _FLAGS:
            data[name] = pd.array([bool(value) for value in values], dtype="bool")
        elif name in _COUNTS:
            data[name] = pd.array(values, dtype="Int64")
        else:
            texts = [None if value in (None, "") else str(value) for value in values]
            data[name] = pd.array(texts, dtype=text_dtype())
    return Codebook(data)


def of_survey(survey: Definition, language: str | None = None) -> Codebook:
    """The codebook of a survey from its definition alone."""
    return frame(records(survey, plan(survey), language=language))


def _plain(name: str, kind: str) -> dict[str, Any]:
    return {"column_id": name, "column_alias": name, "column_text": name, "part": kind}


def _about(column: Column, survey: Definition, language: str | None) -> dict[str, Any]:
    spoken = (language, survey.language)
    question, parent, option = column.question, column.parent, column.option
    return {
        "question_id": question.id,
        "parent_id": parent.id if parent else "",
        "parent_alias": parent.alias if parent else "",
        "option_id": option.id if option else "",
        "type": question_key(parent or question) or (parent or question).type.lower(),
        "part": column.part,
        "alias": question.alias,
        "question": (parent or question).words(*spoken),
        "row": question.words(*spoken) if parent else "",
        "option": option.label(*spoken) if option else "",
        "reporting_value": option.value if option else "",
        "required": question.required,
        "removed": column.removed,
    }
