"""The options of a download: filters, the form of the frame, and the source of the responses.

``Client.responses`` lists them for editors and type checkers; other functions pass on this object.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from alchemer_nb.frame.options import FrameOptions, check_choice
from alchemer_nb.survey.filters import parse_conditions

INCOMPLETE = ("raise", "keep")


@dataclass(frozen=True)
class ResponseQuery:
    """The filters of a download: which responses.

    Attributes:
        where: Condition lines.
        status: One status or several.
        since: The first day or time of submission.
        until: The last one.
    """

    where: str | Iterable[str] | None = None
    status: str | Iterable[str] | None = None
    since: Any = None
    until: Any = None

    def __post_init__(self) -> None:
        for name in ("where", "status"):  # a generator could be read only once
            value = getattr(self, name)
            if isinstance(value, Iterable) and not isinstance(value, str):
                object.__setattr__(self, name, tuple(value))

    def asked(self) -> dict[str, str | list[str]]:
        """Return the given filters as texts, without the values of conditions."""
        texts: dict[str, str | list[str]] = {}
        if self.where is not None:
            texts["where"] = [f"{c.field} {c.operator}" for c in parse_conditions(self.where)]
        for name, value in asdict(self).items():
            if value is not None and name != "where":
                values = value if isinstance(value, tuple) else (value,)
                texts[name] = value if isinstance(value, str) else [str(each) for each in values]
        return texts


@dataclass(frozen=True)
class DownloadOptions:
    """All options of a download.

    Attributes:
        query: Which responses.
        frame: How the frame looks.
        incomplete: What to do with fewer rows than the server announced, ``"raise"`` or ``"keep"``.
        store: Whether to read them from the local store, however old.
        max_age: How old the local store may be; None for any age.
    """

    query: ResponseQuery
    frame: FrameOptions
    incomplete: str = "raise"
    store: bool = False
    max_age: object = None

    def __post_init__(self) -> None:
        check_choice("incomplete", self.incomplete, INCOMPLETE)

    @classmethod
    def of(cls, keywords: Mapping[str, Any]) -> DownloadOptions:
        """Build them from keywords of ``Client.responses``.

        Raises:
            InvalidArgument: A value does not fit.
        """
        rest = dict(keywords)
        query, frame = (
            {each.name: rest.pop(each.name) for each in fields(half) if each.name in rest}
            for half in (ResponseQuery, FrameOptions)
        )
        return cls(ResponseQuery(**query), FrameOptions(**frame), **rest)

    def asked(self) -> dict[str, Any]:
        """Return the given filters and frame options, for the description of the frame."""
        return {**self.query.asked(), **self.frame.asked()}
