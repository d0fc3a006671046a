"""Stamps and clocks that lie: after any sync the store equals a walk, and few walks are needed."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alchemer_nb.store import manifest, paths
from alchemer_nb.wire import clocks
from tests.store.listed import OWN, ListedServer, stamp, stored

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
YEARS = timedelta(days=70 * 365)
NOW = timedelta()
SPANS = {"a minute": MINUTE, "a day": DAY, "70 years": YEARS}
long = pytest.mark.long
spans = pytest.mark.parametrize(
    "span",
    [
        pytest.param(span, id=name, marks=() if name == "a minute" else long)
        for name, span in SPANS.items()
    ],
)


def synced(server, client=None):
    """Syncs, and proves that the store is what the server has."""
    done = (client or server.client()).sync(OWN)
    assert stored(done.place) == server.rows
    assert done.rows == len(server.rows)
    return done


def is_cheap(server, done) -> bool:
    """Whether a sync looked at the newest only, and had nothing to say."""
    return server.walked == 0 and done.notes == ()


def is_cheap_after(server) -> bool:
    server.walked = 0
    return is_cheap(server, synced(server))


@pytest.fixture(scope="session")
def first_walk(tmp_path_factory):
    """The responses of ``server``, and the folder that the first sync makes of them."""
    with ListedServer(1600) as running, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALCHEMER_STORE", str(tmp_path_factory.mktemp("first walk")))
        return running.rows, running.dates, synced(running).place


@pytest.fixture
def server(place, first_walk):
    """A survey of 1,600 responses, one an hour, after its first sync."""
    rows, dates, made = first_walk
    with ListedServer(0) as running:
        running.rows, running.dates = dict(rows), dict(dates)
        folder = running.client()._stores.survey_folder(OWN)
        folder.parent.mkdir(mode=0o700, parents=True)
        shutil.copytree(made, folder)
        yield running


# -- stamps ahead ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("span", "count"),
    [
        pytest.param(
            span,
            count,
            id=f"{name}-{count}",
            marks=() if (name, count) in (("a minute", 600),) else long,
        )
        for name, span in SPANS.items()
        for count in (1, 600, 97)
    ],
)
def test_a_stamp_ahead_hides_nothing_that_changes_later(server, span, count):
    server.edit([800], stamp(-span), "ahead")
    assert synced(server).changed == 1
    server.edit(range(20, 20 + count), stamp(), "later")
    done = synced(server)
    assert (done.added, done.changed) == (0, count)
    assert is_cheap(server, done)
    server.newest = 0
    assert synced(server).changed == 0
    assert server.newest <= 7


def test_many_stamps_ahead_and_newer_ones_among_them(server):
    """All of the first page is ahead, at distances that some zone could explain, or none."""
    for own in range(300, 700):
        server.edit([own], stamp(-own * timedelta(minutes=10)), "ahead")
    synced(server)
    server.edit(range(1, 51), stamp(), "later")
    server.edit([10], stamp(-5 * MINUTE), "later still")
    assert synced(server).changed == 50


@spans
def test_a_clock_that_was_ahead_and_was_set_right(server, span):
    server.slow = -span.total_seconds() if span < YEARS else 0.0
    server.edit(range(400, 450), stamp(-span), "ahead")
    synced(server)
    server.slow = 0.0
    server.edit(range(20, 620), stamp(), "later")
    assert synced(server).changed == 600
    server.edit([7], stamp(), "as usual")
    assert synced(server).changed == 1


# -- what the manifest says -----------------------------------------------------------------


def edited(folder, change) -> None:
    file = folder / paths.MANIFEST
    told = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps(told | change(told)), "utf-8")


def moved(text: str, span: timedelta) -> str:
    return str(datetime.fromisoformat(text) + span)


@pytest.mark.parametrize(
    ("span", "sign"),
    [
        (DAY, -1),
        *(
            pytest.param(*case, marks=long)
            for case in ((MINUTE, 1), (YEARS, 1), (MINUTE, -1), (DAY, 1), (YEARS, -1))
        ),
    ],
)
def test_a_watermark_that_was_edited_hides_nothing(server, span, sign):
    place = synced(server).place
    edited(place, lambda told: {"watermark": moved(told["watermark"], sign * span)})
    server.edit(range(20, 620), stamp(), "later")
    done = synced(server)
    assert "changed or gone, and made anew" in str(done)
    assert server.walked
    server.walked = 0
    assert is_cheap(server, synced(server))


@spans
def test_a_watermark_ahead_that_an_earlier_version_wrote_hides_nothing(server, span):
    file = synced(server).place / paths.MANIFEST
    told = json.loads(file.read_text("utf-8"))
    for name in ("seal", "clock", "late"):
        del told[name]
    told["watermark"] = moved(told["watermark"], span)
    file.write_text(json.dumps(told), "utf-8")
    server.edit(range(20, 620), stamp(), "later")
    assert synced(server).changed == 600
    assert is_cheap_after(server)


@pytest.mark.parametrize(
    "mark",
    [
        "9999-99-99 99:99:99",
        *(pytest.param(mark, marks=long) for mark in (None, "", "soon", "0000-00-00 00:00:00")),
    ],
)
def test_a_watermark_that_is_none_hides_nothing(server, mark):
    found = manifest.read_manifest(synced(server).place)
    found.watermark = mark
    found.save()
    server.edit(range(20, 620), stamp(), "later")
    assert synced(server).changed == 600
    assert is_cheap_after(server)


@pytest.mark.parametrize("count", [4, pytest.param(12, marks=long)])
def test_any_changed_digit_of_the_manifest_hides_nothing(server, count):
    place = synced(server).place
    file = place / paths.MANIFEST
    whole = file.read_text("utf-8")
    digits = [at.start() for at in re.finditer(r"\d", whole)]
    for turn, at in enumerate(digits[:: max(1, len(digits) // count)]):
        whole = file.read_text("utf-8")
        if not whole[at : at + 1].isdigit() or '"format"' in whole[at - 12 : at]:
            continue
        changed = str((int(whole[at]) + 1) % 10)
        file.write_text(whole[:at] + changed + whole[at + 1 :], "utf-8")
        server.edit(range(20 + turn, 60), stamp(), f"later {turn}")
        synced(server)


# -- clocks behind --------------------------------------------------------------------------

LAGS = {"a minute": MINUTE, "an hour": HOUR, "a day": DAY, "a month": 30 * DAY, "70 years": YEARS}
ONE = pytest.param(1, marks=long)


def lags(*names):
    """These lags, and all of them in test-long."""
    return pytest.mark.parametrize(
        "lag",
        [
            pytest.param(lag, id=name, marks=() if name in names else long)
            for name, lag in LAGS.items()
        ],
    )


@pytest.mark.parametrize("count", [600, ONE])
@lags("a day")
def test_a_clock_that_was_set_back_hides_nothing(server, lag, count):
    server.edit(range(700, 850), stamp(), "before")
    synced(server)
    server.walked = 0
    server.slow = min(lag, 30 * DAY).total_seconds()
    server.edit(range(20, 20 + count), stamp(lag), "later")
    done = synced(server)
    assert done.changed == count
    if lag > HOUR:
        assert "set back" in str(done)
    elif lag == MINUTE:
        assert is_cheap(server, done)
    server.edit(range(300, 320), stamp(lag), "later still")
    assert synced(server).changed == 20


@pytest.mark.parametrize("count", [600, ONE])
@lags("a minute")
def test_stamps_from_a_clock_behind_that_of_the_server(server, lag, count):
    server.edit(range(700, 850), stamp(), "before")
    synced(server)
    server.edit(range(20, 20 + count), stamp(lag), "later")
    assert synced(server).changed == count
    server.edit(range(300, 320), stamp(lag), "later still")
    assert synced(server).changed == 20


def test_a_clock_that_was_set_back_long_before_the_next_sync(server):
    """The time is later than at the last sync, but not as much later as here."""
    synced(server)
    found = manifest.read_manifest(server.client().sync(OWN).place)
    early = type(found.clock)(found.clock.server - 5e6, found.clock.here - 5.2e6)
    found.clock = early
    found.save()
    assert "set back" in str(synced(server))


def test_stamps_that_are_always_days_behind_are_followed_without_a_walk(place):
    with ListedServer(1600, apart=HOUR) as server:
        for own in server.rows:
            server.edit([own], stamp(5 * DAY + own * HOUR), "behind")
        synced(server)
        for turn in range(3):
            server.walked = 0
            server.edit(range(20, 90), stamp(5 * DAY), f"later {turn}")
            done = synced(server)
            assert done.changed == 70
            assert is_cheap(server, done)


def test_what_changed_with_an_early_date_makes_the_next_sync_compare_all(server):
    server.edit(range(700, 850), stamp(), "before")
    synced(server)
    server.edit([5], stamp(3 * DAY), "late")
    assert "dated earlier than" in str(synced(server))
    server.edit([900], server.dates[900], "nothing shows it")
    assert synced(server).changed == 1
    server.edit([20], stamp(), "as usual")
    synced(server)
    assert is_cheap_after(server)


def test_a_server_that_tells_no_time(place):
    with ListedServer(1600) as server:
        server.slow = None
        done = synced(server)
        assert done.notes == ()
        for lag in (-DAY, NOW, DAY):
            server.edit(range(20, 120), stamp(lag), f"later {lag}")
            done = synced(server)
            assert done.changed == 100
            assert "nothing tells by Alchemer's clock" in str(done)
        server.slow = 0.0
        synced(server)
        assert is_cheap_after(server)


# -- lists that are odd ----------------------------------------------------------------------


def test_some_responses_without_a_date(server):
    for own in range(1, 1600, 9):
        server.edit([own], None, "undated")
    synced(server)
    server.edit(range(1, 400), None, "later")
    assert synced(server).changed == 399


def test_the_hour_that_occurs_twice_is_in_order(place):
    """Ordered by the moment: 1:30 of winter time is later than 1:45 of summer time."""
    year = datetime.now(UTC).year - 1
    (day,) = [day for day in range(1, 8) if date(year, 11, day).weekday() == 6]
    with ListedServer(1600, apart=timedelta(days=1)) as server:
        for own in range(60):
            for first, season, hour in ((200, "summer", 5), (300, "winter", 6)):
                told, at = (f"{year}-11-{day:02} {h:02}:{own:02}:00" for h in (1, hour))
                server.edit([first + own], told, season, at)
        synced(server)
        for count in (0, 40):
            server.edit(range(20, 20 + count), stamp(), "later")
            assert is_cheap_after(server)


def test_a_server_that_orders_nothing(server):
    synced(server)
    server.is_ordered = False
    server.edit(range(900, 1000), stamp(), "later")
    done = synced(server)
    assert done.changed == 100
    assert "newest changes first" in str(done)


def test_what_changed_under_the_same_date_shows_in_a_small_survey(place):
    with ListedServer(900) as server:
        synced(server)
        server.edit([400], server.dates[400], "nothing shows it")
        assert synced(server).changed == 1


@pytest.mark.parametrize("turns", [3, pytest.param(6, marks=long)])
def test_the_same_client_walks_through_nothing_that_it_remembers(server, turns):
    client = server.client()
    server.slow = None
    for turn in range(turns):
        server.edit(range(100, 700), stamp(YEARS), f"later {turn}")
        assert synced(server, client).changed == 600


@pytest.mark.parametrize(
    "is_same", [pytest.param(True, marks=long), False], ids=["one client", "clients"]
)
def test_syncs_within_a_minute_ask_for_nothing_that_a_cache_knows(place, is_same):
    with ListedServer(400) as server:
        server.answers = {}
        client = server.client()
        client.sync(OWN)
        for turn in range(1, 11):
            server.edit([turn], stamp(), f"later {turn}")
            done = (client if is_same else server.client()).sync(OWN)
            assert done.changed == 1
            assert stored(done.place) == server.rows


def test_deleted_and_new_responses_beside_a_stamp_ahead(server):
    server.edit([800], stamp(-YEARS), "ahead")
    synced(server)
    for own in (5, 900, 901):
        del server.rows[own]
    server.edit(range(1601, 1650), stamp(), "new")
    done = synced(server)
    assert (done.added, done.changed, done.removed) == (49, 0, 3)


def test_expunged_responses_do_not_count_as_changes(server):
    client = server.client()
    client.expunge(OWN, responses=[3, 700, 1599])
    server.edit(range(20, 40), stamp(), "later")
    done = server.client().sync(OWN)
    assert (done.changed, done.notes, server.walked) == (20, (), 0)


# -- usual days ------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 9, 600])
def test_a_sync_on_a_usual_day_is_no_walk(server, count):
    server.edit(range(20, 20 + count), stamp(), "edited")
    server.edit(range(1601, 1601 + count), stamp(), "new")
    done = synced(server)
    assert (done.added, done.changed) == (count, count)
    assert is_cheap(server, done)
    assert server.newest <= 6 + count // 100


EDIT = st.tuples(
    st.integers(1, 560),
    st.sampled_from([1, 30, 250]),
    st.sampled_from([-YEARS, -DAY, -HOUR, -MINUTE, NOW, MINUTE, HOUR, DAY, YEARS]),
    st.sampled_from([None, 0.0, 0.0, 0.0, 60.0, 86400.0, -86400.0]),
)


@long  # what it draws is above, each by itself
@settings(max_examples=settings().max_examples // 4, suppress_health_check=list(HealthCheck))
@given(edits=st.lists(EDIT, min_size=1, max_size=3))
def test_a_store_equals_a_walk_whatever_the_clocks_say(tmp_path_factory, monkeypatch, edits):
    monkeypatch.setenv("ALCHEMER_STORE", str(tmp_path_factory.mktemp("store")))
    with ListedServer(800, apart=timedelta(minutes=7)) as server:
        synced(server)
        for turn, (first, count, lag, slow) in enumerate(edits):
            server.slow = slow
            server.edit(range(first, min(800, first + count)), stamp(lag), f"turn {turn}")
            synced(server)


@pytest.mark.parametrize("year", [9999, 100])
def test_a_server_in_another_age_is_no_error(year):
    there = clocks.Clock.of({"Date": f"Fri, 31 Dec {year:04} 23:59:59 GMT"})
    assert clocks.is_ahead("2026-01-01 10:00:00", there) is (year == 100)
    assert clocks.horizon(there, None)[:4].lstrip("0") == str(year)
