"""The two kinds of credentials, which sign calls: a user's API key, and OAuth 1.0a.

Both are ``requests`` auth objects, so the rest of the package need not know which one is in use.
Facts: https://apihelp.alchemer.com/help/authentication.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import unquote

# At the top, so that its loggers exist, and are guarded, before the first call is signed.
import requests_oauthlib
from requests.auth import AuthBase

from alchemer_nb.errors import ConfigurationError, InvalidArgument
from alchemer_nb.http.refusals import API_KEY, THREE_LEGGED, TWO_LEGGED
from alchemer_nb.http.secrets import Secret, to_secret

if TYPE_CHECKING:
    from requests import PreparedRequest

_NOT_PICKLED = (
    "credentials, and clients with them, are not pickled: make the client in each process, as with "
    "al.connect(); a process that is forked may use the client it was born with"
)

_NAMED = re.compile(
    r"(?i)(api[_ ]?token(?:[_ ]?secret)?|api[_ ]?secret)[\"']?\s*[=:]\s*[\"']?([^&\s\"',;}]+)"
)
_ENCODED_NAME = re.compile(r"(?i)api_token(?:_secret)?%(?:25)*3D")
_HEX = re.compile(r"[0-9a-fA-F]{24,}")
_LABEL_WORDS = {"api", "key", "token", "secret", "and", "your", "my", "is", "/", "=", "-", ":"}
_LABEL = re.compile(r"(?i)(?:key|token|secret)[=:](?=.)")


class _Credentials(AuthBase):
    """The base of both kinds.

    Attributes:
        secrets: All parts, for redaction; empty until they have been checked.
        accepted_by: Addresses of the regions that accepted these credentials in this process.
        known_regions: Addresses of the regions that accepted other credentials of the same person,
            or these in an earlier process.
    """

    secrets: tuple[Secret, ...] = ()

    def __init__(self) -> None:
        self.accepted_by: set[str] = set()
        self.known_regions: set[str] = set()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.secrets == other.secrets

    def __hash__(self) -> int:
        return hash(self.secrets)

    def __reduce__(self) -> NoReturn:
        raise TypeError(_NOT_PICKLED)


class ApiKey(_Credentials):
    """An API key and its secret key: one pair per user, sent with every call.

    Alchemer takes the pair in the query string and in no other place, so the address of a call
    holds both: only the transport ever sees it.

    Args:
        api_token: The key; white space around it is dropped.
        api_token_secret: The secret key.

    Raises:
        ConfigurationError: A part is empty or has white space inside.

    Example:
        >>> from alchemer_nb import ApiKey
        >>> ApiKey("0123456789abcdef", "A9secret")
        ApiKey(…cdef)
    """

    mode = "api_key"
    signed_with = API_KEY
    api_token = api_token_secret = Secret("")  # until both parts have been read

    def __init__(self, api_token: str | Secret, api_token_secret: str | Secret) -> None:
        # Nothing plain is left in this frame, which a traceback may show.
        api_token, api_token_secret = to_secret(api_token), to_secret(api_token_secret)
        super().__init__()
        self.api_token = _check_part(api_token, "API key", "api_token")
        self.api_token_secret = _check_part(api_token_secret, "API secret key", "api_token_secret")
        self.secrets = (self.api_token, self.api_token_secret)

    @classmethod
    def parse(cls, text: str | Secret) -> ApiKey:
        """Parse a pasted text that holds both parts.

        Args:
            text: ``"token secret"`` (or on two lines, or with a comma), an example call's
                address, or any text with ``api_token=… api_token_secret=…``.

        Raises:
            InvalidArgument: The two parts cannot be found; the text is not repeated.
        """
        text = to_secret(text)
        pair = _find_pair(text)
        if pair is None:
            raise InvalidArgument(
                "the pasted text does not hold a key and its secret key: paste the key, a blank "
                "and the secret key, or the address of an example call that has both"
            )
        return cls(*pair)

    @property
    def slip(self) -> str:
        """The mistake that the form of the parts suggests, a key of ``refusals``; or ""."""
        kinds = guess_kind(self.api_token), guess_kind(self.api_token_secret)
        if self.api_token == self.api_token_secret:
            return "same"
        if kinds[0] == "e-mail":
            return "log-in"
        if kinds[0] == "secret key" and kinds[1]:
            return "swapped"
        return "consumer pair" if kinds == ("consumer key", "consumer secret") else ""

    @property
    def masked(self) -> str:
        """The last four characters of the key."""
        return self.api_token.tail

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the pair to the query of the address, the only place Alchemer takes it from."""
        request.prepare_url(
            request.url,
            [
                ("api_token", self.api_token.reveal()),
                ("api_token_secret", self.api_token_secret.reveal()),
            ],
        )
        return request

    def __repr__(self) -> str:
        return f"ApiKey({self.masked})"


