"""``surveycampaign``, the messages of an e-mail campaign, and the contacts that it invited.

invented: which campaigns a survey has (the links of its responses, or one default link), that all
contacts were invited, and the words of the messages.
"""

from __future__ import annotations

from typing import Any

from alchemer_nb.sandbox.api.call import Call, Resource, find_row
from alchemer_nb.sandbox.data import filters
from alchemer_nb.sandbox.demo.contacts import contacts
from alchemer_nb.sandbox.wire import replies, stamps

_FIELDS = {
    name: name for name in ("id", "link_type", "name", "status", "date_created", "date_modified")
} | {"ssl": "SSL"}
_MESSAGES = (("message", "How was your last visit?"), ("reminder", "A short reminder"))
_SENT_STATUS = {"Complete": "Complete", "Disqualified": "Complete", "Partial": "Partial"}


def campaigns(call: Call) -> str:
    """Answer ``GET survey/{id}/surveycampaign``: a default link, and those in responses."""
    conditions = filters.read_conditions(call.params)
    matches = [row for row in _campaigns(call) if filters.fulfils(row, conditions, _FIELDS)]
    return replies.cut_page(call.paging, matches, text_count=True)


def campaign(call: Call) -> str:
    """Answer ``GET survey/{id}/surveycampaign/{id}``."""
    return replies.single_object(_campaign(call), call.settings)


def _campaign(call: Call) -> dict[str, Any]:
    return find_row(call, "surveycampaign", _campaigns(call))


def _campaigns(call: Call) -> list[dict[str, Any]]:
    one = call.survey()
    # A survey without responses has a link, too; its id is one that nothing else has.
    links = call.state.library.link_ids(one.id) or [str(one.id + 300000)]
    names = ["Default Link", *(f"Link {n}" for n in range(2, len(links) + 1))]
    rows = [_describe(call, *both, "link") for both in zip(links, names, strict=True)]
    invited = one.record.get("email_campaign")
    if invited:
        rows.append(_describe(call, str(invited), "Invitation by e-mail", "email"))
    return rows


def _describe(call: Call, number: str, name: str, kind: str) -> dict[str, Any]:
    one = call.survey()
    created = stamps.format_local(one.record["created"], call.settings.zone)
    return {
        "id": number,
        "invite_id": None,
        "type": "SurveyCampaign",
        "link_type": kind,
        "subtype": "standard",
        "status": "Active",
        "name": name,
        "uri": one.link(call.settings.domain),
        "SSL": "True",
        "primary_theme_options": None,
        "primary_theme_content": None,
        "token_variables": None,
        "limit_responses": None,
        "close_message": None,
        "link_open_date": None,
        "link_close_date": None,
        "language": "Auto",
        "date_created": created,
        "date_modified": created,
    }


def messages(call: Call) -> str:
    """Answer ``GET …/emailmessage``: all in one page."""
    return replies.single_page(_messages(call))


def message(call: Call) -> str:
    """Answer ``GET …/emailmessage/{id}``."""
    return replies.single_object(find_row(call, "emailmessage", _messages(call)), call.settings)


def _messages(call: Call) -> list[dict[str, Any]]:
    campaign = _campaign(call)
    if campaign["link_type"] != "email":
        return []
    return [
        {
            "id": number,
            "subtype": kind,
            "message_type": "html",
            "medium": "Email",
            "invite_identity": 0,
            "status": "Sent",
            "from": {"email": "survey@example.org", "name": call.state.read("organisation")},
            "subject": subject,
            "body": {"text": f'{subject} [invite("survey link")]', "html": f"<p>{subject}</p>"},
            "footer": "",
            "date_created": campaign["date_created"],
            "date_modified": campaign["date_modified"],
        }
        for number, (kind, subject) in enumerate(_MESSAGES, 1)
    ]


def invited(call: Call) -> str:
    """Answer ``GET …/surveycontact``."""
    return replies.cut_page(call.paging, _invited(call), text_count=False)


def one_invited(call: Call) -> str:
    """Answer ``GET …/surveycontact/{id}``, with the link of the invitation."""
    row = find_row(call, "surveycontact", _invited(call))
    link = f"https://{call.survey().link(call.settings.domain)}?snc={row['id']}"
    return replies.single_object({**row, "invitelink": link}, call.settings)


def _invited(call: Call) -> list[dict[str, Any]]:
    campaign = _campaign(call)
    if campaign["link_type"] != "email":
        return []
    answered = call.state.library.contact_statuses(call.survey().id)
    return [
        {
            **{name: value for name, value in one.items() if name != "customer_since"},
            "mobilephone": "",
            "customfield1": one["group"],
            "customfield2": one["customer_since"],
            **{f"customfield{number}": "" for number in range(3, 11)},
            "subscriber_status": _SENT_STATUS.get(answered.get(str(one["id"]), ""), "Sent"),
            "date_last_sent": campaign["date_created"],
        }
        for one in contacts(call.settings.responses)
    ]


RESOURCES: dict[tuple[str, ...], Resource] = {
    ("survey", "surveycampaign"): Resource(list=campaigns, get=campaign),
    ("survey", "surveycampaign", "emailmessage"): Resource(list=messages, get=message),
    ("survey", "surveycampaign", "surveycontact"): Resource(list=invited, get=one_invited),
}
