"""The people of the customer list, as contacts: with invented names and addresses."""

from __future__ import annotations

from typing import Any

from alchemer_nb.sandbox.demo.crm import crm_rows
from alchemer_nb.sandbox.demo.phrases import FAMILY_NAMES, GIVEN_NAMES
from alchemer_nb.sandbox.demo.visits import FIRST_CONTACT

#: Fields of contacts that the account has added, by id.
CUSTOM_FIELDS = {"1": ("Segment", "Text"), "2": ("Customer since", "Date/Time")}

_EMPTY = (
    "organization", "division", "department", "role", "team", "home_phone", "fax_phone",
    "mailing_address", "mailing_address2", "mailing_address_city", "mailing_address_state",
    "mailing_address_postal", "mailing_address_country", "title", "url",
)  # fmt: skip


def contacts(responses: int) -> list[dict[str, Any]]:
    """Return the contacts of a demo of so many responses, in the order of the API's fields.

    The ids are those in the responses, and the segment that of the customer list.
    """
    return [_contact(row) for row in crm_rows(responses)]


def _contact(row: dict[str, str]) -> dict[str, Any]:
    number = int(row["contact_id"]) - FIRST_CONTACT
    return {
        "id": int(row["contact_id"]),
        "email_address": f"customer{number + 1}@example.org",
        "status": "Inactive" if number % 40 == 39 else "Active",
        "first_name": GIVEN_NAMES[number % len(GIVEN_NAMES)],
        "last_name": FAMILY_NAMES[number * 7 % len(FAMILY_NAMES)],
        **dict.fromkeys(_EMPTY, ""),
        "group": row["segment"],
        "is_manager": "False",
        "business_phone": f"555-01{number % 100:02d}",
        "customer_since": row["customer_since"],
    }
