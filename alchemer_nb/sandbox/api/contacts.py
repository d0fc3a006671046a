"""``contactlist``, its contacts, and the fields that an account adds to contacts.

No source shows how a contact of a list has the values of those fields: here it has none.
"""

from __future__ import annotations

from typing import Any

from alchemer_nb.sandbox.api.call import Call, Resource, find_row
from alchemer_nb.sandbox.demo.contacts import CUSTOM_FIELDS, contacts
from alchemer_nb.sandbox.wire import records, replies, stamps

_CREATED = 1420167845  # as the account
_LISTS = {31: ("Customers", None), 32: ("Club members", "Club")}  # name, segment


def contact_lists(call: Call) -> str:
    """Answer ``GET contactlist``: ``page`` and ``results_per_page`` but no totals."""
    return _page_without_totals(call, _lists(call))


def contact_list(call: Call) -> str:
    """Answer ``GET contactlist/{id}``."""
    return replies.single_object(find_row(call, "contactlist", _lists(call)), call.settings)


def _lists(call: Call) -> list[dict[str, Any]]:
    created = stamps.format_local(_CREATED, call.settings.zone)
    return [
        {
            "id": number,
            "list_name": name,
            "date_modified": created,
            "date_created": created,
            "user_id_created": 1,
            "user_id_modified": 0,
        }
        for number, (name, _) in _LISTS.items()
    ]


def members(call: Call) -> str:
    """Answer ``GET contactlist/{id}/contactlistcontact``: without totals, too."""
    return _page_without_totals(call, _members(call))


def member(call: Call) -> str:
    """Answer ``GET contactlist/{id}/contactlistcontact/{id}``."""
    found = find_row(call, "contactlistcontact", _members(call))
    return replies.single_object(found, call.settings)


def _members(call: Call) -> list[dict[str, Any]]:
    segment = _LISTS[find_row(call, "contactlist", _lists(call))["id"]][1]
    return [
        {name: value for name, value in one.items() if name != "customer_since"}
        for one in contacts(call.settings.responses)
        if segment in (None, one["group"])
    ]


def custom_fields(call: Call) -> str:
    """Answer ``GET contactcustomfield``: an object keyed by id."""
    fields = {
        own: {"id": own, "name": name, "type": kind} for own, (name, kind) in CUSTOM_FIELDS.items()
    }
    return replies.keyed_list(call.paging, fields)


def _page_without_totals(call: Call, rows: list[dict[str, Any]]) -> str:
    paging = call.paging
    return records.encode(
        {
            "result_ok": True,
            "page": paging.page,
            "results_per_page": paging.size,
            "data": paging.cut(rows),
        }
    )


RESOURCES: dict[tuple[str, ...], Resource] = {
    ("contactlist",): Resource(list=contact_lists, get=contact_list),
    ("contactlist", "contactlistcontact"): Resource(list=members, get=member),
    ("contactcustomfield",): Resource(list=custom_fields),
}
