"""The errors of refused credentials, with the likely reason and what to do.

The reason follows from what is known here: what signed the call, which step was refused, and
whether the same credentials were accepted before. Of the server's words only two sentences are
read, which the vendor documents (https://apihelp.alchemer.com/help/api-base-domains), and the name
of a problem where a reply has one: the names are those of a public extension of OAuth 1.0
(https://oauth.pbworks.com/w/page/12238543/ProblemReporting).

No reply names a wrong region, so it is a guess: it comes last, and not where it worked before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alchemer_nb.errors import (
    AuthenticationError,
    ConsentDenied,
    SignInError,
    SignInExpired,
    TransportError,
    WrongAttempt,
)
from alchemer_nb.http.regions import Region

if TYPE_CHECKING:
    from collections.abc import Mapping

API_KEY, TWO_LEGGED, THREE_LEGGED = "api_key", "two_legged", "three_legged"
CALL, REQUEST_TOKEN, ACCESS_TOKEN = "call", "oauth/request_token", "oauth/access_token"

OLD_KEY = "Login failed / Invalid auth token"
WRONG_PAIR = "Invalid api_token or api_token_secret supplied"

AGAIN = "Get a new sign-in link and try once more"
_CLOCK_TOLERANCE = 300.0  # seconds that providers of OAuth allow, as a rule
_PROBLEM = re.compile(r"\boauth_problem=\"?([a-z_]{1,40})\b")
_CONSUMER_PROBLEMS = {"consumer_key_unknown", "consumer_key_rejected", "consumer_key_refused"}
OVER = {"token_expired", "token_used", "token_revoked", "token_rejected"}
NOT_ALLOWED = {"permission_denied", "permission_unknown", "user_refused"}
_REPORTED = {
    *_CONSUMER_PROBLEMS,
    *OVER,
    *NOT_ALLOWED,
    "verifier_invalid",
    "signature_invalid",
    "timestamp_refused",
}

_OWN_KEY = "you see yours under Account > Integrations > API Key"
_NEW_KEY = f"An administrator makes a new key under Security > API Access, and {_OWN_KEY}"
_COPY_PAIR = (
    "Copy the consumer key and the consumer secret once more, both whole. The application may have "
    "been removed too, or OAuth may be switched off for the account (Account > Integrations > "
    "Manage API)"
)
_LOGIN_KEY = "%alchemer login, or ApiKey in Python"
_NEW_LINK = "Sign in again with a new link (%alchemer login --mode oauth, or OAuthFlow in Python)"
_SLIPS = {
    "swapped": "The two look swapped: what stands as the secret looks like the key",
    "consumer pair": "They look like a consumer pair: sign in with OAuth instead (%alchemer login "
    "--mode oauth, or OAuth1 in Python)",
    "API key": "They look like an API key and its secret key: sign in with those instead "
    "(%alchemer login --mode key, or ApiKey in Python)",
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is known about a call before its reply.

    Attributes:
        signed_with: ``API_KEY``, ``TWO_LEGGED`` or ``THREE_LEGGED``.
        step: ``CALL``, or a step of a sign-in: ``REQUEST_TOKEN``, ``ACCESS_TOKEN``.
        worked: True if this region accepted the same credentials before.
        slip: The mistake that the form of the credentials suggests, a key of ``_SLIPS``; or "".
        named: True if the text pasted at the last step belongs to this attempt for sure.
    """

    signed_with: str = API_KEY
    step: str = CALL
    worked: bool = False
    slip: str = ""
    named: bool = False

    @property
    def signs_in(self) -> bool:
        """True if it is a step of a sign-in."""
        return self.step != CALL


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a reply says about the reason, other than its status.

    Attributes:
        message: The server's words, without secrets: quoted, and not interpreted.
        sentence: The documented sentence that they are, ``OLD_KEY`` or ``WRONG_PAIR``; or "".
        problem: What ``oauth_problem`` names, if that is known.
        clock_ahead: Seconds by which this computer's clock is ahead of the server's, if known.
    """

    message: str = ""
    sentence: str = ""
    problem: str = ""
    clock_ahead: float | None = None


@dataclass(frozen=True, slots=True)
class _Case:
    """The content of an error: ``what`` was refused, ``why``, and what to do ``next``."""

    what: str
    why: str
    next: str
    kind: type[AuthenticationError] | None = None  # left out, by the step
    region: bool = True  # True if a wrong region would refuse it as well


def sentence_in(message: str) -> str:
    """Return the documented sentence that a server's words contain, or ``""``."""
    words = " ".join(message.casefold().split())
    return next((known for known in (OLD_KEY, WRONG_PAIR) if known.casefold() in words), "")


def problem_in(text: str) -> str:
    """Return the OAuth problem that a header or body names, or ``""``."""
    found = _PROBLEM.search(text)
    return found[1] if found and found[1] in _REPORTED else ""


def refused(
    attempt: Attempt, region: Region, evidence: Evidence, where: Mapping[str, Any]
) -> AuthenticationError:
    """Build the error of refused credentials.

    Args:
        attempt: What is known about the call.
        region: Where it was sent.
        evidence: What the reply says.
        where: Status, code, method and path for the error.
    """
    case = _case(attempt, evidence)
    quoted = f" ({evidence.message})" if evidence.message else ""
    before = why = ""
    hints = [case.next]
    if case.region and attempt.worked:
        before = ", which accepted it before"
    elif case.region:
        hints = [_SLIPS.get(attempt.slip, ""), case.next, _other_regions(region)]
    if case.why:
        why = f": {case.why}"
    by_step = SignInError if attempt.step == ACCESS_TOKEN else AuthenticationError
    return (case.kind or by_step)(
        f"{case.what} was refused by {region.host}{quoted}{before}{why}",
        hint=". ".join(hint for hint in hints if hint),
        **where,
    )


