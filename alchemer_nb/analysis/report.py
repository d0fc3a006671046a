"""The topline report of a frame: one HTML file with no script and no other file."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, replace
from html import escape
from importlib.resources import files as package_files
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
import pandas as pd

from alchemer_nb._version import __version__
from alchemer_nb.analysis.chart import INK, without_title
from alchemer_nb.analysis.charts import MOST_DAYS, draw_table
from alchemer_nb.analysis.contact_cells import hide_contacts
from alchemer_nb.analysis.drop_off import drop_off
from alchemer_nb.analysis.quality import check_quality, read_seconds
from alchemer_nb.analysis.question import read_question
from alchemer_nb.analysis.table_html import style_sheet, to_html
from alchemer_nb.analysis.tabulate import TableOptions, build_banner, tabulate
from alchemer_nb.analysis.wave_questions import read_wave_questions
from alchemer_nb.analysis.weights import read_weights
from alchemer_nb.errors import InvalidArgument
from alchemer_nb.files import import_optional, output_path, replace_atomically
from alchemer_nb.frame.codebook import build_codebook
from alchemer_nb.frame.description import WAVE, describe_wide
from alchemer_nb.frame.lookup import columns_of, records_here
from alchemer_nb.frame.missing import count_answers
from alchemer_nb.frame.provenance import summary
from alchemer_nb.privacy.contact_patterns import asks_for_contact, has_email, has_phone
from alchemer_nb.privacy.redact import redact
from alchemer_nb.survey.question_types import GROUP, TABLE, is_asked, question_key
from alchemer_nb.visible import make_visible
from alchemer_nb.wire.text import counted

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping

    from alchemer_nb.analysis.chart import Chart
    from alchemer_nb.analysis.table import Table
    from alchemer_nb.frame.description import Description

_MOST_OPEN = 500  # open answers of a question
_LONGEST_OPEN = 1000  # characters
_SHORT_TABLE = 18  # rows that are not parted on paper
_LONG_NUMBER = re.compile(r"\d+\.\d{3,}")
_FONT = "sans-serif"
_CODEBOOK = {
    "column_alias": "column", "question": "question", "row": "row", "option": "option",
    "type": "type", "n_asked": "asked", "n_answered": "answered",
}  # fmt: skip
_CHECKS = {
    "speeder": "Very fast", "repeated_session": "Repeated session",
    "empty_open": "Empty open answers", "alchemer_flag": "Flagged by Alchemer",
}  # fmt: skip
_LEFT_OUT = "Left out: contact data."
_TEMPLATE = "report.html.jinja"


@dataclass(frozen=True)
class Section:
    """A question in the report.

    Attributes:
        title: Its words.
        chart: SVG; ``""`` for none.
        spoken: The chart in words.
        table: HTML.
        answers: Open answers, if asked for: the words of an item, and its texts.
        note: What is left out.
        is_short: Whether it fits on a page, so that it is not parted.
    """

    title: str
    chart: str = ""
    spoken: str = ""
    table: str = ""
    answers: tuple[tuple[str, tuple[str, ...]], ...] = ()
    note: str = ""
    is_short: bool = False


@dataclass(frozen=True)
class ReportFile:
    """A report that was written: where it is, and how large; a cell shows a link to it.

    Attributes:
        path: The file.
        size: Its size in bytes.
        questions: How many questions it shows.
    """

    path: Path
    size: int
    questions: int

    def __fspath__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        return make_visible(f"{self._words}: {self.path}")

    @property
    def _words(self) -> str:
        size = f"{self.size / 1e6:.1f} MB" if self.size >= 1e6 else f"{self.size / 1e3:.0f} kB"
        return f"Report of {counted(self.questions, 'question')}, {size}"

    def _repr_html_(self) -> str:
        """Return a link, which front ends read from the folder of the notebook; else the path."""
        try:
            place = self.path.relative_to(Path.cwd()).as_posix()
        except (OSError, ValueError):
            return f"<p>{escape(repr(self))}</p>"
        link = f'<a href="{escape(quote(place))}" target="_blank">{escape(make_visible(place))}</a>'
        return f"<p>{escape(self._words)}: {link}</p>"


def write_report(
    frame: pd.DataFrame,
    path: str | os.PathLike[str],
    options: TableOptions,
    *,
    questions: Iterable[str] | None,
    open_answers: bool,
) -> ReportFile:
    """Write the report of a frame; see ``AlchemerAccessor.report``.

    Raises:
        InvalidArgument: The path or a question does not fit.
        KnowledgeLost: The frame carries no description.
        ConfigurationError: vl-convert-python is not installed.
    """
    target = output_path(path, (".html", ".htm"))
    page = render_report(frame, options, questions=questions, open_answers=open_answers)
    content = page.encode()
    with replace_atomically(target) as temporary:
        temporary.write_bytes(content)
    return ReportFile(target, len(content), page.count("<section id="))


def render_report(
    frame: pd.DataFrame,
    options: TableOptions,
    *,
    questions: Iterable[str] | None = None,
    open_answers: bool = False,
) -> str:
    """Return the report as HTML; contact data is never in it.

    Raises:
        InvalidArgument: A question, a banner question or the weight is unknown, or does not fit.
    """
    import_optional("vl_convert", "analysis")
    jinja = import_optional("jinja2", "analysis")
    clean = redact(frame, "drop")
    clean = hide_contacts(clean, describe_wide(clean))
    description = describe_wide(clean)
    _check_banner(frame, clean, options)
    # What is wrong in all tables is an error, and not a note at each question.
    build_banner(clean, options)
    read_weights(clean, options.weight)
    if questions is None:
        names = [*_questions(clean, description)]
    else:
        names = [questions] if isinstance(questions, str | int) else [*questions]
        for name in names:
            if name not in frame.index.names:
                columns_of(frame, describe_wide(frame), name)
    quality = check_quality(frame, 1 / 3)
    pages = drop_off(clean)
    sections = [_section(clean, name, options, open_answers) for name in names]
    environment = jinja.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    text = package_files("alchemer_nb.analysis").joinpath(_TEMPLATE).read_text("utf-8")
    page = environment.from_string(text).render(
        title=description.about.get("title") or "Survey",
        facts=_facts(clean),
        over_time=_over_time(clean),
        zone=_zone(_dates(clean)),
        statuses=_statuses(clean),
        pages=pages.to_dict("records"),
        unseen=_unseen(pages, len(clean)),
        sections=sections,
        quality=quality.summary.assign(check=quality.summary["check"].map(_check_words)).to_dict(
            "records"
        ),
        quality_notes=quality.notes,
        codebook=_codebook(clean, description),
        method=_method(frame, options),
        table_style=style_sheet(),
        made=datetime.date.today().isoformat(),
        version=__version__,
    )
    return make_visible(page)


def _check_banner(frame: pd.DataFrame, clean: pd.DataFrame, options: TableOptions) -> None:
    """Refuse a banner question that is gone, as it is contact data."""
    waves = describe_wide(frame).each_wave
    for name in options.by:
        if _has(frame, name) and not _has(clean, name):
            is_own = name in frame.columns and not any(name in each.columns for each in waves)
            hint = "A column of your own, such as groups of countries, needs another name"
            raise InvalidArgument(
                f"by: {name!r} is contact data, which a report leaves out",
                hint=hint if is_own else "",
            )


# -- questions ----------------------------------------------------------------------------------


def _questions(frame: pd.DataFrame, description: Description) -> Iterator[str]:
    """Yield the questions that have columns here, in the survey's order; parts of groups apart."""
    for names in read_wave_questions(frame, description, _columns_by_question).values():
        yield from names


