"""The provider's side of OAuth 1.0a; oauthlib verifies the signatures.

The client package signs with oauthlib's other half through requests-oauthlib; nothing here is
shared with it.

invented, because no source tells: that a signature may be five minutes off, the words of every
refusal, and that a refusal at a token address has the API's error body.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from oauthlib.oauth1 import AccessTokenEndpoint, RequestTokenEndpoint, ResourceEndpoint
from oauthlib.oauth1.rfc5849.endpoints import SignatureOnlyEndpoint

from alchemer_nb.sandbox.data.grants import new_secret, new_token
from alchemer_nb.sandbox.oauth.checks import Check
from alchemer_nb.sandbox.wire import records
from alchemer_nb.sandbox.wire.replies import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oauthlib.common import Request

    from alchemer_nb.sandbox.data.state import State

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
    """A signed request as it arrived."""

    def __init__(self, address: str, method: str, body: bytes, headers: dict[str, str]) -> None:
        self.address = address
        self.method = method
        self.body = body.decode("utf-8", "replace")
        self.headers = headers

    @property
    def arguments(self) -> tuple[str, str, str, dict[str, str]]:
        """The arguments of oauthlib's endpoints."""
        return self.address, self.method, self.body, self.headers


class Provider:
    """The provider: it verifies signatures and issues tokens."""

    def __init__(self, state: State) -> None:
        self._state = state

    def caller(self, signed: Signed, *, with_token: bool) -> int:
        """Return the id of the user in whose scope a signed call acts.

        Three-legged: who granted the token. Two-legged: who registered the application.

        Raises:
            Refusal: The signature is not accepted.
        """
        check = Check(self._state)
        grants = self._state.grants
        with _readable():
            if with_token:
                valid, request = ResourceEndpoint(check).validate_protected_resource_request(
                    *signed.arguments, realms=[]
                )
            else:
                valid, request = SignatureOnlyEndpoint(check).validate_request(*signed.arguments)
        if not valid or request is None:
            raise Refusal(401, check.why(request, _WHY))
        if with_token:
            access = grants.access(request.client_key, request.resource_owner_key)
            if access is None:
                raise Refusal(401, _UNKNOWN)
            return access[1]
        application = grants.application(request.client_key)
        if application is None or request.resource_owner_key:
            raise Refusal(401, _UNKNOWN)
        return application.user_id

    def request_token(self, signed: Signed) -> str:
        """Start a sign-in and return the form-encoded reply.

        Raises:
            Refusal: The signature or the callback is not accepted.
        """
        settings, token = self._state.settings, new_token()
        check = Check(self._state)
        extra = {
            "oauth_callback_confirmed": "1",
            "oauth_token": token,
            "oauth_token_secret": new_secret(),
            "xoauth_token_ttl": f"{settings.request_token_ttl:.0f}",
        }
        with _readable():
            _, body, status = _RequestToken(check).create_request_token_response(
                *signed.arguments, credentials=extra
            )
        text = _accepted(body, status, check)
        if settings.glue_json:  # as one capture of 2011 shows
            text += records.encode({"result_ok": True, "0": token})
        return text

    def access_token(self, signed: Signed) -> str:
        """Finish a sign-in and return the form-encoded reply.

        Raises:
            Refusal: Signature, request token or verifier is not accepted.
        """
        token = new_token()
        check = Check(self._state)
        with _readable():
            _, body, status = _AccessToken(check).create_access_token_response(
                *signed.arguments,
                credentials={"oauth_token": token, "oauth_token_secret": new_secret()},
            )
        text = _accepted(body, status, check)
        if self._state.settings.glue_json:
            text += records.encode({"result_ok": True, "0": token})
        return text


class _RequestToken(RequestTokenEndpoint):
    """An endpoint that keeps its last check, for the reason of a refusal."""

    def validate_request_token_request(self, request: Request) -> tuple[bool, Request]:
        self.request_validator.last = request
        valid, checked = super().validate_request_token_request(request)  # type: ignore[no-untyped-call]  # oauthlib's
        return valid, checked


class _AccessToken(AccessTokenEndpoint):
    """The same for access tokens; its reply has no realms, which Alchemer does not know."""

    def validate_access_token_request(self, request: Request) -> tuple[bool, Request]:
        self.request_validator.last = request
        valid, checked = super().validate_access_token_request(request)  # type: ignore[no-untyped-call]  # oauthlib's
        return valid, checked

    def create_access_token(self, request: Request, credentials: dict[str, str]) -> str:
        self.request_validator.save_access_token(credentials, request)
        return urlencode(credentials)


@contextmanager
def _readable() -> Iterator[None]:
    """Refuse a header that oauthlib cannot read, for which it raises ValueError."""
    try:
        yield
    except ValueError:
        raise Refusal(401, "OAuth refused: the parameters are malformed") from None


def _accepted(body: str | None, status: int, check: Check) -> str:
    if status == 200 and body is not None:
        return body
    raise Refusal(401, check.why(check.last, _TOKEN_WHY))
