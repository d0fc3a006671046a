"""OAuth 1.0a, the provider's side, with oauthlib doing the verifying.

The client package signs with oauthlib's other half through requests-oauthlib; nothing here is
shared with it.

invented, because no source tells: that a signature may be five minutes off, the words of every
refusal, and that a refusal at a token address has the API's error body.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oauthlib.oauth1 import (
    SIGNATURE_HMAC_SHA1,
    AccessTokenEndpoint,
    RequestTokenEndpoint,
    RequestValidator,
    ResourceEndpoint,
)
from oauthlib.oauth1.rfc5849.endpoints import SignatureOnlyEndpoint

from alchemer_nb.sandbox import wire
from alchemer_nb.sandbox.grants import TIMESTAMP_LIFETIME, Grants, new_secret, new_token
from alchemer_nb.sandbox.replies import Refusal

if TYPE_CHECKING:
    from oauthlib.common import Request

    from alchemer_nb.sandbox.state import State

_UNKNOWN = "Login failed / Invalid auth token"
_WHY = {
    "client": "OAuth refused: unknown consumer key",
    "resource_owner": _UNKNOWN,
    "verifier": "OAuth refused: the verifier does not fit",
    "callback": "OAuth refused: the callback is not allowed",
    "signature": "OAuth refused: the signature does not fit",
}
_TOKEN_WHY = _WHY | {
    "resource_owner": "OAuth refused: the request token is unknown, used, denied or expired"
}


class Signed:
    """A request as it arrived, ready to be verified."""

    def __init__(self, address: str, method: str, body: bytes, headers: dict[str, str]) -> None:
        self.address = address
        self.method = method
        self.body = body.decode("utf-8", "replace")
        self.headers = headers

    @property
    def arguments(self) -> tuple[str, str, str, dict[str, str]]:
        """What oauthlib's endpoints take."""
        return self.address, self.method, self.body, self.headers


class Provider:
    """Verifies signatures and gives tokens."""

    def __init__(self, state: State) -> None:
        self._state = state

    def caller(self, signed: Signed, *, with_token: bool) -> int:
        """Gives the id of the user in whose scope a signed call acts.

        Three-legged: who granted the token. Two-legged: who registered the application.

        Raises:
            Refusal: The signature is not accepted.
        """
        check = _Check(self._state)
        if with_token:
            valid, request = ResourceEndpoint(check).validate_protected_resource_request(
                *signed.arguments, realms=[]
            )
        else:
            valid, request = SignatureOnlyEndpoint(check).validate_request(*signed.arguments)
        if not valid or request is None:
            raise Refusal(401, check.why(request, _WHY))
        if with_token:
            access = self._state.grants.access(request.client_key, request.resource_owner_key)
            if access is not None:
                return access[1]
        application = self._state.grants.application(request.client_key)
        if application is None:
            raise Refusal(401, _WHY["client"])
        return application.user_id

    def request_token(self, signed: Signed) -> str:
        """Begins a sign-in; gives the form-encoded answer.

        Raises:
            Refusal: The signature or the callback is not accepted.
        """
        settings, token = self._state.settings, new_token()
        check = _Check(self._state)
        extra = {
            "oauth_callback_confirmed": "1",
            "oauth_token": token,
            "oauth_token_secret": new_secret(),
            "xoauth_token_ttl": f"{settings.request_token_ttl:.0f}",
        }
        _, body, status = _RequestToken(check).create_request_token_response(
            *signed.arguments, credentials=extra
        )
        text = _accepted(body, status, check, signed)
        if settings.glue_json:  # as one capture of 2011 shows
            text += wire.encode({"result_ok": True, "0": token})
        return text

    def access_token(self, signed: Signed) -> str:
        """Ends a sign-in; gives the form-encoded answer.

        Raises:
            Refusal: Signature, request token or verifier is not accepted.
        """
        token = new_token()
        check = _Check(self._state)
        _, body, status = _AccessToken(check).create_access_token_response(
            *signed.arguments,
            credentials={"oauth_token": token, "oauth_token_secret": new_secret()},
        )
        text = _accepted(body, status, check, signed)
        if self._state.settings.glue_json:
            text += wire.encode({"result_ok": True, "0": token})
        return text


