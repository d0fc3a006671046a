"""Messages for a download or a sync that was interrupted: why, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alchemer_nb.errors import AuthenticationError, PermissionDenied

if TYPE_CHECKING:
    from alchemer_nb.errors import AlchemerError
    from alchemer_nb.http.credentials import Credentials

RUN_SYNC_AGAIN = "run it again: it goes on with what came, which is kept"  # of a sync


def describe_interruption(error: AlchemerError, credentials: Credentials | None) -> tuple[str, str]:
    """Return why it was interrupted, and what to do before it can be resumed.

    Refused credentials were accepted before, so the region is right: they were replaced or revoked.

    Args:
        error: The error that ended it.
        credentials: Those that signed its calls.

    Returns:
        A clause that follows "had come when", and an instruction, ``""`` for none.
    """
    if isinstance(error, AuthenticationError):
        return _describe_refusal(credentials)
    if isinstance(error, PermissionDenied):
        return (
            f"the right to read them was refused ({error.method} {error.path})",
            "have an administrator of the account give your user that right again",
        )
    return error.sentence or type(error).__name__, ""


def build_hint(needs: str, again: str, take: str = "") -> str:
    """Return the hint of the error.

    Args:
        needs: What has to be done first, ``""`` for nothing.
        again: How to resume or restart.
        take: An expression that has the rows so far.
    """
    text = f"{needs}, then {again}" if needs else again
    text = text[:1].upper() + text[1:]
    return f"{text}; or take the rows so far: {take}" if take else text


def build_resume_hint(needs: str, error: AlchemerError | None) -> str:
    """Return the hint of a download in Python that can be resumed.

    Args:
        needs: What has to be done first, ``""`` for nothing.
        error: The error that ended it.
    """
    renew = "create `client` again and " if isinstance(error, AuthenticationError) else ""
    # An error of a later cell, as of the new sign-in, replaces ``sys.last_value``.
    return (
        "First keep the responses at hand: import sys; part = sys.last_value. Then "
        f"{f'{needs}, ' if needs else ''}{renew}run: df = part.resume(client). Or take only the "
        "rows so far: df = part.partial"
    )


def _describe_refusal(credentials: Credentials | None) -> tuple[str, str]:
    if credentials is None or credentials.mode == "api_key":
        return (
            "the API key was refused: it was probably regenerated or removed",
            "sign in with the new key",
        )
    if getattr(credentials, "three_legged", False):
        return (
            "the access was refused: it was probably withdrawn",
            "get a new sign-in link and allow the access again",
        )
    return (
        "the consumer pair was refused: it was probably changed or removed",
        "sign in with the new consumer pair",
    )
