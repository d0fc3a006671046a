"""What `make live` prints when everything fails, in the most talkative way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(**environment: str) -> str:
    live = [sys.executable, "-m", "pytest", "-m", "live", "tests/live", "-s", "-rA", "-p"]
    done = subprocess.run(
        [*live, "no:cacheprovider", "--tb=long", "--showlocals", "-vv"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_failures_show_no_value_and_no_host_of_a_proxy() -> None:
    secrets = {
        "ALCHEMER_REGION": "eu",
        "ALCHEMER_API_TOKEN": "canary0123456789token",
        "ALCHEMER_API_TOKEN_SECRET": "A9canarysecret",
        "HTTPS_PROXY": "http://joe:canaryword@127.0.0.1:9",
        "https_proxy": "http://joe:canaryword@127.0.0.1:9",
        "no_proxy": "localhost",
    }
    out = run(**secrets)
    assert "5 failed, 1 passed" in out
    assert "TransportError (unreachable)" in out
    assert "a proxy is used, as https_proxy says" in out
    assert [word for word in ("canary", "joe", "127.0.0.1:9") if word in out] == []


@pytest.mark.long
def test_without_credentials_they_are_skipped_with_the_reason() -> None:
    out = run()
    assert "6 skipped" in out
    assert "no credentials" in out
    assert "CONTRIBUTING.md" in out
