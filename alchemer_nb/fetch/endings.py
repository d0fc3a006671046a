"""What is said of a download or a sync that ended on its way, and of what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alchemer_nb.errors import AuthenticationError, PermissionDenied, with_capital

if TYPE_CHECKING:
    from alchemer_nb.errors import AlchemerError
    from alchemer_nb.http.credentials import Credentials

GOES_ON = "run it again: it goes on with what came, which is kept"  # of a sync


def reason(error: AlchemerError, credentials: Credentials | None) -> tuple[str, str]:
    """Tells why it ended, and what has to be done before it can go on.

    Credentials that had worked until then are not those of another region: they were replaced, or
    taken back.

    Args:
        error: What ended it.
        credentials: How its calls were signed.

    Returns:
        Words that go on after "had come when", and an order, ``""`` where nothing has to be done.
    """
    if isinstance(error, AuthenticationError):
        return _refused(credentials)
    if isinstance(error, PermissionDenied):
        return (
            f"the right to read them was refused ({error.method} {error.path})",
            "have an administrator of the account give your user that right again",
        )
    return error.sentence or type(error).__name__, ""


def advice(needs: str, again: str, take: str = "") -> str:
    """Puts what to do next into words.

    Args:
        needs: What has to be done first, ``""`` for nothing.
        again: How to go on or begin again.
        take: How to have the rows so far.
    """
    text = with_capital(f"{needs}, then {again}" if needs else again)
    return f"{text}; or take the rows so far: {take}" if take else text


def _refused(credentials: Credentials | None) -> tuple[str, str]:
    if credentials is None or credentials.mode == "api_key":
        return (
            "the API key was refused: it was probably regenerated or removed",
            "sign in with the new key",
        )
    if getattr(credentials, "three_legged", False):
        return (
            "the access was refused: it was probably taken back",
            "get a new sign-in link and allow the access again",
        )
    return (
        "the consumer pair was refused: it was probably changed or removed",
        "sign in with the new consumer pair",
    )
