"""``account`` and what belongs to it: users, teams, domains, single sign-on, themes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alchemer_nb.sandbox.api.call import Call, Resource, find_row, missing
from alchemer_nb.sandbox.data import filters
from alchemer_nb.sandbox.wire import replies, stamps
from alchemer_nb.sandbox.wire.replies import Refusal

if TYPE_CHECKING:
    from alchemer_nb.sandbox.data.accounts import User

_CREATED = 1420167845  # when the invented account was opened
_FIELDS = {"email": "email", "status": "status"}

ACCOUNT = "10001"
THEME = 68962  # of all surveys


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


def domains(call: Call) -> str:
    """Answer ``GET domain``: an object keyed by id."""
    row = {
        "id": 1,
        "customerID": ACCOUNT,
        "type": "Private",
        "domain": "survey.example.org",
        "redirect": "",
        "eStatus": "Active",
        "created": stamps.format_local(_CREATED, call.settings.zone),
    }
    return replies.keyed_list(call.paging, {"1": row})


def single_sign_ons(call: Call) -> str:
    """Answer ``GET sso``: an object keyed by id."""
    return replies.keyed_list(call.paging, {row["id"]: row for row in _single_sign_ons(call)})


def single_sign_on(call: Call) -> str:
    """Answer ``GET sso/{id}``."""
    return replies.single_object(find_row(call, "sso", _single_sign_ons(call)), call.settings)


def _single_sign_ons(call: Call) -> list[dict[str, Any]]:
    created = stamps.format_local(_CREATED, call.settings.zone)
    return [
        {
            "id": "1",
            "entity_id": "https://login.example.org/entity",
            "login": "https://login.example.org/login",
            "logout": "https://login.example.org/logout",
            "cert_fingerprint": "",
            "customerid": ACCOUNT,
            "created": created,
            "dModified": created,
            "status": "Active",
            "cert_domain": None,
            "user_last_modified": "0",
            "creatusers": "false",
            "userteam": "0",
            "userlicense": "",
            "userrole": "",
            "iUserIDCreated": "1",
            "usersolo": "true",
            "email_notification": "",
            "disable_users": "false",
            "weeks_to_disable": "",
            "type": "Account",
            "attributes": [],
            "name": "Staff log-in",
            "force_sso_login": "false",
            "sp_login": "",
            "sp_metadata": "",
        }
    ]


def themes(call: Call) -> str:
    """Answer ``GET surveytheme``: an object keyed by id."""
    return replies.keyed_list(call.paging, {str(row["id"]): row for row in _themes()})


def theme(call: Call) -> str:
    """Answer ``GET surveytheme/{id}``."""
    return replies.single_object(find_row(call, "surveytheme", _themes()), call.settings)


def _themes() -> list[dict[str, Any]]:
    return [
        {
            "id": THEME,
            "status": "Active",
            "created": None,
            "name": "Outdoor green",
            "style_options": {"header image url": "", "font family": "sans-serif"},
            "Body": "",
            "css": "",
        }
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
    ("domain",): Resource(list=domains),
    ("sso",): Resource(list=single_sign_ons, get=single_sign_on),
    ("surveytheme",): Resource(list=themes, get=theme),
}
