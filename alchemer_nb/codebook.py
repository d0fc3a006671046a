"""The codebook: one row for each column of a responses frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from alchemer_nb.columns import Column, plan, question_key
from alchemer_nb.metadata import STANDARD
from alchemer_nb.naming import name_columns
from alchemer_nb.values import text_dtype

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from alchemer_nb.definition import Survey

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
    "removed",
    "notes",
)


def records(
    survey: Survey,
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
                "notes": "; ".join((notes or {}).get(column.id, [])),
                **_about(column, survey, language),
            }
        )
    rows.extend(_plain(f"url_{name}", "url variable") for name in urls)
    return [{name: row.get(name) for name in FIELDS} for row in rows]


def frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """The records as a DataFrame: texts, ``page`` Int64, ``required`` and ``removed`` bool."""
    data: dict[str, Any] = {}
    for name in FIELDS:
        values = [row.get(name) for row in rows]
        if name in ("required", "removed"):
            data[name] = pd.array([bool(value) for value in values], dtype="bool")
        elif name == "page":
            data[name] = pd.array(values, dtype="Int64")
        else:
            texts = [None if value in (None, "") else str(value) for value in values]
            data[name] = pd.array(texts, dtype=text_dtype())
    return pd.DataFrame(data)


def of_survey(survey: Survey, language: str | None = None) -> pd.DataFrame:
    """The codebook of a survey from its definition alone."""
    return frame(records(survey, plan(survey), language=language))


def _plain(name: str, kind: str) -> dict[str, Any]:
    return {"column_id": name, "column_alias": name, "column_text": name, "part": kind}


def _about(column: Column, survey: Survey, language: str | None) -> dict[str, Any]:
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
