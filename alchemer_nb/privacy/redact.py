"""Redaction of contact data: dropped or hashed, in a frame and in the answers that it carries.

The answers that a frame carries (see ``frame.description``) can build every column again, so they
are redacted as well: no step from a redacted frame leads back to the data.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from alchemer_nb.decode.leaves import Leaf, RawAnswer
from alchemer_nb.errors import InvalidArgument
from alchemer_nb.frame import metadata, multi_lists
from alchemer_nb.frame.options import check_choice
from alchemer_nb.frame.text_dtype import typed_frame
from alchemer_nb.frame.values import Renderer, write_in_text
from alchemer_nb.privacy.contact_patterns import has_email, has_phone, names_contact
from alchemer_nb.privacy.hashing import Hasher
from alchemer_nb.survey.columns import INDEX, question_names
from alchemer_nb.survey.question_types import question_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alchemer_nb.decode.answers import Answers
    from alchemer_nb.frame.kept import Kept
    from alchemer_nb.survey.columns import AnswerColumn

How = Literal["drop", "hash"]
# Hashed ids still distinguish people. Descriptions are always dropped: the hash of a city is of no
# use to an analyst, and can be guessed from its frequency.
IDENTIFYING = ("contact_id", "session_id", "ip_address")
DESCRIBING = (
    "referer", "user_agent", "longitude", "latitude", "country", "city", "region", "postal", "dma",
)  # fmt: skip
_LONG_KEYS = [INDEX, "column"]  # of the long shape


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
    kept: Kept,
    how: How = "drop",
    *,
    salt: str | bytes | None = None,
    columns: Iterable[str] | None = None,
    keep: Iterable[str] | None = None,
    url_variables: bool = False,
) -> pd.DataFrame:
    """Drop or hash contact data; see ``AlchemerAccessor.redact`` for the arguments.

    Args:
        frame: A frame that this package built.
        kept: The answers that it carries.
        how: ``"drop"`` or ``"hash"``.
        salt: Key of the hashes.
        columns: Further columns or questions to redact.
        keep: Columns or questions to leave as they are.
        url_variables: Whether to redact all url variables.

    Raises:
        InvalidArgument: An argument does not fit.
    """
    check_choice("how", how, ("drop", "hash"))
    hasher = Hasher(salt) if how == "hash" else None
    if salt is not None and hasher is None:
        raise InvalidArgument('a salt is for how="hash"')
    redaction = _Redaction(frame, kept, hasher)
    return redaction.apply(redaction.plan(_as_list(columns), _as_list(keep), url_variables))


class _Redaction:
    """The redaction of one frame."""

    def __init__(self, frame: pd.DataFrame, kept: Kept, hasher: Hasher | None) -> None:
        self._frame = frame
        self._kept = kept
        self._hasher = hasher
        self._by_id = {column.id: column for column in kept.columns}
        self._ids = {name: column.id for name, column in kept.names.items()}
        self._lists = {name: c for name, c in kept.names.items() if c.part == "list"}
        self._earlier_rows = [dict(row) for row in kept.about.get("redacted", ())]

    def plan(self, columns: list[str], keep: list[str], url_variables: bool) -> RedactionPlan:
        """Choose the columns to redact, and how."""
        why = dict.fromkeys((*IDENTIFYING, *DESCRIBING), "metadata")
        for column in self._kept.columns:
            if reason := _contact_reason(column):
                why[column.id] = reason
        for name in metadata.url_names(self._kept.answers):
            if url_variables or names_contact(name):
                why[f"url_{name}"] = "url variable"
        for word in columns:
            why.update(dict.fromkeys(self._find_ids(word, "columns"), "asked for"))
        for word in keep:
            for column_id in self._find_ids(word, "keep"):
                why.pop(column_id, None)
        for column_id in [each for each in why if each in self._by_id]:
            for other in self._columns_of_same_answers(column_id):
                why.setdefault(other, why[column_id])
        return self._decide_how(why)

    def _decide_how(self, why: dict[str, str]) -> RedactionPlan:
        plan = RedactionPlan()
        hashed_before = {
            row["column_id"] for row in self._earlier_rows if row["done"].startswith("hashed")
        }
        texts_elsewhere = self._metadata_and_url_names()
        for column_id, reason in why.items():
            column = self._by_id.get(column_id)
            if column_id in self._kept.options.without:
                continue
            # Hashed options of a list do not distinguish people.
            is_listed = column_id in multi_lists.column_ids(self._lists.values())
            if self._hasher is None or column_id in DESCRIBING or is_listed:
                plan.dropped[column_id] = reason
            elif column_id in hashed_before:
                continue
            elif column_id in texts_elsewhere or (column is not None and column.kind == "text"):
                plan.hashed[column_id] = reason
            elif reason == "asked for":
                plan.detached[column_id] = reason
            else:  # a choice in a contact form, such as the country: it only describes people
                plan.dropped[column_id] = reason
        return plan

    def _metadata_and_url_names(self) -> set[str]:
        """Return the names of metadata and url variables."""
        urls = {f"url_{name}" for name in metadata.url_names(self._kept.answers)}
        return {*metadata.metadata_names("all"), *urls}

    def _find_ids(self, word: str, argument: str) -> set[str]:
        """Return the ids that a word means: of a column, or of all columns of a question."""
        found = {self._ids[word]} if word in self._ids else set()
        if word in self._lists:
            found = multi_lists.column_ids([self._lists[word]])
        found |= {c.id for c in self._kept.columns if word in {c.id, *question_names(c)}}
        is_own = word in self._frame.columns and not found
        if is_own or (word in self._metadata_and_url_names() and word not in self._ids):
            found.add(word)
        if not found:
            raise InvalidArgument(f"{argument}: no column or question is called {word[:40]!r}")
        return found

    def _columns_of_same_answers(self, column_id: str) -> list[str]:
        """Return the columns built from the same answers, which are to be redacted with them."""
        column = self._by_id[column_id]
        if column.part in ("other", "raw"):
            return []
        return [other.id for other in self._kept.columns if other.path == column.path]

    def apply(self, plan: RedactionPlan) -> pd.DataFrame:
        """Return the redacted frame, with the redacted answers."""
        clean = self._redact_carried_data(plan)
        result = (
            self._redact_long(clean)
            if clean.options.shape == "long"
            else self._redact_wide(plan, clean)
        )
        rows = [*self._earlier_rows, *self._report(plan)]
        handled = {str(row["column"]) for row in rows}
        # A question may have the name of metadata.
        handled |= set(metadata.metadata_names("all")) - self._ids.keys()
        rows += _report_contact_texts(result, handled)
        asked = self._redact_conditions(self._kept.about.get("asked", {}), plan)
        carried = replace(clean, about={**self._kept.about, "asked": asked, "redacted": rows})
        result.attrs = {**self._frame.attrs, **carried.frame([], carried.options).attrs}
        return result

    def _redact_long(self, clean: Kept) -> pd.DataFrame:
        ids = self._frame[INDEX].drop_duplicates()
        result = clean.frame([int(i) for i in ids], clean.options)
        chosen = pd.MultiIndex.from_frame(self._frame[_LONG_KEYS])
        is_shown = pd.MultiIndex.from_frame(result[_LONG_KEYS]).isin(chosen)
        return result[is_shown | result["column"].isna()].reset_index(drop=True)

    def _redact_wide(self, plan: RedactionPlan, clean: Kept) -> pd.DataFrame:
        before = self._kept.frame([], self._kept.options).columns
        after = set(clean.frame([], clean.options).columns)
        to_drop: set[Any] = {name for name in before if name not in after}
        to_drop |= {name for name in self._frame if self._id_of(name) in plan.dropped}
        to_hash = {**plan.hashed, **plan.detached}
        hashed = [name for name in self._frame if self._id_of(name) in to_hash]
        to_drop -= set(hashed)
        result = self._frame.loc[:, [name not in to_drop for name in self._frame]].copy()
        touched = plan.dropped.keys() | plan.detached.keys()
        changed_lists = [
            n
            for n, c in self._lists.items()
            if n in result and multi_lists.column_ids([c]) & touched
        ]
        if changed_lists:
            ids = self._frame.index if self._frame.index.name == INDEX else self._frame[INDEX]
            fresh = clean.frame([int(i) for i in ids], clean.options)
            for shown in changed_lists:
                result[shown] = fresh[shown].to_numpy()
        for name in hashed:
            if self._hasher is not None:
                result[name] = self._hasher.series(self._frame[name])
        return result

    def _id_of(self, name: Any) -> Any:
        """Return the id of a column of the survey; the name of any other column."""
        return self._ids.get(name, name)

    def _redact_carried_data(self, plan: RedactionPlan) -> Kept:
        """Return the redacted answers, with options that leave the redacted columns out."""
        without = self._kept.options.without | plan.dropped.keys() | plan.detached.keys()
        options = replace(self._kept.options, without=frozenset(without))
        answers = redact_answers(self._kept, plan, self._hasher)
        clean = replace(self._kept, answers=answers, options=options)
        if options.columns is None:
            return clean
        # A chosen column that is gone would be an error from now on.
        left = tuple(word for word in options.columns if _means_a_column(clean, word))
        return replace(clean, options=replace(options, columns=left))

    def _report(self, plan: RedactionPlan) -> list[dict[str, Any]]:
        hashed = self._hasher.description if self._hasher else ""
        names = {column_id: name for name, column_id in self._ids.items()}
        rows = []
        for column_id, why in {**plan.dropped, **plan.hashed, **plan.detached}.items():
            name = names.get(column_id, column_id)
            is_shown = name in self._frame.columns and self._id_of(name) == column_id
            if column_id in metadata.metadata_names("all") and not is_shown:
                continue  # the frame did not have it, only the answers that it carries
            values = int(self._frame[name].notna().sum()) if is_shown else None
            done = "dropped" if column_id in plan.dropped else hashed
            rows.append(_report_row(name, column_id, done, why, values))
        return rows

    def _redact_conditions(self, asked: dict[str, Any], plan: RedactionPlan) -> dict[str, Any]:
        """Return the choices of the download, without conditions that contain redacted texts."""
        where = asked.get("where")
        if not where:
            return asked
        values = {value for value in _redacted_texts(self._kept, plan) if len(value) > 1}
        lines = where.splitlines() if isinstance(where, str) else [str(line) for line in where]
        clean = [
            "(taken out)"
            if has_email(line) or has_phone(line) or any(value in line for value in values)
            else line
            for line in lines
        ]
        return {**asked, "where": "\n".join(clean) if isinstance(where, str) else clean}


def redactions(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Return the report of a redaction as a DataFrame."""
    fields = ("column", "done", "why", "values", "emails", "phones")
    return typed_frame(rows, fields, dict.fromkeys(fields[3:], "Int64"))


