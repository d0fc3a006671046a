"""``df.alchemer``: what a frame of responses knows about its survey.

All knowledge travels in ``df.attrs["alchemer"]`` (see ``kept``). What needs the answers
themselves (``relabel``, ``missing``, ``score``) says so where a merge or a file has left only the
text behind; ``attach`` and ``join`` bring it back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from alchemer_nb.accessor import joining, scores
from alchemer_nb.accessor import relabel as relabelling
from alchemer_nb.accessor.knowledge import Knowledge
from alchemer_nb.frame import codebook as books
from alchemer_nb.frame.missing import Missing, base_sizes
from alchemer_nb.frame.text_dtype import text_dtype
from alchemer_nb.frame.values import read_number
from alchemer_nb.frame.wordtable import WordTable
from alchemer_nb.wire.text import plain

if TYPE_CHECKING:
    import os
    from collections.abc import Hashable, Iterable, Sequence


class AlchemerAccessor:
    """The survey's knowledge about a frame that this package made.

    Example:
        >>> df = client.responses("Customer satisfaction", progress="none")
        >>> df.alchemer.columns("channels")[:2]
        ['channels_web', 'channels_shop']
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame
        self._known = Knowledge(frame)

    def __repr__(self) -> str:
        facts = self.facts
        rows, columns = self._frame.shape
        return f"{facts.get('title')}: {rows:,} rows, {columns:,} columns; df.alchemer.summary"

    # -- what is known ----------------------------------------------------------------------

    @property
    def summary(self) -> str:
        """The line that was said after the download: rows received, left out, not parsed."""
        from alchemer_nb.frame.provenance import summary

        facts = self.facts
        return str(summary(facts)) if "rows_received" in facts else str(facts.get("title", ""))

    @property
    def facts(self) -> dict[str, Any]:
        """How the frame came about: survey, region, time, what was asked, rows told and received.

        Raises:
            KnowledgeLost: The frame carries nothing of it.
        """
        return self._known.facts

    @property
    def codebook(self) -> books.Codebook:
        """One row for each column of the frame that the survey knows.

        Shows the fields one reads and holds many more; ``n_asked`` and ``n_answered`` count the
        responses that are here.
        """
        rows = self._known.book()
        kept = self._known.kept_if_any
        if kept is not None and self._known.has_ids:
            missing = Missing(kept, self._known.ids(kept))
            for name, row in rows:
                if name in kept.names:
                    row["n_asked"], row["n_answered"] = missing.counts(kept.names[name])
        return books.frame([row for _, row in rows])

    @property
    def options(self) -> pd.DataFrame:
        """One row for each option of each column that has some: the value labels.

        Returns:
            ``column``, ``question_id``, ``option_id``, ``reporting_value``, ``label`` (text),
            ``score`` (float64, NaN where the reporting value is no number or stands for no
            answer) and ``not_applicable`` (bool), in the order of the survey.
        """
        kept = self._known.kept
        spoken = (kept.options.language, kept.survey.language)
        rows = [
            {
                "column": name,
                "question_id": column.question.id,
                "option_id": option.id,
                "reporting_value": option.value,
                "label": option.label(*spoken),
                "score": np.nan if option.is_not_applicable else read_number(option.value),
                "not_applicable": option.is_not_applicable,
            }
            for name, column in self._known.here(kept).items()
            if column.choices and column.part in ("answer", "list")
            for option in column.choices
        ]
        names = ["column", "question_id", "option_id", "reporting_value", "label"]
        frame = WordTable(rows, columns=[*names, "score", "not_applicable"])
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
        for name, row in self._known.book():
            text = " ".join(str(row.get(field) or "") for field in searched).casefold()
            if all(piece in text for piece in pieces):
                found["column"].append(name)
                for field in shown:
                    found[field].append(row.get(field) or None)
        return WordTable({k: pd.array(v, dtype=text_dtype()) for k, v in found.items()})

    def columns(self, question: str | int) -> list[str]:
        """Names of the columns of a question, by alias, id, ``"q12"`` or a column's name.

        Write-ins, comments and what is kept as received are left out: what remains can be
        averaged or tabulated together.

        Raises:
            InvalidArgument: No column here belongs to such a question.
        """
        return self._known.columns(question)

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
        return relabelling.relabel(self._frame, choices)

    def score(self, question: str | int) -> pd.Series[float]:
        """Reporting values of a question as numbers; "not applicable" options are missing.

        Returns:
            float64, with the frame's index.

        Raises:
            InvalidArgument: The question has several columns, or no numbers.
        """
        return scores.score(self._frame, question)

    def top(self, question: str | int, n: int = 2) -> float:
        """The share of those who answered that gave one of the ``n`` highest scores.

        "Not applicable" and missing answers are in neither part of the share.

        Raises:
            InvalidArgument: ``n`` does not fit, or the question has no scores.
        """
        return scores.top(self._frame, question, n)

    def for_model(self) -> pd.DataFrame:
        """Gives the frame as models want it: floats and categories without empty levels.

        Multi-selects become 0.0 and 1.0 with NaN, lists one such column for each option, other
        numbers float64; categories lose levels nobody chose and their order; text and times stay.
        """
        return scores.for_model(self._frame)

    # -- missing ----------------------------------------------------------------------------

    def missing(self) -> pd.DataFrame:
        """Why each cell of an answer column is empty.

        Returns:
            The frame's index and answer columns; categories ``answered``, ``skipped`` (shown,
            left empty), ``not shown``, ``not reached`` (by an unfinished response) and
            ``unknown``.
        """
        kept = self._known.kept
        cells = Missing(kept, self._known.ids(kept)).cells(self._known.here(kept))
        return cells.set_axis(self._frame.index)

    def base_sizes(self) -> pd.DataFrame:
        """How many responses stand behind each question: the base, answered and so on."""
        kept = self._known.kept
        here = self._known.here(kept)
        return base_sizes(Missing(kept, self._known.ids(kept)), here, kept.survey)

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
        from alchemer_nb.privacy import redact as privacy

        kept = self._known.kept
        self._known.ids(kept)
        self._known.each_once()
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
        from alchemer_nb.privacy import redact as privacy

        return privacy.redactions(self.facts.get("redacted", []))

    # -- keeping it together ----------------------------------------------------------------

    def attach(self, other: pd.DataFrame) -> pd.DataFrame:
        """Gives this frame's knowledge to another one with the same responses.

        Args:
            other: A frame that came from this one through a merge or a file, with
                ``response_id`` as its index or among its columns.
        """
        return joining.attach(self._frame, other)

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
        return joining.join(self._frame, other, on, how, suffixes)

    @property
    def waves(self) -> pd.DataFrame:
        """What ``stack_waves`` matched how.

        Returns:
            ``column``, ``matched`` (by ``"id"``, ``"name"``, ``"alias"`` or ``"words"``; or
            ``"only in …"``), the column's name in each wave, and ``notes``; no rows where nothing
            was stacked.
        """
        from alchemer_nb.compare import waves

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
        from alchemer_nb.export import parquet

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
        from alchemer_nb.export import spss

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
        from alchemer_nb.export import stata

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
        from alchemer_nb.export import excel

        return excel.to_excel(self._frame, path)
