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
    made = argparse.ArgumentParser(
        prog="python -m alchemer_nb.sandbox",
        description="Serves a local stand-in for Alchemer with invented data.",
    )
    made.add_argument("--port", type=int, default=8765, help="port on 127.0.0.1 (0: any free one)")
    made.add_argument("--responses", type=int, default=500, help="responses of the largest survey")
    made.add_argument("--latency", type=float, default=0.0, help="seconds added to every call")
    made.add_argument(
        "--calls-per-minute",
        type=int,
        default=240,
        metavar="N",
        help="calls of the account within any minute (0: no limit)",
    )
    made.add_argument(
        "--penalty",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="how long every call is refused after one too many",
    )
    made.add_argument(
        "--cache-seconds",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="how long the same GET gets the same answer (0: no cache)",
    )
    made.add_argument(
        "--seconds-per-row",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="what every response on a page costs; after 30 s a call fails",
    )
    made.add_argument("--db", metavar="FILE", help="keep everything in this file across restarts")
    made.add_argument("--seed", type=int, default=1, help="seed of the invented answers")
    made.add_argument("--region", choices=list(ZONES), default="us")
    made.add_argument("--form", choices=FORMS, default="2017", help="looks of the payloads")
    made.add_argument("--flat-single", action="store_true", help="single objects without `data`")
    made.add_argument("--no-oob", action="store_true", help="refuse the OAuth callback `oob`")
    made.add_argument("--glue-json", action="store_true", help="glue JSON to token answers")
    made.add_argument("--types", action="store_true", help='add the survey "Every question type"')
    made.add_argument(
        "--status-200-errors", action="store_true", help="answer errors with HTTP status 200"
    )
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C or a termination signal, and return the exit code."""
    given = parser().parse_args(arguments)
    try:
        box = Sandbox(
            port=given.port,
            responses=given.responses,
            latency=given.latency,
            db=given.db,
            seed=given.seed,
            region=given.region,
            form=given.form,
            flat_single=given.flat_single,
            oob=not given.no_oob,
            glue_json=given.glue_json,
            status_200_errors=given.status_200_errors,
            types=given.types,
            calls_per_minute=given.calls_per_minute or None,
            penalty=given.penalty,
            cache_seconds=given.cache_seconds,
            seconds_per_row=given.seconds_per_row,
        )
        # Before starting: who sees the address may already send the signal.
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
