"""The tables, weights, charts and report of ``df.alchemer``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from alchemer_nb.accessor.relabel import relabel
from alchemer_nb.errors import InvalidArgument
from alchemer_nb.frame.description import describe, read_description

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from alchemer_nb.analysis.chart import Chart
    from alchemer_nb.analysis.quality import Quality
    from alchemer_nb.analysis.report import ReportFile
    from alchemer_nb.analysis.significance import Correction
    from alchemer_nb.analysis.table import Percent, Table
    from alchemer_nb.analysis.weights import Weighting


class FrameAnalysis:
    """What the answers in a frame say, counted and drawn; a part of ``df.alchemer``."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    def _wide_frame(self) -> pd.DataFrame:
        """Return the frame, with a column for each question if it has the long shape."""
        is_long = describe(self._frame).options.shape == "long"
        return relabel(self._frame, {"shape": "wide"}) if is_long else self._frame

    def table(
        self,
        question: str | int,
        by: str | int | Sequence[str | int] = (),
        *,
        weight: str | Literal[False] | None = None,
        percent: Percent = "column",
        nets: Mapping[str, Sequence[str]] | None = None,
        sort: Literal["survey", "descending", "ascending"] = "survey",
        top: int = 2,
        not_applicable: bool = False,
        letters: bool = True,
        level: float = 0.05,
        correction: Correction = "none",
    ) -> Table:
        """Tabulate a question, or any column, by the answers to others.

        Args:
            question: An alias, an id, ``"q12"``, or the name of a column; a grid is one table.
            by: Questions or columns whose answers are the columns of the table, such as
                ``"region"`` or ``["region", "wave"]``.
            weight: Name of a column of weights. Left out, the weights of ``weight()`` are used,
                if the frame has them; False uses none.
            percent: What percents are of: ``"column"`` (those in the column who answered),
                ``"row"`` or ``"total"``.
            nets: Label -> options that are counted together, such as
                ``{"Pleased": ["Satisfied", "Very satisfied"]}``.
            sort: ``"survey"`` keeps the survey's order; else by the total.
            top: How many of the highest and lowest options of a scale are counted together; 0 for
                none.
            not_applicable: Whether "not applicable" is in the base like any other answer. Else it
                is shown apart.
            letters: Whether the columns of a banner question are compared with one another, if
                percents are of columns; this needs scipy.
            level: Probability of a difference by chance that is accepted.
            correction: ``"none"``, ``"bonferroni"``, ``"holm"`` or ``"fdr_bh"``, for the pairs of
                a row.

        Returns:
            The table: shown as HTML or text; ``.frame`` and ``.bases`` are plain pandas,
            ``.to_excel`` writes it.

        Raises:
            InvalidArgument: A question, option or weight is unknown, or does not fit.
            KnowledgeLost: The frame carries no description.
        """
        from alchemer_nb.analysis.significance import Testing
        from alchemer_nb.analysis.tabulate import TableOptions, banner_names, tabulate

        frame = self._wide_frame()
        options = TableOptions(
            by=banner_names(by), weight=self._weight_name(weight),
            percent=percent, nets=nets or {}, sort=sort, top=top, not_applicable=not_applicable,
            testing=Testing(level, correction) if letters else None,
        )  # fmt: skip
        return tabulate(frame, question, options)

    def nps(
        self,
        question: str | int,
        by: str | Sequence[str] = (),
        *,
        weight: str | Literal[False] | None = None,
        level: float = 0.05,
        correction: Correction = "none",
    ) -> Table:
        """Tabulate a net promoter score: promoters, passives, detractors, score with interval.

        The score is the share of promoters (9 and 10) minus that of detractors (0 to 6), with its
        95 % interval. ``table`` shows each answer from 0 to 10, too.

        Args:
            question: A question from 0 to 10 of the type NPS.
            by: As for ``table``.
            weight: As for ``table``.
            level: As for ``table``.
            correction: As for ``table``.

        Raises:
            InvalidArgument: A question is unknown, or is no NPS question.
            KnowledgeLost: The frame carries no description.
        """
        from alchemer_nb.analysis.table import only_scores

        table = self.table(question, by, weight=weight, level=level, correction=correction)
        return only_scores(table)

    def plot(
        self,
        question: str | int,
        by: str | int | Sequence[str | int] = (),
        *,
        weight: str | Literal[False] | None = None,
        sort: Literal["survey", "descending", "ascending"] = "survey",
        not_applicable: bool = False,
    ) -> Chart:
        """Draw a question, or any column, by the answers to others.

        A scale or a grid of scales becomes bars around its middle, NPS a bar with its score,
        several choices sorted bars, ranks their means, numbers a histogram, dates responses over
        time.

        Args:
            question: An alias, an id, ``"q12"``, or the name of a column.
            by: Questions or columns to compare by, as for ``table``.
            weight: As for ``table``.
            sort: As for ``table``.
            not_applicable: As for ``table``.

        Returns:
            The chart: shown as a picture without a network; ``.save`` writes a file, ``.chart``
            is the Altair chart.

        Raises:
            InvalidArgument: A question is unknown, or cannot be drawn.
            KnowledgeLost: The frame carries no description.
        """
        from alchemer_nb.analysis.charts import draw
        from alchemer_nb.analysis.tabulate import TableOptions, banner_names

        options = TableOptions(
            by=banner_names(by), weight=self._weight_name(weight),
            sort=sort, not_applicable=not_applicable,
        )  # fmt: skip
        return draw(self._wide_frame(), question, options)

    def weight(
        self,
        targets: Mapping[str, Mapping[Any, float]],
        *,
        trim: float | tuple[float, float] | None = None,
        name: str = "weight",
    ) -> pd.DataFrame:
        """Return the frame with weights by which its answers have known shares (raking).

        Args:
            targets: Shares by question and option, such as ``{"region": {"North": 0.3, …}}``;
                those of a question add up to 1 or to 100.
            trim: The largest weight, or the smallest and the largest; the mean is 1.
            name: Name of the new column.

        Returns:
            The frame with a column of weights (float64, mean 1); NaN for responses without an
            answer to one of the questions. Tables, charts and the report use it.
            ``.alchemer.weighting`` says what it costs, and which targets were not met.

        Raises:
            InvalidArgument: A target is unknown or cannot be met.
            ConfigurationError: weightipy is not installed.
        """
        from alchemer_nb.analysis import weights

        return weights.rake(self._wide_frame(), targets, name, trim)

    @property
    def weighting(self) -> Weighting:
        """What the weights of the frame do: targets met, effective number, largest weight.

        Raises:
            InvalidArgument: The frame has no weights of ``weight()``.
        """
        from alchemer_nb.analysis import weights

        return weights.read_weighting(self._wide_frame())

    def report(
        self,
        path: str | os.PathLike[str],
        by: str | int | Sequence[str | int] = (),
        *,
        questions: Iterable[str] | None = None,
        open_answers: bool = False,
        weight: str | Literal[False] | None = None,
    ) -> ReportFile:
        """Write a topline report: one HTML file with no script and no other file.

        It has field dates, responses by status and time, how many reached each page, each
        question with chart and table, data quality, codebook and method. Contact data are never
        in it: they are dropped as ``redact()`` drops them, and addresses and telephone numbers in
        other columns become "(contact data)".

        Args:
            path: Name of the file, ending in ``.html``.
            by: Questions or columns whose answers are the columns of the tables.
            questions: The questions to report, in this order; left out, all.
            open_answers: Whether to list the answers to open questions; those that look like an
                e-mail address or a telephone number are left out, and so are those to questions
                that ask for contact data alone.
            weight: As for ``table``.

        Returns:
            Where the file is, and its size; a cell shows a link.

        Raises:
            InvalidArgument: The path or a question does not fit.
            KnowledgeLost: The frame carries no description.
            ConfigurationError: vl-convert-python is not installed.
        """
        from alchemer_nb.analysis.report import write_report
        from alchemer_nb.analysis.tabulate import TableOptions, banner_names

        options = TableOptions(by=banner_names(by), weight=self._weight_name(weight))
        return write_report(
            self._wide_frame(), path, options, questions=questions, open_answers=open_answers
        )

    def quality(self, speed: float = 1 / 3) -> Quality:
        """Flag responses that look careless; none is deleted.

        Checks: speeders; the same answer in all rows of a grid, for each grid of three rows or
        more; several responses of one session; open answers without a word; Alchemer's own flags.

        Args:
            speed: A response is a speeder if it took less than this part of the median time.

        Returns:
            ``.flags`` (a frame with one row for each response) and ``.summary``.

        Raises:
            InvalidArgument: ``speed`` does not lie between 0 and 1.
            KnowledgeLost: The frame carries no description.
        """
        from alchemer_nb.analysis.quality import check_quality

        return check_quality(self._wide_frame(), speed)

    def _weight_name(self, weight: str | Literal[False] | None) -> str:
        if weight is None:
            from alchemer_nb.analysis.weights import own_weight

            return own_weight(self._frame, read_description(self._frame))
        if weight is False:
            return ""
        if isinstance(weight, str):
            return weight
        raise InvalidArgument(
            "weight is the name of a column of weights, or False for none, and no "
            f"{type(weight).__name__}"
        )
