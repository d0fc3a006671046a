"""A server that repeats what it is sent, and what signs in to it with canaries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from alchemer_nb import Client, OAuthFlow
from tests.leaks.search import CANARIES, PAIR
from tests.scripted import Reply, ScriptedServer
from tests.survey_json import option, question, response, serve

if TYPE_CHECKING:
    from alchemer_nb.http.credentials import Credentials

REQUESTED, ACCESS = "/head/oauth/request_token", "/head/oauth/access_token"
REQUEST, VERIFIER = CANARIES["request_token"], CANARIES["oauth_verifier"]
GIVEN = urlencode(
    {
        "oauth_token": REQUEST,
        "oauth_token_secret": CANARIES["request_token_secret"],
        "xoauth_token_ttl": 60,
    }
)
GRANTED = urlencode({name: CANARIES[name] for name in ("oauth_token", "oauth_token_secret")})
ACCOUNT = {"result_ok": True, "data": {"id": "77", "organization": "Made up"}}
ASKED = [
    question(2, "TEXTBOX", "Name", "name"),
    question(3, "RADIO", "Sure", "sure", [option(10001, "Yes"), option(10002, "No")]),
]


def returned_to(verifier: str, token: str = REQUEST) -> str:
    """The address that the browser ends at."""
    return "https://x.invalid/?" + urlencode({"oauth_token": token, "oauth_verifier": verifier})


@dataclass
class Walk:
    """A server, and credentials of one mode."""

    server: ScriptedServer
    credentials: Credentials

    def __post_init__(self) -> None:
        rows = [
            response(n, {"2": {"id": 2, "answer": "x"}, "3": {"id": 3, "answer_id": 10001}})
            for n in (1, 2)
        ]
        serve(self.server, ASKED, rows)
        surveys = [{"id": "5", "title": "Made by hand", "status": "Launched"}]
        self.server.answer("account", ACCOUNT)
        self.server.answer("survey", {"result_ok": True, "total_pages": 1, "data": surveys})
        self.server.answer(REQUESTED, Reply(GIVEN.encode()))
        self.server.answer(ACCESS, Reply(GRANTED.encode()))

    @property
    def echo(self) -> str:
        """All parts of the credentials."""
        return " ".join(secret.reveal() for secret in self.credentials.secrets)

    @property
    def client(self) -> Client:
        return Client(self.credentials, region=self.server.region, timeout=(2, 1), retries=1)

    def refuse(self, status: int, path: str = "account") -> Client:
        """Has calls be answered with a status, and with all that was sent."""
        refusal = {"result_ok": False, "code": status, "message": self.echo}
        self.server.answer(path, Reply(refusal, status))
        return self.client

    def break_off(self, *last: Reply) -> Client:
        """Has a download have a second page, which is answered so."""
        path = "survey/5/surveyresponse"
        first = self.server.replies[f"/v5/{path}"][0].body
        self.server.answer(path, {**first, "total_count": "600", "total_pages": 2}, *last)
        return self.client

    def flow(self) -> OAuthFlow:
        """A sign-in that was begun."""
        flow = OAuthFlow(*PAIR.secrets, region=self.server.region, callback="oob")
        flow.start()
        return flow
