"""A download whose credentials die on the way goes on with new ones, and asks for no page twice."""

from __future__ import annotations

import pickle
import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from alchemer_nb import ApiKey, Client, Job
from alchemer_nb.client.retrieval import PartialDownload
from alchemer_nb.decode.answers import AnswersBuilder
from alchemer_nb.errors import (
    AuthenticationError,
    DownloadIncomplete,
    InvalidArgument,
    PermissionDenied,
    TransportError,
)
from alchemer_nb.fetch.download import Download
from alchemer_nb.sandbox import Fault
from alchemer_nb.survey.definition import SurveyPage, read_definition
from tests.boxes import copied_box
from tests.conftest import credentials_for
from tests.person import regenerate_key
from tests.survey_json import question, response, serve

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from alchemer_nb.sandbox import Sandbox
    from tests.scripted import ScriptedServer

CUSTOMER = 9000001
LIST = "surveyresponse"
ROWS, FEWER = 1540, 1040  # four pages, and three
ALL = {"test_rows": "include", "progress": "none"}
DEAD = '{"result_ok": false, "code": 401, "message": "Login failed / Invalid auth token"}'
LAST_LOOK = {"path": LIST, "order_by": "-date_updated"}


def new_box(**more) -> AbstractContextManager[Sandbox]:
    given = {"seed": 3, "responses": FEWER, "form": "current", "cache_seconds": 0} | more
    return copied_box(calls_per_minute=None, **given)


@pytest.fixture(scope="module")
def box():
    """Keys die in it, responses stay as they are."""
    with new_box(responses=ROWS) as running:
        yield running


@pytest.fixture(autouse=True)
def calm(box):
    yield
    box.calm()


@pytest.fixture
def own_box():
    with new_box() as running:
        yield running


def client_of(box, mode="api_key", **more):
    return Client(credentials_for(box, mode), region=box.region, **{"max_in_flight": 1, **more})


def whole(box, **asked):
    return client_of(box).responses(CUSTOMER, **{**ALL, **asked})


@pytest.fixture(scope="module")
def everything(box):
    """All responses of ``box``."""
    return whole(box)


def sql(box, statement):
    """What happens to the applications of the account, for good."""
    box._require_server().call(lambda services: services.state.grants._db.execute(statement))


KILLS = {
    "api_key": lambda box: regenerate_key(box.url, box.username, box.password),
    "oauth1_three_legged": lambda box: sql(box, "DELETE FROM access_tokens"),
    "oauth1_two_legged": lambda box: sql(
        box, "UPDATE applications SET consumer_secret = substr(consumer_secret, 2) || 'f'"
    ),
}


def page(number):
    """A page of the list, and no smaller piece of it."""
    return {"path": LIST, "page": number, "resultsperpage": 500}


def refused_at(box, number=None, client=None, **asked):
    """The error of a download whose key is refused from a page on, or only at the last look."""
    when = LAST_LOOK if number is None else page(number)
    box.fail_next(Fault(status=401, body=DEAD, when=when))
    with pytest.raises(DownloadIncomplete) as caught:
        (client or client_of(box)).responses(CUSTOMER, **{**ALL, **asked})
    KILLS["api_key"](box)
    return caught.value


def pages_asked(box, since=0):
    """Numbers of the pages of the list that were answered, in their order."""
    return [
        int(call.params["page"])
        for call in box.seen[since:]
        if call.path.endswith(LIST)
        and call.params["resultsperpage"] == "500"
        and "order_by" not in call.params
        and call.status == 200
    ]


def same(one, other):
    pd.testing.assert_frame_equal(one, other)


SAID = {
    "api_key": ("the API key was refused", "Then sign in with the new key, create `client` again"),
    "oauth1_three_legged": ("the access was refused", "Then get a new sign-in link"),
    "oauth1_two_legged": (
        "the consumer pair was refused",
        "Then sign in with the new consumer pair",
    ),
}


