"""Signing in at a prompt: what is asked, what a second try keeps, what is offered at the end."""

from __future__ import annotations

import builtins
import getpass
import os
import sys
import warnings
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.error import StdinNotImplementedError

from alchemer_nb.auth import profiles
from alchemer_nb.errors import (
    AuthenticationError,
    ConfigurationError,
    TransportError,
)
from alchemer_nb.http.credentials import ApiKey, OAuth1
from alchemer_nb.http.regions import Region
from alchemer_nb.notebook.signin.login import login
from alchemer_nb.notebook.signin.prompt import sign_in_at_prompt
from alchemer_nb.notebook.signin.session import Session
from tests.person import landing_address
from tests.scripted import Reply, ScriptedServer

if TYPE_CHECKING:
    from pathlib import Path

    from alchemer_nb.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("elsewhere")


class Person:
    """What a person answers to each question that has certain words in it; and what was asked.

    Questions that no words fit are answered with Enter.
    """

    def __init__(self, **answers: Any) -> None:
        self.left = {
            words.replace("_", " "): list(given) if isinstance(given, tuple) else [given]
            for words, given in answers.items()
        }
        self.asked, self.hidden = list[str](), list[str]()

    def answer(self, question: str) -> str:
        self.asked.append(question)
        for words, given in self.left.items():
            if words in question.casefold() and given:
                answer = given.pop(0)
                answer = answer() if callable(answer) else answer
                if isinstance(answer, BaseException):
                    raise answer
                return str(answer)
        return ""

    def answer_hidden(self, question: str = "", stream: Any = None) -> str:
        self.hidden.append(question)
        return self.answer(question)

    def times(self, words: str) -> int:
        return sum(words in question.casefold() for question in self.asked)


@pytest.fixture
def session() -> Session:
    return Session()


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Any:
    def person(**answers: Any) -> Person:
        made = Person(**answers)
        # Where a kernel puts its own ways of asking, too.
        monkeypatch.setattr(builtins, "input", made.answer)
        monkeypatch.setattr(getpass, "getpass", made.answer_hidden)
        return made

    return person


def key_of(box: Sandbox) -> ApiKey:
    return ApiKey(box.api_token, box.api_token_secret)


