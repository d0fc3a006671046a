"""The options of a download: filters, the form of the frame, and the source of the responses.

``Client.responses`` lists them for editors and type checkers; other functions pass on this object.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from alchemer_nb.frame.options import FrameOptions, check_choice
from alchemer_nb.survey.filters import parse_conditions

INCOMPLETE = ("raise", "keep")


@dataclass(frozen=True)
class DownloadOptions:
    """All options of a download.

    Attributes:
        frame: How the frame looks.
        where: Condition lines.
        status: One status or several.
        since: The first day or time of submission.
        until: The last one.
        incomplete: What to do with fewer rows than the server announced, ``"raise"`` or ``"keep"``.
        store: Whether to read them from the local store, however old.
        max_age: How old the local store may be; None for any age.
    """

    frame: FrameOptions
    where: str | Iterable[str] | None = None
    status: str | Iterable[str] | None = None
    since: Any = None
    until: Any = None
    incomplete: str = "raise"
    store: bool = False
    max_age: object = None

    def __post_init__(self) -> None:
        check_choice("incomplete", self.incomplete, INCOMPLETE)
        for name in ("where", "status"):  # a generator could be read only once
            value = getattr(self, name)
            if isinstance(value, Iterable) and not isinstance(value, str):
                object.__setattr__(self, name, tuple(value))

    @classmethod
    def of(cls, keywords: Mapping[str, Any]) -> DownloadOptions:
        """Build them from keywords of ``Client.responses``.

        Raises:
            InvalidArgument: A value does not fit.
        """
        rest = dict(keywords)
        frame = {
            each.name: rest.pop(each.name) for each in fields(FrameOptions) if each.name in rest
        }
        return cls(FrameOptions(**frame), **rest)

    def asked(self) -> dict[str, Any]:
        """Return the given filters and frame options, without the values of conditions."""
        texts: dict[str, Any] = {}
        if self.where is not None:
            texts["where"] = [f"{c.field} {c.operator}" for c in parse_conditions(self.where)]
        for name in ("status", "since", "until"):
            value = getattr(self, name)
            if value is not None:
                values = value if isinstance(value, tuple) else (value,)
                texts[name] = value if isinstance(value, str) else [str(each) for each in values]
        return {**texts, **self.frame.asked()}
