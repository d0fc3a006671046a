"""What travels with a frame, so that it can be made anew without another download.

``attrs["alchemer"]`` is a JSON text: pandas deep-copies attrs at every step, and a text costs
nothing there. ``Facts`` is that text with the answers themselves held beside it, by reference:
copies share them, filtering and choosing columns keep them, pickle takes them along. Where only
the text is left (a merge, another library's file), the accessor says so.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from alchemer_nb.decode.answers import latest_rows
from alchemer_nb.decode.gc_pause import collector_paused
from alchemer_nb.frame import build as frames
from alchemer_nb.frame import metadata, multi_lists
from alchemer_nb.frame.rows import Rows
from alchemer_nb.frame.unplanned_columns import all_columns
from alchemer_nb.frame.values import Renderer
from alchemer_nb.once import once
from alchemer_nb.survey.columns import name_columns

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from alchemer_nb.decode.answers import Answers
    from alchemer_nb.frame.options import FrameOptions
    from alchemer_nb.survey.columns import Column
    from alchemer_nb.survey.definition import Definition


class Facts(str):
    """The JSON text of ``attrs["alchemer"]``, with what it was made from.

    Attributes:
        kept: The answers and how they became the frame; None where only the text is known.
    """

    __slots__ = ("kept",)
    kept: Kept | None

    def __new__(cls, text: str, kept: Kept | None = None) -> Facts:
        """Makes the text; what is kept is not part of its value."""
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
        """The facts as a dict.

        Raises:
            ValueError: The text is something else.
        """
        facts: Any = json.loads(self)
        if not isinstance(facts, dict):
            raise ValueError("no facts")  # noqa: TRY004 - like any other text that is none
        return facts


@dataclass(frozen=True, eq=False)
class Kept:
    """The answers of a download and the choices that made a frame of them.

    Attributes:
        answers: All that came.
        survey: The definition.
        timezone: Zone of the region.
        options: The choices of the frame at hand.
        about: What was asked and received.
    """

    answers: Answers
    survey: Definition
    timezone: str
    options: FrameOptions
    about: dict[str, Any]

    def frame(self, ids: Iterable[int], options: FrameOptions) -> pd.DataFrame:
        """Makes the frame of some responses by other choices.

        Args:
            ids: Response ids, in the order in which to give them.
            options: Names, values, shape.
        """
        about = {**self.about, "asked": {**self.about.get("asked", {}), **options.asked()}}
        return replace(self, options=options, about=about).build(self.rows(ids))

    def build(self, rows: Rows) -> pd.DataFrame:
        """Makes the frame by the choices at hand, and gives it what it needs to be made anew."""
        with collector_paused():
            frame = frames.build(
                self.answers, self.survey, rows, self.options, ZoneInfo(self.timezone), self.about
            )
        frame.attrs[frames.ATTRS] = Facts(frame.attrs[frames.ATTRS], self)
        return frame

    def rows(self, ids: Iterable[int]) -> Rows:
        """Where some responses stand among the answers."""
        wanted = np.fromiter((int(i) for i in ids), dtype=np.int64)
        keep = np.array([self._numbers[i] for i in wanted.tolist()], dtype=np.int64)
        received = len(self._numbers)
        return Rows(keep, wanted, received, self.answers.count - received, 0)

    def knows(self, response_id: int) -> bool:
        """Whether a response is among the answers."""
        return response_id in self._numbers

    @once
    def _numbers(self) -> dict[int, int]:
        return latest_rows(self.answers)

    @once
    def columns(self) -> list[Column]:
        """Columns of answers, in their order, with one for each option of a multi-select."""
        everything = np.arange(self.answers.count)
        return all_columns(
            self.survey, self.answers, Renderer(self.answers, everything, self.options.rendered, ())
        )

    @once
    def names(self) -> dict[str, Column]:
        """Columns of answers, as the frame has them, by what they are called there."""
        columns = multi_lists.as_asked(self.columns, self.options)
        taken = metadata.names(self.options.metadata)
        names = name_columns(columns, self.survey, self.options.names, taken, self.options.language)
        return dict(zip(names, columns, strict=True))

    def with_options(self, **changes: Any) -> FrameOptions:
        """The choices of the frame at hand with some of them changed."""
        return replace(self.options, **changes)
