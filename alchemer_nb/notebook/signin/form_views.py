"""What the sign-in form asks for at each step: labels and texts, no values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alchemer_nb.auth import profiles
from alchemer_nb.notebook.signin.steps import CONSUMER, CONSUMER_SECRET, PASTED, TOKEN, TOKEN_SECRET

if TYPE_CHECKING:
    from alchemer_nb.http.regions import Region
    from alchemer_nb.notebook.signin.secret_form import Action, Field, Option, View

REMEMBER, TWO_LEGGED = "remember", "two_legged"
NEW_LINK, START_AGAIN, USE_FOUND, BACK = "new_link", "start_again", "use_found", "back"
REGION_HINT = "Your region is in the address bar when you are logged in."
_BINDER = (
    "This notebook runs on Binder, which is someone else's machine: use a key that you can "
    "replace afterwards, or the demo (%alchemer demo). Nothing is remembered here."
)


def view(
    mode: str,
    *,
    waiting: bool,
    region: Region,
    found: str,
    adding: bool,
    notice: str,
    notice_next: str,
    failed: bool,
) -> View:
    """Declares the form for one step.

    Args:
        mode: ``"api_key"`` or ``"oauth1"``.
        waiting: Whether the log-in page has been offered, so that its answer can be pasted.
        region: The region that is chosen.
        found: Where credentials were found that one click would use, or an empty text.
        adding: Whether somebody is signed in and this adds another account.
        notice: A line to show above.
        notice_next: What to do about it.
        failed: Whether that line tells what went wrong.
    """
    texts = [notice] if notice else []
    if profiles.on_binder():
        texts.append(_BINDER)
    step = _key() if mode == "api_key" else _paste(region) if waiting else _consumer(region)
    actions: list[Action] = list(step.get("actions", []))
    if found and not waiting:
        use = f"Use the credentials from {found}"
        actions.append({"name": USE_FOUND, "label": f"{use} again" if failed else use})
    if adding:
        actions.append({"name": BACK, "label": "Back"})
    options = [*step.get("options", []), *_remember()]
    above: View = {"notice": "\n".join(texts), "notice_next": notice_next, "failed": failed}
    return {**step, **above, "actions": actions, "options": options}


def _key() -> View:
    fields: list[Field] = [
        {
            "name": TOKEN,
            "label": "API key",
            "kind": "password",
            "placeholder": "key, or key and secret key together",
        },
        {"name": TOKEN_SECRET, "label": "API secret key", "kind": "password"},
    ]
    return {
        "fields": fields,
        "button": "Sign in",
        "busy": "Signing in …",
    }


def _consumer(region: Region) -> View:
    fields: list[Field] = [
        {"name": CONSUMER, "label": "Consumer key", "kind": "password"},
        {"name": CONSUMER_SECRET, "label": "Consumer secret", "kind": "password"},
    ]
    options: list[Option] = [
        {
            "name": TWO_LEGGED,
            "label": "Sign in as the application itself",
            "help": "No log-in page: calls are made for the user who registered it.",
            "button": "Sign in",
        }
    ]
    return {
        "fields": fields,
        "options": options,
        "button": "Get sign-in link",
        "busy": f"Asking {region.host} …",
    }


def _paste(region: Region) -> View:
    fields: list[Field] = [
        {
            "name": PASTED,
            "label": "Address or code",
            "kind": "text",
            "placeholder": "paste it here",
        }
    ]
    return {
        "fields": fields,
        "actions": [
            {"name": NEW_LINK, "label": "Get a new link"},
            {"name": START_AGAIN, "label": "Start again"},
        ],
        "wants_link": True,
        "link_label": "Open the log-in page",
        "intro": "Log in, allow, then copy the address of the page you land on, even if it does "
        "not load. Paste it below; a code that the page shows will do, too.",
        "button": "Finish",
        "busy": f"Asking {region.host} …",
    }


def _remember() -> list[Option]:
    if profiles.on_binder():
        return []
    return [
        {
            "name": REMEMBER,
            "label": "Remember on this computer",
            "help": f"Kept {profiles.place()}.",
        }
    ]
