"""Serve surveys over HTTP, download them with the package, and compare cell by cell."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from alchemer_nb import ApiKey, Client
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
        return f"{self.where}: {self.kind}: {cell}: expected {self.expected!r}, found {self.found!r}"


@dataclass
class Result:
    """What was compared."""

    surveys: int = 0
    facts: int = 0
    mismatches: list[Mismatch] = field(default_factory=list)

    def lines(self, most: int = 20) -> Iterator[str]:
        """Yield the numbers, and the first mismatches."""
        yield f"surveys: {self.surveys:,}"
        yield f"facts compared: {self.facts:,}"
        yield f"mismatches: {len(self.mismatches):,}"
        yield from (f"  {each}" for each in self.mismatches[:most])
        often = Counter(each.kind for each in self.mismatches)
        if often:
            yield "  of: " + ", ".join(f"{kind} {count:,}" for kind, count in often.most_common())


class Comparison:
    """Surveys that one server sends after the other."""

    def __init__(self) -> None:
        self.result = Result()
        self._number = 0
        self._server = ScriptedServer()
        self._client: Client | None = None

    @contextlib.contextmanager
    def running(self) -> Iterator[Comparison]:
        """Serve until all is compared."""
        with self._server as server:
            key = ApiKey("token", "secret")
            self._client = Client(key, region=server.region, requests_per_minute=NO_LIMIT)
            yield self

    def compare(self, where: str, questions: list[Json], responses: list[Json]) -> None:
        """Compare all cells of a survey, in every way of showing them."""
        facts = {(each.response, each.column): each for each in Reader(questions, responses).facts()}
        self.result.surveys += 1
        for number, way in enumerate(_WAYS):
            frame = self._download(questions, responses, **way)
            if way.get("shape") == "long":
                self._compare_long(where, facts, frame)
            else:
                self._compare_wide(f"{where}, {way['values']}", facts, frame, code=number == 1)

    def _download(self, questions: list[Json], responses: list[Json], **way: Any) -> pd.DataFrame:
        self._number += 1
        own = self._number
        pages = [{"id": 1, "title": {"English": "One"}, "questions": questions}]
        about = {"id": str(own), "title": "T", "languages": ["English"], "pages": pages}
        count = {"result_ok": True, "total_count": str(len(responses)), "page": 1, "total_pages": 1}
        self._server.answer(f"survey/{own}", {"result_ok": True, "data": about})
        self._server.answer(f"survey/{own}/surveyquestion", {"result_ok": True, "data": questions})
        self._server.answer(f"survey/{own}/surveyresponse", {**count, "data": responses})
        assert self._client is not None
        options = {"names": "id", "metadata": "none", "test_rows": "include", "progress": "none"}
        frame: pd.DataFrame = self._client.responses(own, **options, **way)
        self._server.replies.clear()
        return frame

    def _compare_wide(
        self,
        where: str,
        facts: dict[tuple[int, str], Fact],
        frame: pd.DataFrame,
        *,
        code: bool,
    ) -> None:
        names = [name for name in frame if not name.startswith("url_")]
        found = {
            name: dict(zip(frame.index.tolist(), map(_cell, frame[name]), strict=True))
            for name in names
        }
        for (response, column), fact in facts.items():
            self.result.facts += 1
            expected = fact.code if code else fact.label
            cell = found.get(column, {}).get(response, None if expected is None else "no column")
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


def compare_seeds(seeds: Iterable[int], *, real: bool = True) -> Result:
    """Compare the surveys of some seeds in both forms, and the real payloads."""
    comparison = Comparison()
    with comparison.running():
        for seed in seeds:
            for form, (questions, responses) in zip(FORMS, draw_survey(seed), strict=True):
                comparison.compare(f"seed {seed} ({form})", questions, responses)
        for where, questions, responses in real_surveys() if real else ():
            comparison.compare(where, questions, responses)
    return comparison.result