class OAuth1(_Credentials):
    """An OAuth 1.0a signature (HMAC-SHA1, in the Authorization header).

    Args:
        consumer_key: Given when the application was registered.
        consumer_secret: The same.
        token: Access token of a user (three-legged); left out, the application signs with its
            own pair alone (two-legged) and acts for the user who registered it.
        token_secret: Goes with ``token``.

    Raises:
        ConfigurationError: A part is empty, or only one half of the token is given.

    Example:
        >>> from alchemer_nb import OAuth1
        >>> OAuth1("0123456789abcdef", "secret")
        OAuth1(…cdef, two-legged)
    """

    mode = "oauth1"
    consumer_key = consumer_secret = Secret("")  # until all parts have been read
    token: Secret | None = None
    token_secret: Secret | None = None

    def __init__(
        self,
        consumer_key: str | Secret,
        consumer_secret: str | Secret,
        token: str | Secret | None = None,
        token_secret: str | Secret | None = None,
    ) -> None:
        # Nothing plain is left in this frame, which a traceback may show.
        consumer_key, consumer_secret = to_secret(consumer_key), to_secret(consumer_secret)
        token, token_secret = to_secret(token), to_secret(token_secret)
        super().__init__()
        self.consumer_key = _check_part(consumer_key, "consumer key", "consumer_key")
        self.consumer_secret = _check_part(consumer_secret, "consumer secret", "consumer_secret")
        if bool(token) != bool(token_secret):
            missing = "token_secret" if token else "token"
            raise ConfigurationError(
                f"{missing} is missing: give both token and token_secret, or neither to sign "
                "with the consumer pair alone"
            )
        if token:
            self.token = _check_part(token, "access token", "token")
            self.token_secret = _check_part(token_secret, "access token secret", "token_secret")
        parts = (self.consumer_key, self.consumer_secret, self.token, self.token_secret)
        self.secrets = tuple(part for part in parts if part is not None)

    @property
    def three_legged(self) -> bool:
        """True if calls are made for a user who allowed it (and not for the application)."""
        return self.token is not None

    @property
    def signed_with(self) -> str:
        """What signs a call, a constant of ``refusals``."""
        return THREE_LEGGED if self.three_legged else TWO_LEGGED

    @property
    def slip(self) -> str:
        """The mistake that the form of the pair suggests, a key of ``refusals``; or ""."""
        kinds = guess_kind(self.consumer_key), guess_kind(self.consumer_secret)
        if self.consumer_key == self.consumer_secret:
            return "same"
        if kinds[0] == "e-mail":
            return "log-in"
        if kinds == ("consumer secret", "consumer key"):
            return "swapped"
        return "API key" if "secret key" in kinds else ""

    @property
    def masked(self) -> str:
        """The last four characters of the token, or of the consumer key if there is none."""
        return (self.token or self.consumer_key).tail

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign the request in its Authorization header."""
        return sign(request, self)

    def __repr__(self) -> str:
        return f"OAuth1({self.masked}, {'three' if self.three_legged else 'two'}-legged)"


Credentials = ApiKey | OAuth1


def sign(
    request: PreparedRequest,
    credentials: OAuth1,
    callback: str | None = None,
    verifier: Secret | None = None,
) -> PreparedRequest:
    """Sign a request with requests-oauthlib.

    Args:
        request: What to sign.
        credentials: With the token of the step, if it has one.
        callback: Of the first step of a sign-in.
        verifier: Of the last step of a sign-in.
    """
    token, token_secret = credentials.token, credentials.token_secret
    signer = requests_oauthlib.OAuth1(
        credentials.consumer_key.reveal(),
        client_secret=credentials.consumer_secret.reveal(),
        resource_owner_key=token.reveal() if token else None,
        resource_owner_secret=token_secret.reveal() if token_secret else None,
        callback_uri=callback,
        verifier=verifier.reveal() if verifier else None,
        signature_method="HMAC-SHA1",
        signature_type="AUTH_HEADER",
    )
    signed: PreparedRequest = signer(request)
    header: Any = signed.headers.get("Authorization")
    if isinstance(header, bytes):  # oauthlib returns bytes, which a redaction of text misses
        signed.headers["Authorization"] = header.decode("ascii")
    return signed


def _find_pair(text: Secret) -> tuple[Secret, Secret] | None:
    """Return the two parts of a pasted text, or None.

    Raises nothing: a traceback may be printed with its variables, and the text is secret.
    """
    try:
        raw = html.unescape(text.reveal())
    except ValueError:  # an HTML character reference with thousands of digits
        return None
    while _ENCODED_NAME.search(raw):
        raw = unquote(raw)
    if "://" in raw:
        raw = raw.rstrip(" \r\n\t.>)")  # of the sentence around the address
    named = {
        name.lower().replace(" ", "_").replace("apit", "api_t").replace("apis", "api_s"): value
        for name, value in _NAMED.findall(raw)
    }
    secret = named.get("api_token_secret") or named.get("api_secret")
    if named.get("api_token") and secret:
        return Secret(unquote(named["api_token"])), Secret(unquote(secret))
    words = [_LABEL.sub("", w.strip("\"'`<>()[]{}"), 1) for w in re.split(r"[\s,;|]+", raw)]
    words = [w for w in words if w and not w.endswith(":") and w.lower() not in _LABEL_WORDS]
    if len(words) == 2 and "://" not in raw:
        return Secret(words[0]), Secret(words[1])
    return None


def guess_kind(part: Secret) -> str:
    """Guess from its form which credential a text is; ``""`` if it has none of the known forms.

    In published examples, keys have 32 or about 50 hexadecimal digits and their secrets begin
    with A9; consumer keys have 41 digits and their secrets 32.
    """
    text = part.reveal()
    if "@" in text:
        return "e-mail"
    if text.startswith("A9") and len(text) < 20:  # 13 letters in all examples
        return "secret key"
    if not _HEX.fullmatch(text):
        return ""
    return {41: "consumer key", 32: "consumer secret"}.get(len(text), "API key")


def _check_part(value: Secret, what: str, argument: str) -> Secret:
    """Strip a part and check it; the text stays a secret all the way."""
    part = Secret(value.reveal().strip())
    if not part:
        raise ConfigurationError(f"the {what} is empty", argument=argument)
    if not part.reveal().isprintable() or " " in part.reveal():
        raise ConfigurationError(
            f"the {what} has white space or a letter that cannot be shown inside; it was probably "
            "pasted together with something else (ApiKey.parse reads a key and its secret from "
            "one text)",
            argument=argument,
        )
    return part
