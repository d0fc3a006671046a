"""The options of ``responses``: how the magic spells them, and how a receipt repeats them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from alchemer_nb.client.download_options import INCOMPLETE
from alchemer_nb.frame.options import CHOICES
from alchemer_nb.notebook.magic import command_spec as spec
from alchemer_nb.notebook.magic.command_spec import CommandOption
from alchemer_nb.notebook.magic.condition_completion import RELATIVE_DATES
from alchemer_nb.notebook.magic.interpolation import to_condition
from alchemer_nb.survey.filters import STATUSES, describe_condition, parse_conditions
from alchemer_nb.wire.text import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alchemer_nb.frame.provenance import Summary

FRESH = CommandOption("--fresh", "take nothing from memory; may wait a minute")
PROGRESS = ("auto", "text", "none")


def choice_option(flag: str, text: str, choices: tuple[str, ...] = ()) -> CommandOption:
    """Build an option that takes one word of a few, by default those of this option of a frame."""
    choices = choices or CHOICES[flag.lstrip("-").replace("-", "_")]
    return CommandOption(flag, text, spec.one_of(*choices), choices=choices)


def _date_option(flag: str, text: str) -> CommandOption:
    return CommandOption(flag, text, spec.to_date, "DATE", RELATIVE_DATES)


TEST_ROWS = choice_option("--test-rows", "what to do with test data")
DAY_FIRST = CommandOption("--day-first", "typed dates have the day before the month")
TIME_ZONE = CommandOption(
    "--tz",
    "time zone; none for the region's wall clock",
    spec.to_time_zone,
    "ZONE",
    completes="zone",
)
LANGUAGE = CommandOption(
    "--language", "a language of the survey, for labels", spec.to_text, completes="language"
)
OPTIONS = (
    CommandOption(
        "--where",
        "a condition; may be given several times",
        to_condition,
        "CONDITION",
        repeat=True,
        completes="condition",
    ),
    CommandOption(
        "--status",
        f"one or more, with commas: {', '.join(STATUSES)}",
        spec.to_list,
        "STATUS",
        choices=STATUSES,
    ),
    CommandOption("--complete", "short for --status Complete"),
    _date_option("--since", "submitted then or later, also today, yesterday, 7d, 2w, 3m, 1y"),
    _date_option("--until", "submitted then or earlier; all of the day, month or year"),
    TEST_ROWS,
    choice_option("--names", "what columns are called"),
    choice_option("--values", "what answers are shown as"),
    choice_option("--shape", "a row per response, or per answer"),
    choice_option("--multi", "a column per option, or one list"),
    LANGUAGE,
    choice_option("--metadata", "which columns besides answers"),
    TIME_ZONE,
    CommandOption(
        "--columns",
        "only these columns or questions, with commas; comments only by name",
        spec.to_list,
        "NAMES",
        completes="columns",
    ),
    CommandOption("--limit", "at most this many responses", spec.to_whole_number, "N"),
    DAY_FIRST,
    FRESH,
    CommandOption("--store", "from this computer, however old; see sync"),
    CommandOption("--max-age", "the same, synced first if older, such as 1h", spec.to_text, "SPAN"),
    CommandOption("--dry-run", "say what it would take, and download nothing"),
    CommandOption("--background", "go on at once; a cell that reads the name waits"),
    choice_option("--incomplete", "when fewer rows come than Alchemer announced", INCOMPLETE),
    choice_option("--progress", "how to show progress", PROGRESS),
)
# How a receipt repeats the options that change which rows and columns come, in this order.
_ECHOES = {
    "status": "status is {}",
    "since": "submitted from {}",
    "until": "submitted until {}",
    "where": "{}",
    "test_rows": "test rows: {}",
    "names": "names: {}",
    "values": "values: {}",
    "shape": "shape: {}",
    "multi": "multi-selects as {}",
    "language": "in {}",
    "metadata": "metadata: {}",
    "tz": "times in {}",
    "columns": "columns: {}",
    "limit": "at most {}",
    "day_first": "day first: {}",
}


def describe_download(
    facts: Mapping[str, Any], options: Mapping[str, Any], shape: tuple[int, int]
) -> Summary:
    """Describe a download: what was asked for, and how much came.

    Args:
        facts: What was asked and received, as ``df.alchemer.facts`` has it.
        options: The options that were given, by their Python names.
        shape: Rows and columns of the frame.

    Returns:
        For example ``Customer satisfaction (9000001): status is Complete → 412 rows × 31 columns;
        14 test rows left out (--test-rows include brings them back)``.
    """
    from alchemer_nb.frame.provenance import summary

    title = " ".join(str(facts["title"]).split())
    survey = f"{title} ({facts['survey_id']})" if title else f"survey {facts['survey_id']}"
    echoes = ", ".join(_echoes(options, facts.get("dates_read", {})))
    size = f"{counted(shape[0], 'row')} × {counted(shape[1], 'column')}"
    line = f"{survey}{': ' if echoes else ''}{echoes} → {size}"
    return replace(summary(facts, _write_option), line=line)


def _echoes(options: Mapping[str, Any], dates_read: Mapping[str, str]) -> list[str]:
    echoes = []
    for name, template in _ECHOES.items():
        if name in options:
            value = dates_read.get(name, options[name])
            if name == "where":
                value = _describe_conditions(value, dates_read)
            elif name == "tz" and value is None:
                value = "the wall clock of the region"
            elif name == "limit":
                value = counted(value, "response")
            separator = " or " if name == "status" else ", "
            values = value if isinstance(value, list | tuple) else [value]
            echoes.append(template.format(separator.join(map(str, values))))
    return echoes


def _describe_conditions(where: str, dates_read: Mapping[str, str]) -> list[str]:
    conditions = parse_conditions(where)
    if not dates_read:
        return [str(condition) for condition in conditions]
    zone, at = ZoneInfo(dates_read["zone"]), datetime.fromisoformat(dates_read["at"])
    return [describe_condition(condition, zone, at) for condition in conditions]


def _write_option(name: str, value: str) -> str:
    return f"--{name.replace('_', '-')} {value}"
