"""All kinds of trouble that a server or the network can make, each with its name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from alchemer_nb.sandbox import Fault
from alchemer_nb.sandbox.traffic import faults

if TYPE_CHECKING:
    import random

SLOW = 1.4  # seconds: longer than the client of the soak waits for a reply
LIST = "surveyresponse"

# 200 and JSON, but not what was asked for.
_WRONG_JSON: tuple[Any, ...] = (
    None,
    [],
    "text",
    17,
    {},
    {"result_ok": True},
    {"result_ok": "maybe", "data": 5},
    {"result_ok": True, "data": None, "total_count": "many"},
    {"result_ok": True, "data": [1, None, "x"], "total_count": 3},
    {"result_ok": True, "data": [{"id": "x"}], "total_count": "1", "total_pages": 1},
    {"result_ok": True, "data": [{"id": -4, "survey_data": 7}], "total_count": 1},
    {"result_ok": True, "data": {"id": [], "pages": 3, "title": 0}},
    {"result_ok": False},
    {"result_ok": False, "code": {"a": 1}, "message": ["no"]},
)
_WRONG_BYTES = (b"", b"\0\0", b'{"result_ok": tru', b"[" * 5000, b'{"a":1e999}', b"\xff\xfe{}")
_DEAD_KEY = {"result_ok": False, "code": 401, "message": "Login failed / Invalid auth token"}


def _page(status: int) -> Fault:
    return faults.gateway(status)


def _say(content: Any, status: int = 200) -> Fault:
    return Fault(status=status, body=json.dumps(content))


# These end in an error or a repeated call; whatever is returned in spite of them must be right.
HONEST = {
    "429": lambda chance: faults.limit_reached(chance.choice([None, 0, 0.01])),
    "please wait": lambda chance: faults.please_wait(chance.choice([429, 400])),
    "warning": lambda _: faults.warning(),
    "500": lambda chance: Fault(status=chance.choice([500, 503])),
    "gateway": lambda chance: _page(chance.choice([502, 504, 520, 522])),
    "page with 200": lambda _: _page(200),
    "redirect": lambda _: Fault(status=302, headers={"Location": "http://127.0.0.1:9/"}),
    "refused": lambda _: _say(_DEAD_KEY, 401),
    "forbidden": lambda _: Fault(status=403),
    "not found": lambda _: Fault(status=404),
    "400": lambda _: Fault(status=400),
    "cut": lambda chance: Fault(cut=chance.choice([0, 1, 100, 5000])),
    "reset": lambda chance: Fault(reset=True, cut=chance.choice([None, 300])),
    "silent": lambda _: Fault(delay=SLOW),
    "slow": lambda _: Fault(delay=0.05),
    "no JSON": lambda chance: Fault(status=200, body=chance.choice(_WRONG_BYTES)),
    "no gzip": lambda _: Fault(
        status=200, body=b"not packed", headers={"Content-Encoding": "gzip"}
    ),
}
# A call that is repeated passes, so a download comes to its end, and can be compared.
MILD = ("429", "please wait", "warning", "500", "gateway", "cut", "reset", "silent", "slow")
# A server that lies: what comes meanwhile may be anything, but an error is one of the package, and
# the first sync after it repairs the store.
LYING = {
    "wrong JSON": lambda chance: _say(chance.choice(_WRONG_JSON)),
    "wrong count": lambda chance: Fault(total_count=chance.choice([0, 3, 10**6]), when=_a_page(1)),
    "rows before": lambda _: Fault(shift=-2, when=_a_page(2)),
    "rows missed": lambda _: Fault(shift=2, when=_a_page(2)),
    "added meanwhile": lambda chance: Fault(adds=3, when=_a_page(chance.choice([1, 2]))),
    "deleted meanwhile": lambda chance: Fault(deletes=_few(chance), when=_a_page(2)),
    "edited meanwhile": lambda chance: Fault(touches=_few(chance), when=_a_page(2)),
}


def _a_page(number: int) -> dict[str, Any]:
    return {"path": LIST, "page": number}


def _few(chance: random.Random) -> tuple[int, ...]:
    return tuple(chance.sample(range(1, 1000), 3))


def draw(
    chance: random.Random, most: int, *, lies: bool, is_mild: bool
) -> list[tuple[str, Fault | None]]:
    """Draw troubles for the next calls: name and fault; None lets a call pass."""
    kinds = {**HONEST, **(LYING if lies else {})}
    drawn: list[tuple[str, Fault | None]] = []
    for name in chance.choices(MILD if is_mild else list(kinds), k=chance.randint(1, most)):
        drawn += [("", None)] * (1 if is_mild else chance.randrange(3))
        times = chance.choice([1, 1, 4]) if name in HONEST and not is_mild else 1
        drawn += [(name, kinds[name](chance))] * times
    return drawn
