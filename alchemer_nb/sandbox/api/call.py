"""One call of the API, and the methods of one kind of object."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alchemer_nb.sandbox.wire.replies import Paging, Refusal

if TYPE_CHECKING:
    from alchemer_nb.sandbox.data.accounts import User
    from alchemer_nb.sandbox.data.definition import Definition
    from alchemer_nb.sandbox.data.state import State
    from alchemer_nb.sandbox.settings import Settings

Action = Callable[["Call"], str]


@dataclass(slots=True)
class Work:
    """The amount of work of a call, and the faults that change its result.

    Attributes:
        rows: Responses that were read.
        shift: See ``faults.Fault``.
        total: The count of rows that is sent instead of the true one.
    """

    rows: int = 0
    shift: int = 0
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A call whose credentials were accepted.

    Attributes:
        state: The account.
        actor: In whose scope it acts.
        ids: Ids in the path by object name, in the order of the path.
        params: Flat parameters.
        tree: The same, nested.
        work: How much it had to do.
        origin: Scheme, host and port under which the caller knows the sandbox.
    """

    state: State
    actor: User
    ids: dict[str, str]
    params: dict[str, str] = field(repr=False)
    tree: dict[str, Any] = field(repr=False)
    work: Work = field(default_factory=Work)
    origin: str = ""

    @property
    def settings(self) -> Settings:
        """The settings of the sandbox."""
        return self.state.settings

    @property
    def paging(self) -> Paging:
        """The page that was asked for."""
        return Paging.read(self.params)

    def number(self, name: str) -> int:
        """Return the id of an object in the path.

        Raises:
            Refusal: It is no number, so there can be no such object.
        """
        text = self.ids[name]
        if not text.isascii() or not text.isdigit() or len(text) > 18:
            raise missing(name)
        return int(text)

    def survey(self) -> Definition:
        """Return the survey of the path.

        Raises:
            Refusal: There is none.
        """
        found = self.state.library.survey(self.number("survey"))
        if found is None:
            raise missing("survey")
        return found


@dataclass(frozen=True, slots=True)
class Resource:
    """The methods of one kind of object.

    Attributes:
        list: ``GET`` without an id.
        get: ``GET`` with an id.
        create: ``PUT`` without an id.
        update: ``POST`` with an id.
        delete: ``DELETE`` with an id.
    """

    list: Action | None = None
    get: Action | None = None
    create: Action | None = None
    update: Action | None = None
    delete: Action | None = None

    def action(self, verb: str, with_id: bool) -> Action | None:
        """Return the method for a verb; ``PUT`` creates and ``POST`` updates."""
        if verb == "GET":
            return self.get if with_id else self.list
        if with_id:
            return {"POST": self.update, "DELETE": self.delete}.get(verb)
        return self.create if verb == "PUT" else None


def find_row(call: Call, name: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the row of a short list that the path names by its id.

    Raises:
        Refusal: There is none.
    """
    for row in rows:
        if str(row["id"]) == call.ids[name]:
            return row
    raise missing(name)


def missing(name: str) -> Refusal:
    """Build the refusal of an id that does not exist (invented: the words)."""
    return Refusal(404, f"No such {name}")