def _columns_by_question(
    frame: pd.DataFrame, description: Description
) -> dict[tuple[str, ...], list[str]]:
    """Return the columns here of each question of a wave, by what it may be called."""
    found: dict[tuple[str, ...], list[str]] = {}
    for name, column in description.columns.items():
        if name not in frame.columns or column.part in ("other", "comment", "raw"):
            continue
        if column.part == "answer" and column.kind == "text" and _is_hidden(column):
            continue
        parent = column.parent
        is_own = parent is None or question_key(parent) in (*GROUP, TABLE)
        asked = column.question if is_own or parent is None else parent
        words = tuple(filter(None, (f"q{asked.id}", asked.alias)))
        found.setdefault(words, []).append(name)
    return found


def _is_hidden(column: Any) -> bool:
    return question_key(column.question) in ("hidden", "urlredirect")


def _is_listed(column: Any) -> bool:
    """Check whether respondents wrote the texts of a column: no names of files they sent."""
    return question_key(column.question) not in ("hidden", "urlredirect", "file")


def _has(frame: pd.DataFrame, name: str | int) -> bool:
    if name in frame.index.names:
        return True
    try:
        return bool(columns_of(frame, describe_wide(frame), name))
    except InvalidArgument:
        return False


def _section(
    frame: pd.DataFrame, name: str | int, options: TableOptions, open_answers: bool
) -> Section:
    name = str(name)
    if not _has(frame, name):
        return Section(name, note=_LEFT_OUT)
    try:
        table = tabulate(frame, name, _without_itself(frame, name, options))
    except InvalidArgument as error:
        return Section(name, note=str(error))
    kinds = {block.kind for block in table.blocks}
    title = _own_title(frame, name, table.title)
    is_contact = asks_for_contact(table.title) or asks_for_contact(title.rpartition(": ")[2])
    if is_contact and "number" in kinds:  # its lowest and highest are two people's
        return Section(title, note=_LEFT_OUT)
    chart, spoken = _chart_of(frame, table, options) if kinds != {"text"} else ("", "")
    shown = to_html(replace(table.shown, title=""), classes=True)
    answers: tuple[tuple[str, tuple[str, ...]], ...] = ()
    note = ""
    if "text" in kinds and open_answers:
        answers, note = ((), _LEFT_OUT) if is_contact else _open_answers(frame, name)
    is_short = shown.count("<tr") <= _SHORT_TABLE and not answers
    return Section(title, chart, spoken, shown, answers, note, is_short)


