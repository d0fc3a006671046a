"""Redaction of contact data: dropped or hashed, in a frame.

A frame is the only copy of its answers. Its description says that a question was asked or answered,
which may be the answer itself, so what it says of dropped columns is dropped with them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from alchemer_nb.errors import InvalidArgument
from alchemer_nb.frame import metadata, multi_lists
from alchemer_nb.frame.description import (
    ATTRS,
    WAVE,
    Description,
    describe,
    drop_unused_texts,
)
from alchemer_nb.frame.options import check_choice
from alchemer_nb.frame.text_dtype import typed_frame
from alchemer_nb.frame.values import option_names
from alchemer_nb.privacy.contact_patterns import (
    has_email,
    has_phone,
    names_contact,
    url_names_person,
)
from alchemer_nb.privacy.hashing import Hasher
from alchemer_nb.survey.columns import INDEX, MEMBER, column_id, question_names
from alchemer_nb.survey.question_types import question_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alchemer_nb.survey.columns import AnswerColumn

How = Literal["drop", "hash"]
# Hashed ids still distinguish people. Descriptions are always dropped: the hash of a city is of no
# use to an analyst, and can be guessed from its frequency.
IDENTIFYING = ("contact_id", "session_id", "ip_address")
DESCRIBING = (
    "referer", "user_agent", "longitude", "latitude", "country", "city", "region", "postal", "dma",
)  # fmt: skip
_LONG_TEXTS = ("value", "code")  # of the long shape


@dataclass
class RedactionPlan:
    """The columns to redact: column id, metadata or ``url_`` name -> why.

    Attributes:
        dropped: Columns to drop.
        hashed: Columns to hash.
        detached: Columns to hash that no longer belong to the survey afterwards, because a hash is
            no number, date or option.
    """

    dropped: dict[str, str] = field(default_factory=dict)
    hashed: dict[str, str] = field(default_factory=dict)
    detached: dict[str, str] = field(default_factory=dict)

    @property
    def ids(self) -> set[str]:
        """All columns to redact."""
        return {*self.dropped, *self.hashed, *self.detached}


def redact(
    frame: pd.DataFrame,
    how: How = "drop",
    *,
    salt: str | bytes | None = None,
    columns: Iterable[str] | None = None,
    keep: Iterable[str] | None = None,
    url_variables: bool = False,
) -> pd.DataFrame:
    """Drop or hash contact data; see ``AlchemerAccessor.redact`` for the arguments.

    Args:
        frame: A frame of responses, or of several waves of them.
        how: ``"drop"`` or ``"hash"``.
        salt: Key of the hashes.
        columns: Further columns or questions to redact.
        keep: Columns or questions to leave as they are.
        url_variables: Whether to redact all url variables.

    Raises:
        InvalidArgument: An argument does not fit.
        KnowledgeLost: The frame carries no description.
    """
    check_choice("how", how, ("drop", "hash"))
    hasher = Hasher(salt) if how == "hash" else None
    if salt is not None and hasher is None:
        raise InvalidArgument('a salt is for how="hash"')
    redaction = _Redaction(frame, describe(frame), hasher)
    return redaction.apply(redaction.plan(_as_list(columns), _as_list(keep), url_variables))


class _Redaction:
    """The redaction of one frame; a column is known by its name in the wide shape."""

    def __init__(
        self, frame: pd.DataFrame, description: Description, hasher: Hasher | None
    ) -> None:
        self._frame = frame
        self._description = description
        self._hasher = hasher
        self._is_long = description.options.shape == "long"
        self._columns: dict[str, AnswerColumn] = {}
        self._urls: dict[str, str] = {}
        self._fields: dict[str, str] = {}
        self._metadata: set[str] = set()
        for wave in description.each_wave:
            self._columns = {**wave.columns, **self._columns}
            self._urls = {**wave.urls, **self._urls}
            self._fields = {**wave.fields, **self._fields}
            self._metadata |= {*wave.metadata, *wave.fields}

    def plan(self, columns: list[str], keep: list[str], url_variables: bool) -> RedactionPlan:
        """Choose the columns to redact, and how."""
        why = dict.fromkeys((*IDENTIFYING, *DESCRIBING), "metadata")
        for name in why.keys() & self._columns.keys():  # a question has the name of metadata
            del why[name]
        why |= self._contact_columns()
        why |= self._personal_fields(url_variables)
        for word in columns:
            why.update(dict.fromkeys(self._find(word, "columns"), "asked for"))
        for word in keep:
            for name in self._find(word, "keep"):
                why.pop(name, None)
        for name, column in {**self._columns, **self._options_of_lists}.items():
            if name in why:
                for other in self._columns_of_same_answers(column):
                    why.setdefault(other, why[name])
        return self._decide_how(why)

    def _personal_fields(self, url_variables: bool) -> dict[str, str]:
        """Return the url variables and undocumented fields whose names mean a person, and why."""
        why: dict[str, str] = {}
        for name, variable in self._urls.items():
            # A member of a variable is a variable of its own, such as "name.label".
            if url_variables or url_names_person(variable.partition(".")[0]):
                why[name] = "url variable"
        for name, own in self._fields.items():
            if url_names_person(own) or names_contact(own):
                why[name] = "metadata"
        return why

    def _contact_columns(self) -> dict[str, str]:
        """Return the columns that seem to hold contact data, and why."""
        parts = {
            name if part is column else part.id: part
            for name, column in self._columns.items()
            for part in column.option_columns or (column,)
        }
        reasons = {name: _contact_reason(part) for name, part in parts.items()}
        return {name: reason for name, reason in reasons.items() if reason}

    def _decide_how(self, why: dict[str, str]) -> RedactionPlan:
        plan = RedactionPlan()
        hashed_before = {
            row["column"]
            for row in self._description.redacted
            if str(row["done"]).startswith("hashed")
        }
        texts_elsewhere = {*self._metadata, *self._urls}
        for name, reason in why.items():
            column = self._columns.get(name)
            # Hashed options of a list do not distinguish people.
            is_listed = name in self._listed or (column is not None and column.part == "list")
            if self._hasher is None or name in DESCRIBING or is_listed:
                plan.dropped[name] = reason
            elif name in hashed_before:
                continue
            elif name in texts_elsewhere or (column is not None and column.kind == "text"):
                plan.hashed[name] = reason
            elif reason == "asked for" and not self._is_long:
                plan.detached[name] = reason
            else:  # a choice in a contact form, such as the country: it only describes people
                plan.dropped[name] = reason
        return plan

    @property
    def _listed(self) -> dict[str, str]:
        """Id of an option's column -> name of the column of lists that has it."""
        lists = {name: column for name, column in self._columns.items() if column.part == "list"}
        return {part.id: name for name, c in lists.items() for part in c.option_columns}

    def _find(self, word: str, argument: str) -> set[str]:
        """Return the columns that a word means: one, or all of a question."""
        found = {word} & {*self._columns, *self._listed}
        for name, column in self._columns.items():
            if word in {column.id, *question_names(column)}:
                found.add(name)
        is_known = word in self._urls or word in metadata.metadata_names("all")
        if not found and (self._values(word) is not None or is_known):
            found.add(word)
        if not found:
            raise InvalidArgument(f"{argument}: no column or question is called {word[:40]!r}")
        return found

    @property
    def _options_of_lists(self) -> dict[str, AnswerColumn]:
        return {part.id: part for c in self._columns.values() for part in c.option_columns}

    def _columns_of_same_answers(self, column: AnswerColumn) -> list[str]:
        """Return the columns built from the same answers, which are to be redacted with them."""
        if column.part in ("other", "raw"):
            return []
        same, members = column.path, (*column.path, MEMBER)
        return [
            name
            for name, each in self._columns.items()
            if each.path == same or each.path[: len(members)] == members
        ]

    def apply(self, plan: RedactionPlan) -> pd.DataFrame:
        """Return the redacted frame, with what is left of its description."""
        codes = _gather_codes(self._description)
        to_hash = {*plan.hashed, *plan.detached}
        dropped = {*plan.dropped} | {code for code, name in codes.items() if name in plan.dropped}
        if self._is_long:
            result = self._redact_long(dropped, to_hash)
        else:
            dropped |= {code for code, name in codes.items() if name in to_hash}
            result = self._frame.loc[:, [name not in dropped for name in self._frame]].copy()
            for name in to_hash & set(result.columns):
                if self._hasher is not None:
                    result[name] = self._hasher.series(self._frame[name])
            self._redact_lists(result, plan)
        result = self._redact_index(result, dropped, to_hash)
        rows = [*self._description.redacted, *self._report(plan)]
        # Undocumented fields of responses may hold any text.
        documented = self._metadata & set(metadata.metadata_names("all"))
        handled = {str(row["column"]) for row in rows} | documented - self._columns.keys()
        rows += _report_contact_texts(result, handled)
        rows += self._report_piped_rows(result)
        gone = {*dropped, *plan.detached, *plan.dropped}
        # Before the columns go from the description: a copy of one may be called otherwise.
        result = drop_unused_texts(result, self._description)
        clean = without_columns(self._description, gone).trim(result)
        result.attrs = {**self._frame.attrs, ATTRS: replace(clean, redacted=tuple(rows)).to_json()}
        return result

    def _redact_long(self, dropped: set[str], to_hash: set[str]) -> pd.DataFrame:
        frame = self._frame
        is_gone = frame["column"].isin(dropped)
        # A response of which nothing is left has one row without an answer.
        first = ~frame[INDEX].duplicated() & frame[INDEX].isin(
            set(frame[INDEX]) - set(frame.loc[~is_gone, INDEX])
        )
        result = frame[~is_gone | first].copy()
        empty = (is_gone & first)[result.index]
        result.loc[empty, [name for name in result if name != INDEX]] = pd.NA
        if self._hasher is not None:
            at = result["column"].isin(to_hash)
            for name in set(_LONG_TEXTS) & set(result.columns):
                result[name] = result[name].where(~at, self._hasher.series(result[name]))
        return result.reset_index(drop=True)

    def _redact_index(
        self, result: pd.DataFrame, dropped: set[str], to_hash: set[str]
    ) -> pd.DataFrame:
        """Drop or hash contact data in the levels of the index."""
        gone = [name for name in result.index.names if name in dropped]
        if gone:
            result = result.reset_index(gone, drop=True)
        index = result.index
        if self._hasher is None or not to_hash & set(index.names):
            return result
        levels = [index.get_level_values(number) for number in range(index.nlevels)]
        levels = [
            pd.Index(self._hasher.series(pd.Series(level)), name=level.name)
            if level.name in to_hash
            else level
            for level in levels
        ]
        result.index = pd.MultiIndex.from_arrays(levels) if len(levels) > 1 else levels[0]
        return result

    def _redact_lists(self, result: pd.DataFrame, plan: RedactionPlan) -> None:
        """Take dropped options out of the cells of lists."""
        for name, column in self._columns.items():
            gone = {part.id for part in column.option_columns} & plan.ids
            if not gone or name not in result:
                continue
            options = self._description.options
            labels = option_names(column.choices, options.rendered, self._description.languages)
            parts = zip(column.option_columns, labels, strict=True)
            out = {label for part, label in parts if part.id in gone}
            cells = [
                [each for each in cell if each not in out] or None
                if isinstance(cell, list)
                else cell
                for cell in result[name]
            ]
            result[name] = pd.Series(cells, index=result.index, dtype=object)

    def _report(self, plan: RedactionPlan) -> list[dict[str, Any]]:
        hashed = self._hasher.description if self._hasher else ""
        rows = []
        for name, why in {**plan.dropped, **plan.hashed, **plan.detached}.items():
            values = self._values(name)
            if name in metadata.metadata_names("all") and values is None:
                continue
            column = self._columns.get(name)
            count = None if values is None else int(values.notna().sum())
            done = "dropped" if name in plan.dropped else hashed
            own = column.id if column else name
            if column is not None and done == "dropped":
                own, name = self._without_words(name, column)
            rows.append(_report_row(name, own, done, why, count))
        return rows

    def _report_piped_rows(self, result: pd.DataFrame) -> list[dict[str, Any]]:
        """Report piped rows whose text, which is a part of their name, looks like contact data."""
        rows = []
        for name, column in self._columns.items():
            if not column.piped or name not in result:
                continue
            texts = set(column.question.titles.values())
            emails, phones = (any(map(has, texts)) for has in (has_email, has_phone))
            if emails or phones:
                why = "its own words look like contact data"
                row = _report_row(name, column.id, "left as it is", why, int(result[name].count()))
                rows.append({**row, "emails": int(emails), "phones": int(phones)})
        return rows

    def _without_words(self, name: str, column: AnswerColumn) -> tuple[str, str]:
        """Return id and name for the report, without words that only answers have."""
        if column.piped:
            question = f"q{column.question_id}"
            return question, f"a piped row of {question}"
        if column.part == "leaf" and not all(piece.isdigit() for piece in column.path):
            question = column_id(column.path[:1])  # the row was piped
            return question, question
        is_words = self._description.options.names == "text" and not column.planned
        return column.id, column.id if is_words else name

    def _values(self, name: str) -> pd.Series[Any] | None:
        """Return the values of a column or of a level of the index; None if there is none."""
        if name in self._frame.columns:
            return self._frame[name]
        if name in self._frame.index.names and name not in (INDEX, WAVE):
            return self._frame.index.get_level_values(name).to_series()
        return None


