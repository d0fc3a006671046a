"""``df.alchemer``: what a frame of responses knows about its survey.

All knowledge travels in ``df.attrs["alchemer"]`` (see ``kept``). What needs the answers
themselves (``relabel``, ``missing``, ``score``) says so where a merge or a file has left only the
text behind; ``attach`` and ``join`` bring it back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from alchemer_nb import codebook as books
from alchemer_nb.errors import InvalidArgument, KnowledgeLost
from alchemer_nb.frames import ATTRS
from alchemer_nb.kept import Facts, Kept
from alchemer_nb.missing import Missing, base_sizes
from alchemer_nb.values import read_number, resolve, text_dtype
from alchemer_nb.words import name_of, plain

if TYPE_CHECKING:
    import os
    from collections.abc import Hashable, Iterable, Sequence

    from alchemer_nb.columns import Column

INDEX = "response_id"


class AlchemerAccessor:
    """The survey's knowledge about a frame that this package made.

    Example:
        >>> df = client.responses("Customer satisfaction", progress="none")
        >>> df.alchemer.columns("channels")[:2]
        ['channels_web', 'channels_shop']
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    # -- what is known ----------------------------------------------------------------------

    @property
    def facts(self) -> dict[str, Any]:
        """How the frame came about: survey, region, time, what was asked, rows told and received.

        Raises:
            KnowledgeLost: The frame carries nothing of it.
        """
        return Facts(self._text()).read()

    @property
    def codebook(self) -> books.Codebook:
        """One row for each column of the frame that the survey knows.

        Shows the fields one reads and holds many more; ``n_asked`` and ``n_answered`` count the
        responses that are here.
        """
        rows = self._book()
        text = self._text()
        if isinstance(text, Facts) and text.kept is not None and self._has_ids():
            missing = Missing(text.kept, self._ids(text.kept))
            known = text.kept.names
            for name, row in rows:
                if name in known:
                    row["n_asked"], row["n_answered"] = missing.counts(known[name])
        return books.frame([row for _, row in rows])

    @property
    def options(self) -> pd.DataFrame:
        """One row for each option of each category column: the value labels.

        Returns:
            ``column``, ``question_id``, ``option_id``, ``reporting_value``, ``label`` (text),
            ``score`` (float64, NaN where the reporting value is no number) and
            ``not_applicable`` (bool), in the order of the survey.
        """
        kept = self._kept()
        spoken = (kept.options.language, kept.survey.language)
        rows = [
            {
                "column": name,
                "question_id": column.question.id,
                "option_id": option.id,
                "reporting_value": option.value,
                "label": option.label(*spoken),
                "score": read_number(option.value),
                "not_applicable": option.is_not_applicable,
            }
            for name, column in self._columns_here(kept).items()
            if column.choices and column.part == "answer"
            for option in column.choices
        ]
        names = ["column", "question_id", "option_id", "reporting_value", "label"]
        frame = pd.DataFrame(rows, columns=[*names, "score", "not_applicable"])
        for name in names:
            frame[name] = pd.array(list(frame[name]), dtype=text_dtype())
        return frame.astype({"score": "float64", "not_applicable": "bool"})

    def find(self, words: str) -> pd.DataFrame:
        """Columns whose name or words hold all of the words, in any case.

        Returns:
            ``column``, ``question``, ``row``, ``option`` and ``type`` of each.
        """
        pieces = plain(words).casefold().split()
        searched = ("column_id", "column_alias", "column_text", "alias", "parent_alias")
        shown = ("question", "row", "option", "type")
        found: dict[str, list[Any]] = {name: [] for name in ("column", *shown)}
        for name, row in self._book():
            text = " ".join(str(row.get(field) or "") for field in searched).casefold()
            if all(piece in text for piece in pieces):
                found["column"].append(name)
                for field in shown:
                    found[field].append(row.get(field) or None)
        return pd.DataFrame({k: pd.array(v, dtype=text_dtype()) for k, v in found.items()})

    def columns(self, question: str | int) -> list[str]:
        """Names of the columns of a question, by alias, id, ``"q12"`` or a column's name.

        Write-ins, comments and what is kept as received are left out: what remains can be
        averaged or tabulated together.

        Raises:
            InvalidArgument: No column here belongs to such a question.
        """
        wanted = str(question)
        whole = ("answer", "option", "item", "leaf")
        hits = [
            name for name, row in self._book() if row["part"] in whole and wanted in _called(row)
        ]
        if not hits and wanted in self._frame.columns:
            return [wanted]
        if not hits:
            import difflib

            near = difflib.get_close_matches(wanted, [*map(str, self._frame.columns)], 1)
            hint = f"; did you mean {near[0]!r}?" if near else "; df.alchemer.find looks for words"
            raise InvalidArgument(f"no column here belongs to a question {wanted!r}{hint}")
        return hits

    # -- the same answers, otherwise --------------------------------------------------------

    def relabel(self, **choices: Any) -> pd.DataFrame:
        """Gives the same responses by other choices, without a download.

        Args:
            **choices: ``names``, ``values``, ``shape``, ``multi``, ``language``, ``metadata``,
                ``tz`` or ``columns``, as for ``client.responses``.

        Returns:
            The frame that a fresh download with these choices gives, of the responses that are
            here, in their order. Columns of your own come along at the end; columns you dropped
            stay out.

        Raises:
            InvalidArgument: A choice does not fit.
            KnowledgeLost: The answers are not with the frame any more.
        """
        kept = self._kept()
        allowed = ("names", "values", "shape", "multi", "language", "metadata", "tz", "columns")
        unknown = [name for name in choices if name not in allowed]
        if unknown:
            raise InvalidArgument(f"relabel takes {', '.join(allowed)}, not {unknown[0]!r}")
        if isinstance(choices.get("columns"), str):
            choices["columns"] = (choices["columns"],)
        elif choices.get("columns") is not None:
            choices["columns"] = tuple(choices["columns"])
        ids = self._ids(kept)
        was_long = kept.options.shape == "long"
        if was_long:
            ids = list(dict.fromkeys(ids))  # a response has a row for each of its answers there
        fresh = kept.frame(ids, kept.with_options(**choices))
        if was_long or fresh.index.name != INDEX:
            return fresh  # rows that do not stand for one another
        return self._as_here(kept, fresh)

    def _as_here(self, kept: Kept, fresh: pd.DataFrame) -> pd.DataFrame:
        """Leaves out what the user dropped, adds what the user made."""
        before = kept.frame([], kept.options)
        dropped = [name for name in before if name not in self._frame.columns]
        if len(before.columns) == len(fresh.columns):
            places = before.columns.get_indexer(dropped)
            fresh = fresh.drop(columns=[fresh.columns[place] for place in places])
        else:  # by what a column is: its name and place may have changed
            told = fresh.attrs[ATTRS]
            now = told.kept.names if isinstance(told, Facts) and told.kept else {}
            gone = {kept.names[name].id for name in dropped if name in kept.names}
            out = [name for name in dropped if name in fresh.columns and name not in now]
            for name, column in now.items():
                if column.id in gone:
                    out += [n for n in (name, f"{name}_code") if n in fresh.columns]
            fresh = fresh.drop(columns=out)
        own = [c for c in self._frame.columns if c not in before.columns and c not in fresh.columns]
        attrs = fresh.attrs
        for name in own:
            if name != INDEX:
                fresh[name] = self._frame[name].to_numpy()
        fresh.attrs = attrs
        return fresh

    def score(self, question: str | int) -> pd.Series[float]:
        """Reporting values of a question as numbers; "not applicable" options are missing.

        Returns:
            float64, with the frame's index.

        Raises:
            InvalidArgument: The question has several columns, or no numbers.
        """
        kept = self._kept()
        name, column = self._one(kept, question)
        spoken = (kept.options.language, kept.survey.language)
        values = []
        leaf = kept.answers.leaves.get(column.path)
        for atom in leaf.atoms if leaf else ():
            option, _ = resolve(atom, column.choices, spoken)
            if option is not None and option.is_not_applicable:
                values.append(np.nan)
            else:
                values.append(read_number(option.value if option else atom.answer))
        full = np.full(kept.answers.count, np.nan)
        if leaf is not None:
            at = np.asarray(leaf.rows, dtype=np.int64)
            full[at] = np.array(values)[np.asarray(leaf.codes, dtype=np.int64)]
        if column.choices and not any(
            np.isfinite(read_number(o.value)) for o in column.choices if not o.is_not_applicable
        ):
            raise InvalidArgument(f"the reporting values of {name!r} are not numbers")
        keep = kept.rows(self._ids(kept)).keep
        return pd.Series(full[keep], index=self._frame.index, name=name)

    def top(self, question: str | int, n: int = 2) -> float:
        """The share of those who answered that gave one of the ``n`` highest scores.

        "Not applicable" and missing answers are in neither part of the share.

        Raises:
            InvalidArgument: ``n`` does not fit, or the question has no scores.
        """
        kept = self._kept()
        _, column = self._one(kept, question)
        scores = self.score(question).dropna()
        known = {read_number(o.value) for o in column.choices if not o.is_not_applicable}
        ladder = sorted(known or set(scores), reverse=True)
        ladder = [value for value in ladder if np.isfinite(value)]
        if not isinstance(n, int) or not 1 <= n <= max(1, len(ladder)):
            raise InvalidArgument(f"n is 1 to {len(ladder)}, the number of different scores")
        return float((scores >= ladder[n - 1]).mean()) if len(scores) else float("nan")

    def for_model(self) -> pd.DataFrame:
        """Gives the frame as models want it: floats and categories without empty levels.

        Multi-selects become 0.0 and 1.0 with NaN, other numbers float64; categories lose levels
        nobody chose and their order; text and times stay.
        """
        frame = self._frame.copy()
        for name in frame.columns:
            values = frame[name]
            if isinstance(values.dtype, pd.CategoricalDtype):
                plain_ = values.cat.as_unordered() if values.cat.ordered else values
                frame[name] = plain_.cat.remove_unused_categories()
            elif values.dtype == bool or isinstance(values.dtype, pd.BooleanDtype | pd.Int64Dtype):
                frame[name] = values.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
        return frame

    # -- missing ----------------------------------------------------------------------------

    def missing(self) -> pd.DataFrame:
        """Why each cell of an answer column is empty.

        Returns:
            The frame's index and answer columns; categories ``answered``, ``skipped`` (shown,
            left empty), ``not shown``, ``not reached`` (by an unfinished response) and
            ``unknown``.
        """
        kept = self._kept()
        cells = Missing(kept, self._ids(kept)).cells(self._columns_here(kept))
        return cells.set_axis(self._frame.index)

    def base_sizes(self) -> pd.DataFrame:
        """How many responses stand behind each question: the base, answered and so on."""
        kept = self._kept()
        here = self._columns_here(kept)
        return base_sizes(Missing(kept, self._ids(kept)), here, kept.survey)

    # -- privacy ----------------------------------------------------------------------------

    def redact(
        self,
        how: Literal["drop", "hash"] = "drop",
        *,
        salt: str | bytes | None = None,
        columns: Iterable[str] | None = None,
        keep: Iterable[str] | None = None,
        url_variables: bool = False,
    ) -> pd.DataFrame:
        """Drops or hashes contact data, here and in what the frame carries with it.

        That is: ip address, contact and session id, user agent, referer and place; e-mail and
        telephone questions, contact forms, and text questions named for such things. Nothing
        that was taken out comes back by ``relabel``, pickle or Parquet.

        Args:
            how: ``"drop"``, or ``"hash"``: a keyed hash that tells people apart without naming
                them. What only describes people, such as a place, is dropped either way.
            salt: Key of the hashes (HMAC-SHA256): the same salt gives the same hashes in every
                survey and frame. Left out, it is random and good for this call alone.
            columns: More columns or questions, your own columns too.
            keep: Columns or questions to leave as they are.
            url_variables: Take all url variables, not only those named for contact data.

        Returns:
            The frame. ``.alchemer.redacted`` tells what was done, and which other texts hold
            what looks like e-mail addresses or telephone numbers.

        Raises:
            InvalidArgument: A name is unknown, or the salt too short.
            KnowledgeLost: The answers are not with the frame any more.
        """
        from alchemer_nb import privacy

        kept = self._kept()
        self._ids(kept)
        return privacy.redact(
            self._frame, kept, how, salt=salt, columns=columns, keep=keep,
            url_variables=url_variables,
        )  # fmt: skip

    @property
    def redacted(self) -> pd.DataFrame:
        """What ``redact`` did to each column, and what it left that looks like contact data.

        Returns:
            ``column``, ``done``, ``why`` (text), ``values`` (how many were there), ``emails`` and
            ``phones`` (how many texts hold what looks like one); no rows before ``redact``.
        """
        from alchemer_nb import privacy

        return privacy.redactions(self.facts.get("redacted", []))

    # -- keeping it together ----------------------------------------------------------------

    def attach(self, other: pd.DataFrame) -> pd.DataFrame:
        """Gives this frame's knowledge to another one with the same responses.

        Args:
            other: A frame that came from this one through a merge or a file, with
                ``response_id`` as its index or among its columns.
        """
        with_knowledge = other.copy(deep=False)
        with_knowledge.attrs = {**other.attrs, ATTRS: self._frame.attrs[ATTRS]}
        return with_knowledge

    def join(
        self,
        other: pd.DataFrame,
        on: Hashable | Sequence[Hashable],
        how: str = "left",
        suffixes: tuple[str, str] = ("", "_joined"),
    ) -> pd.DataFrame:
        """Merges columns of another frame in, and keeps rows, index and knowledge.

        Args:
            other: Such as customer data; one row for each value of ``on``.
            on: Column both have, such as ``"contact_id"``.
            how: ``"left"`` (all responses) or ``"inner"`` (those that are found).
            suffixes: For columns that both have.

        Raises:
            InvalidArgument: ``on`` is missing in one of them, or ``other`` would multiply rows.
        """
        keys = [on] if isinstance(on, str) or not isinstance(on, (list, tuple)) else list(on)
        for which, frame in (("this frame", self._frame), ("the other frame", other)):
            lost = [key for key in keys if key not in frame.columns]
            if lost:
                raise InvalidArgument(f"{which} has no column {lost[0]!r} to join on")
        if how not in ("left", "inner"):
            raise InvalidArgument("how is 'left' or 'inner'")
        known = other.dropna(subset=keys)
        if known.duplicated(subset=keys).any():
            raise InvalidArgument(
                f"the other frame has several rows for one value of {keys[0]!r}; responses would "
                "be multiplied. Make them unique first, such as with drop_duplicates"
            )
        left = self._frame.copy(deep=False)
        index = left.index
        left.attrs = {}
        merged = left.assign(__row=np.arange(len(left))).merge(
            known,
            on=keys,
            how=how,  # type: ignore[arg-type]  # checked above
            suffixes=suffixes,
            validate="many_to_one",
        )
        at = merged.pop("__row").to_numpy()
        merged.index = index[at]
        return self.attach(merged)

    @property
    def waves(self) -> pd.DataFrame:
        """What ``stack_waves`` matched how.

        Returns:
            ``column``, ``matched`` (by ``"id"``, ``"name"``, ``"alias"`` or ``"words"``; or
            ``"only in …"``), the column's name in each wave, and ``notes``; no rows where nothing
            was stacked.
        """
        from alchemer_nb import waves

        return waves.report(self.facts)

    # -- files ------------------------------------------------------------------------------

    def to_parquet(self, path: str | os.PathLike[str], *, everything: bool = False) -> None:
        """Writes the frame so that ``alchemer_nb.read_parquet`` gives back all of it.

        Any reader of Parquet sees the same values. What the frame does not show, such as rows
        filtered out and columns dropped, is not in the file either.

        Args:
            path: Name of the file, ending in ``.parquet``.
            everything: Whether to write what the frame does not show as well, so that
                ``relabel(metadata="all")`` works on what is read back.

        Raises:
            InvalidArgument: The path does not fit, or a column cannot be stored.
        """
        from alchemer_nb import parquet

        parquet.write_parquet(self._frame, path, everything=everything)

    def to_spss(self, path: str | os.PathLike[str], *, user_missing: bool = True) -> pd.DataFrame:
        """Writes a labelled SPSS file, and multiple-response sets as syntax beside it.

        The codes of an option list are its reporting values where they are different numbers;
        else its options count from 1 in the survey's order, chosen or not. Multi-selects are 0
        and 1. Times lose their zone and keep what the clock showed.

        Args:
            path: Name of the file, ending in ``.sav``, or in ``.zsav`` to have it compressed.
                ``NAME.mrsets.sps`` beside it declares the multi-selects, as no library writes
                them into the file: run it in SPSS once the file is open.
            user_missing: Whether "not applicable" and "don't know" options are declared
                user-missing: SPSS keeps and shows them, but leaves them out of means and valid
                shares, as ``score`` and ``top`` do. Programs that know no user-missing values
                may read them as missing; False keeps them plain codes.

        Returns:
            One row a column: ``column``, ``variable``, ``renamed``, ``label``, ``label_cut``,
            ``type``, ``measure``, ``notes``.

        Raises:
            InvalidArgument: The path does not fit, or SPSS cannot hold the frame.
            ConfigurationError: pyreadstat is not installed.
        """
        from alchemer_nb.analysis import spss

        return spss.to_spss(self._frame, path, user_missing=user_missing)

    def to_stata(self, path: str | os.PathLike[str]) -> pd.DataFrame:
        """Writes a labelled Stata file; codes and times as in ``to_spss``.

        Only whole numbers have labels in Stata: where reporting values are not whole, options
        count from 1.

        Args:
            path: Name of the file, ending in ``.dta``.

        Returns:
            What became of each column, as ``to_spss`` gives it.

        Raises:
            InvalidArgument: The path does not fit, or Stata cannot hold the frame.
            ConfigurationError: pyreadstat is not installed.
        """
        from alchemer_nb.analysis import stata

        return stata.to_stata(self._frame, path)

    def to_excel(self, path: str | os.PathLike[str]) -> pd.DataFrame:
        """Writes a workbook with the sheets "responses" and "codebook".

        Times lose their zone, which Excel refuses, and keep what the clock showed: the codebook
        says so. Text stays text, also where it begins like a formula.

        Args:
            path: Name of the file, ending in ``.xlsx``.

        Returns:
            The codebook sheet: words, values and notes of each column.

        Raises:
            InvalidArgument: The path does not fit, or there are more rows or columns than a
                sheet holds.
            ConfigurationError: openpyxl is not installed.
        """
        from alchemer_nb.analysis import excel

        return excel.to_excel(self._frame, path)

    # -- below ------------------------------------------------------------------------------

    def _text(self) -> str:
        text = self._frame.attrs.get(ATTRS)
        if not isinstance(text, str):
            raise KnowledgeLost(
                "this frame carries no knowledge of its survey: concat of different downloads, "
                "merge and other libraries drop it. Use df.alchemer.join to merge, or "
                "original.alchemer.attach(this_frame) to give it back"
            )
        return text

    def _kept(self) -> Kept:
        text = self._text()
        kept = text.kept if isinstance(text, Facts) else None
        if kept is None:
            if self.facts.get("waves"):
                raise KnowledgeLost(
                    "these are several waves under one another; ask it of each wave's own frame"
                )
            raise KnowledgeLost(
                "this frame has kept its codebook, but not the answers that this needs. Read it "
                "with alchemer_nb.read_parquet, or give them back with "
                "original.alchemer.attach(this_frame)"
            )
        return kept

    def _ids(self, kept: Kept) -> list[int]:
        """Response ids of the rows, from the index or the column of that name."""
        if self._frame.index.name == INDEX:
            ids = self._frame.index
        elif INDEX in self._frame.columns:
            ids = pd.Index(self._frame[INDEX])
        else:
            raise KnowledgeLost(
                "the rows of this frame have lost their response ids: keep response_id as the "
                "index or as a column"
            )
        strange = next((i for i in ids.unique() if pd.isna(i) or not kept.knows(int(i))), None)
        if strange is not None:
            raise KnowledgeLost(f"response {strange} does not come from this download")
        return [int(i) for i in ids]

    def _has_ids(self) -> bool:
        return self._frame.index.name == INDEX or INDEX in self._frame.columns

    def _columns_here(self, kept: Kept) -> dict[str, Column]:
        return {n: column for n, column in kept.names.items() if n in self._frame.columns}

    def _book(self) -> list[tuple[str, dict[str, Any]]]:
        """Name in the frame, and row of the codebook, of each column that is here."""
        facts = self.facts
        field = f"column_{facts.get('asked', {}).get('names', 'alias')}"
        rows = ((row.get(field), row) for row in facts.get("codebook", []))
        return [(str(name), row) for name, row in rows if name in self._frame.columns]

    def _one(self, kept: Kept, question: str | int) -> tuple[str, Column]:
        names = self.columns(question)
        if len(names) != 1:
            raise InvalidArgument(
                f"{str(question)!r} has {len(names)} columns; name one of "
                f"{', '.join(names[:6])}{' …' if len(names) > 6 else ''}"
            )
        column = kept.names.get(names[0])
        if column is None:
            raise InvalidArgument(f"{names[0]!r} is no question of the survey")
        return names[0], column


def _called(row: dict[str, Any]) -> set[str]:
    """What a question or its grid may be called by."""
    own, above = row.get("question_id"), row.get("parent_id")
    names = {row.get(n) for n in ("column_id", "column_alias", "question_id", "parent_id")}
    for alias in (row.get("alias"), row.get("parent_alias")):
        names |= {alias, name_of(alias)}
    names |= {f"q{number}" for number in (own, above) if number}
    return {str(name) for name in names if name}
