"""Finds a Chromium for the browser tests, and installs one where there is none.

``python -m tests.browser.chromium`` says which one the tests use; with ``--install`` it gets one:
the Chromium on PATH is taken as it is; root on Debian or Ubuntu gets the distribution's package;
anybody else gets Playwright's own build, in Playwright's cache.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def on_path() -> str | None:
    """The first browser on PATH that Playwright can drive."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    return None


def playwrights_own() -> str | None:
    """The build that ``playwright install chromium`` fetched, if it is there."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def find() -> str | None:
    """The browser of the tests, or None."""
    return on_path() or playwrights_own()


def install() -> str | None:
    """Installs a browser and says so; gives its path, or None where that did not work."""
    if is_root() and shutil.which("apt-get"):
        say("No Chromium on PATH: installing Debian's package (you are root).")
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        packages = ["--no-install-recommends", "chromium", "fonts-dejavu-core"]
        for command in (["update"], ["install", "-y", *packages]):
            done = subprocess.run(
                ["apt-get", "-qq", *command],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                check=False,
            )
            if done.returncode:
                say(f"apt-get {command[0]} did not work.")
                break
        if found := on_path():
            return found
    say("No Chromium on PATH: installing Playwright's own.")
    subprocess.run(
        [sys.executable, "-m", "playwright", "install", "chromium"],
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return playwrights_own()


def is_root() -> bool:
    """Whether packages of the system can be installed."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.browser.chromium", description=__doc__)
    parser.add_argument("--install", action="store_true", help="get one where there is none")
    arguments = parser.parse_args()
    found = find() or (install() if arguments.install else None)
    if found is None:
        say("There is no Chromium: the browser tests will fail. Put one on PATH.")
        return 0 if arguments.install else 1
    say(f"Browser tests use {found}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
