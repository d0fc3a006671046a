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

import pandas as pd

from alchemer_nb._version import __version__
from alchemer_nb.analysis.charts import draw_table
from alchemer_nb.analysis.drop_off import drop_off
from alchemer_nb.analysis.quality import check_quality
from alchemer_nb.analysis.table_html import style_sheet, to_html
from alchemer_nb.analysis.tabulate import TableOptions, tabulate
from alchemer_nb.errors import AlchemerError, InvalidArgument
from alchemer_nb.files import import_optional, output_path, replace_atomically
from alchemer_nb.frame.codebook import build_codebook
from alchemer_nb.frame.description import WAVE, describe_wide
from alchemer_nb.frame.lookup import records_here
from alchemer_nb.frame.missing import count_answers
from alchemer_nb.privacy.contact_patterns import has_email, has_phone
from alchemer_nb.privacy.redact import redact
from alchemer_nb.survey.question_types import question_key
from alchemer_nb.visible import make_visible
from alchemer_nb.wire.text import counted

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    from alchemer_nb.analysis.chart import Chart
    from alchemer_nb.analysis.table import Table
    from alchemer_nb.frame.description import Description

_MOST_OPEN = 500  # open answers of a question
_LONG_NUMBER = re.compile(r"\d+\.\d{3,}")
_FONT = "sans-serif"
_CODEBOOK = ("column", "question", "row", "option", "type", "n_asked", "n_answered")
_TEMPLATE = "report.html.jinja"


@dataclass(frozen=True)
class Section:
    """A question in the report.

    Attributes:
        title: Its words.
        chart: SVG; ``""`` for none.
        spoken: The chart in words.
        table: HTML.
        answers: Open answers, if asked for.
        note: What is left out.
    """

    title: str
    chart: str = ""
    spoken: str = ""
    table: str = ""
    answers: tuple[str, ...] = ()
    note: str = ""


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
    """Return the report as HTML; contact data is never in it."""
    import_optional("vl_convert", "analysis")
    jinja = import_optional("jinja2", "analysis")
    quality = check_quality(frame, 1 / 3)
    clean = redact(frame, "drop")
    description = describe_wide(clean)
    names = [*_questions(clean, description)] if questions is None else [*questions]
    sections = [_section(clean, name, options, open_answers) for name in names]
    environment = jinja.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    text = package_files("alchemer_nb.analysis").joinpath(_TEMPLATE).read_text("utf-8")
    page = environment.from_string(text).render(
        title=description.about.get("title") or "Survey",
        facts=_facts(clean),
        over_time=_over_time(clean, options),
        statuses=_statuses(clean),
        pages=drop_off(clean).to_dict("records"),
        sections=[section for section in sections if section is not None],
        quality=quality.summary.to_dict("records"),
        quality_notes=quality.notes,
        codebook=_codebook(clean, description),
        method=_method(clean, options),
        table_style=style_sheet(),
        made=datetime.date.today().isoformat(),
        version=__version__,
    )
    return make_visible(page)


# -- questions ----------------------------------------------------------------------------------


def _questions(frame: pd.DataFrame, description: Description) -> Iterator[str]:
    """Yield the questions that have columns here, in the survey's order; parts of groups apart."""
    seen = set()
    for each in description.waves.values() or (description,):
        for name, column in each.columns.items():
            if name not in frame.columns or column.part in ("other", "comment", "raw"):
                continue
            parent = column.parent
            is_own = parent is None or question_key(parent) in ("group", "contactgroup", "matrix")
            asked = f"q{column.question_id}" if is_own or parent is None else f"q{parent.id}"
            if column.part == "answer" and column.kind == "text" and _is_hidden(column):
                continue
            if asked not in seen:
                seen.add(asked)
                yield asked


def _is_hidden(column: Any) -> bool:
    return question_key(column.question) in ("hidden", "urlredirect")


def _section(
    frame: pd.DataFrame, name: str, options: TableOptions, open_answers: bool
) -> Section | None:
    try:
        table = tabulate(frame, name, options)
    except InvalidArgument as error:
        return Section(name, note=str(error))
    kinds = {block.kind for block in table.blocks}
    chart, spoken = _chart_of(frame, table, options) if kinds != {"text"} else ("", "")
    shown = to_html(replace(table.grid, title=""), classes=True)
    answers: tuple[str, ...] = ()
    note = ""
    if "text" in kinds and open_answers:
        answers, note = _open_answers(frame, name)
    return Section(table.title, chart, spoken, shown, answers, note)