def no_token(attempt: Attempt, region: Region, body: bytes) -> SignInError | TransportError:
    """Build the error of a sign-in step whose reply has neither an error nor a token."""
    got = {b"{": "", b"<": ", with a web page", b"": ", with nothing at all"}
    head = body.lstrip()[:1]
    what = f"{region.host} answered {attempt.step} without a token{got.get(head, '')}"
    if attempt.step == ACCESS_TOKEN:
        return SignInError(f"the sign-in did not come to its end: {what}", hint=AGAIN)
    hint = "See whether a proxy or a log-in page stands in between, then try again"
    if not attempt.worked:
        hint = f"{hint}. {_COPY_PAIR}. Last, check the OAuth addresses of the region"
    reason = "page" if head == b"<" else ""
    return TransportError(f"there is no sign-in link: {what}", reason=reason, hint=hint)


def without_right(attempt: Attempt) -> str:
    """Return the hint of a missing right: the key may be wrong while no call has worked."""
    if attempt.worked:
        return ""
    what = {API_KEY: "key", TWO_LEGGED: "consumer pair"}.get(attempt.signed_with, "access token")
    return f"If no call has worked yet, check the {what} as well"


def _case(attempt: Attempt, evidence: Evidence) -> _Case:
    if attempt.signed_with == API_KEY:
        return _of_key(attempt, evidence)
    unexplained = not evidence.problem and abs(evidence.clock_ahead or 0.0) >= _CLOCK_TOLERANCE
    if evidence.problem == "timestamp_refused" or unexplained:
        return _of_clock(evidence)
    if evidence.problem in _CONSUMER_PROBLEMS:
        return _of_consumer(attempt)
    if attempt.step == ACCESS_TOKEN:
        return _of_last_step(attempt, evidence)
    if attempt.signed_with == THREE_LEGGED:
        return _of_token(attempt)
    return _of_consumer(attempt)


def _of_key(attempt: Attempt, evidence: Evidence) -> _Case:
    what = "the API key"
    if attempt.worked:
        right = (
            ""
            if evidence.sentence or evidence.problem
            else ". If other calls still work, your user may not make this one"
        )
        return _Case(
            what,
            "it was probably regenerated or removed meanwhile",
            f"{_NEW_KEY}; then sign in with the new key ({_LOGIN_KEY}){right}",
        )
    if evidence.sentence == OLD_KEY:
        return _Case(
            what,
            "it was probably regenerated or removed",
            f"A new key ends the old one at once. {_NEW_KEY}",
        )
    if evidence.sentence == WRONG_PAIR:
        return _Case(
            what,
            "key and secret key do not belong together",
            f"Copy both once more, whole and from the same place, and do not swap them: {_OWN_KEY}",
        )
    return _Case(
        what,
        "",
        "Check that key and secret key were both copied whole and were not swapped. If they were "
        f"not, the key was probably regenerated or removed. {_NEW_KEY}",
    )


def _of_consumer(attempt: Attempt) -> _Case:
    what = "the consumer pair (consumer key and consumer secret)"
    if attempt.worked:
        return _Case(
            what,
            "the application was probably removed or given a new pair meanwhile",
            "See where the application is registered; OAuth may be switched off for the account, "
            "too (Account > Integrations > Manage API). Then sign in with its present pair",
        )
    return _Case(what, "", _COPY_PAIR)


def _of_token(attempt: Attempt) -> _Case:
    what = "the access token"
    if attempt.worked:
        return _Case(
            what,
            "it is no longer valid",
            f"{_NEW_LINK}. If no link can be had, the consumer pair was probably removed",
        )
    return _Case(
        what,
        "it may have been revoked, or belong to another consumer pair",
        f"{_NEW_LINK}. If that is refused too, check the consumer key and the consumer secret",
    )


def _of_last_step(attempt: Attempt, evidence: Evidence) -> _Case:
    # Consumer pair and region were accepted a moment ago, for the request token.
    kind: type[SignInError] = SignInError if attempt.named else WrongAttempt
    why, after = (
        "the link has expired or was used already, or the code belongs to another attempt or was "
        "not copied whole",
        AGAIN,
    )
    if evidence.problem in OVER:
        kind, why = SignInExpired, "the sign-in link has expired or was used already"
    elif evidence.problem == "verifier_invalid":
        kind, why = WrongAttempt, "the code belongs to another attempt or was not copied whole"
    elif evidence.problem in NOT_ALLOWED:
        kind, why = ConsentDenied, "access was not allowed on the log-in page"
        after = "To sign in after all, get a new sign-in link"
    return _Case("the last step of the sign-in", why, after, kind, region=False)


def _of_clock(evidence: Evidence) -> _Case:
    minutes = round((evidence.clock_ahead or 0.0) / 60)
    side = "ahead of" if minutes > 0 else "behind"
    by = f"is {abs(minutes)} minutes {side}" if minutes else "differs from"
    return _Case(
        "the signature of the call",
        f"the clock of this computer {by} Alchemer's",
        "Set the clock and its time zone, then try again",
        region=False,
    )


def _other_regions(region: Region) -> str:
    others = ", ".join(
        f"{name} ({Region.get(name).app_host})" for name in Region.names() if name != region.name
    )
    return (
        f"Last, the region may be wrong (this was region {region.name}): yours is in the address "
        f"bar when you are logged in, and the others are {others}"
    )
