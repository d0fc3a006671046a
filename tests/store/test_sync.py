"""A store follows its survey: what is new, what changed, what is gone."""

from __future__ import annotations

import stat

import pytest

from alchemer_nb.store.account_store import Stores
from tests.store.conftest import SURVEY, fresh_client, quiet_box

LONG = pytest.mark.long


def stores(box) -> Stores:
    client = fresh_client(box)
    return Stores(client._transport, client.region)


def counts(synced):
    return synced.added, synced.changed, synced.removed, synced.rows


@pytest.mark.parametrize("form", ["current", pytest.param("2017", marks=LONG)])
def test_new_changed_and_deleted_responses_arrive_with_few_calls(form, place):
    with quiet_box(form=form) as box:
        assert counts(stores(box).sync(SURVEY)) == (1003, 0, 0, 1003)
        box.add_responses(SURVEY, 7)
        box.touch(SURVEY, [3, 4], data={"3": {"value": "77"}})
        synced = stores(box).sync(SURVEY)
        assert counts(synced) == (7, 2, 0, 1010)
        assert synced.calls <= 2
        box.delete_responses(SURVEY, [10, 700, 701])
        assert counts(stores(box).sync(SURVEY)) == (0, 0, 3, 1007)
        assert counts(stores(box).sync(SURVEY)) == (0, 0, 0, 1007)


def test_the_same_client_sees_what_changed_a_second_ago(own_box, count):
    mine = stores(own_box)
    mine.sync(SURVEY)
    own_box.add_responses(SURVEY, 2)
    own_box.delete_responses(SURVEY, [5])
    assert counts(mine.sync(SURVEY)) == (2, 0, 1, count + 1)


def test_a_store_is_for_the_user_alone(own_box, place):
    mine = stores(own_box)
    synced = mine.sync(SURVEY)
    assert synced.place == mine.survey_folder(SURVEY)
    assert str(synced.place) in str(synced)
    for folder in (place, synced.place.parent, synced.place):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in synced.place.iterdir()} == {0o600}


def test_the_folder_of_an_account_tells_nobody_whose_it_is(own_box, place):
    synced = stores(own_box).sync(SURVEY)
    account = str(fresh_client(own_box).account()["id"].iloc[0])
    assert account not in str(synced.place)


@pytest.mark.parametrize(("count", "calls"), [(1600, 21), pytest.param(6000, 30, marks=LONG)])
def test_one_deletion_in_a_large_survey_costs_a_few_small_calls(place, count, calls):
    with quiet_box(responses=count) as box:
        stores(box).sync(SURVEY)
        box.delete_responses(SURVEY, [1417])
        rows = []
        synced = stores(box).sync(SURVEY, tell=lambda progress: rows.append(progress.rows))
        assert counts(synced) == (0, 0, 1, count - 1)
        assert synced.calls <= calls
        assert max(rows) <= 150


def test_what_came_late_behind_newer_changes_is_found(place):
    """Responses can take minutes to show, and then stand behind those that showed before."""
    with quiet_box() as box:
        box.add_responses(SURVEY, 3, visible_after=3600)
        stores(box).sync(SURVEY)
        box.add_responses(SURVEY, 120)
        stores(box).sync(SURVEY)
        box.show_changes()
        assert counts(stores(box).sync(SURVEY)) == (3, 0, 0, 1126)
