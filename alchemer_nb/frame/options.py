"""Options of a frame: how its columns and values are named, which rows it has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, get_args

from alchemer_nb.errors import InvalidArgument
from alchemer_nb.survey.question_types import Names
from alchemer_nb.wire.stamps import find_zone
from alchemer_nb.wire.text import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

TestRows = Literal["exclude", "include", "only"]
Shape = Literal["wide", "long"]
Multi = Literal["columns", "list"]
Values = Literal["label", "code", "id"]
ValuesOrBoth = Literal["label", "code", "id", "both"]
Metadata = Literal["standard", "all", "none"]

#: The words that an option takes, for those options that take one of some words.
CHOICES: dict[str, tuple[str, ...]] = {
    "test_rows": get_args(TestRows),
    "names": get_args(Names),
    "values": get_args(ValuesOrBoth),
    "shape": get_args(Shape),
    "multi": get_args(Multi),
    "metadata": get_args(Metadata),
}


@dataclass(frozen=True, slots=True)
class FrameOptions:
    """Options of a frame; each can be changed without another download."""

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
    day_first: bool = False

    def __post_init__(self) -> None:
        columns: Any = self.columns  # any iterable of names, or one name
        if columns is not None:
            names = (columns,) if isinstance(columns, str) else columns
            if not isinstance(names, Iterable):
                raise InvalidArgument(f"columns is a list of names, not {str(columns)[:40]!r}")
            object.__setattr__(self, "columns", tuple(map(str, names)))
        for name, allowed in CHOICES.items():
            check_choice(name, getattr(self, name), allowed)
        if self.limit is not None and (not isinstance(self.limit, int) or self.limit < 1):
            raise InvalidArgument("limit is a number of responses, 1 or more")
        if not isinstance(self.day_first, bool):
            raise InvalidArgument("day_first is True or False")
        if self.tz is not None and find_zone(self.tz) is None:
            raise InvalidArgument(
                f"no time zone is called {str(self.tz)[:40]!r}; give an IANA name such as "
                "'Europe/Berlin', or None for wall-clock time of the region"
            )

    @property
    def rendered(self) -> Values:
        """The form of values; the long shape has a column of labels and one of codes."""
        return "label" if self.values == "both" or self.shape == "long" else self.values

    def asked(self) -> dict[str, object]:
        """Return the options to store with the frame, without its choice of columns."""
        names = [each.name for each in fields(self) if each.name != "columns"]
        return {name: getattr(self, name) for name in names}


def check_choice(name: str, value: object, allowed: Sequence[str]) -> None:
    """Check that a value is one of the allowed ones.

    Raises:
        InvalidArgument: It is not; the message names the allowed value that is most like it.
    """
    if value in allowed:
        return
    hint = did_you_mean(str(value), allowed)
    raise InvalidArgument(
        f"{name} is {', '.join(map(repr, allowed))}, not {str(value)[:40]!r}{hint}"
    )
