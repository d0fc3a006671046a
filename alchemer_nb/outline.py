"""A survey as its reader wants to see it: pages, questions and the first of their options."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from alchemer_nb.survey.definition import Survey

_OPTIONS_SHOWN = 6
_LEFT = ' style="text-align:left"'


def as_text(survey: Survey) -> str:
    """One line a page and a question."""
    lines = [f"{survey.title} ({survey.id}) · {survey.status} · {', '.join(survey.languages)}"]
    for page in survey.pages:
        lines.append(f"  {page.title(survey.language) or 'Page ' + page.id}")
        for question in page.questions:
            name = question.alias or f"q{question.id}"
            lines.append(f"    {name}: {question.words(survey.language)} [{question.type}]")
    return "\n".join(lines)


def as_html(survey: Survey) -> str:
    """A table with a row a question, below the title of its page."""
    caption = html.escape(f"{survey.title} ({survey.id}), {survey.status}")
    head = _cells("th", ("id", "alias", "question", "options"))
    return (
        f"<p><b>{caption}</b></p><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(_rows(survey))}</tbody></table>"
    )


def _rows(survey: Survey) -> Iterator[str]:
    for page in survey.pages:
        title = html.escape(page.title(survey.language) or f"Page {page.id}")
        yield f'<tr><th colspan="4"{_LEFT}>{title}</th></tr>'
        for question in page.questions:
            options = ", ".join(
                option.label(survey.language) for option in question.options[:_OPTIONS_SHOWN]
            )
            more = " …" if len(question.options) > _OPTIONS_SHOWN else ""
            words = question.words(survey.language)
            told = (f"q{question.id}", question.alias, words, options + more)
            yield f"<tr>{_cells('td', told)}</tr>"


def _cells(tag: str, texts: Iterable[str]) -> str:
    return "".join(f"<{tag}{_LEFT}>{html.escape(text)}</{tag}>" for text in texts)
