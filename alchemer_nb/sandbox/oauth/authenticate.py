"""Find the user of a call: by an API key pair, or by an OAuth signature with or without a token."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from alchemer_nb.sandbox.oauth.provider import INVALID_LOGIN, Provider, SignedRequest
from alchemer_nb.sandbox.wire.replies import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alchemer_nb.sandbox.data.accounts import User
    from alchemer_nb.sandbox.data.state import State

_TOKEN = re.compile(r'\boauth_token="?[^",\s]')
WRONG_PAIR = "Invalid api_token or api_token_secret supplied"


def credentials_mode(params: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """Return ``"api_key"``, ``"oauth_2"`` (legs), ``"oauth_3"`` or ``"none"``."""
    header = headers.get("Authorization", "")
    if header.lower().startswith("oauth "):
        return "oauth_3" if _TOKEN.search(header) else "oauth_2"
    if params.get("oauth_consumer_key"):
        return "oauth_3" if params.get("oauth_token") else "oauth_2"
    if "api_token" in params or "api_token_secret" in params:
        return "api_key"
    return "none"


def find_caller(
    state: State, provider: Provider, params: Mapping[str, str], signed: SignedRequest
) -> User:
    """Return the user in whose scope a call acts.

    Raises:
        Refusal: There is no such user, or the user may not call.
    """
    kind = credentials_mode(params, signed.headers)
    if kind == "none":  # invented: the words; the code is in a client's tests
        raise Refusal(401, INVALID_LOGIN)
    if kind == "api_key":
        found = state.accounts.holder(
            params.get("api_token", ""), params.get("api_token_secret", "")
        )
        if found is None:
            raise Refusal(401, WRONG_PAIR)
        user, replaced = found
        if replaced:
            raise Refusal(401, INVALID_LOGIN)
    else:
        user = state.accounts.user(provider.caller(signed, with_token=kind == "oauth_3"))
    if not user.active:  # invented: no source documents what a disabled user's key gives
        raise Refusal(401, INVALID_LOGIN)
    return user