@pytest.mark.parametrize(
    "mode",
    [pytest.param(each, marks=() if each == "api_key" else pytest.mark.long) for each in SAID],
)
def test_what_helps_is_said_and_new_credentials_go_on_from_there(box, mode, everything):
    client, start, told = client_of(box, mode), len(box.seen), []

    def tell(progress):
        if progress.pages and not told:
            told.append(progress)
            KILLS[mode](box)

    with pytest.raises(DownloadIncomplete) as caught:
        client.responses(CUSTOMER, **{**ALL, "progress": tell})
    error, came = caught.value, pages_asked(box, start)
    assert isinstance(error.cause, AuthenticationError)
    for words in SAID[mode]:
        assert words in str(error)
    for useless in ("region", "run it again", "address bar"):
        assert useless not in str(error)
    rows = len(error.partial)
    assert rows == 500 * len(came) < ROWS

    again = len(box.seen)
    got = error.resume(client_of(box, mode), progress="none")
    assert came + pages_asked(box, again) == [1, 2, 3, 4]
    same(got, everything)
    assert len(error.partial) == rows, "what came before is not changed by what came later"


def test_how_it_went_on_is_told_from_the_first_page_to_the_last_line(box):
    error, told = refused_at(box, 3), []
    got = error.resume(client_of(box), progress=told.append)
    assert "went on at page 3 with the 1,000 responses at hand" in told[-1].note
    running = [each for each in told[:-1] if each.pages]
    assert {each.before for each in running} == {1000}
    assert min(each.rows for each in running) == 1000
    assert max(each.pages for each in running) == 4
    assert got.alchemer.facts["rows_received"] == ROWS
    assert got.alchemer.facts["repeated_rows"] == 0


def test_of_pages_in_flight_those_that_came_are_kept_and_none_is_sent_after_a_refusal():
    with new_box(responses=ROWS) as large:
        # The second page is waited for, while the one behind it is refused.
        large.fail_next(
            Fault(delay=1.0, when=page(2)),
            *[Fault(status=401, body=DEAD, when=page(n)) for n in (3, 4)],
        )
        client = client_of(large, max_in_flight=2)
        with pytest.raises(DownloadIncomplete, match=r"1,000 of 1,540 responses had come"):
            client.responses(CUSTOMER, **ALL)
        assert [call.params["page"] for call in large.seen if call.status == 401] == ["3"]


def changed(box, came):
    box.add_responses(CUSTOMER, 7)
    box.touch(CUSTOMER, [3, 600, 1020], data={"3": {"value": "77"}})


def changed_much(box, came):
    """More than one page of the newest changes, rows at hand and rows to come among one another."""
    box.touch(CUSTOMER, range(1, FEWER, 8), data={"3": {"value": "77"}})


def changed_before_many_came(box, came):
    box.touch(CUSTOMER, [3, 400], data={"3": {"value": "77"}})
    box.add_responses(CUSTOMER, 300)


def deleted_behind(box, came):
    box.delete_responses(CUSTOMER, [FEWER - 1])


def deleted_before(box, came):
    """And one added, so that the count is what it was."""
    box.delete_responses(CUSTOMER, [5])
    box.add_responses(CUSTOMER, 1)


def deleted_at_the_end_of_what_came(box, came):
    box.delete_responses(CUSTOMER, [came])


CHANGES = {
    changed: (2,),
    changed_much: (),
    changed_before_many_came: (),
    deleted_behind: (),
    deleted_before: (None,),
    deleted_at_the_end_of_what_came: (),
}


def is_long(change, number):
    """Whether it shows little that another change, or another page, does not."""
    return [] if number in CHANGES[change] else pytest.mark.long


@pytest.mark.parametrize(
    ("change", "number"),
    [
        pytest.param(change, number, marks=is_long(change, number))
        for change in CHANGES
        for number in (2, None)
    ],
)
def test_what_happened_meanwhile_is_in_the_frame(own_box, change, number):
    error = refused_at(own_box, number)
    change(own_box, len(error.partial))
    got = error.resume(client_of(own_box), progress="none")
    same(got, whole(own_box))
    facts = got.alchemer.facts
    assert facts["complete"]
    if change is changed:
        assert "begun_anew" not in facts
    if change in (deleted_before, deleted_at_the_end_of_what_came):
        assert "deleted or moved" in facts["begun_anew"]


