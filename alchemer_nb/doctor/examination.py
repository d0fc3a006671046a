"""Checks network, sign-in, rights and this computer, with a few calls that change nothing.

The first call carries no credentials: it shows whether the host is Alchemer's before a key is sent
to it. No call is made twice, so an examination takes seconds, and none uses the replies of the last
minute, so a key that was replaced a moment ago shows as refused.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from alchemer_nb import errors
from alchemer_nb.auth import lookup
from alchemer_nb.doctor import shapes
from alchemer_nb.doctor.computer import check_computer
from alchemer_nb.doctor.report import (
    ALLOWED,
    NOT_TRIED,
    NOTE,
    OK,
    REFUSED,
    RIGHTS,
    SHAPES,
    TROUBLE,
    Check,
    Diagnosis,
)
from alchemer_nb.http.network_errors import find_proxy
from alchemer_nb.http.refusals import THREE_LEGGED, TWO_LEGGED, find_known_sentence
from alchemer_nb.http.regions import Region, is_loopback
from alchemer_nb.http.reply import Reply, find_error
from alchemer_nb.http.transport import Call, Timeout, Transport
from alchemer_nb.store import paths
from alchemer_nb.visible import print_line
from alchemer_nb.wire.clocks import Clock
from alchemer_nb.wire.ids import id_number
from alchemer_nb.wire.paging import reply_rows
from alchemer_nb.wire.query import API_VERSION
from alchemer_nb.wire.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from alchemer_nb.http.credentials import Credentials

_NETWORK, _SIGN_IN, _LIMIT = "network", "sign-in", "rate limit"
_CLOCK_NOTE, _CLOCK_TROUBLE = 30.0, 300.0  # seconds; providers of OAuth allow 300, as a rule
_FEW_CALLS = 20
_MOST_SILENT = 2  # lists without an answer, each of which takes the whole timeout
_ROWS = 50  # of a page; Alchemer's own default
_KINDS = {TWO_LEGGED: "consumer pair", THREE_LEGGED: "access token"}
_NOT_SIGNED_IN = "there is no sign-in that works"
_NOT_REACHED = "Alchemer was not reached"


class _Probe(NamedTuple):
    """A list whose first page is asked for.

    Attributes:
        name: As in ``shapes.reply_names``.
        path: With ``{survey}`` or ``{list}`` for an id.
        only_shapes: Why it is asked for only where shapes are compared; ``""`` if always.
    """

    name: str
    path: str
    only_shapes: str = ""


_PROBES = (
    _Probe("surveys", "survey"),
    _Probe("definition", "survey/{survey}"),
    _Probe("questions", "survey/{survey}/surveyquestion"),
    _Probe("responses", "survey/{survey}/surveyresponse"),
    _Probe(
        "statistics",
        "survey/{survey}/surveystatistic",
        "only with --shapes or shapes=True, as Alchemer counts all responses for it",
    ),
    _Probe("campaigns", "survey/{survey}/surveycampaign"),
    _Probe("quotas", "survey/{survey}/quotas"),
    _Probe("reports", "survey/{survey}/surveyreport"),
    _Probe("contact lists", "contactlist"),
    _Probe("contacts", "contactlist/{list}/contactlistcontact"),
    _Probe("users", "accountuser"),
    _Probe("teams", "accountteams"),
    _Probe("domains", "domain"),
    _Probe("themes", "surveytheme"),
    _Probe("single sign-on", "sso"),
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is examined.

    Attributes:
        region: Where calls go.
        credentials: Sign the calls; None where there are none.
        store: Folder of local stores; None if it cannot be found.
        timeout: As for ``Transport``.
        requests_per_minute: As for ``Transport``.
        source: Where the credentials were found, for the reader; ``""`` for those of a client.
        problem: Why there are no credentials, or no store; None if nothing is wrong.
    """

    region: Region
    credentials: Credentials | None
    store: Path | None
    timeout: Timeout = (5, 60)
    requests_per_minute: int = 230
    source: str = ""
    problem: errors.AlchemerError | None = None

    @classmethod
    def find(
        cls, profile: str | None = None, region: str | Region | None = None, usual: str = ""
    ) -> Subject:
        """Return what the environment or a profile has; a problem is noted, not raised.

        Args:
            profile: Look in this profile only.
            region: The region to examine; credentials of another region are a problem.
            usual: The region where nothing else names one.
        """
        asked, credentials, store, source = Region.get(usual or "us"), None, None, ""
        problem: errors.AlchemerError | None = None
        try:
            store = paths.find_root()
            asked = Region.get(region) if region else lookup.environment_region() or asked
            found = lookup.find_credentials(profile)
            if found is None and profile is not None:
                problem = lookup.no_credentials_error(profile, "Sign in with %alchemer login")
            elif found is not None:
                found = found.for_region(None if found.region_source and not region else asked)
                asked, credentials, source = found.region, found.credentials, found.source
        except errors.AlchemerError as error:
            problem = error.with_traceback(None)
        return cls(asked, credentials, store, source=source, problem=problem)


