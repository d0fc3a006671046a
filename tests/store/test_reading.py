"""What is read from a store is what a download would have given."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from alchemer_nb.client.survey import Survey
from alchemer_nb.errors import InvalidArgument, StoreError
from alchemer_nb.sandbox import demo
from alchemer_nb.store import opening, paths
from alchemer_nb.store.manifest import read_manifest
from alchemer_nb.survey.definition import load_definition
from tests.store.conftest import ALL, SURVEY, fresh_client, quiet_box, same


def busy(box, count) -> None:
    """A day in the life of a survey."""
    box.add_responses(SURVEY, 9)
    box.touch(SURVEY, [3, 4, 80], data={"3": {"value": "77"}})
    box.touch(SURVEY, [count])
    box.delete_responses(SURVEY, [10, 70, count + 1])


WAYS = (
    ALL,
    {"progress": "none"},
    {"names": "id", "values": "code", "progress": "none"},
    {"names": "text", "values": "both", "shape": "long", "progress": "none"},
    {"multi": "list", "status": "Complete", "limit": 20, "progress": "none"},
)


def each_way_somewhere(number):
    """The ways of a survey: the first, and one of the others in turn."""
    return WAYS[0], WAYS[1 + number % (len(WAYS) - 1)]


# The older form differs in the payload, which the first way reads whole.
@pytest.mark.parametrize(
    ("form", "ways_of", "rows"),
    [
        ("current", each_way_somewhere, 30),
        pytest.param("2017", lambda _: WAYS[:1], 30, marks=pytest.mark.long),
        pytest.param("current", lambda _: WAYS, 60, marks=pytest.mark.long),
        pytest.param("2017", lambda _: WAYS[:1], 60, marks=pytest.mark.long),
    ],
    ids=["ways in turn", "the older form", "every way", "more in the older form"],
)
def test_a_frame_from_the_store_is_that_of_a_download(form, ways_of, rows, place):
    with quiet_box(form=form, types=True, responses=rows) as box:
        client = fresh_client(box)
        box.touch(SURVEY, [3, 4, 20], data={"3": {"value": "77"}})
        for survey in client.surveys()["id"]:
            client.sync(survey)
        busy_ids = [5, 6]
        box.touch(SURVEY, busy_ids, data={"3": {"value": "5"}})
        box.delete_responses(SURVEY, [9])
        fresh = fresh_client(box)
        fresh.sync(SURVEY)
        for number, survey in enumerate(client.surveys()["id"]):
            for how in ways_of(number):
                downloaded = fresh_client(box).responses(survey, **how)
                same(client.responses(survey, store=True, **how), downloaded)


def test_missing_kinds_and_codebook_come_from_the_store_too(own_box, synced_client):
    stored = synced_client.responses(SURVEY, store=True, progress="none")
    downloaded = synced_client.responses(SURVEY, progress="none")
    same(stored.alchemer.missing(), downloaded.alchemer.missing())
    same(stored.alchemer.codebook, downloaded.alchemer.codebook)


def test_it_says_from_when_it_is_and_asks_nothing(own_box, synced_client, count, capsys):
    own_box.add_responses(SURVEY, 5)
    before = len(own_box.calls)
    frame = synced_client.responses(SURVEY, store=True)
    assert len(own_box.calls) == before
    assert re.search(r"as of 20\d\d-\d\d-\d\d \d\d:\d\d UTC; in /", capsys.readouterr().err)
    facts = frame.alchemer.facts
    assert facts["from_store"] is True
    assert facts["rows_received"] == count


def test_nothing_is_stored_unless_asked(own_box, place):
    fresh_client(own_box).responses(SURVEY, progress="none")
    assert not place.exists()


def test_what_is_not_there_yet_is_synced_first(own_box, count):
    assert len(fresh_client(own_box).responses(SURVEY, store=True, **ALL)) == count


def test_max_age_syncs_what_is_older(own_box, synced_client, folder, count):
    own_box.add_responses(SURVEY, 5)
    assert len(synced_client.responses(SURVEY, max_age="1h", **ALL)) == count
    _move_clock(folder, "2001-01-01T00:00:00+00:00")
    assert len(synced_client.responses(SURVEY, max_age="1h", **ALL)) == count + 5


def test_a_store_from_the_future_is_not_trusted(own_box, synced_client, folder, count):
    """A clock that was set back must not keep old rows for ever."""
    own_box.add_responses(SURVEY, 5)
    _move_clock(folder, "2091-01-01T00:00:00+00:00")
    assert len(synced_client.responses(SURVEY, max_age="1h", **ALL)) == count + 5


def _move_clock(folder, utc: str) -> None:
    manifest = read_manifest(folder)
    manifest.syncs[-1]["utc"] = utc
    manifest.save()


@pytest.mark.parametrize("given", ["soon", "1 fortnight", True, -5])
def test_a_span_that_cannot_be_read_is_refused(own_box, given):
    with pytest.raises(InvalidArgument, match="max_age is a span"):
        fresh_client(own_box).responses(SURVEY, max_age=given)


def test_conditions_that_only_alchemer_can_decide_are_refused(own_box):
    with pytest.raises(InvalidArgument, match="leave store and max_age out"):
        fresh_client(own_box).responses(SURVEY, where="[question(2)] = Yes", store=True)


def test_days_and_statuses_choose_rows_of_the_store(own_box, synced_client, count):
    how = {"since": "2026-02-01", "until": "2026-03-01", "status": ["Complete", "Partial"]}
    stored = synced_client.responses(SURVEY, store=True, **how, **ALL)
    assert 0 < len(stored) < count
    same(stored, synced_client.responses(SURVEY, **how, **ALL))


def test_changes_tell_rows_and_columns(own_box, synced_client, count):
    assert synced_client.changes(SURVEY)["change"].eq("added").sum() == count
    busy(own_box, count)
    synced_client.sync(SURVEY)
    changes = synced_client.changes(SURVEY)
    told = changes["change"].astype(str).to_dict()
    assert told == {
        **dict.fromkeys([3, 4, 80, count], "changed"),
        **dict.fromkeys([10, 70], "removed"),
        **dict.fromkeys(range(count + 2, count + 10), "added"),
    }
    assert set(changes.loc[3, "columns"]) == {"date_updated", "region"}
    assert changes.loc[count, "columns"] == ["date_updated"]
    synced_client.sync(SURVEY)
    assert synced_client.changes(SURVEY).empty


def test_changes_need_a_store(own_box):
    with pytest.raises(StoreError, match="sync it first"):
        fresh_client(own_box).changes(SURVEY)


def test_definitions_are_kept_with_their_times(own_box, synced_client, folder, count):
    asked = demo.build(3, count)[0]
    asked.survey["pages"][0]["questions"][1]["title"] = {"English": "Asked in other words?"}
    own_box.add_survey(asked)
    other = fresh_client(own_box)
    synced = other.sync(SURVEY)
    assert any("definition has changed" in note for note in synced.notes)
    manifest = read_manifest(folder)
    first, second = manifest.definitions
    assert first["utc"] <= second["utc"]
    now = opening.read_stored_definition(manifest)
    earlier = load_definition(folder / paths.definition_name(first["number"]))
    assert isinstance(Survey.of(now).diff(earlier), pd.DataFrame)
    assert not Survey.of(now).diff(earlier).empty
    same(other.responses(SURVEY, store=True, **ALL), other.responses(SURVEY, **ALL))
    assert len(list(folder.glob("table-*"))) == len(manifest.parts)
