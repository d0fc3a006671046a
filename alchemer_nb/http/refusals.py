"""The errors of refused credentials, with the likely reason and what to do.

The reason follows from what signed the call, which step was refused, and whether the same
credentials were accepted before. Of the server's message only two documented sentences are
interpreted (https://apihelp.alchemer.com/help/api-base-domains), and the name of an OAuth problem:
the names are those of a public extension of OAuth 1.0
(https://oauth.pbworks.com/w/page/12238543/ProblemReporting).

No reply says that the region is wrong. So this guess is the last hint, and is left out if the
credentials worked in the region before, or are no credentials of Alchemer's API at all.
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

HOW_TO_GET_LINK = (
    "in the panel: Get a new link; else %alchemer login --mode oauth, or OAuthFlow in Python"
)
NEW_LINK_HINT = f"Get a new sign-in link ({HOW_TO_GET_LINK}) and try again"
PASTE_AGAIN_HINT = (
    "Log in with the newest link, press Allow, and copy the whole address of the last page, or the "
    f"code that it shows. If it is refused, too, get a new sign-in link ({HOW_TO_GET_LINK})"
)
DENIED_SENTENCE = "access was denied on the log-in page: somebody probably pressed Deny"
ALLOW_HINT = f"To sign in, get a new sign-in link ({HOW_TO_GET_LINK}) and press Allow"
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
_CURRENT_KEY = f"Get the current key ({_PLACES}, or ask an administrator)"
_MANAGE_API = "Account > Integrations > Manage API"
_ASK_CONSUMER = (
    "If they are right, ask an administrator whether the application was removed or OAuth is off "
    f"({_MANAGE_API})"
)
_COPY_PAIR = (
    "Copy the consumer key and the consumer secret again, both whole, from where the application "
    "is registered; an API key does not work here"
)
_NEW_LINK = "Sign in again with a new link (%alchemer login --mode oauth, or OAuthFlow in Python)"
_BY_KEY = "in the panel: the button API key; else %alchemer login --mode key, or ApiKey in Python"
_BY_OAUTH = "in the panel: the button OAuth; else %alchemer login --mode oauth, or OAuth1 in Python"
_NO_LOG_IN = (
    "The key looks like an e-mail address, but the name and the password of the log-in page do not "
    "work here"
)
_SLIPS = {
    "swapped": "The key and the secret look swapped: enter them the other way round",
    "same": "The key and the secret are the same text: copy the secret again, from next to the key",
    "consumer pair": "The key and the secret look like a consumer pair: sign in with OAuth instead "
    f"({_BY_OAUTH})",
    "API key": "The key and the secret look like an API key and its secret key: sign in with those "
    f"instead ({_BY_KEY})",
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
        slip: The mistake that the form of the credentials suggests, a key of ``_SLIPS`` or
            ``"log-in"``; or "".
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
    """The parts of an error.

    ``what`` was refused, ``why``, what to do ``next``, and what ``otherwise``, if that is no help.
    """

    what: str
    why: str
    next: str
    otherwise: str = ""
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
    hints = [case.next, case.otherwise]
    if case.region and attempt.worked:
        before = ", which accepted it before"
    elif case.region and attempt.slip:
        hints = _describe_slip(attempt, region)
    elif case.region and not attempt.knows_region:
        # A key that is not known may be one of another region; a pair that does not fit is none.
        is_unknown_key = attempt.signed_with == API_KEY and evidence.sentence != WRONG_PAIR
        hints = [case.next, _check_region(case.otherwise, region, with_hosts=is_unknown_key)]
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
    hint = build_log_in_hint(region.host)
    if not attempt.worked:
        hint = f"{hint}. If not, check the consumer key, the consumer secret and the region"
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
            f"you are signed in, but your user may not make this call ({where}); ask an "
            "administrator of the account for the right to make it",
            "",
        )
    what = {API_KEY: "key", TWO_LEGGED: "consumer pair"}.get(attempt.signed_with, "access token")
    return (
        f"the user of this {what} may not use the API ({where})",
        "Ask an administrator of the account to let this user use the API; for all users it may be "
        f"off ({_MANAGE_API}) or missing in the plan (ask Alchemer). If nothing is off, check the "
        f"{what}",
    )


def build_log_in_hint(host: str) -> str:
    """Return the hint for a page that is not Alchemer's."""
    return (
        f"Open https://{host} in a browser: if a log-in page of your network appears, log in "
        "there, then try again"
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
    why = otherwise = ""
    if attempt.worked:
        why = "it was probably regenerated or removed"
        after = f"{_CURRENT_KEY} and sign in with it (%alchemer login, or a new ApiKey in Python)"
        if not (evidence.sentence or evidence.problem):
            otherwise = "If other calls still work, your user may not make this one"
    elif evidence.sentence == OLD_KEY:
        why = "it was probably regenerated or removed"
        after = (
            f"{_CURRENT_KEY} and sign in with it. Making a new key stops the old one at once, also "
            "in other programs"
        )
    elif evidence.sentence == WRONG_PAIR:
        why = "key and secret key do not belong together"
        after = f"Copy both again, whole and from the same place ({_PLACES})"
    else:
        after = "Check that key and secret key were both copied whole and were not swapped"
        otherwise = (
            "If they are right, ask an administrator for the current key and whether the API is "
            f"on ({_MANAGE_API})"
        )
    return _Explanation("the API key", why, after, otherwise)


def _explain_consumer(attempt: Attempt) -> _Explanation:
    why, after = "", _COPY_PAIR
    if attempt.worked:
        why = "the application was probably removed or got a new pair"
        after = (
            "Copy the current pair from where the application is registered and sign in with it "
            "(%alchemer login --mode oauth, or OAuth1 in Python)"
        )
    what = "the consumer pair (consumer key and consumer secret)"
    return _Explanation(what, why, after, _ASK_CONSUMER)


def _explain_token(attempt: Attempt) -> _Explanation:
    why = "it was probably withdrawn, or belongs to another consumer pair"
    otherwise = "If that is refused too, check the consumer key and the consumer secret"
    if attempt.worked:
        why = "it is no longer valid"
        otherwise = "If you get no link, ask an administrator whether the application was removed"
    return _Explanation("the access token", why, _NEW_LINK, otherwise)


def _explain_last_step(attempt: Attempt, evidence: Evidence) -> _Explanation:
    # Consumer pair and region were accepted a moment ago, for the request token.
    expired = "link has expired or was used already"
    uncopied = "the code was not copied whole or is not that of this link"
    if attempt.names_attempt:
        kind: type[errors.SignInError] = errors.SignInError
        why, after = f"the {expired}, or the code was not copied whole", NEW_LINK_HINT
    else:  # whatever was pasted, it was no address of this attempt
        kind, why, after = errors.WrongAttempt, f"{uncopied}, or the {expired}", PASTE_AGAIN_HINT
    if evidence.problem in EXPIRED_PROBLEMS:
        kind, why, after = errors.SignInExpired, f"the sign-in {expired}", NEW_LINK_HINT
    elif evidence.problem == "verifier_invalid":
        kind, why = errors.WrongAttempt, uncopied
    elif evidence.problem in DENIED_PROBLEMS:
        kind, why, after = errors.ConsentDenied, DENIED_SENTENCE, ALLOW_HINT
    return _Explanation("the last step of the sign-in", why, after, kind=kind, region=False)


def _explain_clock(evidence: Evidence) -> _Explanation:
    minutes = round((evidence.clock_ahead or 0.0) / 60)
    side = "ahead of" if minutes > 0 else "behind"
    by = f"is {counted(abs(minutes), 'minute')} {side}" if minutes else "differs from"
    return _Explanation(
        "the signature of the call",
        f"the clock of this computer {by} Alchemer's",
        "Set the clock and the time zone of the computer that runs the notebook (of a server: ask "
        "whoever runs it), then try again",
        region=False,
    )


def _describe_slip(attempt: Attempt, region: Region) -> list[str]:
    """Return what to do about the slip, and what otherwise."""
    if attempt.slip in _SLIPS:
        otherwise = "If that is not it, copy both again, whole"
        if not attempt.knows_region:
            otherwise = _check_region(otherwise, region)
        return [_SLIPS[attempt.slip], otherwise]
    if attempt.signed_with == API_KEY:
        return [
            _NO_LOG_IN,
            f"Copy the API key and its secret key ({_PLACES}, or ask an administrator)",
        ]
    return [_NO_LOG_IN, _COPY_PAIR]


def _check_region(otherwise: str, region: Region, *, with_hosts: bool = False) -> str:
    """Return what to do otherwise, with the region as the last of it."""
    others = ", ".join(
        f"{name} {Region.get(name).app_host}" if with_hosts else name
        for name in Region.names()
        if name != region.name
    )
    before = f"{otherwise}, and" if otherwise else "If that does not help,"
    return (
        f"{before} check the region (now {region.name}; others: {others}): your address bar shows "
        "it when you are logged in"
    )