class _RequestToken(RequestTokenEndpoint):
    """Keeps what it verified last, for the reason of a refusal."""

    def validate_request_token_request(self, request: Request) -> tuple[bool, Request]:
        self.request_validator.last = request
        valid, checked = super().validate_request_token_request(request)
        return valid, checked


class _AccessToken(AccessTokenEndpoint):
    """Likewise; and its answer has no realms, which Alchemer does not know."""

    def validate_access_token_request(self, request: Request) -> tuple[bool, Request]:
        self.request_validator.last = request
        valid, checked = super().validate_access_token_request(request)
        return valid, checked

    def create_access_token(self, request: Request, credentials: dict[str, str]) -> str:
        from urllib.parse import urlencode

        self.request_validator.save_access_token(credentials, request)
        return urlencode(credentials)


def _accepted(body: str | None, status: int, check: _Check, signed: Signed) -> str:
    if status == 200 and body is not None:
        return body
    del signed
    raise Refusal(401, check.why(check.last, _TOKEN_WHY))


class _Check(RequestValidator):
    """What oauthlib asks about one request; made anew for each."""

    allowed_signature_methods = (SIGNATURE_HMAC_SHA1,)
    enforce_ssl = False  # loopback only
    client_key_length = (20, 60)
    request_token_length = (20, 60)
    access_token_length = (20, 60)
    verifier_length = (1, 60)
    timestamp_lifetime = TIMESTAMP_LIFETIME
    # oauthlib goes on with these after an unknown key, so that both ways take equally long.
    dummy_client = "0" * 41
    dummy_request_token = "0" * 41
    dummy_access_token = "0" * 41

    def __init__(self, state: State) -> None:
        super().__init__()
        self._grants: Grants = state.grants
        self._oob = state.settings.oob
        self._reason: str | None = None
        self.last: Request | None = None

    def why(self, request: Request | None, words: dict[str, str]) -> str:
        """Says why a request was refused."""
        if self._reason:
            return self._reason
        if request is None:
            return "OAuth refused: the parameters are incomplete or doubled"
        for part in ("client", "resource_owner", "verifier", "callback", "signature"):
            if request.validator_log.get(part) is False:
                return words[part]
        if request.signature_method not in (None, SIGNATURE_HMAC_SHA1):
            return "OAuth refused: the signature method must be HMAC-SHA1"
        if _stale(request.timestamp):
            return "OAuth refused: the timestamp is too far from now"
        return "OAuth refused: the parameters are incomplete or malformed"

    def check_nonce(self, nonce: str) -> bool:
        """Other people's clients send nonces of all lengths, and with dashes in them."""
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
        parts = urlsplit(redirect_uri)
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

    def save_request_token(self, token: dict[str, str], request: Request) -> None:
        self._grants.begin(
            token["oauth_token"],
            token["oauth_token_secret"],
            request.client_key,
            request.redirect_uri,
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
        from hmac import compare_digest

        found = self._grants.request_token(token)
        if found is None or found.verifier is None:
            return False
        return compare_digest(found.verifier.encode(), verifier.encode())

    def invalidate_request_token(
        self, client_key: str, request_token: str, request: Request
    ) -> None:
        self._grants.forget(request_token)

    def save_access_token(self, token: dict[str, str], request: Request) -> None:
        begun = self._grants.request_token(request.resource_owner_key)
        if begun is None or begun.user_id is None:
            raise LookupError("an access token was asked for without a consent")
        self._grants.grant(
            token["oauth_token"], token["oauth_token_secret"], request.client_key, begun.user_id
        )

    def validate_access_token(self, client_key: str, token: str, request: Request) -> bool:
        return self._grants.access(client_key, token) is not None

    def get_access_token_secret(self, client_key: str, token: str, request: Request) -> str:
        found = self._grants.access(client_key, token)
        return found[0] if found else "0" * 32


def _stale(timestamp: str | None) -> bool:
    try:
        return abs(time.time() - int(timestamp or "")) > TIMESTAMP_LIFETIME
    except ValueError:
        return False
