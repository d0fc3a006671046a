"""Secrets that appear neither in text nor in logs.

``Secret`` is a wrapper and not a ``str`` subclass: a subclass leaks through ``json.dumps``,
``+``, ``strip`` and pickle.
"""

from __future__ import annotations

import functools
import hmac
import html.entities
import logging
import re
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MASK = "••••"
# What JSON and forms write for some letters, other than the letter itself and its code.
_OTHER_FORMS = {'"': '\\"', "\\": "\\\\", "/": "\\/", " ": "+", "'": "\\'"}
_SHORTEST_HIDDEN = 4  # shorter ones occur in every text
_SHORTEST_SHOWN = 12  # the last four characters of a short secret would be too much of it
_LOGGERS = ("urllib3", "requests_oauthlib", "oauthlib")
_PARAMETER = re.compile(
    r"(?i)((?:api_token(?:_secret)?|oauth_[a-z_]+)(?:=|%3D))(\"?)[^&\s\"',;)]+",
)
_in_flight: ContextVar[tuple[Secret, ...]] = ContextVar("alchemer_nb_in_flight", default=())


class Secret:
    """A text that only ``reveal()`` shows.

    Args:
        value: The text, or another ``Secret`` of which this becomes a copy.

    Example:
        >>> from alchemer_nb.http.secrets import Secret
        >>> Secret("0123456789abcdef")
        Secret(••••)
        >>> Secret("0123456789abcdef").tail
        '…cdef'
    """

    __slots__ = ("__value",)

    def __init__(self, value: str | Secret) -> None:
        self.__value = value.reveal() if isinstance(value, Secret) else str(value)

    def reveal(self) -> str:
        """Return the text itself; call it where it is sent, and nowhere else."""
        return self.__value

    @property
    def tail(self) -> str:
        """The last four characters, to distinguish keys; a mask for a short secret."""
        return f"…{self.__value[-4:]}" if len(self.__value) >= _SHORTEST_SHOWN else MASK

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_octets(self), _octets(other))

    def __hash__(self) -> int:
        return hash((Secret, self.__value))

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled or copied to disk")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self


def _octets(secret: Secret) -> bytes:
    return secret.reveal().encode("utf-8", "surrogatepass")


def to_secret(value: object) -> Secret:
    """Wrap a text in a secret; return an empty secret for anything that is no text."""
    return Secret(value) if isinstance(value, str | Secret) else Secret("")


def redact(text: str, secrets: Iterable[Secret]) -> str:
    """Replace every occurrence of the secrets in a text.

    Finds the plain form and the escapes of addresses, JSON and HTML, also mixed, in capital and
    small letters.
    """
    hidden = [secret for secret in secrets if len(secret.reveal()) >= _SHORTEST_HIDDEN]
    spans = sorted(span for secret in hidden for span in _occurrences(text, secret))
    pieces, end = [], 0
    for first, last in spans:  # they may overlap: one secret may begin with another
        if first >= end:
            pieces += [text[end:first], MASK]
        end = max(end, last)
    return "".join([*pieces, text[end:]])


def _occurrences(text: str, secret: Secret) -> list[tuple[int, int]]:
    letters = "".join(map(_any_form, secret.reveal()))
    return [match.span(1) for match in re.finditer(f"(?i)(?=({letters}))", text)]


def _any_form(letter: str) -> str:
    """Return a pattern for all ways in which one letter of a secret may be written."""
    octets = letter.encode("utf-8", "surrogatepass")
    units = letter.encode("utf-16-be", "surrogatepass").hex()
    forms = [
        re.escape(letter),
        "".join(f"%(?:25)*{octet:02x}" for octet in octets),
        "".join(rf"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)),
        rf"\\x{ord(letter):02x}",
        f"&#(?:0*{ord(letter)}|x0*{ord(letter):x});?",
        *(f"&{name}" for name in _html_names().get(letter, ())),
        *(re.escape(form) for form in [_OTHER_FORMS.get(letter)] if form),
    ]
    return f"(?:{'|'.join(forms)})"


@functools.cache
def _html_names() -> dict[str, list[str]]:
    """Return the names that HTML has for a letter, such as ``amp;`` and ``amp`` for ``&``."""
    names: dict[str, list[str]] = {}
    for name in sorted(html.entities.html5, key=len, reverse=True):  # with the semicolon first
        names.setdefault(html.entities.html5[name], []).append(name)
    return names


class SecretFilter(logging.Filter):
    """A log filter that redacts the records of the libraries that send and sign.

    urllib3 logs the address of each call at DEBUG, and oauthlib the token and the base string.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact a record in place; let every record through."""
        text = redact(record.getMessage(), _in_flight.get())
        record.msg, record.args = _PARAMETER.sub(rf"\1\2{MASK}", text), None
        # A traceback in a log would show the address of the call once more.
        if _in_flight.get():
            record.exc_info = record.exc_text = None
        return True


_FILTER = SecretFilter()


@contextmanager
def hidden_in_logs(secrets: tuple[Secret, ...]) -> Iterator[None]:
    """Redact the secrets in what those libraries log in this thread."""
    # A filter on a parent logger does not reach its children, so each child gets one.
    for name in [*logging.root.manager.loggerDict]:
        if name.split(".")[0] in _LOGGERS:
            logging.getLogger(name).addFilter(_FILTER)  # adding it twice does nothing
    token = _in_flight.set(secrets)
    try:
        yield
    finally:
        _in_flight.reset(token)
