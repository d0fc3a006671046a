"""``python -m alchemer_nb.sandbox``: serve a sandbox until it is interrupted."""

from __future__ import annotations

import argparse
import signal
import threading
from typing import TYPE_CHECKING

from alchemer_nb.sandbox.box import Sandbox
from alchemer_nb.sandbox.settings import FORMS, ZONES

if TYPE_CHECKING:
    from collections.abc import Sequence


def parser() -> argparse.ArgumentParser:
    """Build the parser of the command line."""
    cli = argparse.ArgumentParser(
        prog="python -m alchemer_nb.sandbox",
        description="Serves a local stand-in for Alchemer with invented data.",
    )
    cli.add_argument("--port", type=int, default=8765, help="port on 127.0.0.1 (0: any free one)")
    cli.add_argument(
        "--host-name",
        action="append",
        default=[],
        dest="hosts",
        metavar="NAME",
        help="a name under which its pages are opened through jupyter-server-proxy; repeatable",
    )
    cli.add_argument("--responses", type=int, default=500, help="responses of the largest survey")
    cli.add_argument("--latency", type=float, default=0.0, help="seconds added to every call")
    cli.add_argument(
        "--calls-per-minute",
        type=lambda text: int(text) or None,
        default=240,
        metavar="N",
        help="calls of the account within any minute (0: no limit)",
    )
    cli.add_argument(
        "--penalty",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="how long every call is refused after one too many",
    )
    cli.add_argument(
        "--cache-seconds",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="how long the same GET gets the same answer (0: no cache)",
    )
    cli.add_argument(
        "--seconds-per-row",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="what every response on a page costs; after 30 s a call fails",
    )
    cli.add_argument("--db", metavar="FILE", help="keep everything in this file across restarts")
    cli.add_argument("--seed", type=int, default=1, help="seed of the invented answers")
    cli.add_argument("--region", choices=list(ZONES), default="us")
    cli.add_argument("--form", choices=FORMS, default="2017", help="looks of the payloads")
    cli.add_argument("--flat-single", action="store_true", help="single objects without `data`")
    cli.add_argument(
        "--no-oob", action="store_false", dest="oob", help="refuse the OAuth callback `oob`"
    )
    cli.add_argument("--glue-json", action="store_true", help="glue JSON to token answers")
    cli.add_argument(
        "--types",
        action="store_true",
        help="add the surveys for tests",
    )
    cli.add_argument(
        "--status-200-errors", action="store_true", help="answer errors with HTTP status 200"
    )
    return cli


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C or a termination signal, and return the exit code."""
    given = vars(parser().parse_args(arguments))
    try:
        box = Sandbox(**given)
        # Before it starts: a program that reads the address may send the signal at once.
        ended = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        box.start()
    except (OSError, ValueError) as error:
        print(f"error: {error}")
        return 2
    with box:
        print(_welcome(box), flush=True)
        while not ended.wait(3600):
            pass
    print("stopped")
    return 0


def _welcome(box: Sandbox) -> str:
    people = "\n".join(
        f"  {one.username:6} password {one.password:14}"
        f"{' administrator' if one.admin else ''}{'' if one.has_key else ' (no key yet)'}"
        for one in box.users
        if one.status == "Active"
    )
    return (
        f"Alchemer sandbox, region {box.region_name}, at {box.url}/\n"
        f"Log in at {box.url}/login as\n{people}\n"
        f"API keys:     {box.url}/security/api-access (administrator), /account/api-key (others)\n"
        f"OAuth:        {box.url}/account/restful-register gives a consumer pair\n"
        f"API:          {box.url}/v5/\n"
        "Ctrl-C stops it."
    )


if __name__ == "__main__":
    raise SystemExit(main())
