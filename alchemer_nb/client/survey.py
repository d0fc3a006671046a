"""The survey that users see: prints, saves and compares its definition."""

from __future__ import annotations

import html
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self

from alchemer_nb.compare import definition_diff
from alchemer_nb.survey.definition import Definition, load_definition, save_definition
from alchemer_nb.visible import make_visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import pandas as pd

_OPTIONS_SHOWN = 6
_LEFT = ' style="text-align:left"'


@dataclass(frozen=True, slots=True)
class Survey(Definition):
    """A survey: its pages and questions, and how they differ from earlier ones."""

    @classmethod
    def of(cls, definition: Definition) -> Self:
        """Return the survey of a definition."""
        return cls(**{each.name: getattr(definition, each.name) for each in fields(definition)})

    def diff(self, earlier: Definition | str | Path) -> pd.DataFrame:
        """Compare with an earlier definition, and name the columns that each change concerns.

        Args:
            earlier: The definition before, of this survey or of another wave of it; or where one
                was saved.

        Returns:
            One row a change: ``change``, ``question_id``, ``option_id``, ``before``, ``after``,
            ``comparable`` (whether the same answer is still recorded the same way) and
            ``columns`` (the list of columns concerned).

        Example:
            >>> changes = client.survey(9000001).diff(client.survey(9000005))
            >>> changes.loc[~changes["comparable"], "columns"].explode().unique().tolist()
            []
        """
        before = earlier if isinstance(earlier, Definition) else load_definition(earlier)
        return definition_diff.compare_definitions(before, self)

    def save(self, path: str | Path) -> None:
        """Write the definition to a JSON file, for a later ``diff``."""
        save_definition(self, path)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what ``save`` wrote.

        Raises:
            InvalidArgument: The file holds something else.
        """
        return cls.of(load_definition(path))

    def __str__(self) -> str:
        languages = ", ".join(self.languages)
        lines = [f"{self.title} ({self.id}) · {self.status} · {languages}"]
        for page in self.pages:
            lines.append(f"  {page.title(self.language) or 'Page ' + page.id}")
            for question in page.questions:
                name = question.alias or f"q{question.id}"
                lines.append(f"    {name}: {question.text(self.language)} [{question.type}]")
        return make_visible("\n".join(lines))

    def _repr_html_(self) -> str:
        caption = html.escape(f"{self.title} ({self.id}), {self.status}")
        head = _cells("th", ("id", "alias", "question", "options"))
        return make_visible(
            f"<p><b>{caption}</b></p><table><thead><tr>{head}</tr></thead>"
            f"<tbody>{''.join(_html_rows(self))}</tbody></table>"
        )


def _html_rows(definition: Definition) -> Iterator[str]:
    for page in definition.pages:
        title = html.escape(page.title(definition.language) or f"Page {page.id}")
        yield f'<tr><th colspan="4"{_LEFT}>{title}</th></tr>'
        for question in page.questions:
            options = ", ".join(
                option.label(definition.language) for option in question.options[:_OPTIONS_SHOWN]
            )
            more = " …" if len(question.options) > _OPTIONS_SHOWN else ""
            words = question.text(definition.language)
            texts = (f"q{question.id}", question.alias, words, options + more)
            yield f"<tr>{_cells('td', texts)}</tr>"


def _cells(tag: str, texts: Iterable[str]) -> str:
    return "".join(f"<{tag}{_LEFT}>{html.escape(text)}</{tag}>" for text in texts)
