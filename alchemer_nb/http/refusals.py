"""The errors of refused credentials, with the likely reason and what to do.

The reason follows from what signed the call, which step was refused, and whether the same
credentials were accepted before. Of the server's message only two documented sentences are
interpreted (https://apihelp.alchemer.com/help/api-base-domains), and the name of an OAuth problem:
the names are those of a public extension of OAuth 1.0
(https://oauth.pbworks.com/w/page/12238543/ProblemReporting).

No reply says that the region is wrong. So this guess is the last hint, and is left out if the
credentials worked in the region before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alchemer_nb import errors
from alchemer_nb.http.regions import Region
from alchemer_nb.wire.text import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

API_KEY, TWO_LEGGED, THREE_LEGGED = "api_key", "two_legged", "three_legged"
CALL, REQUEST_TOKEN, ACCESS_TOKEN = "call", "oauth/request_token", "oauth/access_token"

OLD_KEY = "Login failed / Invalid auth token"
WRONG_PAIR = "Invalid api_token or api_token_secret supplied"

NEW_LINK_HINT = "Get a new sign-in link and try once more"
_CLOCK_TOLERANCE = 300.0  # seconds that providers of OAuth allow, as a rule
_PROBLEM = re.compile(r"\boauth_problem=\"?([a-z_]{1,40})\b")
_CONSUMER_PROBLEMS = {"consumer_key_unknown", "consumer_key_rejected", "consumer_key_refused"}
EXPIRED_PROBLEMS = {"token_expired", "token_used", "token_revoked", "token_rejected"}
DENIED_PROBLEMS = {"permission_denied", "permission_unknown", "user_refused"}
_KNOWN_PROBLEMS = {
    *_CONSUMER_PROBLEMS,
    *EXPIRED_PROBLEMS,
    *DENIED_PROBLEMS,
    "verifier_invalid",
    "signature_invalid",
    "timestamp_refused",
}

_PLACES = "administrators: Security > API Access; other users: Account > Integrations > API Key"
_NEW_KEY = f"Get the present key ({_PLACES}, or ask an administrator)"
_MANAGE_API = "Account > Integrations > Manage API"
_COPY_PAIR = (
    "Copy the consumer key and the consumer secret once more, both whole: they are those of a "
    "registered application, not an API key with its secret key. If they are right, the "
    "application may have been removed, or OAuth may be switched off for the account (an "
    f"administrator sees it under {_MANAGE_API})"
)
_NO_ACCESS = (
    "If nobody in the account can make API calls, they may not be part of its plan (ask Alchemer) "
    f"or be switched off (an administrator sees it under {_MANAGE_API})"
)
_NO_SLIP = "If that is not it, copy both once more, whole and from the same place"
_LOGIN_KEY = "%alchemer login, or ApiKey in Python"
_NEW_LINK = "Sign in again with a new link (%alchemer login --mode oauth, or OAuthFlow in Python)"
_BY_KEY = "in the panel: the button API key; else %alchemer login --mode key, or ApiKey in Python"
_BY_OAUTH = "in the panel: the button OAuth; else %alchemer login --mode oauth, or OAuth1 in Python"
_SLIPS = {
    "swapped": "The two look swapped: the secret looks like a key. Enter them the other way round",
    "same": "The key and the secret are the same text: copy the secret, too",
    "log-in": "The key looks like an e-mail address: the name and the password of the log-in page "
    "are not used here",
    "consumer pair": f"They look like a consumer pair: sign in with OAuth instead ({_BY_OAUTH})",
    "API key": "They look like an API key and its secret key: sign in with those instead "
    f"({_BY_KEY})",
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is known about a call before its reply.

    Attributes:
        signed_with: ``API_KEY``, ``TWO_LEGGED`` or ``THREE_LEGGED``.
        step: ``CALL``, or a step of a sign-in: ``REQUEST_TOKEN``, ``ACCESS_TOKEN``.
        worked: True if this region accepted the same credentials before.
        knows_region: True if the region cannot be the reason, as it accepted other credentials of
            the same person, or these in an earlier session.
        slip: The mistake that the form of the credentials suggests, a key of ``_SLIPS``; or "".
        names_attempt: True if the text pasted at the last step names this attempt's token.
    """

    signed_with: str = API_KEY
    step: str = CALL
    worked: bool = False
    knows_region: bool = False
    slip: str = ""
    names_attempt: bool = False

    @property
    def signs_in(self) -> bool:
        """True if it is a step of a sign-in."""
        return self.step != CALL


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a reply says about the reason, other than its status.

    Attributes:
        message: The server's message without secrets; it is quoted only.
        sentence: The documented sentence in it, ``OLD_KEY`` or ``WRONG_PAIR``; or "".
        problem: The value of ``oauth_problem``, if it is a known one.
        clock_ahead: Seconds by which this computer's clock is ahead of the server's, if known.
    """

    message: str = ""
    sentence: str = ""
    problem: str = ""
    clock_ahead: float | None = None


@dataclass(frozen=True, slots=True)
class _Explanation:
    """The parts of an error: ``what`` was refused, ``why``, and what to do ``next``."""

    what: str
    why: str
    next: str
    kind: type[errors.AuthenticationError] | None = None  # None: the step decides
    region: bool = True  # True if a wrong region would be refused in the same way


def find_known_sentence(message: str) -> str:
    """Return the documented sentence in a server's message, or ``""``."""
    words = " ".join(message.casefold().split())
    return next((known for known in (OLD_KEY, WRONG_PAIR) if known.casefold() in words), "")


