"""Secrets that appear neither in text nor in logs.

``Secret`` is a wrapper and not a ``str`` subclass: a subclass leaks through ``json.dumps``,
``+``, ``strip`` and pickle.
"""

from __future__ import annotations

import base64
import functools
import hmac
import html
import html.entities
import logging
import re
import unicodedata
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MASK = "••••"
# What JSON and forms write for some letters, other than the letter itself and its code.
_OTHER_FORMS = {'"': '\\"', "\\": "\\\\", "/": "\\/", " ": "+", "'": "\\'"}
_SHORTEST_HIDDEN = 4  # shorter ones occur in every text
_SHORTEST_SHOWN = 12  # the last four characters of a short secret would be too much of it
_LOGGERS = ("urllib3", "requests_oauthlib", "oauthlib")
_PARAMETER = re.compile(
    r"(?i)((?:api_token(?:_secret)?|oauth_[a-z_]+)(?:=|%3D))(\"?)[^&\s\"',;)]+",
)
_PIECE = 10  # so many letters and digits of a secret are not shown
_NESTED = 4  # escapes of escapes that are read
_PACKED = re.compile(r"[A-Za-z0-9+/_-]{12,}")
_URL_SAFE = str.maketrans("-_", "+/")
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{2})+(?![0-9A-Za-z])")
_ESCAPE = re.compile(r"(?:\\+[uUx]|%u)\{?([0-9A-Fa-f]{2,8})\}?|[%=]([0-9A-Fa-f]{2})")
_OCTAL = re.compile(r"\\+([0-7]{3})")
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

    __slots__ = ("__read",)

    def __init__(self, value: str | Secret) -> None:
        text = value.reveal() if isinstance(value, Secret) else str(value)
        # In no attribute: debuggers and inspectors list those of an object with their values.
        self.__read: Callable[[], str] = lambda: text

    def reveal(self) -> str:
        """Return the text itself; call it where it is sent, and nowhere else."""
        return self.__read()

    @property
    def tail(self) -> str:
        """The last four characters, to distinguish keys; a mask for a short secret."""
        text = self.reveal()
        return f"…{text[-4:]}" if len(text) >= _SHORTEST_SHOWN else MASK

    def __bool__(self) -> bool:
        return bool(self.reveal())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_octets(self), _octets(other))

    def __hash__(self) -> int:
        return hash((Secret, self.reveal()))

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled or copied to disk")

    __getstate__ = __reduce__

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self


def _octets(secret: Secret) -> bytes:
    return secret.reveal().encode("utf-8", "surrogatepass")


def to_secret(value: object) -> Secret:
    """Wrap a text in a secret; return an empty secret for anything that is no text."""
    return Secret(value) if isinstance(value, str | Secret) else Secret("")


def mask_secrets(text: str, secrets: Iterable[Secret]) -> str:
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


def hide_repeated(text: str, secrets: Iterable[Secret]) -> str:
    """Redact a server's words; hide them all if they still repeat a piece of a secret.

    A secret may be cut, spaced, reversed, escaped twice, or in base64 or hex.
    """
    secrets = tuple(secrets)
    text = mask_secrets(text, secrets)
    read = [_letters(each) for each in _readings(text)]
    read += [each[::-1] for each in read]
    pieces = {
        letters[at : at + _PIECE]
        for secret in secrets
        for letters in [_letters(secret.reveal())]
        for at in range(len(letters) - _PIECE + 1)
    }
    return MASK if any(piece in each for each in read for piece in pieces) else text


def _readings(text: str) -> Iterator[str]:
    """Yield a text, as it is and without its escapes, and what its words are in base64 and hex."""
    for _ in range(_NESTED):
        yield text
        for word in _PACKED.findall(text):
            for start in range(4):  # the first letters may belong to what is before the word
                part = word[start:].translate(_URL_SAFE)
                with suppress(ValueError):
                    yield unquote(base64.b64decode(part[: len(part) // 4 * 4]).decode("latin-1"))
        with suppress(ValueError):
            yield bytes.fromhex("".join(_HEX.findall(text))).decode("latin-1")
        with suppress(ValueError):  # a character reference with thousands of digits
            text = html.unescape(text)
        text = _ESCAPE.sub(lambda found: chr(int(found[1] or found[2], 16) % 0x110000), text)
        text = _OCTAL.sub(lambda found: chr(int(found[1], 8)), text)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text))).casefold()


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
        text = mask_secrets(record.getMessage(), _in_flight.get())
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
