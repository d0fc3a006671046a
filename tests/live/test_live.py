"""Read-only checks against the real Alchemer: run by hand, with credentials in the environment.

``make live`` runs them. Nothing is written there, and what is printed and asserted holds no key,
name, title, id or answer: failures show results such as ``"refused"`` alone.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from alchemer_nb.doctor.examination import Examination, Subject
from alchemer_nb.doctor.report import Diagnosis, hide_home

if TYPE_CHECKING:
    from alchemer_nb.http.secrets import Secret

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def found(live_credentials: dict[str, Secret]) -> Diagnosis:
    """One examination for all tests, without the values that a failure would print."""
    if not live_credentials:
        pytest.skip("no credentials: see “The real Alchemer” in CONTRIBUTING.md")
    with pytest.MonkeyPatch.context() as environment:
        for name, value in live_credentials.items():
            environment.setenv(name, value.reveal())
        subject = Subject.find()
        if subject.credentials is None or subject.region.api_url.startswith("http://"):
            pytest.skip("the environment has no whole sign-in for a real region")
        diagnosis = Examination(subject, with_shapes=True).run()
    sys.stdout.write(f"\n{diagnosis.text()}\n")
    return replace(diagnosis, checks=tuple(check.without_values() for check in diagnosis.checks))


def results(found: Diagnosis, *areas: str) -> dict[str, str]:
    return {check.name: check.result for check in found.checks if check.area in areas}


def test_the_host_is_reached_and_its_certificate_is_good(found: Diagnosis) -> None:
    network = results(found, "network")
    assert (network["host"], network["certificate"]) == ("ok", "ok")


def test_the_clock_is_right(found: Diagnosis) -> None:
    assert results(found, "network").get("clock") in ("ok", "note")


def test_the_credentials_are_accepted(found: Diagnosis) -> None:
    assert results(found, "sign-in") == {"credentials": "ok"}


def test_each_list_is_allowed_or_refused_and_none_fails(found: Diagnosis) -> None:
    rights = results(found, "rights")
    assert rights.get("surveys") == "allowed"
    assert "trouble" not in rights.values()


def test_the_replies_have_the_expected_shape(found: Diagnosis) -> None:
    different = [
        (path.reply, path.path, path.difference, path.types)
        for path in found.paths
        if path.difference
    ]
    assert found.paths
    assert different == []


def test_the_text_shows_nothing_of_the_environment(
    found: Diagnosis, live_credentials: dict[str, Secret]
) -> None:
    text = found.text()
    assert hide_home(text) == text
    values = {name: secret for name, secret in live_credentials.items() if "REGION" not in name}
    assert [name for name, secret in values.items() if secret.reveal() in text] == []
