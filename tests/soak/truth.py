"""What a survey holds, read without the package: from the sandbox's list, and from its database."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import pandas as pd
import requests

from tests.fidelity.compare import Comparison, list_facts
from tests.fidelity.reader import Reader

if TYPE_CHECKING:
    from alchemer_nb import Client
    from alchemer_nb.sandbox import Sandbox
    from tests.fidelity.reader import Json

SURVEY = 9000001
_TABLE = "customer_satisfaction"
_WHOLE: dict[str, Any] = {"names": "id", "metadata": "all", "test_rows": "include"}
_QUIET: dict[str, Any] = {"progress": "none"}
_turns = count()


@dataclass(frozen=True)
class Truth:
    """The survey at one moment.

    Attributes:
        questions: Its list of questions.
        responses: Its list of responses, by ascending id.
    """

    questions: list[Json]
    responses: list[Json]

    @property
    def ids(self) -> list[int]:
        return [int(each["id"]) for each in self.responses]


def walk(box: Sandbox) -> Truth:
    """Read a survey page by page; each address is a new one, so that no cache answers."""
    lists = [_walk_list(box, name) for name in ("surveyquestion", "surveyresponse")]
    truth = Truth(*lists)
    held = box._require_server().call(
        lambda services: [each["id"] for each in services.state.library.records(SURVEY)]
    )
    assert truth.ids == sorted(held), "the sandbox lists other responses than it holds"
    return truth


def _walk_list(box: Sandbox, name: str) -> list[Json]:
    rows: list[Json] = []
    page = pages = 1
    while page <= pages:
        asked = {
            "api_token": box.api_token,
            "api_token_secret": box.api_token_secret,
            "resultsperpage": "500",
            "page": str(page),
            "walk": str(next(_turns)),
        }
        reply = requests.get(f"{box.url}/v5/survey/{SURVEY}/{name}", asked, timeout=60).json()
        rows += reply["data"]
        pages, page = int(reply["total_pages"]), page + 1
    return rows


def compare_frame(
    where: str, truth: Truth, frame: pd.DataFrame, values: str, sample: set[int]
) -> list[str]:
    """Compare the ids of a frame of ``whole`` with the truth, and each cell of some responses."""
    if frame.index.tolist() != truth.ids:
        missing = sorted(set(truth.ids) - set(frame.index))
        more = sorted(set(frame.index) - set(truth.ids))
        return [f"{where}: ids: {missing[:5]} missing, {more[:5]} too many"]
    comparison = Comparison()
    responses = [each for each in truth.responses if int(each["id"]) in sample]
    facts = list_facts(Reader(truth.questions, responses), where)
    comparison.compare_wide(where, facts, frame[frame.index.isin(sample)], values=values)
    found = comparison.result.mismatches
    return [f"{where}: {len(found)} cells, such as {found[0]}"] if found else []


def compare_frames(stored: pd.DataFrame, downloaded: pd.DataFrame) -> list[str]:
    try:
        pd.testing.assert_frame_equal(stored, downloaded, check_exact=True)
    except AssertionError as error:
        return [f"stored frame, and a download: {error}"]
    return []


def whole(client: Client, values: str = "label", **how: Any) -> pd.DataFrame:
    """All responses of the survey, test rows included."""
    return client.responses(SURVEY, values=values, **_WHOLE, **_QUIET | how)


def compare_store(
    truth: Truth, client: Client, fresh: Client | None, sample: set[int]
) -> list[str]:
    """Compare what frames, queries and scans of the store hold; return what differs.

    Args:
        truth: What it must hold.
        client: Of the store.
        fresh: One that remembers nothing, to download all responses; None where it would be sent
            a list of the last minute.
        sample: Ids of the responses whose cells are compared with the truth.
    """
    found = []
    frame = whole(client, store=True)
    found += compare_frame("stored frame", truth, frame, "label", sample)
    if fresh is not None:
        found += compare_frames(frame, whole(fresh))
    real = [each for each in truth.responses if str(each["is_test_data"]) != "1"]
    statuses = Counter(each["status"] for each in real)
    query = f"select status::varchar as status, count(*) as n from {_TABLE} group by all"  # noqa: S608
    table = client.sql(query, **_QUIET)
    if dict(zip(table["status"], table["n"], strict=True)) != statuses:
        found.append(f"sql: {json.dumps(table.to_dict('list'))}, not {dict(statuses)}")
    if client.scan(SURVEY, **_QUIET).count_rows() != len(real):
        found.append("a scan has another number of rows")
    scanned = client.scan(SURVEY, engine="pandas", test_rows="include", **_QUIET)
    stored = client.responses(SURVEY, store=True, test_rows="include", **_QUIET)
    if scanned.index.sort_values().tolist() != truth.ids:
        found.append("a scan has other ids")
    else:
        scanned = scanned.sort_index()
        found += [
            f"scan: column {name} differs from the stored frame"
            for name in stored
            if _as_text(stored[name]) != _as_text(scanned[name])
        ]
    listed = client.stored()
    rows = listed.loc[listed["id"] == str(SURVEY), "rows"].tolist()
    if rows != [len(truth.ids)]:
        found.append(f"stored() has {rows} rows, not {len(truth.ids)}")
    return found


def _as_text(column: pd.Series) -> list[str]:
    return column.astype(object).where(column.notna(), "").astype(str).tolist()
