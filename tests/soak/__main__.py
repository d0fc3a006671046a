"""``make soak``: a client that works for minutes while everything fails and changes."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tests import boxes
from tests.soak.soak import Soak


def main() -> int:
    """Run, print the summary, and return 1 on a mismatch or on growth."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of everything that is drawn")
    parser.add_argument("--rounds", type=int, default=40, help="how many at most")
    parser.add_argument("--minutes", type=float, default=60, help="no round begins after them")
    parser.add_argument("--quiet", action="store_true", help="print the summary alone")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name, value in {
            "ALCHEMER_LIMITS_FOLDER": "limits",
            "ALCHEMER_STORE": "other",
            boxes.FOLDER: "demo",
        }.items():
            os.environ[name] = f"{folder}/{value}"
        for name in ("demo", "temporary"):
            Path(folder, name).mkdir()
        tempfile.tempdir = f"{folder}/temporary"  # where nothing may stay
        say = str if chosen.quiet else lambda line: print(line, flush=True)  # noqa: T201
        result = Soak(chosen.seed, Path(folder), say).run(chosen.rounds, 60 * chosen.minutes)
    for line in result.lines():
        print(line)  # noqa: T201 - a command line
    return 0 if result.ok else 1


if __name__ == "__main__":
    sys.exit(main())
