"""Keeps secrets out of the logs of the libraries that send and sign.

urllib3 logs the address of each call at DEBUG, and oauthlib the token and the base string. A
filter on a parent logger does not reach its children, so each child gets one.
"""

from __future__ import annotations

import logging
import re
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from alchemer_nb.http.secrets import MASK, redact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alchemer_nb.http.secrets import Secret

_FAMILIES = ("urllib3", "requests_oauthlib", "oauthlib")
_PARAMETER = re.compile(
    r"(?i)((?:api_token(?:_secret)?|oauth_[a-z_]+)(?:=|%3D))(\"?)[^&\s\"',;)]+",
)
_in_flight: ContextVar[tuple[Secret, ...]] = ContextVar("alchemer_nb_in_flight", default=())


class SecretFilter(logging.Filter):
    """Rewrites a record so that it holds no credential of a call that is in flight."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redacts in place; lets every record through."""
        text = redact(record.getMessage(), _in_flight.get())
        record.msg, record.args = _PARAMETER.sub(rf"\1\2{MASK}", text), None
        # A traceback in a log would show the address of the call once more.
        if _in_flight.get():
            record.exc_info = record.exc_text = None
        return True


_FILTER = SecretFilter()


def guard() -> None:
    """Puts the filter on every logger of those libraries that exists by now."""
    for name in [*logging.root.manager.loggerDict]:
        if name.split(".")[0] in _FAMILIES:
            logging.getLogger(name).addFilter(_FILTER)  # adding it twice does nothing


@contextmanager
def hiding(secrets: tuple[Secret, ...]) -> Iterator[None]:
    """While it lasts, what this thread logs through those libraries is free of the secrets."""
    guard()
    token = _in_flight.set(secrets)
    try:
        yield
    finally:
        _in_flight.reset(token)
