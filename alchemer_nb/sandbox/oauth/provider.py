"""The provider's side of OAuth 1.0a; oauthlib verifies the signatures.

The client package signs with oauthlib's other half through requests-oauthlib; nothing here is
shared with it.

invented, because no source documents: that a signature may be five minutes off, the words of every
refusal, and that a refusal at a token address has the API's error body.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from oauthlib.oauth1 import AccessTokenEndpoint, RequestTokenEndpoint, ResourceEndpoint
from oauthlib.oauth1.rfc5849.endpoints import SignatureOnlyEndpoint

from alchemer_nb.sandbox.data.grants import new_secret, new_token
from alchemer_nb.sandbox.oauth.checks import OAuthValidator
from alchemer_nb.sandbox.wire import records
from alchemer_nb.sandbox.wire.replies import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oauthlib.common import Request

    from alchemer_nb.sandbox.data.state import State

INVALID_LOGIN = "Login failed / Invalid auth token"
_REFUSALS = {
    "client": "OAuth refused: unknown consumer key",
    "resource_owner": INVALID_LOGIN,
    "verifier": "OAuth refused: the verifier does not fit",
    "callback": "OAuth refused: the callback is not allowed",
    "signature": "OAuth refused: the signature does not fit",
}
_TOKEN_REFUSALS = _REFUSALS | {
    "resource_owner": "OAuth refused: the request token is unknown, used, denied or expired"
}


class SignedRequest:
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

    def caller(self, signed: SignedRequest, *, with_token: bool) -> int:
        """Return the id of the user in whose scope a signed call acts.

        Three-legged: who granted the token. Two-legged: who registered the application.

        Raises:
            Refusal: The signature is not accepted.
        """
        check = OAuthValidator(self._state)
        grants = self._state.grants
        with _refusing_malformed():
            if with_token:
                valid, request = ResourceEndpoint(check).validate_protected_resource_request(
                    *signed.arguments, realms=[]
                )
            else:
                valid, request = SignatureOnlyEndpoint(check).validate_request(*signed.arguments)
        if not valid or request is None:
            raise Refusal(401, check.explain_refusal(request, _REFUSALS))
        if with_token:
            access = grants.access(request.client_key, request.resource_owner_key)
            if access is None:
                raise Refusal(401, INVALID_LOGIN)
            return access[1]
        application = grants.application(request.client_key)
        if application is None or request.resource_owner_key:
            raise Refusal(401, INVALID_LOGIN)
        return application.user_id

    def request_token(self, signed: SignedRequest) -> str:
        """Start a sign-in and return the form-encoded reply.

        Raises:
            Refusal: The signature or the callback is not accepted.
        """
        token = new_token()
        check = OAuthValidator(self._state)
        extra = {
            "oauth_callback_confirmed": "1",
            "oauth_token": token,
            "oauth_token_secret": new_secret(),
            "xoauth_token_ttl": f"{self._state.settings.request_token_ttl:.0f}",
        }
        with _refusing_malformed():
            _, body, status = _RequestToken(check).create_request_token_response(
                *signed.arguments, credentials=extra
            )
        return self._check_reply(body, status, check, token)

    def access_token(self, signed: SignedRequest) -> str:
        """Finish a sign-in and return the form-encoded reply.

        Raises:
            Refusal: Signature, request token or verifier is not accepted.
        """
        token = new_token()
        check = OAuthValidator(self._state)
        with _refusing_malformed():
            _, body, status = _AccessToken(check).create_access_token_response(
                *signed.arguments,
                credentials={"oauth_token": token, "oauth_token_secret": new_secret()},
            )
        return self._check_reply(body, status, check, token)

    def _check_reply(self, body: str | None, status: int, check: OAuthValidator, token: str) -> str:
        if status != 200 or body is None:
            raise Refusal(401, check.explain_refusal(check.last, _TOKEN_REFUSALS))
        if self._state.settings.glue_json:  # as one capture of 2011 shows
            body += records.encode({"result_ok": True, "0": token})
        return body


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
def _refusing_malformed() -> Iterator[None]:
    """Refuse a header that oauthlib cannot read, for which it raises ValueError."""
    try:
        yield
    except ValueError:
        raise Refusal(401, "OAuth refused: the parameters are malformed") from None