def _chart_of(frame: pd.DataFrame, table: Table, options: TableOptions) -> tuple[str, str]:
    try:
        total = tabulate(frame, table.question, replace(options, by=(), top=0, testing=None))
        chart = draw_table(frame, total, replace(options, by=()))
    except AlchemerError:
        return "", ""
    return _to_svg(chart), chart.description


def _to_svg(chart: Chart) -> str:
    """Return a chart as small SVG; its title is that of the section."""
    config = {**chart.spec["config"], "aria": False, "font": _FONT}
    spec = {**chart.spec, "config": config}
    spec.pop("title", None)
    svg = replace(chart, spec=spec, description="").to_svg()
    svg = svg.replace(f' font-family="{_FONT}"', "").replace(' aria-hidden="true"', "")
    return _LONG_NUMBER.sub(lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), svg)


def _open_answers(frame: pd.DataFrame, name: str) -> tuple[tuple[str, ...], str]:
    """Return the answers to an open question; those that look like contact data are left out."""
    from alchemer_nb.analysis.question import read_question

    texts: list[str] = []
    for item in read_question(frame, describe_wide(frame), name).items:
        if item.kind == "text":
            texts += [str(text) for text in pd.Series(item.values).dropna()]
    kept = [text for text in texts if not has_email(text) and not has_phone(text)]
    notes = []
    if left := len(texts) - len(kept):
        notes.append(f"{counted(left, 'answer')} that may hold contact data left out.")
    if len(kept) > _MOST_OPEN:
        notes.append(f"The first {_MOST_OPEN} of {len(kept):,}.")
    return tuple(kept[:_MOST_OPEN]), " ".join(notes)


# -- facts --------------------------------------------------------------------------------------


def _facts(frame: pd.DataFrame) -> list[tuple[str, str]]:
    facts = [("Responses", f"{len(frame):,}")]
    if WAVE in frame.index.names:
        waves = frame.index.get_level_values(WAVE)
        facts.append(("Waves", ", ".join(map(str, dict.fromkeys(waves)))))
    dates = frame.get("date_submitted")
    if dates is not None and dates.notna().any():
        first, last = dates.min(), dates.max()
        zone = f" ({first.tzname()})" if getattr(first, "tzinfo", None) else ""
        facts.append(("Field dates", f"{first:%Y-%m-%d} to {last:%Y-%m-%d}{zone}"))
    times = frame.get("response_time")
    if times is not None and times.notna().any():
        facts.append(("Median time", f"{float(times.median()) / 60:.1f} minutes"))
    return facts


def _statuses(frame: pd.DataFrame) -> list[tuple[str, int]]:
    if "status" not in frame.columns:
        return []
    counts = frame["status"].value_counts(sort=False)
    return [(str(status), int(count)) for status, count in counts.items() if count]


def _over_time(frame: pd.DataFrame, options: TableOptions) -> tuple[str, str]:
    if "date_submitted" not in frame.columns or frame["date_submitted"].notna().sum() < 2:
        return "", ""
    plain = replace(options, by=(), weight="", nets={}, top=0, testing=None)
    table = tabulate(frame, "date_submitted", plain)
    chart = draw_table(frame, table, plain)
    return _to_svg(chart), chart.description


def _codebook(frame: pd.DataFrame, description: Description) -> list[dict[str, Any]]:
    counts = count_answers(frame, description)
    rows = []
    for name, row in records_here(frame, description):
        asked, answered = counts.get(name, (None, None))
        rows.append({**row, "n_asked": asked, "n_answered": answered})
    book = build_codebook(rows)
    book = book[[name for name in _CODEBOOK if name in book.columns]]
    return [
        {str(key): "" if pd.isna(value) else value for key, value in row.items()}
        for row in pd.DataFrame(book).to_dict("records")
    ]


def _method(frame: pd.DataFrame, options: TableOptions) -> list[str]:
    from alchemer_nb.frame.provenance import summary

    lines = []
    about = dict(describe_wide(frame).about)
    if "rows_received" in about:
        lines.append(str(summary(about)))
    lines += [
        "Percents are of those who answered the question, without “not applicable”.",
        "Means are those of the reporting values of a scale. NPS is the share of promoters (9 and "
        "10) minus that of detractors (0 to 6), with its 95 % interval.",
    ]
    if options.weight:
        lines.append(f"Weighted by {options.weight}; counts and bases are not weighted.")
    if options.testing is not None and options.by:
        lines.append(options.testing.sentence(bool(options.weight)))
    lines.append("Contact data are left out.")
    return lines