@dataclass(slots=True)
class Examination:
    """One run of all checks.

    Attributes:
        subject: What is examined.
        find_survey: Returns the id of the survey to look at; None for any of the account.
        with_shapes: Whether replies are compared with the expected shapes.
        try_regions: Whether a key that is not accepted is sent to the other regions, too.
        tell: Called with the hosts before the key is sent to them.
    """

    subject: Subject
    find_survey: Callable[[], str] | None = None
    with_shapes: bool = False
    try_regions: bool = False
    tell: Callable[[str], None] = print_line
    _checks: list[Check] = field(init=False, default_factory=list)
    _paths: list[shapes.PathShape] = field(init=False, default_factory=list)
    _is_reached: bool = field(init=False, default=False)
    _is_accepted: bool = field(init=False, default=False)
    _is_refused: bool = field(init=False, default=False)
    _silent: int = field(init=False, default=0)

    def run(self) -> Diagnosis:
        """Run all checks; after an interrupt, return what is known so far."""
        utc = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        steps = {
            "this computer": self._check_computer,
            _NETWORK: self._check_network,
            _SIGN_IN: self._check_sign_in,
            RIGHTS: self._check_rights,
            _LIMIT: self._check_limit,
        }
        for area, step in steps.items():
            try:
                step()
            except KeyboardInterrupt:
                self._add(area, "interrupt", NOTE, "you stopped it: what follows was not tried")
                break
            except Exception as error:  # noqa: BLE001 - it is there to find trouble, not to make it
                self._add_error(area, "this check", error)
        order = [*[*steps][1:], SHAPES, "this computer"]
        checks = sorted(self._checks, key=lambda check: order.index(check.area))
        return Diagnosis(tuple(checks), tuple(self._paths), utc)

    # -- steps --------------------------------------------------------------------------------

    def _check_computer(self) -> None:
        self._checks += check_computer(self.subject.store)

    def _check_network(self) -> None:
        region = self.subject.region
        address = f"{region.api_url}/{API_VERSION}/account"
        proxy = find_proxy(address)
        if proxy is None:
            self._add(_NETWORK, "proxy", OK, "none is used for this host")
        else:
            where = proxy.host or "an address that cannot be read"
            named = f"used, as {proxy.variable} says"
            self._add(_NETWORK, "proxy", OK, f"{where} is {named}", public=f"a proxy is {named}")
        transport = Transport(None, region, timeout=self.subject.timeout, retries=1)
        failure: errors.AlchemerError | None = None
        reply: Reply | None = None
        try:
            reply = transport.exchange(Call("GET", "account"), address, None, ())
            found = find_error(reply, region)
            # Without credentials a refusal is the right answer.
            if isinstance(found, errors.TransportError | errors.ServerError):
                failure = found
        except errors.TransportError as error:
            failure = error.with_traceback(None)
        self._is_reached = reply is not None and _is_envelope(reply)
        if reply is not None and failure is None and not self._is_reached:
            failure = errors.TransportError(
                f"what answers at {region.host} is not Alchemer's API, so no key is sent to it",
                reason="page",
                hint="Check the region's address and the network",
            )
        self._add_host(reply, failure)
        self._add_certificate(failure)
        if reply is not None:
            self._add_clock(reply)

    def _check_sign_in(self) -> None:
        subject = self.subject
        if subject.problem is not None:
            self._add_error(_SIGN_IN, "credentials", subject.problem)
        if subject.credentials is None:
            if subject.problem is None:
                self._add(
                    _SIGN_IN,
                    "credentials",
                    NOT_TRIED,
                    "not signed in, and neither the environment nor the default profile has any",
                    "Sign in with %alchemer login, or set the variables that it names",
                )
            return
        if self._is_reached:
            self._check_key()
        else:
            self._add(_SIGN_IN, "credentials", NOT_TRIED, _NOT_REACHED)
        if self.try_regions and self._is_refused:
            self._check_other_regions(subject.credentials)
        elif self.try_regions and not self._is_accepted:
            why = f"{subject.region.host} did not refuse the {_kind_of(subject.credentials)}"
            self._add(_SIGN_IN, "other regions", NOT_TRIED, why, public="it was not refused")

    def _check_key(self) -> None:
        kind = _kind_of(self.subject.credentials)
        region = self.subject.region
        transport = self._transport()
        if transport.limiter.free_calls() <= len(_PROBES):
            self.tell(
                "Most calls of this minute are used up, so some checks wait for the next minute; "
                "interrupt it to see what is known so far"
            )
        try:
            transport.read_account()
        except errors.PermissionDenied as error:
            self._is_accepted = True
            self._add_error(_SIGN_IN, "credentials", error, NOTE)
        except errors.AlchemerError as error:
            others = _other_regions(region)
            advice = error.hint
            self._is_refused = isinstance(error, errors.AuthenticationError)
            if self._is_refused and not self.try_regions:
                advice += (
                    f". %alchemer doctor --try-regions sends the {kind} to the hosts of the other "
                    f"regions, too: {_list_hosts(others)}"
                )
            self._add_error(_SIGN_IN, "credentials", error, advice=advice)
        else:
            self._is_accepted = True
            tail = getattr(self.subject.credentials, "masked", "")
            source = f", from {self.subject.source}," if self.subject.source else ""
            self._add(
                _SIGN_IN,
                "credentials",
                OK,
                f"the {kind} {tail}{source} was accepted by {_name(region)}",
                public=f"the {kind} was accepted by {_public_name(region)}",
            )

    def _check_other_regions(self, credentials: Credentials) -> None:
        kind, others = _kind_of(credentials), _other_regions(self.subject.region)
        self.tell(f"The {kind} is now sent to the other regions, too: {_list_hosts(others)}")
        for region in others:
            transport = Transport(credentials, region, timeout=self.subject.timeout, retries=1)
            name = f"region {region.name}"
            try:
                transport.read_account()
            except errors.AuthenticationError:
                self._add(_SIGN_IN, name, REFUSED, f"{region.host} refused the {kind}")
            except errors.PermissionDenied:
                self._add(_SIGN_IN, name, NOTE, *_belongs_to(kind, region))
            except errors.AlchemerError as error:
                self._add_error(_SIGN_IN, name, error, NOTE)
            else:
                self._add(_SIGN_IN, name, NOTE, *_belongs_to(kind, region))

    def _check_rights(self) -> None:
        if not self._is_accepted:
            self._add(RIGHTS, "all", NOT_TRIED, _NOT_SIGNED_IN)
            return
        transport, ids = self._transport(), {}
        if self.find_survey is not None:
            try:
                ids["survey"] = self.find_survey()
            except errors.AlchemerError as error:
                self._add_error(RIGHTS, "survey", error)
                ids["survey"] = ""
        if self.with_shapes:
            self._probe(transport, _Probe("account", "account"), ids)
        for probe in _PROBES:
            if not self._probe(transport, probe, ids):
                self._add(RIGHTS, "other lists", NOT_TRIED, "no more calls were made after that")
                break

    def _check_limit(self) -> None:
        if not self._is_accepted:
            self._add(_LIMIT, "calls", NOT_TRIED, _NOT_SIGNED_IN)
            return
        limiter = self._transport().limiter
        left = limiter.free_calls()
        detail = (
            f"{left} of {limiter.limit} calls are left in this minute, as this computer counts "
            "them; Alchemer counts those of your colleagues, too"
        )
        advice = "Wait a minute before the next download" if left < _FEW_CALLS else ""
        self._add(_LIMIT, "calls", NOTE if advice else OK, detail, advice)
        if not limiter.shared:
            self._add(
                _LIMIT,
                "other programs",
                NOTE,
                "their calls on this computer are not counted: the limits folder cannot be written",
            )

    # -- parts of steps -----------------------------------------------------------------------

    def _transport(self) -> Transport:
        """Return a transport of its own, whose memory of replies is empty."""
        subject = self.subject
        return Transport(
            subject.credentials,
            subject.region,
            timeout=subject.timeout,
            requests_per_minute=subject.requests_per_minute,
            retries=1,
        )

    def _add_host(self, reply: Reply | None, failure: errors.AlchemerError | None) -> None:
        region = self.subject.region
        if failure is None and reply is not None:
            took = f"answered in {reply.took:.1f} s"
            public = f"{_public_name(region)} {took}"
            self._add(_NETWORK, "host", OK, f"{_name(region)} {took}", public=public)
        elif getattr(failure, "reason", "") == "certificate":
            self._add(_NETWORK, "host", NOT_TRIED, "nothing was sent: see certificate")
        elif failure is not None:
            self._add_error(_NETWORK, "host", failure)

    def _add_certificate(self, failure: errors.AlchemerError | None) -> None:
        if urlsplit(self.subject.region.api_url).scheme == "http":
            self._add(_NETWORK, "certificate", NOT_TRIED, "plain http on this computer needs none")
        elif self._is_reached:
            self._add(_NETWORK, "certificate", OK, "checked: it is the host's")
        elif failure is not None and getattr(failure, "reason", "") == "certificate":
            self._add_error(_NETWORK, "certificate", failure)
        else:
            self._add(_NETWORK, "certificate", NOT_TRIED, _NOT_REACHED)

    def _add_clock(self, reply: Reply) -> None:
        clock = Clock.of(reply.headers)
        if clock is None:
            self._add(_NETWORK, "clock", NOT_TRIED, "the reply has no date")
            return
        ahead = clock.here - clock.server
        side = "ahead of" if ahead > 0 else "behind"
        off = round(abs(ahead))
        by = counted(off, "second") if off < 120 else counted(round(off / 60), "minute")
        detail = f"this computer's clock is {by} {side} that of the host"
        if off <= _CLOCK_NOTE:
            self._add(_NETWORK, "clock", OK, "this computer's clock agrees with that of the host")
        elif off <= _CLOCK_TROUBLE:
            self._add(_NETWORK, "clock", NOTE, detail, "Set the clock of this computer")
        else:
            advice = "Set the clock and its time zone: Alchemer refuses signatures (OAuth) with it"
            self._add(_NETWORK, "clock", TROUBLE, detail, advice)

    def _probe(self, transport: Transport, probe: _Probe, ids: dict[str, str]) -> bool:
        """Ask for the first page of a list; return False if no more calls may be made."""
        wanted = re.findall(r"\{(\w+)\}", probe.path)
        if probe.only_shapes and not self.with_shapes:
            self._add(RIGHTS, probe.name, NOT_TRIED, probe.only_shapes)
            return True
        if not all(ids.get(name) for name in wanted):
            missing = {"survey": "there is no survey to look at", "list": "there is no such list"}
            self._add(RIGHTS, probe.name, NOT_TRIED, missing[wanted[0]])
            return True
        path = probe.path.format(**ids)
        shown = re.sub(r"\{(\w+)\}", r"<\1>", probe.path)
        size = _ROWS if self.with_shapes or not wanted else 1
        params = None if probe.name in ("account", "definition") else {"resultsperpage": size}
        try:
            envelope = transport.send("GET", path, params).envelope()
        except (errors.PermissionDenied, errors.AuthenticationError) as error:
            # Alchemer words a missing right and a wrong key alike; the key was accepted before.
            advice = "Ask an administrator of the account, if you need it"
            self._add(RIGHTS, probe.name, REFUSED, f"GET {shown} ({_status(error)})", advice)
        except errors.NotFound as error:
            self._add(RIGHTS, probe.name, NOTE, f"GET {shown} is not there ({_status(error)})")
        except errors.AlchemerError as error:
            self._add_error(RIGHTS, probe.name, error)
            self._silent += getattr(error, "reason", "") in ("silent", "unreachable")
            return self._silent < _MOST_SILENT and not isinstance(error, errors.RateLimited)
        else:
            self._add(RIGHTS, probe.name, ALLOWED, f"GET {shown}")
            self._note_ids(probe, envelope, ids)
            if self.with_shapes:
                self._compare(probe, envelope)
        return True

    def _note_ids(self, probe: _Probe, envelope: dict[str, Any], ids: dict[str, str]) -> None:
        """Choose a survey and a contact list for the calls that need one."""
        name = {"surveys": "survey", "contact lists": "list"}.get(probe.name)
        if name is None or name in ids:
            return
        rows = [row for row in reply_rows(envelope) if isinstance(row, dict)]
        rows.sort(key=lambda row: not row.get("statistics"))  # one with responses, if there is one
        found = [number for row in rows if (number := id_number(row.get("id"))) is not None]
        ids[name] = str(found[0]) if found else ""

    def _compare(self, probe: _Probe, envelope: dict[str, Any]) -> None:
        found = shapes.compare(probe.name, envelope)
        self._paths += found
        different = sum(bool(path.difference) for path in found)
        if different:
            detail = f"{different} of {counted(len(found), 'path')} differ from what is expected"
            advice = "See .shapes; please report it with .text(), which has no data of yours"
            self._add(SHAPES, probe.name, NOTE, detail, advice)
        else:
            self._add(SHAPES, probe.name, OK, f"{counted(len(found), 'path')} as expected")

    # -- helpers ------------------------------------------------------------------------------

    def _add(
        self,
        area: str,
        name: str,
        result: str,
        detail: str,
        advice: str = "",
        public: str | None = None,
    ) -> None:
        self._checks.append(Check(area, name, result, detail, advice, public))

    def _add_error(
        self,
        area: str,
        name: str,
        error: Exception,
        result: str = TROUBLE,
        advice: str | None = None,
    ) -> None:
        public = type(error).__name__
        if isinstance(error, errors.AlchemerError):
            detail, hint = error.sentence, error.hint
            public = f"{public} ({status})" if (status := _status(error)) else public
        else:
            # The text of any other error may hold anything.
            detail, hint = f"it ended with {public}, which is a fault of this package", ""
        self._add(area, name, result, detail, hint if advice is None else advice, public)


