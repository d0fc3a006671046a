"""Whatever comes in place of a definition or of responses: a frame that holds, or one error."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alchemer_nb.client.survey import Survey
from alchemer_nb.errors import InvalidArgument, TransportError
from alchemer_nb.frame.description import Description
from tests.fuzz import surveys
from tests.fuzz.judge import COSTLY, outcome
from tests.fuzz.mutations import contents, json_contents
from tests.fuzz.surveys import OWN, QUIET, client_of, new_folder
from tests.scripted import ScriptedServer

WAYS = st.fixed_dictionaries(
    {
        "names": st.sampled_from(["alias", "id", "text"]),
        "values": st.sampled_from(["label", "code", "id", "both"]),
        "shape": st.sampled_from(["wide", "wide", "long"]),
        "multi": st.sampled_from(["columns", "list"]),
        "metadata": st.sampled_from(["standard", "all"]),
        "test_rows": st.sampled_from(["exclude", "include"]),
    }
)


@pytest.fixture(scope="module")
def server():
    with ScriptedServer() as running:
        yield running


def check_frame(frame, asked):
    """A frame that came is one that can be used."""
    text = frame.attrs["alchemer"]
    assert Description.from_json(text).to_json() == text
    json.loads(text).items()
    outcome(lambda: frame.alchemer.codebook)
    again = outcome(
        frame.alchemer.relabel, **{name: asked[name] for name in ("names", "values", "multi")}
    )
    if again is not None and asked["shape"] == "wide":
        assert again.shape[0] == frame.shape[0]
    outcome(lambda: frame.alchemer.missing())


def still_works(server):
    """The next survey is read as if nothing had been."""
    frame = client_of(server).responses(OWN, test_rows="include", **QUIET)
    assert frame.index.tolist() == [1, 2, 3]


@given(survey=json_contents([surveys.SURVEY, surveys.SURVEY["data"]]), asked=WAYS)
@COSTLY
def test_any_definition_is_read_or_refused(server, survey, asked):
    client = client_of(server, survey=survey)
    defined = outcome(client.survey, OWN)
    if defined is not None:
        repr(defined)
        defined._repr_html_()
    outcome(client.codebook, OWN)
    frame = outcome(client.responses, OWN, **asked, **QUIET)
    if frame is not None:
        check_frame(frame, asked)


@given(questions=json_contents([surveys.LIST]), asked=WAYS)
@COSTLY
def test_any_list_of_questions_is_read_or_refused(server, questions, asked):
    frame = outcome(client_of(server, questions=questions).responses, OWN, **asked, **QUIET)
    if frame is not None:
        check_frame(frame, asked)


@given(responses=json_contents([surveys.PAGE]), asked=WAYS)
@COSTLY
def test_any_page_of_responses_is_read_or_refused(server, responses, asked):
    frame = outcome(client_of(server, responses=responses).responses, OWN, **asked, **QUIET)
    if frame is not None:
        check_frame(frame, asked)
        assert frame.index.is_monotonic_increasing or asked["shape"] == "long"


@given(responses=contents([surveys.as_json(surveys.PAGE)]))
@COSTLY
def test_any_bytes_of_a_page_are_read_or_refused(server, responses):
    outcome(client_of(server, responses=responses).responses, OWN, **QUIET)
    still_works(server)


@given(definition=json_contents([surveys.SURVEY]))
@COSTLY
def test_any_definition_that_is_read_is_kept_as_it_is(server, definition):
    client = client_of(server, survey=definition)
    found = outcome(client.survey, OWN)
    if found is None:
        return
    with new_folder() as folder:
        path = Path(folder, "d.json")
        found.save(path)
        assert type(found).load(path) == found


@given(page=json_contents([surveys.PAGE]))
@COSTLY
def test_any_page_is_stored_as_it_is_downloaded_or_refused(server, page):
    with new_folder() as folder:
        client = client_of(server, responses=page, store=Path(folder))
        synced = outcome(client.sync, OWN)
        if synced is None:
            return
        for way in (QUIET, {"test_rows": "include", **QUIET}):
            stored = outcome(client.responses, OWN, store=True, **way)
            fresh = outcome(client_of(server, responses=page).responses, OWN, **way)
            if stored is not None and fresh is not None:
                with_id = fresh.index[fresh.index >= 0]  # a store cannot have others
                assert stored.index.tolist() == with_id.tolist()
        outcome(client.scan, OWN, engine="pandas", **QUIET)
        outcome(client.sql, f"select count(*) from survey_{OWN}", **QUIET)  # noqa: S608
        outcome(client.stored)


def test_a_page_nested_too_deeply_ends_a_sync_with_an_error(server, tmp_path):
    page = surveys.as_json(surveys.PAGE).replace(b'"9"', b"[" * 5000 + b"]" * 5000, 1)
    with pytest.raises(TransportError, match="not a list of responses"):
        client_of(server, responses=page, store=tmp_path).sync(OWN)
    assert client_of(server, store=tmp_path).sync(OWN).rows == 3


def test_a_number_with_very_many_digits_is_stored_as_it_is_downloaded(server, tmp_path):
    page = surveys.as_json(surveys.PAGE)
    for old in (b'"answer": "9"', b'"contact_id": ""', b'"answer": "042"'):
        assert old in page
        page = page.replace(old, old.partition(b" ")[0] + b"9" * 5000)
    client = client_of(server, responses=page, store=tmp_path)
    assert client.sync(OWN).rows == 3
    how = {"test_rows": "include", "metadata": "all", **QUIET}
    stored, fresh = (client.responses(OWN, store=own, **how) for own in (True, False))
    pd.testing.assert_frame_equal(stored, fresh)
    assert client.verify(OWN).ok


def test_a_definition_with_one_id_for_two_options_is_none(server, tmp_path):
    client_of(server).survey(OWN).save(tmp_path / "d.json")
    saved = json.loads((tmp_path / "d.json").read_text("utf-8"))
    options = saved["survey"]["pages"][0]["questions"][0]["options"]
    options[1] = options[0]
    (tmp_path / "d.json").write_text(json.dumps(saved), "utf-8")
    with pytest.raises(InvalidArgument, match=r"does not hold a definition"):
        Survey.load(tmp_path / "d.json")
