"""The codebook: one row for each column of a frame of responses."""

from __future__ import annotations

import html
from itertools import cycle
from typing import TYPE_CHECKING, Any

import pandas as pd

from alchemer_nb.frame.text_dtype import typed_frame
from alchemer_nb.survey.columns import STANDARD_FIELDS, AnswerColumn, name_columns, plan_columns
from alchemer_nb.survey.definition import conditional_ids
from alchemer_nb.survey.question_types import question_key
from alchemer_nb.visible import make_visible
from alchemer_nb.wire.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from alchemer_nb.survey.definition import Definition

FIELDS = (
    "column_id", "column_alias", "column_text", "question_id", "parent_id", "parent_alias",
    "option_id", "page", "page_title", "type", "part", "alias", "question", "row", "option",
    "reporting_value", "required", "logic", "n_asked", "n_answered", "removed", "piped",
    "notes",
)  # fmt: skip
_COUNTS = ("page", "n_asked", "n_answered")
_DTYPES = {
    **dict.fromkeys(("required", "logic", "removed", "piped"), "bool"),
    **dict.fromkeys(_COUNTS, "Int64"),
}
_LONGEST_CELL = 160  # characters on the screen
# The fields that a codebook shows; the others do not fit on a screen.
MAIN_FIELDS = (
    "column_alias", "question", "row", "option", "type", "part", "n_asked", "n_answered", "notes",
)  # fmt: skip


class Codebook(pd.DataFrame):
    """A DataFrame of all fields that shows the main ones; slices of it are plain DataFrames."""

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    def _main_fields(self) -> pd.DataFrame:
        """Return the main fields that are not empty, as text."""
        present = [name for name in MAIN_FIELDS if name in self.columns]
        names = [name for name in present if name in MAIN_FIELDS[:2] or self[name].notna().any()]
        shown = {name: ["" if pd.isna(v) else str(v) for v in self[name]] for name in names}
        return pd.DataFrame(shown)

    def _repr_html_(self) -> str | None:
        shown = _table_html(self._main_fields())
        return make_visible(f"{shown}<p>{html.escape(self._footer())}</p>")

    def __repr__(self) -> str:
        shown = self._main_fields().to_string(max_rows=60, max_colwidth=48, index=False)
        return make_visible(f"{shown}\n{self._footer()}")

    def _footer(self) -> str:
        shown = self._main_fields().columns
        hidden = [name for name in self.columns if name not in shown]
        return f"{counted(len(self), 'column')}; also held: {', '.join(map(str, hidden))}"


def codebook_records(
    survey: Definition,
    columns: Sequence[AnswerColumn],
    *,
    metadata: Sequence[str] = STANDARD_FIELDS,
    urls: Iterable[str] = (),
    fields: Iterable[str] = (),
    notes: Mapping[str, list[str]] | None = None,
    language: str | None = None,
) -> list[dict[str, Any]]:
    """Return one dict for each column of a frame, in its order.

    Args:
        survey: The definition.
        columns: Columns of answers.
        metadata: Names of the metadata columns.
        urls: Names of url variables.
        fields: Names of the columns of undocumented fields of responses.
        notes: Column id -> what did not fit.
        language: Language of the words.
    """
    by_alias, by_text = (
        name_columns(columns, survey, names, metadata, language) for names in ("alias", "text")
    )
    conditional = conditional_ids(survey)
    pages = {page.id: (i, page) for i, page in enumerate(survey.pages, 1)}
    rows = []
    for column, alias, text in zip(columns, by_alias, by_text, strict=True):
        number, page = pages.get(column.question.page, (None, None))
        rows.append(
            {
                "column_id": column.id,
                "column_alias": alias,
                "column_text": text,
                "page": number,
                "page_title": page.title(language, survey.language) if page else "",
                "notes": "; ".join(_notes_of(column, notes or {})),
                **_column_record(column, survey, language),
                "logic": bool({column.question.id, column.question.parent} & conditional),
            }
        )
    rows.extend(_other_record(f"url_{name}", "url variable") for name in urls)
    for name in (*metadata, *fields):
        about = "; ".join((notes or {}).get(name, ()))
        rows.append({**_other_record(name, "metadata"), "notes": about})
    return [{name: row.get(name) for name in FIELDS} for row in rows]


def _notes_of(column: AnswerColumn, notes: Mapping[str, list[str]]) -> list[str]:
    """Return the notes of a column, and of the options of a list."""
    found = ["a piped row: its text comes from the answers"] if column.piped else []
    for each in (column, *column.option_columns):
        found += notes.get(each.id, ())
    return found


def build_codebook(rows: list[dict[str, Any]]) -> Codebook:
    """Return the records as a DataFrame: text, counts and ``page`` Int64, flags bool."""
    filled = [{name: None if value == "" else value for name, value in r.items()} for r in rows]
    return Codebook(typed_frame(filled, FIELDS, _DTYPES))


def survey_codebook(survey: Definition, language: str | None = None) -> Codebook:
    """Return the codebook of a survey from its definition alone."""
    return build_codebook(codebook_records(survey, plan_columns(survey), language=language))


def _other_record(name: str, kind: str) -> dict[str, Any]:
    return {"column_id": name, "column_alias": name, "column_text": name, "part": kind}


def _column_record(
    column: AnswerColumn, survey: Definition, language: str | None
) -> dict[str, Any]:
    languages = (language, survey.language)
    question, parent, option = column.question, column.parent, column.option
    return {
        "question_id": column.question_id,
        "parent_id": parent.id if parent else "",
        "parent_alias": parent.alias if parent else "",
        "option_id": option.id if option else "",
        "type": question_key(parent or question) or (parent or question).type.lower(),
        "part": column.part,
        "alias": question.alias,
        "question": (parent or question).text(*languages),
        "row": question.text(*languages) if parent else "",
        "option": option.label(*languages) if option else "",
        "reporting_value": option.value if option else "",
        "required": question.required,
        "removed": column.removed,
        "piped": column.piped,
    }


def _table_html(words: pd.DataFrame) -> str:
    """Return a table of text as HTML: words to the left, counts to the right, long ones cut."""
    cut = {
        name: [text if len(text) <= _LONGEST_CELL else f"{text[:_LONGEST_CELL]}…" for text in texts]
        for name, texts in words.items()
    }
    table = pd.DataFrame(cut).to_html(max_rows=pd.options.display.max_rows, index=False, border=0)
    # Notebooks align every cell to the right; only a style of the cell itself is stronger. Text in
    # cells is escaped, so each "<td>" is one of the table's, row by row.
    sides = ["right" if name in _COUNTS else "left" for name in words]
    for tag in ("<th", "<td"):
        first, *cells = table.split(f"{tag}>")
        styled = zip(cycle(sides), cells, strict=False)
        table = first + "".join(f'{tag} style="text-align:{side}">{cell}' for side, cell in styled)
    return table
