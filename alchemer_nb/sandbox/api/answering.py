"""Answer a call: faults, limits, the cache, and the work itself."""

from __future__ import annotations

import asyncio
import gzip
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alchemer_nb.sandbox.api import (
    account,
    campaigns,
    changes,
    contacts,
    files,
    reports,
    responses,
    surveys,
)
from alchemer_nb.sandbox.api.call import Call, Resource, Work
from alchemer_nb.sandbox.oauth import authenticate
from alchemer_nb.sandbox.traffic import call_log
from alchemer_nb.sandbox.traffic.cache import Body
from alchemer_nb.sandbox.wire.replies import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alchemer_nb.sandbox.data.accounts import User
    from alchemer_nb.sandbox.oauth.provider import SignedRequest
    from alchemer_nb.sandbox.services import Services
    from alchemer_nb.sandbox.traffic.faults import Fault

_RESOURCES: dict[tuple[str, ...], Resource] = {
    **account.RESOURCES,
    **contacts.RESOURCES,
    **surveys.RESOURCES,
    **campaigns.RESOURCES,
    **reports.RESOURCES,
    **responses.RESOURCES,
    **files.RESOURCES,
}
_ALIASES = {"question": "surveyquestion"}
VERBS = ("GET", "PUT", "POST", "DELETE")
_WORTH_GZIP = 1024  # bytes
_WORTH_THREAD = 100_000  # bytes


@dataclass(frozen=True, slots=True)
class ReceivedCall:
    """A call as it arrived.

    Attributes:
        verb: Its method, or that of the parameter ``_method``.
        path: Path below the version.
        flat: Flat parameters.
        tree: The same, nested.
        identity: See ``call_log.identity``.
        signed: The request as a signature covers it.
        mode: How it carries credentials (see ``authenticate.credentials_mode``).
    """

    verb: str
    path: str
    flat: dict[str, str] = field(repr=False)
    tree: dict[str, Any] = field(repr=False)
    identity: str
    signed: SignedRequest = field(repr=False)
    mode: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply: status, headers and body."""

    status: int
    body: Body
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


async def answer_call(
    services: Services, received: ReceivedCall, number: int, fault: Fault | None
) -> Answer:
    """Return the reply to a call.

    Args:
        services: The services of the sandbox.
        received: The call.
        number: Its number in the log.
        fault: The fault for this call, or None.
    """
    headers: dict[str, str] = {}
    try:
        if fault is not None and fault.answers:
            if received.mode != "none":
                services.calls.note(number, account=account.ACCOUNT)
                services.limits.count()
            await asyncio.sleep(services.settings.latency + fault.delay)
            return await _answer_fault(fault)
        actor = await _caller(services, received)
        services.calls.note(number, account=account.ACCOUNT, user=actor.name)
        warned = services.limits.enter()
        if warned:
            headers["X-SG-Warning"] = warned
        services.limits.check_recovery()
        body = await _answer_within_limits(services, received, actor, fault, headers)
        services.calls.note(number, cached="X-SG-Cached" in headers)
        status = 200
    except Refusal as refusal:
        status = 200 if services.settings.status_200_errors else refusal.code
        body = Body(refusal.body.encode())
    if fault is not None:
        headers |= fault.headers or {}
        return Answer(status, body, headers, fault.content_type)
    return Answer(status, body, headers)


async def _caller(services: Services, received: ReceivedCall) -> User:
    try:
        return authenticate.find_caller(
            services.state, services.provider, received.flat, received.signed
        )
    except Refusal:
        await _wait(services.settings.latency)
        raise


async def _answer_within_limits(
    services: Services,
    received: ReceivedCall,
    actor: User,
    fault: Fault | None,
    headers: dict[str, str],
) -> Body:
    """Answer a call that the limits allow, from the cache or by doing the work."""
    if received.verb != "GET":
        return await _do_work(services, received, actor, fault)
    key = (actor.id, received.identity)
    with services.cache.running(key):
        stored = services.cache.find(key) if fault is None else None
        if stored is not None:
            await _wait(services.settings.latency)
            headers["X-SG-Cached"] = "true"
            return stored
        body = await _do_work(services, received, actor, fault)
        if fault is None and services.cache.is_enabled:
            body = await compress(body)
            services.cache.store(key, body)
        return body


async def _do_work(
    services: Services, received: ReceivedCall, actor: User, fault: Fault | None
) -> Body:
    """Do the work of a call, in the time that it takes.

    Raises:
        Refusal: It cannot be done, or it takes too long.
    """
    settings = services.settings
    first = settings.latency + (fault.delay if fault else 0.0)
    await _wait(min(first, settings.slowest))
    if first > settings.slowest:
        raise services.limits.too_slow()
    work = Work()
    if fault is not None:
        work.shift, work.total = fault.shift, fault.total_count
        changes.apply_fault(services.state.library, split_path(received.path)[1], fault)
    text = _run_action(services, received, actor, work)
    more = work.rows * settings.seconds_per_row
    await _wait(min(more, settings.slowest - first))
    if first + more > settings.slowest:
        raise services.limits.too_slow()
    return Body(text.encode())


def _run_action(services: Services, received: ReceivedCall, actor: User, work: Work) -> str:
    names, ids = split_path(received.path)
    resource = _RESOURCES.get(names)
    if resource is None:
        raise Refusal(404, "Method not implemented")
    action = (
        resource.action(received.verb, len(ids) == len(names)) if received.verb in VERBS else None
    )
    if action is None:
        raise Refusal(405, "Method not supported")
    origin = "/".join(received.signed.address.split("/", 3)[:3])
    return action(Call(services.state, actor, ids, received.flat, received.tree, work, origin))


async def compress(body: Body) -> Body:
    """Compress a body if that is worth it; a large one in another thread than the event loop's."""
    if body.packed or len(body.content) < _WORTH_GZIP:
        return body
    # The fastest level: over loopback the size matters little.
    if len(body.content) < _WORTH_THREAD:
        return Body(gzip.compress(body.content, 1), packed=True)
    return Body(await asyncio.to_thread(gzip.compress, body.content, 1), packed=True)


def decompress(body: Body) -> Body:
    """Return a body without compression."""
    return Body(gzip.decompress(body.content)) if body.packed else body


async def _wait(seconds: float) -> None:
    if seconds > 0:
        await asyncio.sleep(seconds)


async def _answer_fault(fault: Fault) -> Answer:
    status = fault.status or 200
    body: str | bytes = fault.body if fault.body is not None else ""
    if fault.body is None:
        body = Refusal(status, f"Ordered trouble {status}").body
    content = body.encode() if isinstance(body, str) else body
    return Answer(status, Body(content), fault.headers or {}, fault.content_type)


def split_path(path: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """Split ``survey/7/surveyresponse.json`` into names and ids."""
    bare = path.strip("/").removesuffix(".json").rstrip("/")
    parts = bare.split("/")
    names = tuple(_ALIASES.get(name.lower(), name.lower()) for name in parts[::2])
    return names, dict(zip(names, parts[1::2], strict=False))


def read_identity(verb: str, path: str, pairs: list[tuple[str, str]], body: bytes) -> str:
    """Return a text that is equal for calls that ask the same."""
    bare = path.strip("/").removesuffix(".json")
    return call_log.identity(verb, bare, call_log.without_secrets(pairs), body)