class TestQuestions:
    def test_region_way_and_fields_are_asked_and_secrets_alone_are_hidden(
        self, session: Session, box: Sandbox, person: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        session.box = box
        asked = person(api_key=box.api_token, api_secret=box.api_token_secret)
        login(session, prompt=True)
        assert session.require().client.credentials == key_of(box)
        assert [
            question.casefold().partition(" [")[0][:12].strip() for question in asked.asked
        ] == [
            "region",
            "sign in with",
            "api key (or",
            "api secret k",
            "remember it",
        ]
        assert asked.hidden == asked.asked[2:4]
        shown = capsys.readouterr().out
        for name in Region.names():
            assert Region.get(name).app_host in shown
        assert box.region.host in shown
        session.box = None

    def test_an_interrupt_is_one_line(self, notebook: Any, person: Any) -> None:
        person(region=KeyboardInterrupt())
        outcome = notebook.run("%alchemer login --prompt")
        assert isinstance(outcome.failure, KeyboardInterrupt)
        shown = outcome.out + outcome.err
        assert "you stopped this command" in shown
        assert "Traceback" not in shown
        notebook.run("%config AlchemerMagics.short_errors = False")
        person(region=KeyboardInterrupt())
        outcome = notebook.run("%alchemer login --prompt")
        assert "Traceback" in outcome.out + outcome.err

    @pytest.mark.parametrize("way", ["1", "2"])
    def test_it_says_where_a_key_or_a_pair_comes_from(
        self, session: Session, person: Any, capsys: pytest.CaptureFixture[str], way: str
    ) -> None:
        person(region="eu", sign_in_with=way, key=KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            login(session, prompt=True)
        shown = " ".join(capsys.readouterr().out.split())
        assert "Log in at app.alchemer.eu" in shown
        where = "Security > API Access" if way == "1" else "restful-register. If this page is not"
        assert where in shown
        assert shown.endswith("it is not shown:")

    @pytest.mark.parametrize("question", ["region", "sign_in_with"])
    @pytest.mark.parametrize("typed", ["0123456789abcdef" * 3, "A9abcdefghijk", "x A9abcdefghijk"])
    def test_a_key_that_was_pasted_too_early_is_warned_of_and_not_repeated(
        self,
        session: Session,
        person: Any,
        capsys: pytest.CaptureFixture[str],
        question: str,
        typed: str,
    ) -> None:
        person(**{question: typed, "api_key": KeyboardInterrupt()})
        with pytest.raises(KeyboardInterrupt):
            login(session, prompt=True)
        shown = " ".join(capsys.readouterr().out.split())
        assert "Clear this output before you save" in shown
        assert typed not in shown

    @pytest.mark.parametrize(
        "answer",
        [
            *("eu", "EU", "2", "Europe", "https://app.alchemer.eu/home"),
            *("app.alchemer.eu", "api.alchemer.eu"),
        ],
    )
    def test_a_region_is_chosen_by_name_number_or_address(
        self, session: Session, person: Any, answer: str
    ) -> None:
        asked = person(region=answer, api_key=KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            login(session, prompt=True)
        assert "app.alchemer.eu" in asked.hidden[0]

    @pytest.mark.parametrize(
        ("answer", "field"), [("OAuth", "Consumer key"), ("key", "API key"), ("API key", "API key")]
    )
    def test_a_way_is_chosen_by_its_word(
        self, session: Session, person: Any, answer: str, field: str
    ) -> None:
        asked = person(
            sign_in_with=answer, api_key=KeyboardInterrupt(), consumer_key=KeyboardInterrupt()
        )
        with pytest.raises(KeyboardInterrupt):
            login(session, prompt=True)
        assert asked.hidden[0].startswith(field)

    @pytest.mark.parametrize("question", ["region", "sign_in_with", "api_key", "api_secret"])
    def test_ctrl_d_is_no_fault_of_the_terminal(
        self, session: Session, person: Any, question: str
    ) -> None:
        person(**{"api_key": "CANARY", question: EOFError()})
        with pytest.raises(ConfigurationError, match="input ended") as caught:
            login(session, prompt=True)
        assert "without showing" not in str(caught.value)

    def test_what_the_line_says_is_not_asked(
        self, session: Session, box: Sandbox, person: Any
    ) -> None:
        asked = person(api_key=f"{box.api_token} {box.api_token_secret}")
        login(session, region=box.region, mode="key", prompt=True)
        assert len(asked.hidden) == 1
        assert asked.times("region") == asked.times("sign in with") == 0

    def test_a_key_at_the_wrong_question_is_not_repeated(
        self, session: Session, person: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        person(region=("CANARYkey0123456789",) * 3)
        with pytest.raises(ConfigurationError, match="nobody is signed in") as caught:
            login(session, prompt=True)
        assert "CANARY" not in capsys.readouterr().out + str(caught.value)
        frames, at = [], caught.value.__traceback__
        while at is not None:
            frames.append(at.tb_frame)
            at = at.tb_next
        ours = [frame.f_locals for frame in frames if "alchemer_nb" in frame.f_code.co_filename]
        assert len(ours) > 2
        assert "CANARY" not in repr(ours)

    def test_where_a_profile_was_refused_its_region_is_known(
        self, session: Session, box: Sandbox, person: Any
    ) -> None:
        profiles.save("work", ApiKey("wrong-key-0000001", "wrong-secret"), box.region)
        asked = person(api_key=box.api_token, api_secret=box.api_token_secret)
        login(session, profile="work", prompt=True)
        assert asked.times("region") == 0
        assert box.region.host in asked.hidden[0]
        assert session.require().client.region == box.region

    def test_why_nothing_that_was_found_is_used_is_said_first(
        self,
        session: Session,
        box: Sandbox,
        person: Any,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setenv("ALCHEMER_API_TOKEN", "CANARY-half")
        person(api_key=box.api_token, api_secret=box.api_token_secret)
        login(session, region=box.region, prompt=True)
        shown = " ".join(capsys.readouterr().out.split())
        assert "ALCHEMER_API_TOKEN_SECRET is not; set both" in shown
        assert "CANARY" not in shown


class TestTries:
    def test_enter_keeps_what_was_right(
        self, session: Session, box: Sandbox, person: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        asked = person(
            api_key=(box.api_token, ""), api_secret=("CANARYtypo1234567", box.api_token_secret)
        )
        login(session, region=box.region, mode="key", prompt=True)
        assert session.require().client.credentials == key_of(box)
        assert f"Enter keeps {key_of(box).masked}" in asked.hidden[2]
        assert "Enter keeps what you typed" in asked.hidden[3]
        shown = capsys.readouterr().out
        assert "refused" in shown
        assert "CANARY" not in shown + str(asked.asked)

    def test_a_region_that_was_wrong_can_be_changed(
        self, session: Session, box: Sandbox, person: Any
    ) -> None:
        with ScriptedServer() as other:
            old = {"result_ok": False, "code": 401, "message": "Login failed / Invalid auth token"}
            other.answer("account", Reply(old, 401))
            session.box = box  # its region is one of those to choose from
            asked = person(
                region=("first", box.region.name),
                api_key=(box.api_token, ""),
                api_secret=(box.api_token_secret, ""),
            )
            sign_in_at_prompt(
                session,
                region=None,
                default_region=Region.custom(other.url, name="first"),
                mode="api_key",
                profile=None,
            )
            session.box = None
        assert asked.times("region [") == 2
        assert session.require().client.region == box.region
        assert len(other.asked) == 1

    def test_only_the_field_that_cannot_be_right_is_asked_again(
        self, session: Session, box: Sandbox, person: Any
    ) -> None:
        asked = person(
            consumer_key=box.consumer_key,
            consumer_secret=("in side", box.consumer_secret),
            sign_in_with="3",
        )
        login(session, region=box.region, prompt=True)
        assert session.require().client.credentials == OAuth1(box.consumer_key, box.consumer_secret)
        assert [asked.times(f"consumer {part}") for part in ("key", "secret")] == [1, 2]

    def test_three_refusals_fail_the_cell(
        self, session: Session, box: Sandbox, person: Any
    ) -> None:
        asked = person(api_key="CANARYwrong1234", api_secret="CANARYpair12345")
        with pytest.raises(AuthenticationError, match="refused") as caught:
            login(session, region=box.region, prompt=True)
        assert "CANARY" not in str(caught.value)
        assert asked.times("api secret") == 3
        assert asked.times("remember") == 0
        assert not session.status().signed_in

    def test_a_network_trouble_loses_nothing(
        self, session: Session, person: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with ScriptedServer() as gone:
            region = gone.region
        asked = person(api_key="a-key-of-today-1", api_secret="a-secret-of-today")
        with pytest.raises(TransportError):
            login(session, region=region, prompt=True)
        assert asked.times("enter keeps") == 4
        assert region.host in capsys.readouterr().out

    def test_nothing_typed_signs_nobody_in(self, session: Session, person: Any) -> None:
        asked = person()
        with pytest.raises(ConfigurationError, match="nothing was typed"):
            login(session, prompt=True)
        assert asked.times("api key") == 3

    def test_an_interrupt_stays_an_interrupt(self, session: Session, person: Any) -> None:
        person(api_key=KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            login(session, prompt=True)


class TestOAuth:
    def link(self, capsys: pytest.CaptureFixture[str]) -> str:
        lines = capsys.readouterr().out.splitlines()
        return next(line for line in reversed(lines) if "oauth_token=" in line)

    def test_a_wrong_paste_is_asked_for_again_with_the_same_pair(
        self, session: Session, box: Sandbox, person: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def log_in() -> str:
            return landing_address(self.link(capsys), box.username, box.password)

        asked = person(
            sign_in_with="2",
            consumer_key=box.consumer_key,
            consumer_secret=box.consumer_secret,
            address_or_the_code=("https://x/?oauth_token=other&oauth_verifier=CANARYother", log_in),
        )
        login(session, region=box.region, prompt=True)
        credentials = session.require().client.credentials
        assert isinstance(credentials, OAuth1)
        assert credentials.three_legged
        assert asked.times("consumer key") == 1
        assert "allowed it in the browser" in repr(session.status())

    @pytest.mark.parametrize("first", ["deny", "a-code-of-nobody"])
    def test_a_link_that_is_used_up_is_replaced(
        self, session: Session, box: Sandbox, person: Any, capsys: pytest.CaptureFixture[str],
        first: str,
    ) -> None:  # fmt: skip
        links = list[str]()

        def land() -> str:
            links.append(self.link(capsys))
            if first == "deny" and len(links) == 1:
                return landing_address(links[0], box.username, box.password, first)
            return landing_address(links[-1], box.username, box.password)

        person(
            consumer_key=box.consumer_key,
            consumer_secret=box.consumer_secret,
            paste_the_address=(land, land) if first == "deny" else (first, land),
        )
        login(session, region=box.region, mode="oauth", prompt=True)
        assert session.status().mode == "OAuth"
        assert len(set(links)) == len(links)

    def test_a_refused_pair_is_asked_for_again(
        self, session: Session, box: Sandbox, person: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def log_in() -> str:
            return landing_address(self.link(capsys), box.username, box.password)

        person(
            consumer_key=(box.consumer_key, ""),
            consumer_secret=("wrong-secret-0001", box.consumer_secret),
            address_or_the_code=log_in,
        )
        login(session, region=box.region, mode="oauth", prompt=True)
        assert session.status().mode == "OAuth"


class TestRemember:
    def test_it_is_offered_at_the_end_and_no_is_the_default(
        self, session: Session, box: Sandbox, person: Any
    ) -> None:
        asked = person(api_key=f"{box.api_token} {box.api_token_secret}")
        login(session, region=box.region, prompt=True)
        assert "only you can read" in asked.asked[-1]
        assert profiles.names() == ()

    def test_the_profile_of_the_line_is_the_name(
        self, session: Session, box: Sandbox, person: Any
    ) -> None:
        asked = person(api_key=f"{box.api_token} {box.api_token_secret}", remember="y")
        shown = login(session, region=box.region, profile="work", prompt=True)
        assert "as profile “work”?" in asked.asked[-1]
        assert "as profile “work”" in repr(shown)
        stored = profiles.load("work")
        assert stored is not None
        assert (stored.credentials, stored.region) == (key_of(box), box.region)

    def test_nothing_is_offered_on_binder(
        self, session: Session, box: Sandbox, person: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("BINDER_SERVICE_HOST", "hub.example")
        asked = person(api_key=f"{box.api_token} {box.api_token_secret}")
        login(session, region=box.region, prompt=True)
        assert asked.times("remember") == 0


class TestNobody:
    @pytest.mark.parametrize(
        "trouble", [StdinNotImplementedError("no"), EOFError(), OSError("no terminal")]
    )
    @pytest.mark.parametrize("question", ["region", "api_key"])
    def test_where_nothing_can_be_asked_it_says_what_to_set(
        self, session: Session, person: Any, trouble: BaseException, question: str
    ) -> None:
        person(**{question: trouble})
        with pytest.raises(ConfigurationError, match="ALCHEMER_API_TOKEN"):
            login(session, prompt=True)

    def test_a_terminal_that_would_show_what_is_typed_is_not_used(
        self, session: Session, person: Any
    ) -> None:
        def echoing() -> str:
            warnings.warn("echo", getpass.GetPassWarning, stacklevel=1)
            return "CANARY"

        person(api_key=echoing)
        with pytest.raises(ConfigurationError, match="without showing it"):
            login(session, prompt=True)


@pytest.mark.notebook
@pytest.mark.skipif(os.name == "nt", reason="a terminal of POSIX")
def test_in_a_terminal_login_asks_and_the_next_command_works(
    box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pexpect  # IPython brings it

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    cell = (
        f"from alchemer_nb import Region; box = Region.custom({box.url!r})\n"
        "%load_ext alchemer_nb\n%alchemer login --region {box} --profile work\n"
        "print('ROWS', len(get_ipython().run_line_magic('alchemer', 'account')))"
    )
    terminal = pexpect.spawn(
        sys.executable, ["-m", "IPython", "--colors=NoColor", "-c", cell], timeout=60, echo=False,
        encoding="utf-8",
    )  # fmt: skip
    terminal.expect(r"Sign in with \[1\]: ")
    terminal.sendline("")
    terminal.expect("API key .*: ")
    terminal.sendline(box.api_token)
    terminal.expect("API secret key .*: ")
    terminal.sendline(box.api_token_secret)
    terminal.expect(r"as profile “work”\? \[y/N\] ")
    terminal.sendline("y")
    terminal.expect("Remembered.*work")
    terminal.expect("ROWS 1")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0
    assert profiles.names() == ("work",)
