"""The shape report: what differs is said, and no value and no key that is data gets into it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alchemer_nb import ApiKey, Client
from alchemer_nb.doctor import shapes
from alchemer_nb.doctor.report import Diagnosis
from tests.boxes import NO_LIMITS, copied_box

PAYLOADS = Path(__file__).parents[2].parent / "shared" / "payloads"
OF_A_SURVEY = {
    "definition": "",
    "questions": "/surveyquestion",
    "responses": "/surveyresponse",
    "statistics": "/surveystatistic",
    "campaigns": "/surveycampaign",
    "quotas": "/quotas",
}
OF_THE_ACCOUNT = {
    "account": "account",
    "surveys": "survey",
    "users": "accountuser",
    "teams": "accountteams",
    "contact lists": "contactlist",
}


def differences(name, reply):
    return [
        (path.path, path.difference, path.types)
        for path in shapes.compare(name, reply)
        if path.difference
    ]


@pytest.mark.parametrize("form", [pytest.param("2017", marks=pytest.mark.long), "current"])
def test_replies_of_the_sandbox_are_as_expected(form):
    with copied_box(responses=40, types=True, form=form, **NO_LIMITS) as box:
        client = Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)
        wrong = {
            name: differences(name, client.request("GET", path))
            for name, path in OF_THE_ACCOUNT.items()
        }
        surveys = client.surveys()["id"]
        assert len(surveys) > 3
        for survey in surveys:
            for name, path in OF_A_SURVEY.items():
                reply = client.request("GET", f"survey/{survey}{path}")
                wrong[f"{survey} {name}"] = differences(name, reply)
    assert {name: found for name, found in wrong.items() if found} == {}


def test_single_objects_without_data_around_them_are_as_expected():
    with copied_box(flat_single=True, **NO_LIMITS) as box:
        client = Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)
        assert differences("account", client.request("GET", "account")) == []
        assert client.doctor(shapes=True).shapes["difference"].eq("").all()


def test_what_differs_is_said_with_its_path():
    envelope = {"result_ok": True, "page": 1, "total_pages": 1, "results_per_page": 50}
    row = {
        "id": 12, "team": "0", "type": "Standard Survey", "status": "Launched", "title": "A",
        "created_on": "2026-01-02", "modified_on": "2026-01-02", "links": [],
        "statistics": {"Complete": 3, "Jane": 1}, "archived_by": {"Jane": 1},
    }  # fmt: skip
    reply = {**envelope, "total_count": None, "data": [row, {**row, "id": "13"}]}
    del reply["page"]
    assert differences("surveys", reply) == [
        ("total_count", "another type", "null 1"),
        ("data[].id", "another type", "number 1, string 1"),
        ("data[].statistics.<key>", "unknown key", "number 2"),
        ("data[].<key>", "unknown key", "object 2"),
        ("page", "missing", ""),
    ]
    assert "Jane" not in str(shapes.compare("surveys", reply))


def test_keys_of_maps_are_written_as_what_they_are():
    answer = {"id": 2, "type": "RADIO", "question": "?", "section_id": 1, "shown": True}
    response = {
        "url_variables": {"utm_jane": {"key": "utm_jane", "value": "x", "type": "url"}},
        "survey_data": {"2": {**answer, "answer": "Yes"}, "10024-other": answer},
    }
    paths = {path.path for path in shapes.compare("responses", {"data": [response]})}
    assert {"data[].url_variables.<name>.value", "data[].survey_data.<id>.answer"} <= paths


def test_the_differences_are_in_the_text_and_the_table(scripted):
    scripted.answer("account", {"result_ok": True, "data": {"id": True, "jane": 1}})
    scripted.answer("survey", {"result_ok": True, "data": []})
    found = Client(ApiKey("token", "secret"), region=scripted.region).doctor(shapes=True)
    assert found.ok
    text = found.text()
    assert "  account: data.id: another type × 1 (boolean 1; expected number, string)" in text
    assert "  account: data.<key>: unknown key × 1 (number 1; expected nothing)" in text
    assert "jane" not in text
    assert found.shapes.query("reply == 'account' and difference == 'missing'")["path"].tolist()


def test_the_replies_asked_for_are_those_with_an_expected_shape():
    from alchemer_nb.doctor.examination import _PROBES

    assert {probe.name for probe in _PROBES} | {"account"} == {*shapes.reply_names()}


def test_every_kind_of_the_file_is_defined_and_used():
    content = json.loads(Path(shapes.__file__).with_name("expected_shapes.json").read_text("utf-8"))
    kinds = content["kinds"]
    named: set[str] = set()

    def collect(spec):
        if isinstance(spec, str):
            named.add(re.sub(r"^((list|map) of )*", "", spec))
        else:
            for each in spec.values() if isinstance(spec, dict) else spec:
                collect(each)

    collect(list(kinds.values()))
    collect(list(content["replies"].values()))
    assert named - {"string", "number", "boolean", "null", ""} == {*kinds}


# -- privacy -----------------------------------------------------------------------------------

# Letters that no word of the package has.
canaries = st.text("qxzjäß", min_size=4, max_size=12)
numbers = st.integers(10**8, 10**9)
words = st.sampled_from(["data", "id", "title", "survey_data", "properties", "url_variables"])
values = st.recursive(
    canaries | numbers | st.none() | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(canaries | numbers.map(str) | words, inner, max_size=4)
    ),
    max_leaves=20,
)
known = st.fixed_dictionaries(
    {"result_ok": st.booleans()},
    optional={
        "data": values
        | st.lists(
            st.fixed_dictionaries(
                {"id": numbers},
                optional={
                    "title": st.dictionaries(canaries, canaries),
                    "url_variables": st.dictionaries(canaries, canaries | values),
                    "survey_data": st.dictionaries(canaries | numbers.map(str), values),
                    "varname": st.dictionaries(canaries, canaries),
                    "sub_questions": st.dictionaries(canaries, values),
                    "statistics": st.dictionaries(canaries, numbers),
                    "options": st.dictionaries(canaries, canaries),
                    "properties": values,
                },
            ),
            max_size=3,
        )
    },
)


def shown(found):
    paths = Diagnosis((), tuple(found), "")
    return f"{found} {paths.text()} {paths!r} {paths._repr_html_()} {paths.shapes.to_csv()}"


@given(name=st.sampled_from(shapes.reply_names()), reply=values | known)
def test_no_value_and_no_key_that_is_data_is_shown(name, reply):
    planted = set(re.findall(r"[qxzjäß]{4,}|\d{9,}", json.dumps(reply, ensure_ascii=False)))
    text = shown(shapes.compare(name, reply))
    assert [one for one in planted if one in text] == []


def leaves(value):
    if isinstance(value, dict):
        for each in value.values():
            yield from leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from leaves(each)
    elif isinstance(value, str):
        yield value


REAL = {
    "surveyquestion_list_2013.json": "questions",
    "surveyresponse_list_2013.json": "responses",
    "survey_data_parents.json": "responses",
}


@pytest.mark.skipif(not PAYLOADS.is_dir(), reason="the real payloads are not here")
@pytest.mark.parametrize("file", REAL)
def test_real_payloads_say_what_differs_and_show_no_value(file):
    reply = json.loads((PAYLOADS / file).read_text("utf-8"))
    if "data" not in reply:  # the entries of one response alone
        reply = {"result_ok": True, "data": [{"survey_data": reply}]}
    found = shapes.compare(REAL[file], reply)
    missing = {path.path for path in found if path.difference == "missing"}
    # Nothing differs in the real replies; the bare entries lack a page and a response around them.
    assert [path for path in found if path.difference not in ("", "missing")] == []
    assert bool(missing) == (file == "survey_data_parents.json")
    assert not any(path.startswith("data[].survey_data") for path in missing)
    text = shown(found)
    own_words = {"string", "number", "boolean", "English", "RADIO", "parent"}
    values = {one for one in leaves(reply) if len(one) > 4 and one not in own_words}
    assert len(values) > 2
    assert [one for one in values if one in text] == []
    assert "_privatedomain" not in text
