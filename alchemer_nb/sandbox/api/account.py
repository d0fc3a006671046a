"""``account`` and ``accountuser``: the owner of the account, and its users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alchemer_nb.sandbox.api.call import Call, Resource, missing
from alchemer_nb.sandbox.data import filters
from alchemer_nb.sandbox.wire import replies, stamps
from alchemer_nb.sandbox.wire.replies import Refusal

if TYPE_CHECKING:
    from alchemer_nb.sandbox.data.accounts import User

_CREATED = 1420167845  # when the invented account was opened
_FIELDS = {"email": "email", "status": "status"}

ACCOUNT = "10001"


def account(call: Call) -> str:
    """Answer ``GET account``: a single object although it has no id."""
    data: dict[str, Any] = {
        "id": int(ACCOUNT),
        "organization": call.state.read("organisation"),
        "contact_phone": "555-0100",
        "reseller": False,
        "resellers_customer_id": "",
        "reseller_uuid": "",
        "sso": [],
        "date_created": stamps.format_local(_CREATED, call.settings.zone),
        "login_link": f"https://app.{call.settings.domain}/login",
    }
    return replies.single_object(data, call.settings)


def users(call: Call) -> str:
    """Answer ``GET accountuser``: for administrators, with filters on email and status."""
    _administrators_only(call)
    conditions = [
        condition
        for condition in filters.read_conditions(call.params)
        if (condition.field, condition.value.lower()) != ("status", "all")
    ]
    rows = [_user(call, one) for one in call.state.accounts.users()]
    matches = [row for row in rows if filters.fulfils(row, conditions, _FIELDS)]
    return replies.cut_page(call.paging, matches, text_count=False)


def user(call: Call) -> str:
    """Answer ``GET accountuser/{id}``: for administrators."""
    _administrators_only(call)
    try:
        found = call.state.accounts.user(call.number("accountuser"))
    except KeyError:
        raise missing("accountuser") from None
    return replies.single_object(_user(call, found), call.settings)


def teams(call: Call) -> str:
    """Answer ``GET accountteams``."""
    return replies.cut_page(call.paging, _teams(call), text_count=False)


def team(call: Call) -> str:
    """Answer ``GET accountteams/{id}``."""
    for one in _teams(call):
        if one["id"] == call.number("accountteams"):
            return replies.single_object(one, call.settings)
    raise missing("accountteams")


def _teams(call: Call) -> list[dict[str, Any]]:
    return [
        {
            "id": int(number),
            "team_name": name,
            "description": "",
            "default_role": "",
            "status": "Active",
        }
        for number, name in call.state.teams.items()
    ]


def _administrators_only(call: Call) -> None:
    if not call.actor.admin:
        raise Refusal(401, "Not Authorized")


def _user(call: Call, one: User) -> dict[str, Any]:
    seen = one.last_login
    return {
        "id": str(one.id),
        "username": one.name,
        "email": one.email,
        "admin": int(one.admin),
        "phone_support": 0,
        "userdata": [],
        "license": "",
        "defaultteam": False,
        "status": one.status,
        "last_login": None if seen is None else stamps.format_local(seen, call.settings.zone),
        # Keys are null on the wire whoever asks (vendor's page accountuser-list).
        "api_key": None,
        "api_secret": None,
    }


RESOURCES: dict[tuple[str, ...], Resource] = {
    ("account",): Resource(list=account),
    ("accountuser",): Resource(list=users, get=user),
    ("accountteams",): Resource(list=teams, get=team),
}