def _own_title(frame: pd.DataFrame, name: str, title: str) -> str:
    """Return the title of a question, with its own words after those of its group or table."""
    description = describe_wide(frame)
    for each in description.each_wave:
        for column in map(each.columns.get, columns_of(frame, description, name)):
            if column and column.parent and question_key(column.parent) in (*GROUP, TABLE):
                words = column.question.text(*each.languages)
                return f"{title}: {words}" if words and words not in title else title
    return title


def _without_itself(frame: pd.DataFrame, name: str, options: TableOptions) -> TableOptions:
    """Return the options for a question that may be one of the banner: not by its own answers."""
    description = describe_wide(frame)
    if name in frame.index.names:
        return options
    own = columns_of(frame, description, name)
    by = (
        each for each in options.by
        if each in frame.index.names or columns_of(frame, description, each) != own
    )  # fmt: skip
    return replace(options, by=tuple(by))


def _chart_of(frame: pd.DataFrame, table: Table, options: TableOptions) -> tuple[str, str]:
    try:
        plain = replace(options, by=(), top=0, testing=None, most_days=MOST_DAYS)
        chart = draw_table(frame, tabulate(frame, table.question, plain), plain)
    except InvalidArgument:  # such as more panels than fit: the table says it all
        return "", ""
    return _to_svg(chart), chart.description


