"""How a frame is made from answers: the words an analyst may choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args
from zoneinfo import ZoneInfo

from alchemer_nb.errors import InvalidArgument
from alchemer_nb.frame.metadata import Metadata
from alchemer_nb.survey.columns import Names
from alchemer_nb.wire.text import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

TestRows = Literal["exclude", "include", "only"]
Shape = Literal["wide", "long"]
Multi = Literal["columns", "list"]
Values = Literal["label", "code", "id"]
ValuesOrBoth = Literal["label", "code", "id", "both"]


@dataclass(frozen=True, slots=True)
class FrameOptions:
    """How a frame is made from answers; each can be changed without another download."""

    test_rows: TestRows = "exclude"
    names: Names = "alias"
    values: ValuesOrBoth = "label"
    shape: Shape = "wide"
    multi: Multi = "columns"
    language: str | None = None
    metadata: Metadata = "standard"
    tz: str | None = "UTC"
    columns: tuple[str, ...] | None = None
    limit: int | None = None
    without: frozenset[str] = frozenset()  # ids of what ``redact`` took out, never to come back

    def __post_init__(self) -> None:
        object.__setattr__(self, "without", frozenset(self.without))  # a file gives a list
        for name, allowed in (
            ("test_rows", TestRows),
            ("names", Names),
            ("values", ValuesOrBoth),
            ("shape", Shape),
            ("multi", Multi),
            ("metadata", Metadata),
        ):
            check_choice(name, getattr(self, name), get_args(allowed))
        if self.limit is not None and (not isinstance(self.limit, int) or self.limit < 1):
            raise InvalidArgument("limit is a number of rows, 1 or more")
        if self.tz is not None:
            try:
                ZoneInfo(self.tz)
            except (KeyError, ValueError, OSError, TypeError):
                raise InvalidArgument(
                    f"no time zone is called {str(self.tz)[:40]!r}; give an IANA name such as "
                    "'Europe/Berlin', or None for wall-clock time of the region"
                ) from None

    @property
    def rendered(self) -> Values:
        """How values are given; the long shape has labels and codes side by side."""
        return "label" if self.values == "both" or self.shape == "long" else self.values

    def asked(self) -> dict[str, object]:
        """The choices as plain words, for the record."""
        return {
            "test_rows": self.test_rows,
            "names": self.names,
            "values": self.values,
            "shape": self.shape,
            "multi": self.multi,
            "language": self.language,
            "metadata": self.metadata,
            "tz": self.tz,
            "limit": self.limit,
        }


def check_choice(name: str, value: object, allowed: Sequence[str]) -> None:
    """Refuses a value that is none of the allowed ones, with the nearest of them.

    Raises:
        InvalidArgument: It is none of them.
    """
    if value in allowed:
        return
    hint = did_you_mean(str(value), allowed)
    raise InvalidArgument(
        f"{name} is {', '.join(map(repr, allowed))}, not {str(value)[:40]!r}{hint}"
    )
