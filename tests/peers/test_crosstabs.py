"""``crosstabs`` reads the sandbox into files; where it keeps an answer, ours is the same.

What it leaves out, or keeps otherwise, stands in ``LEFT_OUT`` and in ``same`` with its reason.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from alchemer_nb.client.client import Client
from alchemer_nb.frame.description import read_description
from alchemer_nb.http.credentials import ApiKey
from alchemer_nb.sandbox import Sandbox
from alchemer_nb.survey.question_types import question_key
from alchemer_nb.survey.scales import read_number
from tests.environments import environment, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alchemer_nb.frame.description import Description
    from alchemer_nb.survey.columns import AnswerColumn

pytestmark = pytest.mark.peers

SURVEYS = ("9000001", "9000002", "9000003", "9000005", "9000006")
FORMATS = ("parquet", "sav")
LEADING = {
    *("response_complete", "response_id", "date_started", "date_submitted"),
    *("response_time", "language"),
}

# What the peer has no value for where we have one, and why.
TYPE_NOT_EXPORTED = "its types are exported by no rule: named in its notes"
READS_ANOTHER_SHAPE = "read from `sub_question_skus`, which v5 does not have: rows stay empty"
NO_PARTS = "answers inside a container are looked for at the top level"
LEFT_OUT = {
    "hidden": "hidden values are skipped on purpose",
    "file": TYPE_NOT_EXPORTED,
    "single-image": TYPE_NOT_EXPORTED,
    "multi-image": TYPE_NOT_EXPORTED,
    "contsum": TYPE_NOT_EXPORTED,
    "multi_slider": TYPE_NOT_EXPORTED,
    "matrix": TYPE_NOT_EXPORTED,
    "heatmap": TYPE_NOT_EXPORTED,
    "signature": TYPE_NOT_EXPORTED,
    "card_sort": TYPE_NOT_EXPORTED,
    "table-checkbox": READS_ANOTHER_SHAPE,
    "table-textbox": READS_ANOTHER_SHAPE,
    "table-stars": READS_ANOTHER_SHAPE,
    "table-menu-matrix": READS_ANOTHER_SHAPE,
    "contactgroup": NO_PARTS,
    "group": NO_PARTS,
    "table in a group": NO_PARTS,
    "comment": "comment boxes are not read",
    "other": "what was written in is looked for under keys that v5 does not have",
    "removed": "questions and options that left the definition are not read",
    "not shown": "answers of entries with `shown: false` are dropped",
}


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(seed=7, responses=180, types=True) as started:
        yield started


@pytest.fixture(scope="module")
def client(box: Sandbox) -> Client:
    return Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)


@pytest.fixture(scope="module")
def written(box: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the peer wrote, by format and survey."""
    python = environment("crosstabs", ("crosstabs[surveys]==1.5.0",))
    printed = run(
        [str(python), str(Path(__file__).with_name("with_crosstabs.py"))],
        PEER_ADDRESS=box.url,
        PEER_TOKEN=box.api_token,
        PEER_SECRET=box.api_token_secret,
        PEER_FORMATS=" ".join(FORMATS),
        PEER_FOLDER=str(tmp_path_factory.mktemp("crosstabs")),
        PEER_SURVEYS=" ".join(SURVEYS),
    )
    found: dict[str, Any] = json.loads(printed)
    return found


@pytest.fixture(scope="module", params=FORMATS)
def theirs(request: pytest.FixtureRequest, written: dict[str, Any]) -> Any:
    return written[request.param]


def frame_of(written: dict[str, Any]) -> pd.DataFrame:
    """What the peer wrote, by response id; an empty text in a ``.sav`` is a missing one."""
    parts = written["frame"]
    frame = pd.DataFrame(parts["data"], columns=parts["columns"], dtype=object)
    frame.index = pd.Index([int(own) for own in frame["response_id"]])
    return frame.mask(frame.isna() | (frame == ""), None)


def columns_of(written: dict[str, Any], frame: pd.DataFrame) -> Iterator[tuple[Any, int, str]]:
    """Each of its questions with the place of a column, and what ours is called."""
    names = list(frame.columns)
    at = iter(
        place
        for place, name in enumerate(names)
        if name not in LEADING and not name.startswith("url_")
    )
    for question in written["sidecar"][0]["questions"]:
        own = f"q{question['key'].replace(':', '_')}"
        if question["type"] in ("multi", "rank"):
            for choice in question["choices"]:
                yield question, next(at), f"{own}_{choice['key']}"
        elif question["type"] in ("grid", "grid_multi"):
            assert not question["rows"]  # see READS_ANOTHER_SHAPE
        else:
            place = next(at)
            yield question, place, own
            if names[place + 1 : place + 2] == [f"{names[place]}_other"]:
                assert frame.iloc[:, next(at)].isna().all()  # see "other" in LEFT_OUT