@pytest.mark.parametrize(
    ("change", "number"),
    [
        (deleted_before, None),
        pytest.param(changed, 3, marks=pytest.mark.long),
        pytest.param(changed, None, marks=pytest.mark.long),
        pytest.param(deleted_before, 3, marks=pytest.mark.long),
    ],
)
def test_no_cache_hides_what_happened_meanwhile(own_box, change, number):
    """Within its minute Alchemer gives the same answer again, whatever was changed since."""
    with new_box(cache_seconds=60) as cached:
        error = refused_at(cached, number, client=client_of(cached, max_in_flight=4))
        change(cached, None)
        got = error.resume(client_of(cached), progress="none")
    change(own_box, None)
    calm = whole(own_box)
    assert got.index.tolist() == calm.index.tolist()
    assert ("begun_anew" in got.alchemer.facts) == (change is deleted_before)
    questions = ["satisfaction", "nps", "age"]
    same(got[questions], calm[questions])


@pytest.mark.parametrize(
    "whose", ["this client's", pytest.param("Alchemer's", marks=pytest.mark.long)]
)
def test_pages_that_a_cache_has_are_cut_otherwise(whose):
    """Page 3 had come, in vain; a response on it is deleted, which moves all that follow."""
    refusal = {"status": 403, "body": '{"result_ok": false, "code": 403, "message": "no"}'}
    with new_box(responses=ROWS, cache_seconds=60 if whose == "Alchemer's" else 0) as large:
        large.fail_next(Fault(delay=0.5, when=page(2), **refusal), Fault(when=page(4), **refusal))
        client = client_of(large, max_in_flight=4)
        with pytest.raises(DownloadIncomplete) as caught:
            client.responses(CUSTOMER, **ALL)
        large.delete_responses(CUSTOMER, [1200])
        large.add_responses(CUSTOMER, 1)
        again = client_of(large) if whose == "Alchemer's" else client
        got = caught.value.resume(again, progress="none")
    assert got.index.tolist() == [number for number in range(1, ROWS + 2) if number != 1200]


@pytest.mark.long
def test_edits_are_seen_where_responses_do_not_tell_when_they_changed():
    with new_box(form="2017") as old:
        error = refused_at(old)
        changed(old, None)
        got = error.resume(client_of(old), progress="none")
        same(got, whole(old))
        assert got.alchemer.facts["repeated_rows"] == 0
        assert got.alchemer.facts["changed_rows"] == 0, "the seven were on the last page"


def test_rows_at_hand_become_useless():
    survey = read_definition({"id": "5"}, [])
    begun = Download(AnswersBuilder(survey))
    left = PartialDownload("https://api.example", "1", survey, {"page": "1"}, begun)
    assert left.restart_reason(survey, {"page": "1"}) == ""
    assert "dates" in left.restart_reason(survey, {"page": "2"})
    other = replace(survey, pages=(SurveyPage("1", {}),))
    assert "questions were changed" in left.restart_reason(other, {"page": "1"})
    for hours in (1.1, -0.1):  # or the clock was set back
        old = replace(left, ended=left.ended - 3600 * hours)
        assert "more than an hour old" in old.restart_reason(survey, {"page": "1"})


@pytest.mark.long  # and more responses have come: see below
def test_only_the_last_look_is_missing(own_box):
    error = refused_at(own_box)
    assert len(error.partial) == FEWER
    start = len(own_box.seen)
    got = error.resume(client_of(own_box), progress="none")
    assert pages_asked(own_box, start) == []
    assert got.alchemer.facts["rows_at_hand"] == FEWER
    same(got, whole(own_box))


@pytest.mark.parametrize(
    "added", [*(pytest.param(n, marks=pytest.mark.long) for n in (2, 30)), 700]
)
def test_more_than_fits_on_the_last_page_has_come_meanwhile(own_box, added):
    error = refused_at(own_box)
    own_box.add_responses(CUSTOMER, added)
    start = len(own_box.seen)
    got = error.resume(client_of(own_box), progress="none")
    assert pages_asked(own_box, start) == []
    assert got.alchemer.facts["repeated_rows"] == 0
    same(got, whole(own_box))