def _to_svg(chart: Chart) -> str:
    """Return a chart as small SVG; its title is that of the section."""
    config = {**chart.spec["config"], "aria": False, "font": _FONT}
    spec = {**without_title(chart.spec), "config": config}
    svg = replace(chart, spec=spec, description="").to_svg()
    svg = svg.replace(f' font-family="{_FONT}"', "").replace(' aria-hidden="true"', "")
    svg = svg.replace(f'fill="{INK}"', 'fill="currentColor"')
    return _LONG_NUMBER.sub(lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), svg)


def _open_answers(
    frame: pd.DataFrame, name: str
) -> tuple[tuple[tuple[str, tuple[str, ...]], ...], str]:
    """Return the answers to an open question, by item; each text once, with how often it came.

    Those that look like contact data are left out.
    """
    description = describe_wide(frame)
    every = [each.columns for each in description.each_wave]
    lists = []
    left = long = several = 0
    for item in read_question(frame, description, name).items:
        found = [columns[item.columns[0]] for columns in every if item.columns[0] in columns]
        if item.kind != "text" or not all(map(_is_listed, found)):
            continue
        texts = pd.Series(item.values).dropna().map(str)
        kept = texts[[not has_email(text) and not has_phone(text) for text in texts]]
        left += len(texts) - len(kept)
        counts = kept.value_counts(sort=False)
        shown = counts.iloc[:_MOST_OPEN]
        several += len(counts) - len(shown)
        long += sum(len(text) > _LONGEST_OPEN for text in shown.index)
        lists.append((item.label, tuple(_shorten(text, n) for text, n in shown.items())))
    notes = []
    if left:
        notes.append(f"{counted(left, 'answer')} that may hold contact data left out.")
    if long:
        notes.append(f"{counted(long, 'long answer')} cut after {_LONGEST_OPEN:,} characters.")
    if several:
        notes.append(f"The first {_MOST_OPEN} different answers; {several:,} more left out.")
    return tuple(lists), " ".join(notes)


def _shorten(text: Any, often: int) -> str:
    whole = str(text)
    cut = whole[:_LONGEST_OPEN] + "…" * (len(whole) > _LONGEST_OPEN)
    return f"{cut} (×\u00a0{often:,})" if often > 1 else cut


# -- facts --------------------------------------------------------------------------------------


def _facts(frame: pd.DataFrame) -> list[tuple[str, str]]:
    facts = [("Responses", f"{len(frame):,}")]
    if WAVE in frame.index.names:
        counts = frame.index.get_level_values(WAVE).value_counts(sort=False)
        facts.append(("Waves", ", ".join(f"{wave}: {n:,}" for wave, n in counts.items() if n)))
    dates = _dates(frame)
    if len(dates):
        zone = f" ({_zone(dates)})" if _zone(dates) else ""
        facts.append(("Field dates", f"{dates.min():%Y-%m-%d} to {dates.max():%Y-%m-%d}{zone}"))
    if "response_time" in frame.columns:
        times = read_seconds(frame)
        if len(known := times[np.isfinite(times)]):
            facts.append(("Median time", f"{float(np.median(known)) / 60:.1f} minutes"))
    return facts


def _dates(frame: pd.DataFrame) -> pd.Series[Any]:
    """Return the dates of submission that there are; none if an analyst made texts of them."""
    dates = frame.get("date_submitted")
    if dates is None or not pd.api.types.is_datetime64_any_dtype(dates.dtype):
        return pd.Series([], dtype="datetime64[ns, UTC]")
    return dates.dropna()


def _zone(dates: pd.Series[Any]) -> str:
    return str(dates.dt.tz or "")


def _statuses(frame: pd.DataFrame) -> list[tuple[str, int]]:
    if "status" not in frame.columns:
        return []
    counts = frame["status"].value_counts()
    return [(str(status), int(count)) for status, count in counts.items() if count]


def _unseen(pages: pd.DataFrame, responses: int) -> str:
    """Return how many responses reached no page, in words."""
    if count := responses - int(pages.groupby("wave")["reached"].max().sum()):
        return f"{counted(count, 'response')} reached no page."
    return ""


