"""All errors of the package, in one tree.

::

    AlchemerError
    ├── ConfigurationError (ValueError)      no credentials, an address that is not https, …
    ├── InvalidArgument (ValueError)         an argument of a call does not fit; says what would
    │   └── ConditionError                   a condition line that cannot be read (.line)
    ├── SurveyNotFound (LookupError)         no survey, or more than one, fits the title
    ├── KnowledgeLost                        a frame no longer has the description a call needs
    ├── TransportError                       no reply, or a reply that is not Alchemer's
    ├── Stopped                              a wait or a call was stopped by its caller
    ├── DownloadIncomplete                   fewer rows than there are (.partial has those so far)
    ├── StoreError                           a local store cannot be written or read
    │   ├── StoreBusy                        another notebook is at work on it
    │   ├── StoreDamaged                     a file of it is gone or damaged; a sync mends it
    │   └── StoreNewer                       a newer version of this package wrote it
    └── ApiError                             Alchemer answered with an error (.status .code …)
        ├── AuthenticationError              the credentials were refused
        │   └── SignInError                  the OAuth sign-in did not come to its end
        │       ├── WrongAttempt             the pasted text belongs to another attempt
        │       ├── SignInExpired            the request token is no longer known
        │       └── ConsentDenied            the user said no
        ├── PermissionDenied                 signed in, but not allowed
        ├── NotFound (LookupError)           no such object
        ├── RateLimited                      too many calls (.retry_after seconds, or None)
        └── ServerError                      5xx and its kin
            └── TooSlow                      the call was too large for Alchemer's 30 seconds

In a notebook each shows as one red line and the cell fails, so that *Run All* stops there.
No message holds a secret or an address with its query: the transport builds them from method,
path and status alone.

The sentence of an error says what happened, its ``hint`` what to do next. They are separate so that
a form can show them separately; ``str(error)`` is both. Neither ends with a full stop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alchemer_nb.visible import make_visible

if TYPE_CHECKING:
    from collections.abc import Callable

_SENTENCE_ENDS = (".", "!", "?", "…")


class AlchemerError(Exception):
    """The base of every error that this package raises on purpose.

    Args:
        *args: What happened, in one sentence.
        hint: What to do next.

    Attributes:
        short: Whether a notebook shows one line (the default) or the whole traceback.
        hint: What to do next; ``""`` where the sentence says it already.
        attempts: How often a call was made that failed in the end.

    Example:
        >>> str(AlchemerError("the key is old", hint="Ask for a new one"))
        'the key is old. Ask for a new one'
    """

    short: bool = True
    hint: str = ""
    attempts: int = 1

    def __init__(self, *args: object, hint: str = "") -> None:
        super().__init__(*args)
        self.hint = hint

    @property
    def sentence(self) -> str:
        """What happened, without the hint."""
        attempts_note = f" (tried {self.attempts} times)" if self.attempts > 1 else ""
        return make_visible(f"{super().__str__()}{attempts_note}")

    @property
    def lines(self) -> tuple[str, str]:
        """Sentence and hint as a form shows them: with a capital and a full stop, or empty."""
        return _with_full_stop(self.sentence), _with_full_stop(make_visible(self.hint))

    def __str__(self) -> str:
        sentence, hint = self.sentence, make_visible(self.hint)
        if not (sentence and hint):
            return sentence or hint
        return f"{sentence}{' ' if sentence.endswith(_SENTENCE_ENDS) else '. '}{hint}"

    def __reduce__(self) -> tuple[Any, ...]:
        # Not all attributes are positional arguments of the constructors, which pickle would call.
        return _rebuild, (type(self), self.args, dict(vars(self)))

    @property
    def _render_traceback_(self) -> Callable[..., list[str]]:
        """The renderer that IPython looks for; AttributeError makes it show the full traceback."""
        if not self.short:
            raise AttributeError("_render_traceback_")
        return self._one_line

    def _one_line(self, *_: Any, **__: Any) -> list[str]:
        text = " ".join(str(self).split())
        return [f"\x1b[31m{type(self).__name__}\x1b[0m: {text}"]


def _rebuild(kind: type[AlchemerError], args: tuple[Any, ...], state: dict[str, Any]) -> Any:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


def _with_full_stop(text: str) -> str:
    end = "" if not text or text.endswith(_SENTENCE_ENDS) else "."
    return f"{text[:1].upper()}{text[1:]}{end}"


class ConfigurationError(AlchemerError, ValueError):
    """The set-up does not allow the call: no credentials, an unsafe address, a bad region.

    Attributes:
        argument: Name of the argument of ``ApiKey`` or ``OAuth1`` that does not fit; else ``""``.
    """

    def __init__(self, *args: object, hint: str = "", argument: str = "") -> None:
        super().__init__(*args, hint=hint)
        self.argument = argument


class InvalidArgument(AlchemerError, ValueError):
    """An argument is not valid; the message says what would be."""


class ConditionError(InvalidArgument):
    """A condition line cannot be read.

    Attributes:
        line: Number of the line in the text it came from, counted from 1.
    """

    def __init__(self, message: str, line: int = 1, *, hint: str = "") -> None:
        super().__init__(f"line {line}: {message}", hint=hint)
        self.line = line


class SurveyNotFound(AlchemerError, LookupError):
    """No survey, or more than one, fits the title that was given."""


class KnowledgeLost(AlchemerError):
    """A frame has lost its description of the survey; the message says how to mend it."""


class TransportError(AlchemerError):
    """There was no reply, or one that does not come from Alchemer's API.

    Attributes:
        reason: ``"unreachable"``, ``"silent"`` (no answer in time), ``"cut"`` (an answer that is
            not whole, or no JSON), ``"slow"`` and ``"large"`` (an answer that was given up),
            ``"page"`` (a web page instead of data), ``"blocked"`` (a web page or a proxy forbids
            the call), ``"redirect"``, ``"certificate"``, or ``""``.
    """

    def __init__(self, message: str = "", *, reason: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


class Stopped(AlchemerError):
    """A call was stopped while it waited or was on its way; nothing is wrong."""


class DownloadIncomplete(AlchemerError):
    """Fewer rows arrived than there are.

    Args:
        message: What happened.
        partial: The DataFrame of the rows that arrived, or a function that builds it when it is
            needed, so that an interrupted cell ends at once.
        hint: How to get the rows.
        needs: What to do before it can be resumed, such as ``"sign in with the new key"``.
        resume: Continues with a client and a ``progress`` argument.
        cause: The error that ended it.
        stopped: Whether the user stopped it.

    Attributes:
        needs: As given.
        cause: As given; None if it was stopped, or if rows were missing at its end.
        stopped: As given. A notebook then shows a calm line, and not an error.
    """

    def __init__(
        self,
        message: str,
        partial: Any = None,
        *,
        hint: str = "",
        needs: str = "",
        resume: Callable[[Any, Any], Any] | None = None,
        cause: AlchemerError | None = None,
        stopped: bool = False,
    ) -> None:
        super().__init__(message, hint=hint)
        self.stopped = stopped
        self._partial = partial
        self._resume = resume
        self.needs = needs
        # Without its traceback, which would keep all pages and answers in memory.
        self.cause = self.__cause__ = cause.with_traceback(None) if cause else None

    @property
    def partial(self) -> Any:
        """The DataFrame of the rows that arrived, or None."""
        if callable(self._partial):
            self._partial = self._partial()
        return self._partial

    @property
    def has_rows(self) -> bool:
        """True if ``partial`` has rows; does not build the frame."""
        return self._partial is not None

    @property
    def resumable(self) -> bool:
        """True if ``resume`` can continue from the rows that arrived."""
        return self._resume is not None

    def resume(self, client: Any, progress: Any = "auto") -> Any:
        """Continue the same download where it ended, and return the whole frame.

        Pages that had arrived are not asked for again. What was added, changed or deleted in the
        meantime is included; if the rows at hand cannot be used any more, all are asked for anew,
        and the line at the end says why. The error does not change: ``resume`` can be called again.

        Args:
            client: A ``Client`` of the same account, with credentials that work now.
            progress: As for ``client.responses``.

        Returns:
            What the download would have returned.

        Raises:
            InvalidArgument: The client is one of another account or region, or nothing can be
                resumed.
            DownloadIncomplete: It ended early again; that error has the rows since then, too.
            ApiError, TransportError: As for any call; nothing is lost.

        Example:
            >>> try:
            ...     df = client.responses("Customer satisfaction")
            ... except DownloadIncomplete as error:
            ...     new = Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)
            ...     df = error.resume(new)
        """
        if self._resume is None:
            raise InvalidArgument("there is nothing to go on with: run the download again")
        return self._resume(client, progress)

    def __reduce__(self) -> tuple[Any, ...]:
        # The rows are pickled. ``resume`` is not: it holds the client.
        kind, (rebuild, args, state) = super().__reduce__()
        return kind, (rebuild, args, {**state, "_partial": self.partial, "_resume": None})


class StoreError(AlchemerError):
    """A local store cannot be written or read; its earlier content is unharmed."""


class StoreBusy(StoreError):
    """Another notebook or program is working on the store."""


class StoreDamaged(StoreError):
    """A file of the store is gone or damaged, and nothing was read; a sync mends it."""


class StoreNewer(StoreError):
    """A newer version of this package wrote the store; nothing was changed."""


class ApiError(AlchemerError):
    """Alchemer answered with an error.

    Attributes:
        status: HTTP status, or None if no call was made.
        code: The ``code`` of the reply, which is not always an HTTP status.
        method: HTTP method of the call.
        path: Path of the call below the version, without any query.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: int | str | None = None,
        method: str | None = None,
        path: str | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.code = code
        self.method = method
        self.path = path


