"""``/head/oauth/request_token`` and ``/head/oauth/access_token``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alchemer_nb.sandbox.services import Quiet
from alchemer_nb.sandbox.wire.replies import Refusal

if TYPE_CHECKING:
    from alchemer_nb.sandbox.oauth.provider import Provider, Signed


class TokenHandler(Quiet):
    """A handler of signed requests for a token, by GET or POST."""

    def get(self, which: str) -> None:
        """Answer with a form-encoded token, or with an error body."""
        try:
            text = _give(self.services.provider, which, self.signed())
        except Refusal as refusal:
            self.set_status(refusal.code)
            self.set_header("Content-Type", "application/json")
            self.finish(refusal.body)
            return
        self.set_header("Content-Type", "application/x-www-form-urlencoded")
        self.set_header("Cache-Control", "no-store")
        self.finish(text)

    post = get

    def check_xsrf_cookie(self) -> None:
        """Accept every call: a signature, not a cookie, proves who asks."""


def _give(provider: Provider, which: str, signed: Signed) -> str:
    if which == "request_token":
        return provider.request_token(signed)
    return provider.access_token(signed)