def find_oauth_problem(text: str) -> str:
    """Return the OAuth problem that a header or body names, or ``""``."""
    found = _PROBLEM.search(text)
    return found[1] if found and found[1] in _KNOWN_PROBLEMS else ""


def refused(
    attempt: Attempt, region: Region, evidence: Evidence, where: Mapping[str, Any]
) -> errors.AuthenticationError:
    """Build the error of refused credentials.

    Args:
        attempt: What is known about the call.
        region: Where it was sent.
        evidence: What the reply says.
        where: Status, code, method and path for the error.
    """
    case = _explain(attempt, evidence)
    quoted = f" ({evidence.message})" if evidence.message else ""
    before = why = ""
    hints = [case.next]
    if case.region and attempt.worked:
        before = ", which accepted it before"
    elif case.region:
        slip = _SLIPS.get(attempt.slip, "")
        after = _NO_SLIP if slip else case.next
        hints = [slip, after, "" if attempt.knows_region else _region_hint(region)]
    if case.why and not (case.region and attempt.slip and not attempt.worked):
        why = f": {case.why}"
    by_step = errors.SignInError if attempt.step == ACCESS_TOKEN else errors.AuthenticationError
    return (case.kind or by_step)(
        f"{case.what} was refused by {region.host}{quoted}{before}{why}",
        hint=". ".join(hint for hint in hints if hint),
        **where,
    )


def build_no_token_error(
    attempt: Attempt, region: Region, body: bytes
) -> errors.SignInError | errors.TransportError:
    """Build the error of a sign-in step whose reply has neither an error nor a token."""
    got = {b"{": "", b"<": ", with a web page", b"": ", with nothing at all"}
    head = body.lstrip()[:1]
    what = f"{region.host} answered {attempt.step} without a token{got.get(head, '')}"
    if attempt.step == ACCESS_TOKEN:
        return errors.SignInError(
            f"the sign-in did not come to its end: {what}", hint=NEW_LINK_HINT
        )
    hint = "See whether a proxy or a log-in page stands in between, then try again"
    if not attempt.worked:
        hint = f"{hint}. {_COPY_PAIR}. Last, check the OAuth addresses of the region"
    reason = "page" if head == b"<" else ""
    return errors.TransportError(f"there is no sign-in link: {what}", reason=reason, hint=hint)


def forbidden(attempt: Attempt, where: str) -> tuple[str, str]:
    """Return sentence and hint of the error of a missing right.

    Args:
        attempt: What is known about the call.
        where: The call and what the server says.
    """
    if attempt.worked:
        return (
            f"you are signed in, but your user may not do this ({where}); ask an administrator of "
            "the account",
            "",
        )
    what = {API_KEY: "key", TWO_LEGGED: "consumer pair"}.get(attempt.signed_with, "access token")
    return (
        f"the user of this {what} may not do this ({where})",
        "Ask an administrator of the account to let this user make API calls, or to make a key "
        "for a user who may. "
        f"{_NO_ACCESS}. If no call has worked yet, check the {what} as well",
    )


def build_method_hint() -> str:
    """Return the hint for a method that was refused."""
    return f"An administrator may have switched it off for the account ({_MANAGE_API})"


