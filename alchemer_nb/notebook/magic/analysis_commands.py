"""``table``, ``plot`` and ``report``: of a survey, or of a frame of the notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from alchemer_nb.errors import ConfigurationError, SurveyNotFound
from alchemer_nb.notebook.magic import command_spec as spec
from alchemer_nb.notebook.magic import commands, response_options
from alchemer_nb.notebook.magic.command_spec import Command, CommandOption, Positional
from alchemer_nb.notebook.magic.response_options import choice_option
from alchemer_nb.wire.text import did_you_mean, slug

if TYPE_CHECKING:
    import pandas as pd

    from alchemer_nb.analysis.chart import Chart
    from alchemer_nb.analysis.report import ReportFile
    from alchemer_nb.analysis.table import Table
    from alchemer_nb.notebook.magic.commands import Context

_SUBJECT = Positional(
    "SURVEY",
    "the name of a frame of responses in the notebook; else a survey, which is downloaded",
    completes="frame or survey",
    convert=spec.to_object,
)
_QUESTION = Positional(
    "QUESTION", "alias, id, or name of a column; a grid is one table", completes="question"
)
_BY = CommandOption(
    "--by",
    "compare the answers to these questions or columns, with commas",
    spec.to_list,
    "QUESTIONS",
    completes="columns",
)
_WEIGHT = CommandOption(
    "--weight",
    "column of weights; none for no weights; left out, those of df.alchemer.weight()",
    spec.to_text,
    "COLUMN",
    completes="weights",
)
_SORT = choice_option("--sort", "the order of the answers", ("survey", "descending", "ascending"))
_NOT_APPLICABLE = CommandOption("--not-applicable", 'count "not applicable" like any other answer')
_DOWNLOAD_FLAGS = (
    "--where", "--status", "--complete", "--since", "--until", "--test-rows", "--language",
    "--store", "--max-age", "--fresh",
)  # fmt: skip
DOWNLOAD = tuple(each for each in response_options.OPTIONS if each.flag in _DOWNLOAD_FLAGS)


def table(context: Context, survey: Any, question: str, **options: Any) -> Table:
    """Tabulate a question."""
    frame, chosen = _read_frame(context, survey, options)
    made: Table = frame.alchemer.table(question, **chosen)
    return made


def plot(context: Context, survey: Any, question: str, **options: Any) -> Chart:
    """Draw a question."""
    frame, chosen = _read_frame(context, survey, options)
    made: Chart = frame.alchemer.plot(question, **chosen)
    return made


def report(context: Context, survey: Any, file: str | None = None, **options: Any) -> ReportFile:
    """Write a report; without the name of a file, into one called after the survey."""
    # Flags of Alchemer and sessions tell more about data quality; the report shows no contact data.
    frame, chosen = _read_frame(context, survey, options, metadata="all")
    path = file or f"{slug(frame.alchemer.facts.get('title') or '') or 'report'}.html"
    made: ReportFile = frame.alchemer.report(path, **chosen)
    return made


def _read_frame(
    context: Context, survey: Any, given: dict[str, Any], **fixed: Any
) -> tuple[Any, dict[str, Any]]:
    """Return the frame that a line names or whose survey it names, and the other options.

    Raises:
        UsageError: The line names a frame, and has an option of a download.
    """
    download = {option.name: option for option in DOWNLOAD}
    chosen = {name: value for name, value in given.items() if name not in download}
    if chosen.get("weight", "").casefold() == "none":
        chosen["weight"] = False
    asked = {name: value for name, value in given.items() if name in download}
    frame = find_frame(survey, context.variables)
    if frame is None:
        try:
            return commands.responses(context, survey, **asked, **fixed), chosen
        except (SurveyNotFound, ConfigurationError) as error:
            known = [name for name in context.variables if not name.startswith("_")]
            frames = [name for name in known if find_frame(name, context.variables) is not None]
            if not (near := did_you_mean(str(survey), frames)):
                raise
            if isinstance(error, ConfigurationError):  # such as nobody signed in
                raise ConfigurationError(
                    f"no frame is called {survey!r}{near} A survey cannot be downloaded: {error}"
                ) from error
            raise SurveyNotFound(f"no frame and no survey is called {survey!r}{near}") from error
    if asked:
        name = f"`{survey}`" if isinstance(survey, str) else "this"
        raise UsageError(
            f"{download[next(iter(asked))].flag} chooses what is downloaded, but {name} is a frame "
            "of the notebook; filter the frame itself"
        )
    return frame, chosen


def find_frame(survey: Any, variables: Any) -> pd.DataFrame | None:
    """Return the frame that is, or is called, ``survey``; None where it means a survey."""
    import pandas as pd

    found = variables.get(survey) if isinstance(survey, str) else survey
    return found if isinstance(found, pd.DataFrame) else None


COMMANDS = (
    Command(
        "table",
        "percents, bases and tests of a question, by others if wanted",
        table,
        (_SUBJECT, _QUESTION),
        (
            _BY,
            _WEIGHT,
            choice_option("--percent", "what percents are of", ("column", "row", "total")),
            _SORT,
            CommandOption(
                "--top", "options in the top and bottom box; 0 for none", spec.to_whole_number, "N"
            ),
            _NOT_APPLICABLE,
            choice_option(
                "--correction",
                "for many comparisons in a row",
                ("none", "bonferroni", "holm", "fdr_bh"),
            ),
            *DOWNLOAD,
        ),
        example='%alchemer table "Customer satisfaction" satisfaction --by region',
    ),
    Command(
        "plot",
        "a chart of a question, by others if wanted",
        plot,
        (_SUBJECT, _QUESTION),
        (_BY, _WEIGHT, _SORT, _NOT_APPLICABLE, *DOWNLOAD),
        example='%alchemer plot "Customer satisfaction" satisfaction --by region',
    ),
    Command(
        "report",
        "a report of all questions: one HTML file",
        report,
        (_SUBJECT, Positional("FILE", "its name; left out, the title of the survey", "?")),
        (
            _BY,
            _WEIGHT,
            CommandOption(
                "--questions",
                "only these, in this order, with commas",
                spec.to_list,
                "QUESTIONS",
                completes="columns",
            ),
            CommandOption("--open-answers", "list the answers to open questions, too"),
            *DOWNLOAD,
        ),
        example='%alchemer report "Customer satisfaction" customers.html --by region',
    ),
)