class AuthenticationError(ApiError):
    """The credentials were refused."""


class SignInError(AuthenticationError):
    """The OAuth sign-in did not succeed; it can be started again."""


class WrongAttempt(SignInError):
    """The pasted text belongs to another sign-in attempt, or was not copied whole."""


class SignInExpired(SignInError):
    """The request token is no longer known: too much time has passed, or it was used."""


class ConsentDenied(SignInError):
    """The user did not allow the application."""


class PermissionDenied(ApiError):
    """The credentials are good, but their user may not do this."""


class NotFound(ApiError, LookupError):
    """There is no such object in this account and region."""


class RateLimited(ApiError):
    """Too many calls in a minute, or the same call twice at once.

    Attributes:
        retry_after: Seconds the server asked to wait, or None.
        same_call: True if the same call was still running.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        same_call: bool = False,
        **where: Any,
    ) -> None:
        super().__init__(message, **where)
        self.retry_after = retry_after
        self.same_call = same_call


class ServerError(ApiError):
    """Alchemer could not answer: 5xx, or a service that says it is unavailable."""


class TooSlow(ServerError):
    """Alchemer gave up on the call after its 30 seconds: ask for less at once.

    Fact: a request that runs longer than 30 seconds ends in a 500
    (https://apihelp.alchemer.com/help/api-request-limits).
    """
