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
from alchemer_nb.sandbox.demo import every_type, piped
from tests.fidelity.generator import draw_survey
from tests.fidelity.reader import Fact, Reader, is_same, number
from tests.scripted import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.fidelity.reader import Json

PAYLOADS = Path(__file__).parents[2].parent / "shared" / "payloads"
LANGUAGES = ["English", "German"]
FORMS = ("2017", "current")
NO_LIMIT = 10**9  # calls in a minute
_WAYS: tuple[dict[str, Any], ...] = (
    {"values": "label"},
    {"values": "code"},
    {"shape": "long"},
)
_SECOND = {"values": "label", "language": "German"}
_SHOWN = {"names": "id", "metadata": "all", "test_rows": "include", "progress": "none"}
#: Fields of responses that are shown as received, and data quality, as JSON.
_FIELDS = {
    *("session_id", "ip_address", "referer", "user_agent", "longitude", "latitude", "country"),
    *("city", "region", "postal", "dma", "data_quality"),
}
_NO_ANSWERS = ("field", "url variable")


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
        about = {"id": str(self._number), "title": "T", "languages": LANGUAGES, "pages": pages}
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

    def compare(
        self, where: str, client: Client, survey: int, questions: list[Json], given: list[Json]
    ) -> None:
        """Compare all cells of a survey, in every way of showing them.

        Args:
            where: What the survey is called in mismatches.
            client: Client of the server that has it.
            survey: Its id there.
            questions: Its list of questions, for the second reader.
            given: Its responses, for the second reader.
        """
        self.result.payloads += 1
        first = None
        is_translated = client.survey(survey).languages == tuple(LANGUAGES)
        for way in (
            (*_WAYS, _SECOND) if is_translated else _WAYS
        ):  # all but the first one out of the client's memory of replies
            language = way.get("language", "English")
            facts = list_facts(Reader(questions, given, language), where)
            frame = client.responses(survey, **_SHOWN, **way)
            place = f"{where}, {' '.join(way.values())}"
            if way.get("shape") == "long":
                self._compare_long(place, facts, frame)
            else:
                self.compare_wide(place, facts, frame, values=way["values"])
            first = frame if first is None else first
            self._compare_relabelled(
                place,
                first.alchemer.relabel(
                    **{"values": "label", "shape": "wide", "language": None, **way}
                ),
                frame,
            )

    def _compare_relabelled(self, where: str, there: pd.DataFrame, fresh: pd.DataFrame) -> None:
        """Compare what `relabel` makes of a frame with a fresh one."""
        if there.equals(fresh) and there.dtypes.equals(fresh.dtypes):
            return
        try:
            pd.testing.assert_frame_equal(there, fresh, check_exact=True)
        except AssertionError as error:
            lines = " ".join(str(error).split())
            self.result.mismatches.append(Mismatch(where, "relabel", 0, "", "as fresh", lines))

    def compare_wide(
        self,
        where: str,
        facts: dict[tuple[int, str], Fact],
        frame: pd.DataFrame,
        *,
        values: str,
    ) -> None:
        names = [name for name in frame if name not in _FIELDS]
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
        answers = {at: fact for at, fact in facts.items() if fact.kind not in _NO_ANSWERS}
        due = {at: fact.label for at, fact in answers.items() if fact.label is not None}
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
                self._add(where, kind, *at, expected, value)

    def _add(self, *what: Any) -> None:
        self.result.mismatches.append(Mismatch(*what))


def list_facts(reader: Reader, where: str) -> dict[tuple[int, str], Fact]:
    facts: dict[tuple[int, str], Fact] = {}
    for fact in reader.facts():
        if facts.setdefault((fact.response, fact.column), fact) != fact:
            raise ValueError(f"{where}: two facts about {fact.column}")
    return facts


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
                where, own = f"seed {seed} ({form})", server.serve(questions, responses)
                comparison.compare(where, server.client, own, questions, responses)
        for where, questions, responses in real_surveys():
            comparison.result.surveys += 1
            own = server.serve(questions, responses)
            comparison.compare(where, server.client, own, questions, responses)
    return comparison.result


def compare_sandbox(responses: int, *, types_alone: bool = False) -> Result:
    """Compare the surveys of the sandbox in both forms, or the one of every type alone."""
    comparison = Comparison()
    for form in FORMS:
        with Sandbox(responses=responses, types=True, form=form, calls_per_minute=None) as box:
            client = Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)
            for own in client.surveys()["id"]:
                is_left_out = types_alone and str(own) != str(every_type.NUMBER)
                # The documentation does not say how columns of piped rows are named.
                if is_left_out or str(own) == str(piped.NUMBER):
                    continue
                comparison.result.surveys += form == FORMS[0]
                questions, given = (
                    [one for page in client.pages(f"survey/{own}/{what}") for one in page["data"]]
                    for what in ("surveyquestion", "surveyresponse")
                )
                comparison.compare(f"sandbox {own} ({form})", client, own, questions, given)
    return comparison.result
