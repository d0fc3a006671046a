"""The invented users of the sandbox, and the contents of a new account."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from alchemer_nb.sandbox.data.library import SurveyRecord
    from alchemer_nb.sandbox.data.state import State


@dataclass(frozen=True, slots=True)
class Person:
    """A person who can log in to a sandbox. The passwords are invented and no secret."""

    username: str
    password: str
    email: str
    admin: bool
    has_key: bool
    status: str = "Active"


PEOPLE = (
    Person("ada", "ada-sandbox", "ada@example.org", admin=True, has_key=True),
    Person("ben", "ben-sandbox", "ben@example.org", admin=False, has_key=True),
    Person("cleo", "cleo-sandbox", "cleo@example.org", admin=False, has_key=False),
    Person(
        "dora", "dora-sandbox", "dora@example.org", admin=False, has_key=True, status="Disabled"
    ),
)
APPLICATION = "Notebook toolkit"


def fill_account(
    state: State, organisation: str, teams: Mapping[str, str], surveys: Iterable[SurveyRecord]
) -> None:
    """Fill a new account: people, keys, one registered application, surveys."""
    state.write("organisation", organisation)
    state.write("teams", json.dumps(dict(teams)))
    for person in PEOPLE:
        user = state.accounts.add(
            person.username, person.email, person.password, admin=person.admin, status=person.status
        )
        if person.has_key:
            state.accounts.make_key(user.id)
        if user.id == 1:
            state.grants.register(APPLICATION, "Reads survey data into notebooks", user.id)
    for one in surveys:
        state.library.add(one.survey, one.responses)
