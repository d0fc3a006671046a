"""``df.alchemer``: the survey behind a frame of responses.

What the columns mean is in ``df.attrs["alchemer"]`` (see ``frame.description``); what was answered
is in the frame alone. A merge loses the description: then all of this raises ``KnowledgeLost``, and
``attach`` and ``join`` restore it.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from alchemer_nb.accessor import joining, scores
from alchemer_nb.accessor import relabel as relabelling
from alchemer_nb.accessor.analysis import FrameAnalysis
from alchemer_nb.compare.waves import report_matches
from alchemer_nb.frame import codebook as books
from alchemer_nb.frame import lookup
from alchemer_nb.frame import missing as reasons
from alchemer_nb.frame.description import (
    ATTRS,
    damaged,
    describe,
    describe_wide,
    read_description,
    trim_frame,
)
from alchemer_nb.frame.options import check_choice
from alchemer_nb.frame.provenance import summary
from alchemer_nb.frame.text_dtype import typed_frame
from alchemer_nb.privacy import redact as redaction
from alchemer_nb.survey.scales import read_number
from alchemer_nb.visible import make_visible, print_line
from alchemer_nb.wire.text import counted, strip_html

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    import pandas as pd

    from alchemer_nb.export.variables import ExportOptions
    from alchemer_nb.fetch.uploads import FileProgress


class AlchemerAccessor(FrameAnalysis):
    """The survey behind a frame that this package built.

    Example:
        >>> df = client.responses("Customer satisfaction", progress="none")
        >>> df.alchemer.columns("channels")[:2]
        ['channels_web', 'channels_shop']
    """

    def __repr__(self) -> str:
        facts = self.facts
        rows, columns = map(counted, self._frame.shape, ("row", "column"))
        return make_visible(f"{facts.get('title')}: {rows}, {columns}; df.alchemer.summary")

    # -- facts and codebook -----------------------------------------------------------------

    @property
    def summary(self) -> str:
        """The summary of the download in one line: rows received, left out, not parsed."""
        facts = self.facts
        try:
            return str(summary(facts)) if "rows_received" in facts else str(facts.get("title", ""))
        except (LookupError, TypeError, ValueError, AttributeError):
            raise damaged() from None

    @property
    def facts(self) -> dict[str, Any]:
        """What was asked and received: survey, region, time, choices, rows announced.

        Raises:
            KnowledgeLost: The frame carries no description.
        """
        return copy.deepcopy(dict(read_description(self._frame).about))

    @property
    def codebook(self) -> books.Codebook:
        """The codebook: one row for each column of the frame that comes from the survey.

        It shows the main fields and holds all. ``n_asked`` and ``n_answered`` count the responses
        of this frame. Of the long shape, it is that of the same answers in columns.
        """
        frame = self._wide_frame()
        description = describe_wide(frame)
        counts = reasons.count_answers(frame, description)
        rows = []
        for name, row in lookup.records_here(frame, description):
            asked, answered = counts.get(name, (None, None))
            rows.append({**row, "n_asked": asked, "n_answered": answered})
        return books.build_codebook(rows)

    @property
    def options(self) -> pd.DataFrame:
        """The value labels: one row for each option of each column, in the survey's order.

        Returns:
            ``column``, ``question_id``, ``option_id``, ``reporting_value``, ``label`` (text),
            ``score`` (float64, NaN if the option is "not applicable" or its reporting value no
            number) and ``not_applicable`` (bool).
        """
        frame = self._wide_frame()
        description = describe_wide(frame)
        described = {}
        for each in description.each_wave:
            described.update({n: (c, each) for n, c in each.columns.items() if n not in described})
        rows = [
            {
                "column": name,
                "question_id": column.question_id,
                "option_id": option.id,
                "reporting_value": option.value,
                "label": option.label(*described[name][1].languages),
                "score": np.nan if option.is_not_applicable else read_number(option.value),
                "not_applicable": option.is_not_applicable,
            }
            for name, (column, _) in described.items()
            if name in frame.columns and column.part in ("answer", "list")
            for option in column.choices
        ]
        texts = ("column", "question_id", "option_id", "reporting_value", "label")
        dtypes = {"score": "float64", "not_applicable": "bool"}
        return typed_frame(rows, (*texts, *dtypes), dtypes)

    def find(self, words: str) -> pd.DataFrame:
        """Find columns whose name or words contain all of the words, in any case.

        Where there is none, a line is printed with the nearest words.

        Returns:
            ``column``, ``question``, ``row``, ``option`` and ``type`` of each (text).
        """
        pieces = strip_html(words).casefold().split()
        searched = ("column_id", "column_alias", "column_text", "alias", "parent_alias")
        shown = ("question", "row", "option", "type")
        found, texts = [], []
        frame = self._wide_frame()
        for name, row in lookup.records_here(frame, describe_wide(frame)):
            text = " ".join(str(row.get(field) or "") for field in searched).casefold()
            texts.append(text)
            if all(piece in text for piece in pieces):
                found.append({"column": name, **{field: row.get(field) or None for field in shown}})
        if not found:
            print_line(lookup.describe_no_match(pieces, texts))
        return typed_frame(found, ("column", *shown), {})

    def columns(self, question: str | int) -> list[str]:
        """Return the names of the columns of a question.

        Write-ins, comments and unparsed answers are left out: the rest can be averaged or
        tabulated together.

        Args:
            question: An alias, an id, ``"q12"``, the name of a column, or ``"metadata"``.

        Raises:
            InvalidArgument: No column here belongs to such a question.
        """
        return lookup.columns_of(self._frame, describe_wide(self._frame), question)

    # -- the same answers in another form ---------------------------------------------------

    def relabel(self, **choices: Any) -> pd.DataFrame:
        """Return the same responses with other choices, without a download.

        Args:
            **choices: ``names``, ``values``, ``shape``, ``multi``, ``language``, ``metadata``,
                ``tz`` or ``columns``, as for ``client.responses``.

        Returns:
            The frame that a fresh download with these choices gives, of the responses of this
            frame, in their order. What you blanked or recoded stays so, columns that you dropped
            are left out, and columns of your own are added at the end. Metadata comes only from a
            frame that has it; metadata and url variables do not come back from the long shape.

        Raises:
            KnowledgeLost: The frame carries no description, or is none of responses any more.
            InvalidArgument: In these cases, and in no other:

                - a choice that does not exist, such as a language in which the survey is not asked
                - several waves under one another
                - two columns of one name
                - labels and codes of ``values="both"`` that disagree
                - ``value`` and ``code`` or ``option_id`` of the long shape that disagree
                - a ``value`` that is not the option or the date that its column is about
                - rows of the long shape that are there twice, or of a column that the survey does
                  not have
                - a long frame without ``value``
                - a column that does not hold numbers, booleans, days, options or lists of them any
                  more
                - a column of your own that has the name of a new column
                - a column of your own with several values for a response, if the shape becomes wide
                - dates without a zone in the hour that occurs twice, if they get a zone
        """
        return relabelling.relabel(self._frame, choices)

    def score(self, question: str | int) -> pd.Series[float]:
        """Return the reporting values of a question as numbers; "not applicable" is missing.

        Returns:
            float64, with the frame's index.

        Raises:
            InvalidArgument: The question has several columns, or no numbers.
        """
        return scores.score(self._frame, question)

    def top(self, question: str | int, n: int = 2) -> float:
        """Return the share of answers with one of the ``n`` highest scores.

        "Not applicable" and missing answers do not count as answers.

        Raises:
            InvalidArgument: ``n`` does not fit, or the question has no scores.
        """
        return scores.top(self._wide_frame(), question, n)

    def for_model(self) -> pd.DataFrame:
        """Return the frame for statistical models: floats, and categories without empty levels.

        Multi-selects become 0.0 and 1.0 with NaN, lists one such column for each option, other
        numbers float64; categories lose unused levels and their order; text and dates stay.
        """
        return scores.for_model(self._frame)

    # -- files --------------------------------------------------------------------------------

    def download_files(
        self,
        folder: str | os.PathLike[str],
        columns: Iterable[str | int] | None = None,
        *,
        client: Any = None,
        most_bytes: int = 1 << 30,
        progress: str | bool | Callable[[FileProgress], None] | None = "auto",
    ) -> pd.DataFrame:
        """Download the files that respondents of this frame sent.

        A file is called after its response, question and name: ``12_photo_cat.png``. What some
        system refuses in a name is replaced by ``_``. Files that are there already, whole, are not
        fetched again, so a download that broke off goes on where it ended. One file that fails does
        not stop the others.

        Args:
            folder: Where to put them; made if it is not there.
            columns: Only these columns or questions; left out, all that hold files.
            client: Client of the account from which the frame came; left out, that of the
                notebook's sign-in.
            most_bytes: Largest size of a file.
            progress: ``"auto"`` shows a line, ``"none"`` nothing; a function is called with a
                ``FileProgress`` (``done``, ``total``, ``failed``, ``bytes``, ``line``) after each
                file and while it waits, and can ``cancel()``.

        Returns:
            One row for each file: ``response_id`` (int64), ``question``, ``name`` (as the
            respondent had it), ``path``, ``bytes`` (Int64), ``status`` (``"downloaded"``,
            ``"already there"``, ``"failed"``, ``"not tried"``) and ``reason``.

        Raises:
            InvalidArgument: No column holds files, or an argument does not fit.
            ConfigurationError: There is no client.
            DownloadIncomplete: It was stopped, the credentials were refused, or the folder cannot
                be written; ``.partial`` has the rows so far.
        """
        from alchemer_nb.accessor import downloads

        frame = self._wide_frame()
        return downloads.download_files(frame, folder, columns, client, most_bytes, progress)

    # -- missing ----------------------------------------------------------------------------

    def missing(self) -> pd.DataFrame:
        """Return the reason why each cell of an answer column is empty.

        Returns:
            The frame's index and answer columns; categories ``answered``, ``skipped`` (shown and
            left empty), ``not shown``, ``not reached`` (by an incomplete response), ``removed``
            (answered, and emptied after the download), ``unknown``.
        """
        return reasons.missing(self._frame)

    def base_sizes(self) -> pd.DataFrame:
        """Count the responses behind each question: base, answered, skipped and so on."""
        return reasons.base_sizes(self._wide_frame())

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
        """Drop or hash contact data.

        Contact data are: ip address, contact and session id, user agent, referer and location;
        e-mail and telephone questions, contact forms, text questions with such names, and url
        variables known to name people; in the index, too. What ``trim`` drops is dropped as well.

        Args:
            how: ``"drop"``, or ``"hash"``: a keyed hash that distinguishes people without naming
                them. Data that only describe people, such as a city, are dropped in both cases.
            salt: Key of the hashes (HMAC-SHA256): the same salt gives the same hashes in every
                survey and frame. Left out, a random key is used for this call alone.
            columns: Further columns or questions to redact, also columns of your own.
            keep: Columns or questions to leave as they are.
            url_variables: Redact all url variables, not only those known to name people.

        Returns:
            The frame. ``.alchemer.redacted`` reports what was done, and which other texts look
            like e-mail addresses or telephone numbers.

        Raises:
            InvalidArgument: A name is unknown, or the salt too short.
            KnowledgeLost: The frame carries no description.
        """
        return redaction.redact(
            self._frame, how, salt=salt, columns=columns, keep=keep,
            url_variables=url_variables,
        )  # fmt: skip

    def trim(self) -> pd.DataFrame:
        """Return the frame with the description of its own rows and columns alone.

        For a pickle, or a file that pandas itself writes: they keep what the description says of
        rows and columns that are no longer here. That is never an answer, but it may tell one:

        - that a question was shown, where another answer decides it (skip logic), that it was
          answered, where it has one option, and how far a response got;
        - the words of rows that were piped from answers, and of removed questions and options.

        A category that nobody holds any more stays after ``head`` or a filter, as pandas has it.
        Here it goes if it is no option of the survey; so do unused values of index levels.
        ``redact``, ``to_parquet`` and the other exports do all this themselves.

        Returns:
            The frame, with the same columns and values.

        Raises:
            KnowledgeLost: The frame carries no description.
        """
        frame, description = trim_frame(self._frame, describe(self._frame))
        frame.attrs = {**frame.attrs, ATTRS: description.to_json()}
        return frame

    @property
    def redacted(self) -> pd.DataFrame:
        """The report of ``redact``, with the columns that still look like contact data.

        Returns:
            ``column``, ``done``, ``why`` (text), ``values`` (count before), ``emails`` and
            ``phones`` (counts of texts that look like one); no rows before ``redact``.
        """
        return redaction.redactions(read_description(self._frame).redacted)

    # -- with other frames ------------------------------------------------------------------

    def attach(self, other: pd.DataFrame, names: Mapping[str, str] | None = None) -> pd.DataFrame:
        """Return another frame with the description that this one carries.

        Args:
            other: A frame that was made of this one by a merge or a file, with ``response_id`` as
                its index or a column.
            names: New name -> name here, of columns that mean the same as a column here.
        """
        return joining.attach(self._frame, other, names)

    def join(
        self,
        other: pd.DataFrame,
        on: Hashable | Sequence[Hashable],
        how: str = "left",
        suffixes: tuple[str, str] = ("", "_joined"),
    ) -> pd.DataFrame:
        """Merge columns of another frame, and keep the index and what this frame carries.

        A line is printed that says how many responses found a row in the other frame.

        Args:
            other: Data such as those of customers, with one row for each value of ``on``.
            on: A column that both have, such as ``"contact_id"``, or several.
            how: ``"left"`` (all responses) or ``"inner"`` (those with a match).
            suffixes: Suffixes of other columns that both have.

        Raises:
            InvalidArgument: ``on`` is missing in one of them, or ``other`` would multiply rows.
        """
        return joining.join(self._frame, other, on, how, suffixes)

    @property
    def waves(self) -> pd.DataFrame:
        """The report of ``stack_waves``: how the columns were matched.

        Returns:
            ``column``, ``matched`` (by ``"id"``, ``"name"``, ``"alias"`` or ``"words"``; or
            ``"only in …"``), the column's name in each wave, and ``notes``; no rows for a frame
            that is not stacked.
        """
        return report_matches(read_description(self._frame))

    # -- files ------------------------------------------------------------------------------

    def to_parquet(self, path: str | os.PathLike[str], *, everything: bool = False) -> None:
        """Write a Parquet file that ``alchemer_nb.read_parquet`` reads with its description.

        Any reader of Parquet sees the same values. The file says nothing of rows and columns that
        the frame does not have.

        Args:
            path: Name of the file, ending in ``.parquet``.
            everything: Whether to keep the whole description, also what it says of other rows and
                columns: that they were asked or answered, never an answer.

        Raises:
            InvalidArgument: The path does not fit, or a column cannot be stored.
        """
        from alchemer_nb.export import parquet

        parquet.write_parquet(self._frame, path, everything=everything)

    def to_spss(
        self,
        path: str | os.PathLike[str],
        *,
        user_missing: bool = True,
        missing: Literal["empty", "kinds"] = "empty",
        codes: Mapping[str, Any] | None = None,
        plain: bool = False,
    ) -> pd.DataFrame:
        """Write a labelled SPSS file, and a syntax file with its multiple-response sets.

        The codes of options are their reporting values if these are different numbers; else the
        options count from 1 in the survey's order, chosen or not. A column with a category that is
        no option of its question (renamed or merged, or a column of your own) gets 1, 2, … in the
        order of its categories, and a Python warning names it. Multi-selects are 0 and 1. Dates
        lose their zone and keep the wall-clock time.

        Args:
            path: Name of the file, ending in ``.sav``, or in ``.zsav`` for a compressed file. In
                the same folder, ``NAME.mrsets.sps`` declares the multi-selects of which all
                options are here, as no library writes them into the file: run it in SPSS once the
                file is open.
            user_missing: Whether "not applicable" and "don't know" options are declared
                user-missing: SPSS keeps and shows them, but leaves them out of means and valid
                shares, as ``score`` and ``top`` do. Programs without user-missing values may read
                them as missing; False writes plain codes.
            missing: ``"kinds"`` writes why cells of numbers and codes are empty (skipped, not
                shown, not reached, unknown), as user-missing values with labels; text and dates
                stay empty.
            codes: Column -> the question whose codes its categories have, such as
                ``{"sat": "satisfaction"}``, or category -> number, such as
                ``{"sat": {"Very happy": 5, "Unhappy": 1}}``.
            plain: Whether to write the columns as pandas would, with categories as text and
                without labels.

        Returns:
            One row for each column: ``column``, ``variable``, ``renamed``, ``label``,
            ``label_cut``, ``type``, ``measure``, ``notes``.

        Raises:
            InvalidArgument: The path or an option does not fit, or SPSS cannot hold the frame.
            KnowledgeLost: ``missing="kinds"`` of a frame that carries no description.
            ConfigurationError: pyreadstat is not installed.
        """
        from alchemer_nb.export import spss

        options = self._export_options(user_missing, missing, codes, plain)
        return spss.to_spss(self._frame, path, options)

    def to_stata(
        self,
        path: str | os.PathLike[str],
        *,
        user_missing: bool = True,
        missing: Literal["empty", "kinds"] = "empty",
        codes: Mapping[str, Any] | None = None,
        plain: bool = False,
    ) -> pd.DataFrame:
        """Write a labelled Stata file; codes and dates as in ``to_spss``.

        In Stata only whole numbers have labels: if reporting values are not whole, the options
        count from 1.

        Args:
            path: Name of the file, ending in ``.dta``.
            user_missing: Whether "not applicable" and "don't know" options are the missing values
                ``.e``, ``.f`` and so on, with their labels, so that Stata leaves them out of means;
                False writes plain codes.
            missing: ``"kinds"`` writes why cells of numbers and codes are empty: ``.a`` skipped,
                ``.b`` not shown, ``.c`` not reached, ``.d`` unknown.
            codes: As in ``to_spss``; whole numbers.
            plain: As in ``to_spss``.

        Returns:
            One row for each column, as ``to_spss`` returns it.

        Raises:
            InvalidArgument: The path or an option does not fit, or Stata cannot hold the frame.
            KnowledgeLost: ``missing="kinds"`` of a frame that carries no description.
            ConfigurationError: pyreadstat is not installed.
        """
        from alchemer_nb.export import stata

        options = self._export_options(user_missing, missing, codes, plain)
        return stata.to_stata(self._frame, path, options)

    def _export_options(
        self, user_missing: bool, missing: str, codes: Mapping[str, Any] | None, plain: bool
    ) -> ExportOptions:
        from alchemer_nb.export.variables import ExportOptions

        check_choice("missing", missing, ("empty", "kinds"))
        kinds = self.missing() if missing == "kinds" else None
        return ExportOptions(user_missing, {} if codes is None else codes, plain, kinds)

    def to_excel(self, path: str | os.PathLike[str], *, plain: bool = False) -> pd.DataFrame:
        """Write a workbook with the sheets "responses" and "codebook".

        Dates lose their zone, which Excel does not have, and keep the wall-clock time; the
        codebook says so. Text stays text, even if it begins like a formula.

        Args:
            path: Name of the file, ending in ``.xlsx``.
            plain: Whether to leave the codebook out.

        Returns:
            The codebook sheet: words, values and notes of each column.

        Raises:
            InvalidArgument: The path does not fit, or there are more rows or columns than a
                sheet holds.
            ConfigurationError: openpyxl is not installed.
        """
        from alchemer_nb.export import excel

        return excel.to_excel(self._frame, path, plain=plain)
