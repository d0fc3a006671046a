"""One shell's sign-ins: adopt, switch, sign out, and what a status shows."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from alchemer_nb.client.client import Client
from alchemer_nb.errors import AuthenticationError, ConfigurationError, InvalidArgument
from alchemer_nb.http.credentials import ApiKey, OAuth1
from alchemer_nb.notebook.signin.session import Session
from alchemer_nb.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def session() -> Session:
    return Session()


@pytest.fixture(scope="module")
def eu() -> Iterator[Sandbox]:
    with Sandbox(responses=1, region="eu") as running:
        yield running


def by_key(box: Sandbox) -> Client:
    return Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)


def by_consumer(box: Sandbox) -> Client:
    return Client(OAuth1(box.consumer_key, box.consumer_secret), region=box.region)


def test_nobody_is_signed_in_at_first(session: Session) -> None:
    assert session.client is None
    assert not session.status().signed_in
    with pytest.raises(ConfigurationError, match="run %alchemer login, then run from here"):
        session.require()


def test_adopting_makes_a_client_the_current_one_and_learns_the_organisation(
    session: Session, client: Client
) -> None:
    connection = session.adopt(client)
    assert session.require().client is client
    assert connection.organisation == client.account()["organization"].iloc[0] != ""
    assert session.names() == ("sandbox",)


def test_a_client_that_is_refused_changes_nothing(session: Session, box: Sandbox) -> None:
    session.adopt(by_key(box))
    before = session.status()
    with pytest.raises(AuthenticationError):
        session.adopt(Client(ApiKey("wrong", "pair"), region=box.region), "other")
    assert session.status() == before
    assert session.names() == ("sandbox",)


def test_the_same_sign_in_twice_is_one_connection_and_another_gets_a_number(
    session: Session, box: Sandbox, eu: Sandbox
) -> None:
    session.adopt(by_key(box))
    session.adopt(by_key(box))
    assert session.names() == ("sandbox",)
    session.adopt(by_consumer(box))
    session.adopt(by_key(eu))
    assert session.names() == ("sandbox", "sandbox-2", "sandbox-3")


def test_switching_goes_to_a_name_or_adopts_a_client(session: Session, box: Sandbox) -> None:
    first, second = by_key(box), by_consumer(box)
    session.adopt(first, "one")
    session.adopt(second, "two")
    assert session.client is second
    session.switch("one")
    assert session.client is first
    with pytest.raises(InvalidArgument, match="one, two"):
        session.switch("three")
    assert session.client is first


def test_after_signing_out_no_other_account_takes_its_place(session: Session, box: Sandbox) -> None:
    session.adopt(by_key(box), "one")
    session.adopt(by_consumer(box), "two")
    gone = session.sign_out()
    assert gone is not None
    assert gone.name == "two"
    assert session.client is None
    with pytest.raises(ConfigurationError, match=r"switch NAME .*one"):
        session.require()
    assert session.sign_out() is None


def test_signing_out_of_another_leaves_the_current_one(session: Session, box: Sandbox) -> None:
    session.adopt(by_key(box), "one")
    session.adopt(by_consumer(box), "two")
    session.sign_out("one")
    assert session.status().name == "two"


def test_the_last_sign_out_stops_the_sandbox_of_the_session_and_no_other(
    session: Session, eu: Sandbox
) -> None:
    with Sandbox(responses=1) as own:
        session.box = own
        session.adopt(by_key(eu), "elsewhere")
        session.sign_out()
        assert own.running
        session.adopt(by_key(own), "one")
        session.adopt(by_consumer(own), "two")
        session.sign_out()
        assert own.running
        session.sign_out("one")
        assert not own.running
        assert session.box is None
        assert eu.running


def test_a_name_that_is_taken_anew_releases_what_the_one_before_alone_had(
    session: Session, eu: Sandbox
) -> None:
    with Sandbox(responses=1) as own:
        session.box = own
        session.adopt(by_key(own), "mine")
        session.adopt(by_consumer(own), "mine")  # of the same sandbox
        assert own.running
        session.adopt(by_key(eu), "mine")
        assert not own.running
        assert session.box is None
        assert session.names() == ("mine",)


def test_a_status_shows_region_organisation_and_mode_and_never_a_secret(
    session: Session, box: Sandbox, client: Client
) -> None:
    session.adopt(client)
    shown = repr(session.status()) + session.status()._repr_html_() + repr(session.connection)
    for part in ("Sandbox", box.region.host, session.status().organisation):
        assert part in shown
    assert client.credentials.masked in shown
    for secret in client.credentials.secrets:
        assert secret.reveal() not in shown


def test_a_status_escapes_what_others_wrote(session: Session, box: Sandbox) -> None:
    session.adopt(by_key(box), "<b>name")
    assert "<b>name" not in session.status()._repr_html_()


def test_two_sessions_know_nothing_of_each_other(box: Sandbox) -> None:
    one, two = Session(), Session()
    one.adopt(by_key(box))
    assert two.names() == ()


def test_listeners_hear_of_every_change_until_they_are_taken_back(
    session: Session, box: Sandbox
) -> None:
    heard: list[str | None] = []
    forget = session.on_change(lambda: heard.append(session.status().name))
    session.adopt(by_key(box), "one")
    session.adopt(by_consumer(box), "two")
    session.switch("one")
    session.sign_out()
    forget()
    session.switch("two")
    assert heard == ["one", "two", "one", None]


def test_sign_ins_from_several_threads_all_arrive(session: Session, box: Sandbox) -> None:
    threads = [
        threading.Thread(target=session.adopt, args=(by_key(box), f"n{number}"))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(session.names()) == [f"n{number}" for number in range(8)]
    assert session.client is not None