def test_filters_and_choices_go_with_it(box):
    asked = {"status": "Complete", "values": "code"}
    error, start = refused_at(box, 2, **asked), len(box.seen)
    got = error.resume(client_of(box), progress="none")
    pages = -(-got.alchemer.facts["rows_told"] // 500)
    assert pages_asked(box, start) == list(range(2, pages + 1))
    same(got, whole(box, **asked))


@pytest.mark.long
def test_it_breaks_off_twice(box, everything):
    first = refused_at(box, 2)
    box.fail_next(Fault(status=401, body=DEAD, when=page(4)))
    with pytest.raises(DownloadIncomplete, match=r"1,500 of 1,540 responses had come") as caught:
        first.resume(client_of(box), progress="none")
    start = len(box.seen)
    got = caught.value.resume(client_of(box), progress="none")
    assert pages_asked(box, start) == [4]
    same(got, everything)
    assert len(first.partial) == 500
    same(first.resume(client_of(box), progress="none"), got)


@pytest.mark.parametrize("number", [3, pytest.param(None, marks=pytest.mark.long)])
def test_what_changed_before_it_broke_off_again_is_seen(own_box, number):
    first = refused_at(own_box, 2)
    own_box.touch(CUSTOMER, [3], data={"3": {"value": "77"}})
    own_box.touch(CUSTOMER, range(501, 1000, 3), data={"3": {"value": "77"}})
    when = LAST_LOOK if number is None else page(number)
    own_box.fail_next(Fault(status=401, body=DEAD, when=when))
    with pytest.raises(DownloadIncomplete) as caught:
        first.resume(client_of(own_box), progress="none")
    own_box.touch(CUSTOMER, [700], data={"3": {"value": "77"}})
    same(caught.value.resume(client_of(own_box), progress="none"), whole(own_box))


def test_with_the_dead_key_once_more_nothing_is_lost(box):
    dead = client_of(box)
    error = refused_at(box, 2, client=dead)
    with pytest.raises(AuthenticationError):
        error.resume(Client(dead.credentials, region=box.region))
    start = len(box.seen)
    error.resume(client_of(box), progress="none")
    assert pages_asked(box, start) == [2, 3, 4]


def test_a_client_of_another_region_is_refused_before_it_is_asked(box):
    error = refused_at(box, 2)
    with new_box(responses=10) as other:
        with pytest.raises(InvalidArgument, match="another region"):
            error.resume(client_of(other))
        assert other.seen == []
    with pytest.raises(InvalidArgument, match="takes a Client"):
        error.resume("client")


def answering(server: ScriptedServer, account: int | str, session: str) -> None:
    """An account whose survey has 501 responses; what comes after the first page is refused."""
    rows = [{"id": n, "session_id": f"{session}{n}", "survey_data": {}} for n in range(1, 501)]
    answers = {
        "account": {"data": {"id": account}},
        "survey/5": {"data": {"id": 5, "title": "Shop"}},
        "survey/5/surveyquestion": {"data": []},
    }
    for path, body in answers.items():
        server.answer(path, {"result_ok": True, **body})
    first = {"result_ok": True, "total_count": 501, "total_pages": 2, "data": rows}
    server.answer("survey/5/surveyresponse", first, {"result_ok": False, "code": 401})


@pytest.mark.parametrize("known", [True, False])
def test_nothing_of_another_account_is_mixed_in(scripted, known):
    answering(scripted, 1, "a")
    client = Client(ApiKey("a" * 20, "b" * 13), region=scripted.region, max_in_flight=1)
    if known:
        client.account()
    with pytest.raises(DownloadIncomplete) as caught:
        client.responses(5, progress="none")
    answering(scripted, 2, "b")
    other = Client(ApiKey("c" * 20, "d" * 13), region=scripted.region, max_in_flight=1)
    with pytest.raises(InvalidArgument, match="another account"):
        caught.value.resume(other)
    assert len(caught.value.partial) == 500


def test_the_lines_of_the_message_work_after_another_error(box, everything, monkeypatch):
    """As that of a new sign-in that fails at first: it takes the place of ``sys.last_value``."""
    error = refused_at(box, 3)
    keep, go_on, take = re.search(
        r": (import sys; part = sys\.last_value)\. .*: (df = part\.resume\(client\))\. "
        r".*: (df = part\.partial)$",
        error.hint,
    ).groups()
    names = {"client": client_of(box)}
    monkeypatch.setattr(sys, "last_value", error, raising=False)
    exec(keep, names)  # noqa: S102 - as a person does
    monkeypatch.setattr(sys, "last_value", ValueError("another"))
    exec(take, names)  # noqa: S102
    assert len(names["df"]) == 1000
    exec(go_on, names)  # noqa: S102
    same(names["df"], everything)


def test_a_right_that_is_taken_back_is_not_a_new_key(box):
    words = '{"result_ok": false, "code": 403, "message": "You are not authorized"}'
    box.fail_next(Fault(status=403, body=words, when=page(3)))
    with pytest.raises(DownloadIncomplete, match="the right to read them was refused") as caught:
        client_of(box).responses(CUSTOMER, **ALL)
    assert isinstance(caught.value.cause, PermissionDenied)
    assert ". Then have an administrator of the account" in caught.value.hint
    assert "key" not in str(caught.value)
    start = len(box.seen)
    caught.value.resume(client_of(box), progress="none")
    assert pages_asked(box, start) == [3, 4]


@pytest.mark.parametrize("trouble", ["cut off", pytest.param("stopped", marks=pytest.mark.long)])
def test_other_ends_go_on_as_well(box, trouble, everything):
    def tell(progress):
        if trouble == "stopped" and progress.pages == 2:
            progress.cancel()

    if trouble == "cut off":
        box.fail_next(Fault(cut=100, when=page(3)))
    with pytest.raises(DownloadIncomplete) as caught:
        client_of(box, retries=1).responses(CUSTOMER, **{**ALL, "progress": tell})
    cause = caught.value.cause
    assert isinstance(cause, type(None) if trouble == "stopped" else TransportError), repr(cause)
    start = len(box.seen)
    got = caught.value.resume(client_of(box), progress="none")
    assert set(pages_asked(box, start)) == {3, 4}  # one that was given up may be among them
    same(got, everything)


def test_a_job_tells_how_it_ended_and_goes_on(box, everything):
    box.fail_next(Fault(status=401, body=DEAD, when=page(3)))
    job = Job.start(client_of(box), CUSTOMER, test_rows="include")
    with pytest.raises(DownloadIncomplete, match="the API key was refused"):
        job.result(60)
    same(job.exception.resume(client_of(box), progress="none"), everything)


def test_of_the_first_so_many_rows_there_is_nothing_to_go_on_with(box):
    error = refused_at(box, 2, limit=900)
    assert "Sign in with the new key, then run it again" in str(error)
    assert not error.resumable
    with pytest.raises(InvalidArgument, match="nothing to go on with"):
        error.resume(client_of(box))


def test_what_is_said_holds_no_secret(box):
    client = client_of(box)
    error = refused_at(box, 2, client=client)
    said = f"{error!r} {error} {error.cause!r} {error.__cause__}"
    for secret in client.credentials.secrets:
        assert secret.reveal() not in said
    assert error.cause.__traceback__ is None


def test_another_process_is_given_the_rows_that_came():
    with new_box() as own:
        error = refused_at(own, 2)
    there = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert str(there) == str(error)
    assert str(there.cause) == str(error.cause)
    pd.testing.assert_frame_equal(there.partial, error.partial)
    assert len(there.partial) == 500
    assert error.resumable
    assert not there.resumable


# -- the end of a download ------------------------------------------------------------------


def test_an_interrupt_at_the_end_can_be_resumed(box, everything):
    """All pages have come when it comes: nothing but the newest changes is asked for again."""
    client = client_of(box)

    def interrupt(progress):
        if progress.note:
            raise KeyboardInterrupt

    with pytest.raises(DownloadIncomplete, match="had come when it was stopped") as failure:
        client.responses(CUSTOMER, **{**ALL, "progress": interrupt})
    assert failure.value.hint.startswith("First keep the responses at hand")
    assert len(failure.value.partial) == ROWS
    same(failure.value.resume(client, progress="none"), everything)


def test_responses_without_answers_are_no_download_to_resume(scripted):
    """What came is whole: nothing is to be gone on with."""
    rows = [{k: v for k, v in response(n, {}).items() if k != "survey_data"} for n in (1, 2)]
    client = serve(scripted, [question(3, "TEXTBOX")], rows)
    with pytest.raises(TransportError, match="of 2 responses none has survey_data") as failure:
        client.responses(5, progress="none")
    assert type(failure.value) is TransportError
    assert failure.value.__cause__ is failure.value.__context__ is None
