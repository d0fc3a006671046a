"""``make fidelity``: does each cell hold what somebody answered? Read by a second reader."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile

from tests.fidelity.compare import compare_seeds


def main() -> int:
    """Compare, print the numbers, and return 1 on a mismatch."""
    parser = argparse.ArgumentParser(prog="python -m tests.fidelity", description=__doc__)
    parser.add_argument("--surveys", type=int, default=50, help="how many, each in both forms")
    parser.add_argument("--first", type=int, default=1, help="seed of the first one")
    parser.add_argument("--show", type=int, default=20, help="most mismatches to print")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ALCHEMER_LIMITS_FOLDER"] = folder
        result = compare_seeds(range(chosen.first, chosen.first + chosen.surveys))
    for line in result.lines(chosen.show):
        print(line)  # noqa: T201 - a command line
    return 1 if result.mismatches or not result.facts else 0


if __name__ == "__main__":
    sys.exit(main())
