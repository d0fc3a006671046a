"""The checks that oauthlib's provider side makes of one request, against the sandbox's state.

oauthlib calls these methods, with all arguments by its own names:
https://oauthlib.readthedocs.io/en/latest/oauth1/validator.html
"""

# The methods are oauthlib's, which documents them; not every answer needs every argument.
# ruff: noqa: ARG002, D102

from __future__ import annotations

import time
from hmac import compare_digest
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, RequestValidator

from alchemer_nb.sandbox.data.grants import TIMESTAMP_LIFETIME, Grants

if TYPE_CHECKING:
    from oauthlib.common import Request

    from alchemer_nb.sandbox.data.state import State


class OAuthValidator(RequestValidator):
    """The validator of one request; a new one for each, so that it can say why it refused."""

    allowed_signature_methods = (SIGNATURE_HMAC_SHA1,)
    enforce_ssl = False  # loopback only
    client_key_length = (20, 60)
    request_token_length = (20, 60)
    access_token_length = (20, 60)
    verifier_length = (1, 60)
    timestamp_lifetime = TIMESTAMP_LIFETIME
    # oauthlib goes on with these after an unknown key, against timing attacks.
    dummy_client = "0" * 41
    dummy_request_token = "0" * 41
    dummy_access_token = "0" * 41

    def __init__(self, state: State) -> None:
        super().__init__()
        self._grants: Grants = state.grants
        self._oob = state.settings.oob
        self._reason: str | None = None
        self.last: Request | None = None

    def explain_refusal(self, request: Request | None, messages: dict[str, str]) -> str:
        """Say why a request was refused."""
        if self._reason:
            return self._reason
        if request is None:
            return "OAuth refused: the parameters are incomplete or doubled"
        for part in ("client", "resource_owner", "verifier", "callback", "signature"):
            if request.validator_log.get(part) is False:
                return messages[part]
        if request.signature_method not in (None, SIGNATURE_HMAC_SHA1):
            return "OAuth refused: the signature method must be HMAC-SHA1"
        if _is_too_old(request.timestamp):
            return "OAuth refused: the timestamp is too far from now"
        return "OAuth refused: the parameters are incomplete or malformed"

    def check_nonce(self, nonce: str) -> bool:
        # Other clients send nonces of all lengths, and with dashes in them.
        return 1 <= len(nonce) <= 128

    def validate_timestamp_and_nonce(
        self,
        client_key: str,
        timestamp: str,
        nonce: str,
        request: Request,
        request_token: str | None = None,
        access_token: str | None = None,
    ) -> bool:
        token = request_token or access_token or ""
        if self._grants.use_nonce(client_key, token, int(timestamp), nonce):
            return True
        self._reason = "OAuth refused: this nonce was used before"
        return False

    def validate_client_key(self, client_key: str, request: Request) -> bool:
        return self._grants.application(client_key) is not None

    def get_client_secret(self, client_key: str, request: Request) -> str:
        found = self._grants.application(client_key)
        return found.consumer_secret if found else "0" * 32

    def validate_redirect_uri(self, client_key: str, redirect_uri: str, request: Request) -> bool:
        if redirect_uri == "oob":
            if not self._oob:
                self._reason = "OAuth refused: oob callbacks are switched off"
            return self._oob
        parts = urlsplit(redirect_uri)  # invented: which callbacks are allowed
        return parts.scheme in ("http", "https") and bool(parts.netloc)

    def validate_requested_realms(
        self, client_key: str, realms: list[str], request: Request
    ) -> bool:
        return True

    def validate_realms(
        self,
        client_key: str,
        token: str,
        request: Request,
        uri: str | None = None,
        realms: list[str] | None = None,
    ) -> bool:
        return True

    def get_default_realms(self, client_key: str, request: Request) -> list[str]:
        return []

    def get_realms(self, token: str, request: Request) -> list[str]:
        return []

    def save_request_token(self, token: dict[str, str], request: Request) -> None:  # type: ignore[override]  # the published types say str; it is a dict
        self._grants.begin(
            token["oauth_token"],
            token["oauth_token_secret"],
            str(request.client_key),
            str(request.redirect_uri),
        )

    def validate_request_token(self, client_key: str, token: str, request: Request) -> bool:
        found = self._grants.request_token(token)
        return found is not None and found.consumer_key == client_key and found.state != "denied"

    def get_request_token_secret(self, client_key: str, token: str, request: Request) -> str:
        found = self._grants.request_token(token)
        return found.secret if found else "0" * 32

    def validate_verifier(
        self, client_key: str, token: str, verifier: str, request: Request
    ) -> bool:
        found = self._grants.request_token(token)
        if found is None or found.verifier is None:
            return False
        return compare_digest(found.verifier.encode(), verifier.encode())

    def invalidate_request_token(
        self, client_key: str, request_token: str, request: Request
    ) -> None:
        self._grants.forget(request_token)

    def save_access_token(self, token: dict[str, str], request: Request) -> None:  # type: ignore[override]  # the published types say str; it is a dict
        begun = self._grants.request_token(str(request.resource_owner_key))
        if begun is None or begun.user_id is None:
            raise LookupError("an access token was asked for without a consent")
        self._grants.grant(
            token["oauth_token"],
            token["oauth_token_secret"],
            str(request.client_key),
            begun.user_id,
        )

    def validate_access_token(self, client_key: str, token: str, request: Request) -> bool:
        return self._grants.access(client_key, token) is not None

    def get_access_token_secret(self, client_key: str, token: str, request: Request) -> str:
        found = self._grants.access(client_key, token)
        return found[0] if found else "0" * 32


def _is_too_old(timestamp: str | None) -> bool:
    try:
        return abs(time.time() - int(timestamp or "")) > TIMESTAMP_LIFETIME
    except ValueError:
        return False
