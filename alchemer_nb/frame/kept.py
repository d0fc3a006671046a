"""The data that a frame carries, from which it can be built again without another download.

``attrs["alchemer"]`` is a JSON text, because pandas deep-copies attrs at every step. ``Facts`` is
this text with a reference to the answers: copies share them, filters and choices of columns keep
them, pickle includes them. After a merge, or in another library's file, only the text is left.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from alchemer_nb.decode.answers import latest_rows
from alchemer_nb.decode.gc_pause import collector_paused
from alchemer_nb.forks import lazy_attribute
from alchemer_nb.frame import build as frames
from alchemer_nb.frame import metadata, multi_lists
from alchemer_nb.frame.rows import Rows
from alchemer_nb.frame.unplanned_columns import all_columns
from alchemer_nb.frame.values import Renderer
from alchemer_nb.survey.columns import name_columns

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from alchemer_nb.decode.answers import Answers
    from alchemer_nb.frame.options import FrameOptions
    from alchemer_nb.survey.columns import AnswerColumn
    from alchemer_nb.survey.definition import Definition


class Facts(str):
    """The JSON text of ``attrs["alchemer"]``, with the answers behind the frame.

    Attributes:
        kept: The answers and the choices of the frame; None if only the text is known.
    """

    __slots__ = ("kept",)
    kept: Kept | None

    def __new__(cls, text: str, kept: Kept | None = None) -> Facts:
        """Create the text; ``kept`` does not count in comparisons."""
        made = super().__new__(cls, text)
        made.kept = kept
        return made

    def __copy__(self) -> Facts:
        return self

    def __deepcopy__(self, memo: Any) -> Facts:
        return self  # pandas copies attrs at every step; answers never change

    def __reduce__(self) -> tuple[Any, ...]:
        return Facts, (str(self), self.kept)

    def read(self) -> dict[str, Any]:
        """Parse the facts.

        Raises:
            ValueError: The text is something else.
        """
        facts: Any = json.loads(self)
        if not isinstance(facts, dict):
            raise ValueError("no facts")  # noqa: TRY004 - like any other text that is none
        return facts


def kept_of(frame: pd.DataFrame) -> Kept | None:
    """Return the answers that a frame carries; None if it carries the text alone, or nothing."""
    text = frame.attrs.get(frames.ATTRS)
    return text.kept if isinstance(text, Facts) else None


@dataclass(frozen=True, eq=False)
class Kept:
    """The answers of a download and the choices of the frame that was built from them.

    Attributes:
        answers: All answers received.
        survey: The definition.
        timezone: Zone of the region.
        options: The choices of the frame at hand.
        about: Facts of the download.
    """

    answers: Answers
    survey: Definition
    timezone: str
    options: FrameOptions
    about: dict[str, Any]

    def frame(self, ids: Iterable[int], options: FrameOptions) -> pd.DataFrame:
        """Build the frame of some responses with other choices.

        Args:
            ids: Response ids, in the order of the result.
            options: Names, values, shape.
        """
        about = {**self.about, "asked": {**self.about.get("asked", {}), **options.asked()}}
        return replace(self, options=options, about=about).build(self.rows(ids))

    def build(self, rows: Rows) -> pd.DataFrame:
        """Build the frame of some rows, which then carries these answers."""
        with collector_paused():
            frame = frames.build_frame(
                self.answers, self.survey, rows, self.options, ZoneInfo(self.timezone), self.about
            )
        frame.attrs[frames.ATTRS] = Facts(frame.attrs[frames.ATTRS], self)
        return frame

    def rows(self, ids: Iterable[int]) -> Rows:
        """Return the rows of some responses."""
        wanted = np.fromiter((int(i) for i in ids), dtype=np.int64)
        keep = np.array([self._numbers[i] for i in wanted.tolist()], dtype=np.int64)
        received = len(self._numbers)
        return Rows(keep, wanted, received, self.answers.count - received, 0)

    def knows(self, response_id: int) -> bool:
        """Return whether a response is among the answers."""
        return response_id in self._numbers

    @lazy_attribute
    def _numbers(self) -> dict[int, int]:
        return latest_rows(self.answers)

    @lazy_attribute
    def columns(self) -> list[AnswerColumn]:
        """Return the columns of answers, with one for each option of a multi-select."""
        everything = np.arange(self.answers.count)
        return all_columns(
            self.survey, self.answers, Renderer(self.answers, everything, self.options.rendered, ())
        )

    @lazy_attribute
    def names(self) -> dict[str, AnswerColumn]:
        """Return the columns of answers as the frame has them, by their names there."""
        columns = multi_lists.fold_lists(self.columns, self.options)
        taken = metadata.metadata_names(self.options.metadata)
        names = name_columns(columns, self.survey, self.options.names, taken, self.options.language)
        return dict(zip(names, columns, strict=True))

    @property
    def languages(self) -> tuple[str | None, ...]:
        """The languages of labels: that of the frame, then that of the survey."""
        return self.options.language, self.survey.language

    def with_options(self, **changes: Any) -> FrameOptions:
        """Return the choices of the frame, with some of them changed."""
        return replace(self.options, **changes)
