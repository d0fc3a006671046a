"""Serve surveys over HTTP, download them with the package, and compare cell by cell."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from alchemer_nb import ApiKey, Client
from alchemer_nb.sandbox import Sandbox
from alchemer_nb.sandbox.demo import piped
from tests.fidelity.generator import draw_survey
from tests.fidelity.reader import Fact, Reader, is_same, number
from tests.scripted import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.fidelity.reader import Json

PAYLOADS = Path(__file__).parents[2].parent / "shared" / "payloads"
FORMS = ("2017", "current")
NO_LIMIT = 10**9  # calls in a minute
_WAYS: tuple[dict[str, Any], ...] = (
    {"values": "label"},
    {"values": "code"},
    {"shape": "long"},
)


@dataclass(frozen=True)
class Mismatch:
    """A cell that is not what it must be."""

    where: str
    kind: str
    response: int
    column: str
    expected: Any
    found: Any

    def __str__(self) -> str:
        cell = f"response {self.response}, {self.column}"
        return (
            f"{self.where}: {self.kind}: {cell}: expected {self.expected!r}, found {self.found!r}"
        )


@dataclass
class Result:
    """What was compared."""

    surveys: int = 0
    payloads: int = 0
    facts: int = 0
    mismatches: list[Mismatch] = field(default_factory=list)

    def lines(self, most: int = 20) -> Iterator[str]:
        """Yield the numbers, and the first mismatches."""
        yield f"surveys: {self.surveys:,} ({self.payloads:,} payloads)"
        yield f"facts compared: {self.facts:,}"
        yield f"mismatches: {len(self.mismatches):,}"
        yield from (f"  {each}" for each in self.mismatches[:most])
        often = Counter(each.kind for each in self.mismatches)
        if often:
            yield "  of: " + ", ".join(f"{kind} {count:,}" for kind, count in often.most_common())


class Server:
    """A server that is asked for one survey after the other.

    Args:
        server: The server.
    """

    def __init__(self, server: ScriptedServer) -> None:
        key = ApiKey("token", "secret")
        self.client = Client(key, region=server.region, requests_per_minute=NO_LIMIT)
        self._server = server
        self._number = 0

    def serve(self, questions: list[Json], responses: list[Json]) -> int:
        """Serve a survey and return its id."""
        self._number += 1
        path = f"survey/{self._number}"
        pages = [{"id": 1, "title": {"English": "One"}, "questions": questions}]
        about = {"id": str(self._number), "title": "T", "languages": ["English"], "pages": pages}
        count = {"result_ok": True, "total_count": str(len(responses)), "page": 1, "total_pages": 1}
        self._server.replies.clear()
        self._server.answer(path, {"result_ok": True, "data": about})
        self._server.answer(f"{path}/surveyquestion", {"result_ok": True, "data": questions})
        self._server.answer(f"{path}/surveyresponse", {**count, "data": responses})
        return self._number


class Comparison:
    """The cells of frames beside what a second reader says."""

    def __init__(self) -> None:
        self.result = Result()

    def compare(self, where: str, client: Client, survey: int, reader: Reader) -> None:
        """Compare all cells of a survey, in every way of showing them."""
        facts: dict[tuple[int, str], Fact] = {}
        for fact in reader.facts():
            if facts.setdefault((fact.response, fact.column), fact) != fact:
                raise ValueError(f"{where}: two facts about {fact.column}")
        self.result.payloads += 1
        options = {"names": "id", "metadata": "none", "test_rows": "include", "progress": "none"}
        for way in _WAYS:  # the second and third one out of the client's memory of replies
            frame = client.responses(survey, **options, **way)
            if way.get("shape") == "long":
                self._compare_long(where, facts, frame)
            else:
                self._compare_wide(f"{where}, {way['values']}", facts, frame, **way)

    def _compare_wide(
        self,
        where: str,
        facts: dict[tuple[int, str], Fact],
        frame: pd.DataFrame,
        *,
        values: str,
    ) -> None:
        names = [name for name in frame if not name.startswith("url_")]
        found = {
            name: dict(zip(frame.index.tolist(), map(_cell, frame[name]), strict=True))
            for name in names
        }
        for (response, column), fact in facts.items():
            self.result.facts += 1
            expected = fact.code if values == "code" else fact.label
            is_due = expected is not None or not column.endswith("_raw")
            cell = found.get(column, {}).get(response, "no column" if is_due else None)
            if not is_same(expected, cell):
                self._add(where, fact.kind, response, column, expected, cell)
        for name, cells in found.items():
            for response, cell in cells.items():
                if cell is not None and (response, name) not in facts:
                    self.result.facts += 1
                    self._add(where, "no answer", response, name, None, cell)

    def _compare_long(
        self, where: str, facts: dict[tuple[int, str], Fact], frame: pd.DataFrame
    ) -> None:
        """Compare texts and numbers; a text that says more than its number is in its place."""
        answered = frame[frame["column"].notna()]
        rows = zip(answered["response_id"], answered["column"], answered["value"], strict=True)
        found = {(response, column): value for response, column, value in rows}
        due = {at: fact.label for at, fact in facts.items() if fact.label is not None}
        due = {at: label for at, label in due.items() if label is not False}
        for response, column in [at for at in due if at[1].endswith("_raw")]:
            is_number = isinstance(due.get((response, column.removesuffix("_raw"))), float)
            if is_number:
                due[response, column.removesuffix("_raw")] = due.pop((response, column))
        for at in sorted(due.keys() | found.keys()):
            self.result.facts += 1
            value, expected = found.get(at), due.get(at)
            if isinstance(expected, float) and value is not None:
                value = number(value)
            elif isinstance(expected, bool) and value is not None:
                value = True  # the label of the option that was chosen
            elif isinstance(expected, str):
                expected = expected.removesuffix("T00:00:00")
            if not is_same(expected, value):
                kind = facts[at].kind if at in facts else "no answer"
                self._add(f"{where}, long", kind, *at, expected, value)

    def _add(self, *what: Any) -> None:
        self.result.mismatches.append(Mismatch(*what))


def _cell(value: Any) -> Any:
    """A cell as plain Python has it, None where it is missing."""
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value


def real_surveys() -> Iterator[tuple[str, list[Json], list[Json]]]:
    """Yield the real payloads, where they are present: name, questions, responses."""
    if PAYLOADS.is_dir():
        lists = [
            json.loads((PAYLOADS / f"{name}_2013.json").read_text(encoding="utf-8"))["data"]
            for name in ("surveyquestion_list", "surveyresponse_list")
        ]
        yield "real survey of 2013", *lists
        text = (PAYLOADS / "survey_data_parents.json").read_text(encoding="utf-8")
        parents = [{**lists[1][0], "survey_data": json.loads(text), "url_variables": []}]
        yield "documented entries, no definition", [], parents


def compare_seeds(seeds: Iterable[int]) -> Result:
    """Compare the surveys of some seeds in both forms, and the real payloads."""
    comparison = Comparison()
    with ScriptedServer() as scripted:
        server = Server(scripted)
        for seed in seeds:
            comparison.result.surveys += 1
            for form, (questions, responses) in zip(FORMS, draw_survey(seed), strict=True):
                own, reader = server.serve(questions, responses), Reader(questions, responses)
                comparison.compare(f"seed {seed} ({form})", server.client, own, reader)
        for where, questions, responses in real_surveys():
            comparison.result.surveys += 1
            own, reader = server.serve(questions, responses), Reader(questions, responses)
            comparison.compare(where, server.client, own, reader)
    return comparison.result


def compare_sandbox(responses: int) -> Result:
    """Compare the surveys of the sandbox in both forms, but those with piped rows."""
    comparison = Comparison()
    for form in FORMS:
        with Sandbox(responses=responses, types=True, form=form, calls_per_minute=None) as box:
            client = Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)
            for own in client.surveys()["id"]:
                if str(own) == str(
                    piped.NUMBER
                ):  # the documentation does not say how its columns are named
                    continue
                comparison.result.surveys += form == FORMS[0]
                questions, given = (
                    [one for page in client.pages(f"survey/{own}/{what}") for one in page["data"]]
                    for what in ("surveyquestion", "surveyresponse")
                )
                reader = Reader(questions, given)
                comparison.compare(f"sandbox {own} ({form})", client, own, reader)
    return comparison.result
