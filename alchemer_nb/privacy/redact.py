"""Contact data taken out of a frame, or hashed: in its columns and in what travels with it.

What travels with a frame (see ``kept``) can make every column anew, so it is cleaned as well: no
step from a redacted frame leads back to what was taken out.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from alchemer_nb.decode.leaves import Atom, Leaf
from alchemer_nb.errors import InvalidArgument
from alchemer_nb.frame import metadata, multi_lists
from alchemer_nb.frame.options import check_choice
from alchemer_nb.frame.text_dtype import text_dtype
from alchemer_nb.frame.values import Renderer, answer_text, written_in
from alchemer_nb.frame.wordtable import WordTable
from alchemer_nb.privacy.contact_patterns import has_email, has_phone, names_contact
from alchemer_nb.privacy.hashing import Hasher
from alchemer_nb.survey.columns import INDEX
from alchemer_nb.survey.question_types import question_key
from alchemer_nb.wire.text import name_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alchemer_nb.decode.answers import Answers
    from alchemer_nb.frame.description import Kept
    from alchemer_nb.survey.columns import Column

How = Literal["drop", "hash"]
# What tells people apart can still do so as a hash. What describes them cannot: a hash of a town
# tells an analyst nothing, and anybody who counts can guess it.
IDENTIFYING = ("contact_id", "session_id", "ip_address")
DESCRIBING = (
    "referer", "user_agent", "longitude", "latitude", "country", "city", "region", "postal", "dma",
)  # fmt: skip
_OF_A_ROW = [INDEX, "column"]  # of the long shape
FIELDS = ("column", "column_id", "done", "why", "values", "emails", "phones")


@dataclass
class Plan:
    """What is to be done, by name in the frame.

    Attributes:
        dropped: Column id, metadata or ``url_`` name -> why.
        hashed: The same, for what keeps its place as hashes.
        loose: Columns that are the user's own from now on, because a hash is no number, date or
            option -> why.
    """

    dropped: dict[str, str] = field(default_factory=dict)
    hashed: dict[str, str] = field(default_factory=dict)
    loose: dict[str, str] = field(default_factory=dict)


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
    """Drops or hashes contact columns.

    Args:
        frame: Made by this package.
        kept: What travels with it.
        how: ``"drop"`` or ``"hash"``.
        salt: Key of the hashes; the same salt gives the same hashes everywhere.
        columns: More columns or questions to treat, your own columns too.
        keep: Columns or questions to leave as they are.
        url_variables: Whether all url variables are treated, not only those named for contacts.

    Raises:
        InvalidArgument: An argument does not fit.
    """
    check_choice("how", how, ("drop", "hash"))
    hasher = Hasher(salt) if how == "hash" else None
    if salt is not None and hasher is None:
        raise InvalidArgument('a salt is for how="hash"')
    cleaner = _Cleaner(frame, kept, hasher)
    plan = cleaner.plan(_words(columns), _words(keep), url_variables)
    return cleaner.frame(plan)


class _Cleaner:
    """Redacts one frame."""

    def __init__(self, frame: pd.DataFrame, kept: Kept, hasher: Hasher | None) -> None:
        self._frame = frame
        self._kept = kept
        self._hash = hasher
        self._by_id = {column.id: column for column in kept.columns}
        self._ids = {name: column.id for name, column in kept.names.items()}
        self._lists = {name: c for name, c in kept.names.items() if c.part == "list"}
        self._done = [dict(row) for row in kept.about.get("redacted", ())]

    # -- what is to be done -----------------------------------------------------------------

    def plan(self, columns: list[str], keep: list[str], url_variables: bool) -> Plan:
        """Chooses the columns and what happens to each."""
        why = dict.fromkeys((*IDENTIFYING, *DESCRIBING), "metadata")
        for column in self._kept.columns:
            if reason := _reason(column):
                why[column.id] = reason
        for name in metadata.url_names(self._kept.answers):
            if url_variables or names_contact(name):
                why[f"url_{name}"] = "url variable"
        for word in columns:
            why.update(dict.fromkeys(self._meant(word, "columns"), "asked for"))
        for word in keep:
            for own in self._meant(word, "keep"):
                why.pop(own, None)
        for own in [own for own in why if own in self._by_id]:
            for beside in self._sharing(own):
                why.setdefault(beside, why[own])
        return self._sorted_out(why)

    def _sorted_out(self, why: dict[str, str]) -> Plan:
        plan = Plan()
        hashed_before = {row["column_id"] for row in self._done if row["done"].startswith("hashed")}
        for own, reason in why.items():
            column = self._by_id.get(own)
            if own in self._kept.options.without:
                continue
            listed = own in multi_lists.ids(
                self._lists.values()
            )  # a list of hashes tells nobody apart
            if self._hash is None or own in DESCRIBING or listed:
                plan.dropped[own] = reason
            elif own in hashed_before:
                continue
            elif (column is not None and column.kind == "text") or own in self._known():
                plan.hashed[own] = reason
            elif reason == "asked for":
                plan.loose[own] = reason
            else:  # a country chosen in a contact form
                plan.dropped[own] = reason
        return plan

    def _known(self) -> set[str]:
        """Names of metadata and url variables."""
        urls = {f"url_{name}" for name in metadata.url_names(self._kept.answers)}
        return {*metadata.names("all"), *urls}

    def _meant(self, word: str, argument: str) -> set[str]:
        """Ids of the columns that a word means: a column, or a question with all its columns."""
        found = {self._ids[word]} if word in self._ids else set()
        if word in self._lists:
            found = multi_lists.ids([self._lists[word]])
        for column in self._kept.columns:
            called: set[str] = {column.id}
            for each in (column.question, column.parent):
                if each is not None:
                    called |= {each.id, f"q{each.id}", each.alias, name_of(each.alias)}
            if word in called - {""}:
                found.add(column.id)
        is_own = word in self._frame.columns and not found
        if is_own or (word in self._known() and word not in self._ids):
            found.add(word)
        if not found:
            raise InvalidArgument(f"{argument}: no column or question is called {word[:40]!r}")
        return found

    def _sharing(self, own: str) -> list[str]:
        """Columns made of the same answers: they cannot stay when these go."""
        column = self._by_id[own]
        if column.part in ("other", "raw"):
            return []
        return [other.id for other in self._kept.columns if other.path == column.path]

    # -- doing it ---------------------------------------------------------------------------

    def frame(self, plan: Plan) -> pd.DataFrame:
        """The redacted frame, with the knowledge that it may keep."""
        clean = self._clean(plan)
        if clean.options.shape == "long":  # one row an answer: made anew, as relabel does
            ids = self._frame[INDEX].drop_duplicates()
            made = clean.frame([int(i) for i in ids], clean.options)
            chosen = pd.MultiIndex.from_frame(self._frame[_OF_A_ROW])
            here = pd.MultiIndex.from_frame(made[_OF_A_ROW]).isin(chosen)
            made = made[here | made["column"].isna()].reset_index(drop=True)
        else:
            made = self._wide(plan, clean)
        rows = [*self._done, *self._report(plan)]
        treated = {str(row["column"]) for row in rows}
        treated |= set(metadata.names("all")) - self._ids.keys()  # a question may be called so
        rows += _looks_like_contact(made, treated)
        asked = self._without_values(self._kept.about.get("asked", {}), plan)
        told = replace(clean, about={**self._kept.about, "asked": asked, "redacted": rows})
        made.attrs = {**self._frame.attrs, **told.frame([], told.options).attrs}
        return made

    def _wide(self, plan: Plan, clean: Kept) -> pd.DataFrame:
        before = self._kept.frame([], self._kept.options).columns
        after = set(clean.frame([], clean.options).columns)
        gone: set[Any] = {name for name in before if name not in after}
        gone |= {name for name in self._frame if self._own(name) in plan.dropped}
        hashed = [n for n in self._frame if self._own(n) in plan.hashed.keys() | plan.loose.keys()]
        gone -= set(hashed)
        made = self._frame.loc[:, [name not in gone for name in self._frame]].copy()
        touched = plan.dropped.keys() | plan.loose.keys()
        shorter = [
            n for n, c in self._lists.items() if n in made and multi_lists.ids([c]) & touched
        ]
        if shorter:
            own = self._frame.index if self._frame.index.name == INDEX else self._frame[INDEX]
            fresh = clean.frame([int(i) for i in own], clean.options)
            for shown in shorter:
                made[shown] = fresh[shown].to_numpy()
        for name in hashed:
            if self._hash is not None:
                made[name] = self._hash.series(self._frame[name])
        return made

    def _own(self, name: Any) -> Any:
        """The id of the column of that name; other columns have none but their name."""
        return self._ids.get(name, name)

    def _clean(self, plan: Plan) -> Kept:
        """What travels, without what is taken out."""
        without = self._kept.options.without | plan.dropped.keys() | plan.loose.keys()
        options = replace(self._kept.options, without=frozenset(without))
        answers = cleaned(self._kept, plan, self._hash)
        clean = replace(self._kept, answers=answers, options=options)
        if options.columns is None:
            return clean
        # A choice of columns that are gone would be an error from now on.
        there = tuple(word for word in options.columns if _fits(clean, word))
        return replace(clean, options=replace(options, columns=there))

    def _report(self, plan: Plan) -> list[dict[str, Any]]:
        said = self._hash.said if self._hash else ""
        names = {own: name for name, own in self._ids.items()}
        rows = []
        for done, reasons in (("dropped", plan.dropped), (said, plan.hashed), (said, plan.loose)):
            for own, why in reasons.items():
                name = names.get(own, own)
                here = name in self._frame.columns and self._own(name) == own
                if own in metadata.names("all") and not here:
                    continue  # it was not in the frame; only what travels with it is cleaned
                values = int(self._frame[name].notna().sum()) if here else None
                rows.append(_row(name, own, done, why, values))
        return rows

    def _without_values(self, asked: dict[str, Any], plan: Plan) -> dict[str, Any]:
        """What was asked, without conditions that name somebody."""
        where = asked.get("where")
        if not where:
            return asked
        values = {value for value in _values(self._kept, plan) if len(value) > 1}
        lines = where.splitlines() if isinstance(where, str) else [str(line) for line in where]
        clean = [
            "(taken out)"
            if has_email(line) or has_phone(line) or any(value in line for value in values)
            else line
            for line in lines
        ]
        return {**asked, "where": "\n".join(clean) if isinstance(where, str) else clean}


def redactions(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """What was redacted, and what looks as if it should be, as a DataFrame."""
    frame = WordTable(list(rows), columns=[*FIELDS])
    counts = ("values", "emails", "phones")
    for name in FIELDS:
        frame[name] = pd.array(
            list(frame[name].astype(object).where(frame[name].notna(), None)),
            dtype="Int64" if name in counts else text_dtype(),
        )
    return frame.drop(columns="column_id")


def cleaned(kept: Kept, plan: Plan, hasher: Hasher | None) -> Answers:
    """A copy of the answers without what is taken out; what is not touched is shared."""
    old = kept.answers
    answers = replace(old, meta=dict(old.meta), urls=dict(old.urls), leaves=dict(old.leaves))
    for own in plan.dropped.keys() | plan.hashed.keys() | plan.loose.keys():
        change = hasher if own in plan.hashed else None
        if own in answers.meta:
            answers.meta[own] = [change(value) if change else None for value in answers.meta[own]]
        name = own.removeprefix("url_")
        if own.startswith("url_") and name in answers.urls:
            texts = answers.urls.pop(name)
            if change:
                answers.urls[name] = {row: change(text) or "" for row, text in texts.items()}
    for column in kept.columns:
        leaf = answers.leaves.get(column.path)
        if leaf is not None and column.id in plan.hashed:
            answers.leaves[column.path] = _changed(kept, leaf, column, hasher)
        elif leaf is not None and (column.id in plan.dropped or column.id in plan.loose):
            answers.leaves[column.path] = _changed(kept, leaf, column, None)
    return answers


def _changed(kept: Kept, leaf: Leaf, column: Column, change: Hasher | None) -> Leaf:
    """The leaf with other atoms; an empty one, so that no other column changes its name."""
    made = Leaf()
    touched = np.ones(kept.answers.count, dtype=bool)
    if column.part == "raw":  # the answers that do fit stand in another column
        everything = np.arange(kept.answers.count)
        texts = Renderer(kept.answers, everything, "label", ()).array(column)
        touched = pd.Series(texts).notna().to_numpy()
    for row, code in zip(leaf.rows, leaf.codes, strict=True):
        whole = leaf.atoms[code]
        atom = _atom(whole, column, change) if touched[row] else whole
        if atom is not None:
            made.add(row, atom)
    return made


def _atom(atom: Atom, column: Column, change: Hasher | None) -> Atom | None:
    """What remains of one answer; None for nothing."""
    if column.part == "other":
        typed = written_in(atom, column)
        if typed is None:
            return atom
        value = column.option.value if column.option else None  # chosen still, but nothing typed
        return Atom(change(typed) if change else value, atom.answer_id, None, atom.label)
    text = answer_text(atom)
    if change is None or text is None:
        return None
    return Atom(change(text), atom.answer_id)


def _values(kept: Kept, plan: Plan) -> set[str]:
    """The texts that are taken out."""
    ids = plan.dropped.keys() | plan.hashed.keys() | plan.loose.keys()
    found: set[str] = set()
    for column in kept.columns:
        leaf = kept.answers.leaves.get(column.path)
        if leaf is not None and column.id in ids:
            found.update(str(part) for atom in leaf.atoms for part in atom[:3] if part)
    for own in ids & kept.answers.meta.keys():
        found.update(str(value) for value in kept.answers.meta[own] if value)
    for name, texts in kept.answers.urls.items():
        if f"url_{name}" in ids:
            found.update(texts.values())
    return found


def _reason(column: Column) -> str | None:
    """Why a column holds contact data, None where it does not seem to."""
    question, parent = column.question, column.parent
    if parent is not None and question_key(parent) == "contactgroup":
        return "contact form"
    if question_key(question) == "email" or question.subtype == "EMAIL":
        return "e-mail question"
    if question.subtype == "PHONE":
        return "telephone question"
    if (
        column.kind == "text"
        and column.part in ("answer", "leaf")
        and names_contact(question.alias)
    ):
        return "its name"
    return None


def _looks_like_contact(frame: pd.DataFrame, treated: set[str]) -> list[dict[str, Any]]:
    """Text columns in which something looks like an address or a number: counted, never shown."""
    rows = []
    for name in frame.columns:
        values = frame[name]
        if name in treated or not pd.api.types.is_string_dtype(values.dtype):
            continue
        texts = [text for text in values.dropna() if isinstance(text, str)]
        emails, phones = sum(map(has_email, texts)), sum(map(has_phone, texts))
        if emails or phones:
            row = _row(str(name), None, "left as it is", "looks like contact data", len(texts))
            rows.append({**row, "emails": emails, "phones": phones})
    return rows


def _row(name: str, own: str | None, done: str, why: str, values: int | None) -> dict[str, Any]:
    return {"column": name, "column_id": own, "done": done, "why": why, "values": values}


def _fits(kept: Kept, word: str) -> bool:
    """Whether a word still chooses columns."""
    try:
        kept.frame([], replace(kept.options, columns=(word,)))
    except InvalidArgument:
        return False
    return True


def _words(words: Iterable[str] | None) -> list[str]:
    if words is None:
        return []
    return [words] if isinstance(words, str) else [str(word) for word in words]
