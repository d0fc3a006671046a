"""The facts and answers that a frame carries, looked up by its columns and rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from alchemer_nb.errors import InvalidArgument, KnowledgeLost
from alchemer_nb.frame.build import ATTRS
from alchemer_nb.frame.kept import Facts, Kept, kept_of
from alchemer_nb.survey.columns import INDEX
from alchemer_nb.wire.text import alias_to_name, did_you_mean

if TYPE_CHECKING:
    from alchemer_nb.survey.columns import AnswerColumn

_WHOLE = ("answer", "option", "item", "list", "leaf")


class Knowledge:
    """The facts and answers that one frame carries.

    Args:
        frame: A frame of responses, or one that was made of it.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame

    @property
    def text(self) -> str:
        """The text in ``attrs``.

        Raises:
            KnowledgeLost: There is none.
        """
        text = self.frame.attrs.get(ATTRS)
        if not isinstance(text, str):
            raise KnowledgeLost(
                "this frame carries no knowledge of its survey: concat of different downloads, "
                "merge and other libraries drop it. Use df.alchemer.join to merge, or "
                "original.alchemer.attach(this_frame) to give it back"
            )
        return text

    @property
    def facts(self) -> dict[str, Any]:
        """The facts in ``attrs``.

        Raises:
            KnowledgeLost: There are none.
        """
        try:
            return Facts(self.text).read()
        except ValueError:
            raise KnowledgeLost(
                f"df.attrs[{ATTRS!r}] holds something else than the knowledge of a survey; "
                "original.alchemer.attach(this_frame) gives it back"
            ) from None

    @property
    def kept_if_any(self) -> Kept | None:
        """The answers; None if only the text is left."""
        return kept_of(self.frame) if self.text else None  # ``text`` raises if it is lost

    @property
    def kept(self) -> Kept:
        """The answers.

        Raises:
            KnowledgeLost: The frame does not carry them.
        """
        kept = self.kept_if_any
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

    @property
    def has_ids(self) -> bool:
        """Whether the frame has response ids."""
        return self.frame.index.name == INDEX or INDEX in self.frame.columns

    def ids(self, kept: Kept) -> list[int]:
        """Return the response ids of the rows, from the index or the column of that name.

        Raises:
            KnowledgeLost: There are none, or some of another download; or the columns have
                several levels.
        """
        if self.frame.columns.nlevels > 1:
            raise KnowledgeLost(
                f"the columns of this frame have {self.frame.columns.nlevels} levels, so that "
                "none is known by its name; use df.droplevel(…, axis=1) first"
            )
        if not self.has_ids:
            raise KnowledgeLost(
                "the rows of this frame have lost their response ids: keep response_id as the "
                "index or as a column"
            )
        by_index = self.frame.index.name == INDEX
        ids = self.frame.index if by_index else pd.Index(self.frame[INDEX])
        numbers = {own: _number(own) for own in ids.unique()}
        for own, number in numbers.items():
            if number is None or not kept.knows(number):
                raise KnowledgeLost(f"response {own!s:.40} does not come from this download")
        return [int(own) for own in ids]

    def check_unique_columns(self) -> None:
        """Check that no two columns have the same name.

        Raises:
            InvalidArgument: Two columns have.
        """
        columns = self.frame.columns
        if not columns.is_unique:
            twice = columns[columns.duplicated()][0]
            raise InvalidArgument(
                f"two columns are called {twice!r}; rename or drop one of them first"
            )

    def here(self, kept: Kept) -> dict[str, AnswerColumn]:
        """Return the columns of answers that the frame has, by name."""
        return {n: column for n, column in kept.names.items() if n in self.frame.columns}

    def book(self) -> list[tuple[str, dict[str, Any]]]:
        """Return the name and the row of the codebook of each column that the frame has."""
        facts = self.facts
        field = f"column_{facts.get('asked', {}).get('names', 'alias')}"
        rows = ((row.get(field), row) for row in facts.get("codebook", []))
        return [(str(name), row) for name, row in rows if name in self.frame.columns]

    def columns(self, question: str | int) -> list[str]:
        """Return the names of the columns of a question; see ``AlchemerAccessor.columns``.

        Raises:
            InvalidArgument: No column here belongs to such a question.
        """
        wanted = str(question)
        hits = [
            name for name, row in self.book() if row["part"] in _WHOLE and wanted in _called(row)
        ]
        if not hits and wanted in self.frame.columns:
            return [wanted]
        if not hits:
            hint = did_you_mean(
                wanted, map(str, self.frame.columns), "; df.alchemer.find looks for words"
            )
            raise InvalidArgument(f"no column here belongs to a question {wanted!r}{hint}")
        return hits

    def one(self, kept: Kept, question: str | int) -> tuple[str, AnswerColumn]:
        """Return the only column of a question, with its name.

        Raises:
            InvalidArgument: It has several columns, or is no question of the survey.
        """
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


def _number(own: Any) -> int | None:
    """Return a response id from a number or its text; None for anything else."""
    try:
        number = int(own)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if isinstance(own, str) or number == own else None


def _called(row: dict[str, Any]) -> set[str]:
    """Return the names that a user may use for a question or its grid."""
    own, above = row.get("question_id"), row.get("parent_id")
    names = {row.get(n) for n in ("column_id", "column_alias", "question_id", "parent_id")}
    for alias in (row.get("alias"), row.get("parent_alias")):
        names |= {alias, alias_to_name(alias)}
    names |= {f"q{number}" for number in (own, above) if number}
    return {str(name) for name in names if name}