def redact_answers(kept: Kept, plan: RedactionPlan, hasher: Hasher | None) -> Answers:
    """Return a redacted copy of the answers, which shares all columns that do not change."""
    old = kept.answers
    answers = replace(old, meta=dict(old.meta), urls=dict(old.urls), leaves=dict(old.leaves))
    for column_id in plan.ids:
        hash_text = hasher if column_id in plan.hashed else None
        if column_id in answers.meta:
            values = answers.meta[column_id]
            answers.meta[column_id] = [hash_text(value) if hash_text else None for value in values]
        name = column_id.removeprefix("url_")
        if column_id.startswith("url_") and name in answers.urls:
            texts = answers.urls.pop(name)
            if hash_text:
                answers.urls[name] = {row: hash_text(text) or "" for row, text in texts.items()}
    for column in kept.columns:
        leaf = answers.leaves.get(column.path)
        if leaf is not None and column.id in plan.ids:
            hash_text = hasher if column.id in plan.hashed else None
            answers.leaves[column.path] = _redact_leaf(kept, leaf, column, hash_text)
    return answers


def _redact_leaf(kept: Kept, leaf: Leaf, column: AnswerColumn, hash_text: Hasher | None) -> Leaf:
    """Return a redacted leaf; an empty one is kept, so that no other column changes its name."""
    result = Leaf()
    touched = np.ones(kept.answers.count, dtype=bool)
    if column.part == "raw":  # answers that are no raw ones are shown by another column
        everything = np.arange(kept.answers.count)
        texts = Renderer(kept.answers, everything, "label", ()).array(column)
        touched = pd.Series(texts).notna().to_numpy()
    for row, code in zip(leaf.rows, leaf.codes, strict=True):
        received = leaf.raw_answers[code]
        raw = _redact_answer(received, column, hash_text) if touched[row] else received
        if raw is not None:
            result.add(row, raw)
    return result