def _status(error: errors.AlchemerError) -> str:
    """Return what an error says without any value: status, code, a documented sentence."""
    parts = []
    if isinstance(error, errors.TransportError):
        parts.append(error.reason or "no reason known")
    if isinstance(error, errors.ApiError):
        parts.append(f"status {error.status}")
        # A server may write anything there, such as an id; codes have three digits.
        if error.code in range(100, 1000) and error.code != error.status:
            parts.append(f"code {error.code}")
        parts.append(find_known_sentence(error.sentence))
    return ", ".join(filter(None, parts))


def _is_envelope(reply: Reply) -> bool:
    """Check whether a reply is Alchemer's, and not a page of a gateway, whatever its status."""
    with suppress(errors.TransportError):
        return bool({"result_ok", "code"} & set(reply.envelope()))
    return False


def _kind_of(credentials: Credentials | None) -> str:
    return _KINDS.get(getattr(credentials, "signed_with", ""), "API key")


def _other_regions(region: Region) -> list[Region]:
    known = map(Region.get, Region.names())
    return [other for other in known if other.api_url != region.api_url]


def _list_hosts(regions: list[Region]) -> str:
    return ", ".join(f"{region.name} ({region.host})" for region in regions)


def _belongs_to(kind: str, region: Region) -> Iterator[str]:
    yield f"{region.host} accepted the {kind}: the account is in this region"
    yield f"Sign in there: %alchemer login --region {region.name}"


def _name(region: Region) -> str:
    return f"{region.name} ({region.host})"


def _public_name(region: Region) -> str:
    """Return the name of a region that everybody may know."""
    if region.api_url in {each.api_url for each in map(Region.get, Region.names())}:
        return _name(region)
    if is_loopback(urlsplit(region.api_url).hostname):
        return "a server on this computer"
    return "a host of your own"