def _explain(attempt: Attempt, evidence: Evidence) -> _Explanation:
    if attempt.signed_with == API_KEY:
        return _explain_key(attempt, evidence)
    is_clock_off = not evidence.problem and abs(evidence.clock_ahead or 0.0) >= _CLOCK_TOLERANCE
    if evidence.problem == "timestamp_refused" or is_clock_off:
        return _explain_clock(evidence)
    if evidence.problem in _CONSUMER_PROBLEMS:
        return _explain_consumer(attempt)
    if attempt.step == ACCESS_TOKEN:
        return _explain_last_step(attempt, evidence)
    if attempt.signed_with == THREE_LEGGED:
        return _explain_token(attempt)
    return _explain_consumer(attempt)


def _explain_key(attempt: Attempt, evidence: Evidence) -> _Explanation:
    if attempt.worked:
        why = "it was probably regenerated or removed meanwhile"
        after = f"{_NEW_KEY}. Then sign in with the new key ({_LOGIN_KEY})"
        if not (evidence.sentence or evidence.problem):
            after += ". If other calls still work, your user may not make this one"
    elif evidence.sentence == OLD_KEY:
        why = "it was probably regenerated or removed"
        after = f"{_NEW_KEY}. A new key ends the old one at once"
    elif evidence.sentence == WRONG_PAIR:
        why = "key and secret key do not belong together"
        after = f"Copy both once more, whole and from the same place ({_PLACES}); do not swap them"
    else:
        why = ""
        after = (
            "Check that key and secret key were both copied whole and were not swapped. If they "
            f"are right, the key was probably regenerated or removed. {_NEW_KEY}. {_NO_ACCESS}"
        )
    return _Explanation("the API key", why, after)


def _explain_consumer(attempt: Attempt) -> _Explanation:
    why, after = "", _COPY_PAIR
    if attempt.worked:
        why = "the application was probably removed or given a new pair meanwhile"
        after = (
            "See where the application is registered; OAuth may be switched off for the account, "
            f"too ({_MANAGE_API}). Then sign in with its present pair"
        )
    return _Explanation("the consumer pair (consumer key and consumer secret)", why, after)


def _explain_token(attempt: Attempt) -> _Explanation:
    why = "it may have been revoked, or belong to another consumer pair"
    after = "If that is refused too, check the consumer key and the consumer secret"
    if attempt.worked:
        why = "it is no longer valid"
        after = "If no link can be had, the consumer pair was probably removed"
    return _Explanation("the access token", why, f"{_NEW_LINK}. {after}")


def _explain_last_step(attempt: Attempt, evidence: Evidence) -> _Explanation:
    # Consumer pair and region were accepted a moment ago, for the request token.
    kind = errors.SignInError if attempt.names_attempt else errors.WrongAttempt
    expired = "link has expired or was used already"
    uncopied = "the code belongs to another attempt or was not copied whole"
    why, after = f"the {expired}, or {uncopied}", NEW_LINK_HINT
    if evidence.problem in EXPIRED_PROBLEMS:
        kind, why = errors.SignInExpired, f"the sign-in {expired}"
    elif evidence.problem == "verifier_invalid":
        kind, why = errors.WrongAttempt, uncopied
    elif evidence.problem in DENIED_PROBLEMS:
        kind, why = errors.ConsentDenied, "access was not allowed on the log-in page"
        after = "To sign in after all, get a new sign-in link"
    return _Explanation("the last step of the sign-in", why, after, kind, region=False)


def _explain_clock(evidence: Evidence) -> _Explanation:
    minutes = round((evidence.clock_ahead or 0.0) / 60)
    side = "ahead of" if minutes > 0 else "behind"
    by = f"is {counted(abs(minutes), 'minute')} {side}" if minutes else "differs from"
    return _Explanation(
        "the signature of the call",
        f"the clock of this computer {by} Alchemer's",
        "Set the clock and the time zone of the computer that runs the notebook, then try again",
        region=False,
    )


def _region_hint(region: Region) -> str:
    others = ", ".join(
        f"{name} ({Region.get(name).app_host})" for name in Region.names() if name != region.name
    )
    return (
        f"Last, the region may be wrong (this was region {region.name}): yours is in the address "
        f"bar when you are logged in, and the others are {others}"
    )
