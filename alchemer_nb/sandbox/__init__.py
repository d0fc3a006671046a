"""A sandbox: a real server on loopback that behaves as Alchemer does, with invented data.

::

    from alchemer_nb.sandbox import Sandbox
    with Sandbox(responses=500) as box:
        print(box.url, box.username, box.password)

It shares no code with the client, so that each checks the other. What no source documents and was
therefore invented is listed in ``INVENTED.md`` in this folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alchemer_nb.sandbox.box import Sandbox
    from alchemer_nb.sandbox.server import PortInUse
    from alchemer_nb.sandbox.traffic.faults import Fault

__all__ = ["Fault", "PortInUse", "Sandbox"]

_HOMES = {"Fault": "traffic.faults", "PortInUse": "server", "Sandbox": "box"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