def _redact_answer(
    raw: RawAnswer, column: AnswerColumn, hash_text: Hasher | None
) -> RawAnswer | None:
    """Return the redacted answer; None if nothing is left of it."""
    if column.part == "other":
        typed = write_in_text(raw, column)
        if typed is None:
            return raw
        value = column.option.value if column.option else None  # the option stays chosen
        return RawAnswer(hash_text(typed) if hash_text else value, raw.answer_id, None, raw.label)
    if hash_text is None or raw.text is None:
        return None
    return RawAnswer(hash_text(raw.text), raw.answer_id)


def _redacted_texts(kept: Kept, plan: RedactionPlan) -> set[str]:
    """Return all texts that are redacted."""
    found: set[str] = set()
    for column in kept.columns:
        leaf = kept.answers.leaves.get(column.path)
        if leaf is not None and column.id in plan.ids:
            found.update(str(part) for raw in leaf.raw_answers for part in raw[:3] if part)
    for column_id in plan.ids & kept.answers.meta.keys():
        found.update(str(value) for value in kept.answers.meta[column_id] if value)
    for name, texts in kept.answers.urls.items():
        if f"url_{name}" in plan.ids:
            found.update(texts.values())
    return found


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
    for name in frame.columns:
        values = frame[name]
        if name in handled or not pd.api.types.is_string_dtype(values.dtype):
            continue
        texts = [text for text in values.dropna() if isinstance(text, str)]
        emails, phones = sum(map(has_email, texts)), sum(map(has_phone, texts))
        if emails or phones:
            row = _report_row(
                str(name), None, "left as it is", "looks like contact data", len(texts)
            )
            rows.append({**row, "emails": emails, "phones": phones})
    return rows


def _report_row(
    name: str, column_id: str | None, done: str, why: str, values: int | None
) -> dict[str, Any]:
    return {"column": name, "column_id": column_id, "done": done, "why": why, "values": values}


def _means_a_column(kept: Kept, word: str) -> bool:
    """Check whether a word of ``columns=`` still means a column."""
    try:
        kept.frame([], replace(kept.options, columns=(word,)))
    except InvalidArgument:
        return False
    return True


def _as_list(words: Iterable[str] | None) -> list[str]:
    if words is None:
        return []
    return [words] if isinstance(words, str) else [str(word) for word in words]
