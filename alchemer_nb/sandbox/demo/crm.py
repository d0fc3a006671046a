"""The customer list of the demo: what a shop knows about its contacts apart from the survey."""

from __future__ import annotations

from datetime import date, timedelta

from alchemer_nb.sandbox.demo.visits import FIRST_CONTACT

#: Segment -> how far its members' mood lies from the mean.
SEGMENTS = {"Club": 0.45, "Regular": 0.0, "Occasional": -0.35}

_FIRST_DAY = date(2015, 1, 1)
_DAYS = 3500  # to August 2024, before the first answer of all


def contact_count(responses: int) -> int:
    """Return how many contacts answered a customer survey of so many responses: half."""
    return responses // 2


def segment_of(contact: int) -> str:
    """Return the segment of a contact by its place in the list; the seed plays no part."""
    share = _hash_number(contact) % 100
    if share < 25:
        return "Club"
    return "Regular" if share < 70 else "Occasional"


def crm_rows(responses: int = 500) -> list[dict[str, str]]:
    """Return the customer list that belongs to a demo of so many responses.

    It covers every contact id of the customer survey, for every seed, and a tenth more of people
    who never answered.

    Args:
        responses: The number of responses that the demo was built with.

    Returns:
        Rows with `contact_id`, `segment` and `customer_since` (an ISO date).
    """
    count = contact_count(responses)
    return [
        {
            "contact_id": str(FIRST_CONTACT + contact),
            "segment": segment_of(contact),
            "customer_since": str(_FIRST_DAY + timedelta(days=_hash_number(contact + 7) % _DAYS)),
        }
        for contact in range(count + count // 10)
    ]


def _hash_number(number: int) -> int:
    # A multiplicative hash: neighbours get unlike values, and always the same ones.
    return (number + 1) * 2_654_435_761 % 2**32 >> 7