def same(question: dict[str, Any], theirs: Any, label: Any, own_id: Any, raw: Any) -> bool:
    """Whether a value that the peer kept is ours, too."""
    if question["type"] in ("single", "nps"):
        own = str(own_id).removesuffix(".0")
        keys = [c["key"] for c in question["choices"] if c["code"] == int(float(theirs))]
        key = keys[0].removesuffix("-other") if keys else str(theirs).removesuffix(".0")
        if not any(c["key"] == key and c["label"] != key for c in question["choices"]):
            # An id that the definition does not know: the peer keeps the id, we keep the text.
            # So with rows of grids, to which it gives no options: `theirs` is the id itself.
            return own == key if own.isdecimal() else isinstance(label, str)
        return own == key
    if question["type"] == "multi":
        return bool(theirs) == bool(label)
    if raw is not None:
        return str(theirs) == raw
    if isinstance(label, float):  # numbers stay text there
        return read_number(theirs) == label
    if isinstance(label, pd.Timestamp):  # and so do dates
        return pd.Timestamp(theirs) == label
    return str(theirs).rstrip() == label.rstrip()  # a `.sav` cuts blanks at the end


def word(column: AnswerColumn) -> str:
    """The key of ``LEFT_OUT`` under which a column falls."""
    if column.removed or column.part in ("comment", "other"):
        return "removed" if column.removed else column.part
    key = question_key(column.parent or column.question)
    inside = column.parent is not None and column.parent.parent
    if inside:
        return "table in a group"
    return key or column.question.key or column.question.type.lower()


@pytest.mark.parametrize("survey", SURVEYS)
def test_the_same_responses_and_times(theirs: dict[str, Any], client: Client, survey: str) -> None:
    frame = frame_of(theirs[survey])
    ours = client.responses(survey, tz=None, progress="none")
    assert set(frame.index) == set(ours.index[ours["status"] != "Disqualified"])
    ours = ours.loc[frame.index]
    for name in ("date_submitted", "date_started"):  # it drops the zone, we read it
        assert (pd.to_datetime(frame[name].astype(str)) == ours[name]).all()
    assert frame["response_time"].astype(float).equals(ours["response_time"])
    assert frame["language"].tolist() == ours["language"].tolist()


@pytest.mark.parametrize("survey", SURVEYS)
def test_where_it_keeps_an_answer_ours_is_the_same(
    theirs: dict[str, Any], client: Client, survey: str
) -> None:
    frame = frame_of(theirs[survey])
    ours = client.responses(survey, names="id", progress="none").loc[frame.index]
    by_id = ours.alchemer.relabel(values="id")
    compared = 0
    for question, place, name in columns_of(theirs[survey], frame):
        values = frame.iloc[:, place].dropna()
        assert name in ours or values.empty, name
        for response, value in values.items():
            label, raw = ours.at[response, name], text_beside(ours, response, name)
            compared += 1
            assert same(question, value, label, by_id.at[response, name], raw), (name, value, label)
    assert compared > 100


def test_what_it_leaves_out_is_listed_with_its_reason(
    theirs: dict[str, Any], client: Client
) -> None:
    left_out = set()
    for survey in SURVEYS:
        frame = frame_of(theirs[survey])
        ours = client.responses(survey, names="id", progress="none").loc[frame.index]
        description = read_description(ours)
        columns = columns_of(theirs[survey], frame)
        found = {name: frame.iloc[:, place].notna() for _, place, name in columns}
        for name, column in description.columns.items():
            if column.part == "raw":
                continue
            missed = ours[name].notna() & ~found.get(name, pd.Series(False, index=frame.index))
            hidden = missed & not_shown(description, ours.index, column)
            left_out |= {"not shown"} if hidden.any() else set()
            left_out |= {word(column)} if (missed & ~hidden).any() else set()
    assert left_out == LEFT_OUT.keys()


def text_beside(ours: pd.DataFrame, response: int, name: str) -> str | None:
    """What stands in the column of what did not parse."""
    beside = f"{name}_raw"
    found = ours.at[response, beside] if beside in ours else None
    return None if pd.isna(found) else str(found)


def not_shown(description: Description, ids: pd.Index[Any], column: AnswerColumn) -> Any:
    """Whether the entry of each response says ``shown: false``."""
    reasons = description.reasons
    return reasons.shown(reasons.positions(ids), column.path[0]) == 0
