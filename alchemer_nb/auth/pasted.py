"""Finds the verifier in what a person pasted after the log-in page.

The text is an address from the bar of the browser, or a code from a page. On its way through a mail
or a chat it may have got words around it, line breaks, percent-encoding, or the link of a mail
gateway, which holds the address in one of its parameters.
"""

from __future__ import annotations

import base64
import html
import re
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import unquote

from alchemer_nb import errors
from alchemer_nb.http.refusals import (
    ALLOW_HINT,
    DENIED_SENTENCE,
    EXPIRED_PROBLEMS,
    HOW_TO_GET_LINK,
    NEW_LINK_HINT,
    find_oauth_problem,
)
from alchemer_nb.http.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

# What a browser returns with where access was not allowed.
DENIALS = ("denied", "oauth_problem", "error")
EXPIRED_SENTENCE = "the sign-in link has expired or was used already"
_LONGEST = 8_000  # letters that are read
_MOST_ROUNDS = 4  # of percent-encoding: an address in a link in another link
_MOST_WORDS = 3  # of a code that a page shows in groups
_AROUND = "\"'`<>“”‘’«»()[]{},;:.!?…"
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
_VALUE = r"[\"']?\s*[=:]\s*[\"']?((?:(?!https?:)[^&#\s\"'<>,;(){}\[\]|])+)"
_NAMED = re.compile(rf"(oauth_token|oauth_verifier){_VALUE}")
_DENIED = re.compile(rf"(?:^|[?&#\s])({'|'.join(DENIALS)})=([^&#\s\"'<>]+)")
_BEGINS_ANEW = re.compile(r"[\"'{]*oauth_|https?:")
_IS_ADDRESS = re.compile(r"https?(?::|%3a)|oauth_\w+=", re.I)
_LABELLED = re.compile(
    r".*\b(?:oauth_)?(?:verifier|code|pin)[\"']?(?:\s*[:=]|\s+is\b:?|\s)\s*(\S+)", re.I | re.S
)
# Proofpoint writes "%" as "-" and "/" as "_" (v2), or the address between "__" and "__;" (v3):
# https://help.proofpoint.com/Threat_Insight_Dashboard/API_Documentation/URL_Decoder_API
_PROOFPOINT_2 = re.compile(r"urldefense[\w.]{0,30}/v2/url\?(?:[^\s?]{0,300}?&)?u=([^&\s]+)")
_PROOFPOINT_3 = re.compile(r"https://urldefense[\w.]{0,30}/v3/__(\S{9,2000}?)__;\S*")
_BASE64_ADDRESS = re.compile(r"\baHR0c[\w+/-]+", re.A)  # "http…"


def find_verifier(pasted: Secret, token: Secret) -> tuple[Secret, bool] | errors.AlchemerError:
    """Return the verifier in a pasted text, or the error; raise nothing, as it may be secret.

    Args:
        pasted: A bare verifier, or the address that the browser returned to.
        token: The request token of the attempt under way.

    Returns:
        The verifier, and True if the text names that attempt.
    """
    text = _tidy(pasted.reveal())
    if not text.strip(_AROUND):
        return errors.InvalidArgument(
            "nothing was pasted; copy the address of the page you landed on"
        )
    fields = _find_fields(text, token)
    token_name = fields.get("oauth_token") or fields.get("denied")
    if token_name and Secret(token_name) != token:
        return errors.WrongAttempt(
            "the pasted address belongs to an older sign-in link",
            hint="Log in with the newest link and paste the address of its last page; if that link "
            f"is lost, get a new sign-in link ({HOW_TO_GET_LINK})",
        )
    verifier = fields.get("oauth_verifier") or ("" if fields else _find_code(text))
    if verifier and not verifier.isprintable():
        return errors.InvalidArgument(
            "the code has letters that cannot be shown; copy it once more"
        )
    if verifier:
        return Secret(verifier), bool(token_name)
    return _explain_return(fields)


def _explain_return(fields: dict[str, str]) -> errors.AlchemerError:
    """Return the error of a text that has no verifier."""
    if is_expired(fields.get("oauth_problem", "")):
        return errors.SignInExpired(EXPIRED_SENTENCE, hint=NEW_LINK_HINT)
    if any(name in fields for name in DENIALS):
        return errors.ConsentDenied(DENIED_SENTENCE, hint=ALLOW_HINT)
    before = "log in, allow, then " if fields else ""
    after = "" if fields else " after you allowed the application"
    return errors.InvalidArgument(
        f"there is no code (oauth_verifier) in what was pasted: {before}copy the address of the "
        f"page you land on{after}, from the address bar of the browser"
    )


def is_expired(problem: str) -> bool:
    """Return True if a value of ``oauth_problem`` says that the request token is too old."""
    return find_oauth_problem(f"oauth_problem={problem}") in EXPIRED_PROBLEMS


def _tidy(pasted: str) -> str:
    """Remove invisible characters, and the line breaks in an address."""
    text = pasted[:_LONGEST].translate(_INVISIBLE)
    with suppress(ValueError):  # an HTML character reference with thousands of digits
        text = html.unescape(text)
    tidy, in_address = "", False
    for line in filter(None, map(str.strip, text.splitlines())):
        goes_on = in_address and " " not in line and not _BEGINS_ANEW.match(line)
        tidy += line if goes_on or not tidy else f" {line}"
        in_address = goes_on or bool(_IS_ADDRESS.search(line))
    return tidy


def _find_fields(text: str, token: Secret) -> dict[str, str]:
    """Return the parameters of the callback in a text, those of this attempt where it has two."""
    denied: dict[str, str] = {}
    named: list[dict[str, str]] = []
    for reading in (*_unwrap(text), *_unwrap("".join(text.split()))):
        for address in re.split(r"(?=https?://)", reading):
            found = {
                name: unquote(value.rstrip(_AROUND)) for name, value in _NAMED.findall(address)
            }
            named += [found] if found else []
            if not denied:
                denied = {name: unquote(value) for name, value in _DENIED.findall(address)}
    named.sort(key=lambda each: "oauth_verifier" not in each)
    own = (each for each in named if each.get("oauth_token", "") == token.reveal())
    first = next(own, named[0] if named else {})
    return first if "oauth_verifier" in first else {**denied, **first}


def _unwrap(text: str) -> Iterator[str]:
    """Yield a text, and what it is after each round of decoding."""
    for _ in range(_MOST_ROUNDS):
        text = _PROOFPOINT_3.sub(r"\1", text)
        yield text
        for found in _BASE64_ADDRESS.findall(text):
            with suppress(ValueError):
                yield base64.b64decode(f"{found}===", altchars=b"-_").decode()
        inner = _PROOFPOINT_2.search(text)
        again = unquote(inner[1].replace("-", "%").replace("_", "/") if inner else text)
        if again == text:
            return
        text = again


def _find_code(text: str) -> str:
    """Return the code in a text that has no address, ``""`` if there is none."""
    if "/" in text:
        return ""
    labelled = _LABELLED.match(text)
    if labelled and labelled[1].strip(_AROUND):
        return labelled[1].strip(_AROUND)
    words = [word.strip(_AROUND) for word in text.split()]
    with_digit = [word for word in words if any(map(str.isdigit, word))]
    if len(with_digit) == 1:
        return with_digit[0]
    return "".join(words) if len(words) <= _MOST_WORDS else ""