def _over_time(frame: pd.DataFrame) -> tuple[str, str]:
    if len(_dates(frame)) < 2:
        return "", ""
    plain = TableOptions(top=0, testing=None, most_days=MOST_DAYS)
    table = tabulate(frame, "date_submitted", plain)
    chart = draw_table(frame, table, plain)
    return _to_svg(chart), chart.description


def _check_words(check: str) -> str:
    return _CHECKS.get(check, "Same answer in all rows")


def _codebook(frame: pd.DataFrame, description: Description) -> list[dict[str, Any]]:
    counts = count_answers(frame, description)
    rows = []
    for name, row in records_here(frame, description):
        asked, answered = counts.get(name, (None, None))
        kind = row["type"] or row["part"]
        rows.append({**row, "type": kind, "column": name, "n_asked": asked, "n_answered": answered})
    book = build_codebook(rows)
    book["column_alias"] = [row["column"] for row in rows]
    return [
        {shown: "" if pd.isna(row[key]) else row[key] for key, shown in _CODEBOOK.items()}
        for row in pd.DataFrame(book).to_dict("records")
    ]


def _method(frame: pd.DataFrame, options: TableOptions) -> list[str]:
    lines = [
        f"{label}: {line}" if label else line
        for label, rows, wave in describe_wide(frame).pieces(frame)
        for line in _of_download(wave.about, len(rows))
    ]
    lines += [
        "Percents are of those who answered the question, without “not applicable”; of open "
        "questions, of those who were asked.",
        "Means are those of the reporting values of a scale. NPS is the share of promoters (9 and "
        "10) minus that of detractors (0 to 6), with its 95 % interval.",
    ]
    if options.weight:
        lines.append(f"Weighted by {options.weight}; counts and bases are not weighted.")
    if options.testing is not None and options.by:
        lines.append(options.testing.sentence(bool(options.weight)))
    if hidden := _without_columns(describe_wide(frame), frame):
        lines.append(f"{counted(hidden, 'question')} of the survey without a column in the frame.")
    lines.append("Contact data are left out.")
    return lines


def _of_download(about: Mapping[str, Any], rows: int) -> Iterator[str]:
    """Yield what was downloaded, and how many of it the report is of."""
    if "rows_received" not in about:
        return
    # A reader of the report cannot download again: no options of that.
    yield f"{summary(about, lambda *_: '')}."
    if chosen := "; ".join(_choices_of(about)):
        yield f"The download asked for these responses alone: {chosen}."
    if rows != about.get("rows"):
        yield f"This report is of {counted(rows, 'response')}, chosen afterwards."


def _choices_of(about: Mapping[str, Any]) -> Iterator[str]:
    """Yield which responses a download was for; conditions are known without their values."""
    asked = about.get("asked", {})
    if asked.get("test_rows") == "only":
        yield "test responses"
    chosen = {**asked, **about.get("dates_read", {})}  # dates, in place of "7d" or "today"
    for name in ("status", "since", "until", "limit"):
        if (value := chosen.get(name)) is not None:
            values = value if isinstance(value, list | tuple) else [value]
            yield f"{name} {', '.join(map(str, values))}"
    for condition in asked.get("where") or ():
        yield str(condition) if str(condition).upper().endswith("NULL") else f"{condition} …"


def _without_columns(description: Description, frame: pd.DataFrame) -> int:
    """Count the questions that were asked in the survey and have no column here."""
    here: set[str] = set()
    asked: dict[str, set[str]] = {}
    for each in description.each_wave:
        for name, column in each.columns.items():
            if name in frame.columns:
                here |= {q.id for q in (column.question, column.parent) if q is not None}
        for question in (q for page in each.survey.pages for q in page.questions):
            if is_asked(question):
                asked[question.id] = {inner.id for inner in question.walk()}
    return sum(1 for ids in asked.values() if not ids & here)