def without_columns(description: Description, gone: set[str]) -> Description:
    """Return a description without some columns, or options of lists."""
    if description.waves:
        waves = {label: without_columns(wave, gone) for label, wave in description.waves.items()}
        return replace(description, waves=waves)
    columns = {}
    for name, column in description.columns.items():
        parts = [part for part in column.option_columns if part.id not in gone]
        if name in gone or (column.option_columns and not parts):
            continue
        is_same = len(parts) == len(column.option_columns)
        columns[name] = column if is_same else multi_lists.fold_options(parts)
    return replace(
        description,
        columns=columns,
        codes={code: name for code, name in description.codes.items() if name not in gone},
        urls={name: own for name, own in description.urls.items() if name not in gone},
        fields={name: own for name, own in description.fields.items() if name not in gone},
    )


def _gather_codes(description: Description) -> dict[str, str]:
    found = dict(description.codes)
    for wave in description.waves.values():
        found.update(wave.codes)
    return found


def redactions(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Return the report of a redaction as a DataFrame."""
    fields = ("column", "done", "why", "values", "emails", "phones")
    return typed_frame(rows, fields, dict.fromkeys(fields[3:], "Int64"))


def _contact_reason(column: AnswerColumn) -> str | None:
    """Return why a column holds contact data; None if it does not seem to."""
    question, parent = column.question, column.parent
    if parent is not None and question_key(parent) == "contactgroup":
        return "contact form"
    if question_key(question) == "email" or question.subtype == "EMAIL":
        return "e-mail question"
    if question.subtype == "PHONE":
        return "telephone question"
    is_text = column.kind == "text" and column.part in ("answer", "leaf")
    return "its name" if is_text and names_contact(question.alias) else None


def _report_contact_texts(frame: pd.DataFrame, handled: set[str]) -> list[dict[str, Any]]:
    """Report text columns with texts that look like contact data: counted, never shown."""
    rows = []
    columns = [(str(name), frame[name]) for name in frame.columns]
    for number, name in enumerate(map(str, frame.index.names)):
        if name not in frame.columns:
            columns.append((name, frame.index.get_level_values(number).to_series()))
    for name, values in columns:
        if name in handled or not pd.api.types.is_string_dtype(values.dtype):
            continue
        texts = [text for text in values.dropna() if isinstance(text, str)]
        emails, phones = sum(map(has_email, texts)), sum(map(has_phone, texts))
        if emails or phones:
            row = _report_row(name, None, "left as it is", "looks like contact data", len(texts))
            rows.append({**row, "emails": emails, "phones": phones})
    return rows


def _report_row(
    name: str, column_id: str | None, done: str, why: str, values: int | None
) -> dict[str, Any]:
    return {"column": name, "column_id": column_id, "done": done, "why": why, "values": values}


def _as_list(words: Iterable[str] | None) -> list[str]:
    if words is None:
        return []
    return [words] if isinstance(words, str) else [str(word) for word in words]
