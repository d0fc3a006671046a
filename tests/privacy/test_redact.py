"""Contact data: dropped or hashed, and no way back to it."""

from __future__ import annotations

import pickle
import re
import time

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alchemer_nb import ApiKey, Client, read_parquet
from alchemer_nb.errors import InvalidArgument, KnowledgeLost
from alchemer_nb.privacy.contact_patterns import has_email, has_phone, names_contact
from tests.survey_json import option, question, response, serve

SALT = "a salt that only we know"
PLANTED = (
    "planted.one@example.org",
    "203.0.113.77",
    "planted-contact-9",
    "planted_session_1",
    "PlantedAgent/1.0",
    "https://planted.example.net/",
    "Plantedville",
    "48.123456",
    "Planted Given",
    "+44 20 7946 0999",
    "planted-mail-in-url@example.org",
    "planted other",
)
OTHER = option(10009, "Other", "other", other=True)
ASKED = [
    question(2, "TEXTBOX", "Your e-mail", "mail", key="email", subtype="EMAIL"),
    question(
        3,
        "GROUP",
        "You",
        "you",
        key="contactgroup",
        rows=[question(4, "TEXTBOX", "Given name", "given"), question(5, "TEXTBOX", "Tel", "tel")],
    ),
    question(6, "RADIO", "Where from", "where", [option(10001, "Web", "web"), OTHER]),
    question(7, "ESSAY", "Comments", "comments", key="essay"),
    question(8, "TEXTBOX", "Customer number", "customer", key="number"),
    question(9, "CHECKBOX", "Channels", "channels", [option(10010, "Web", "web"), OTHER]),
]


def answers(**fields):
    you = {"4": {"answer": "Planted Given"}, "5": {"answer": "+44 20 7946 0999"}}
    data = {
        "2": {"answer": "planted.one@example.org", "shown": True},
        "3": {"subquestions": you},
        "6": {"answer": "planted other", "answer_id": "10009-other", "shown": True},
        "7": {"answer": "Write to someone@else.example or call 020 7946 0018", "shown": True},
        "8": {"answer": "4711", "shown": True},
        "9": {"options": {"10009": {"id": 10009, "option": "Other", "answer": "typed in"}}},
    }  # fmt: skip
    return response(
        1,
        data,
        ip_address="203.0.113.77",
        contact_id="planted-contact-9",
        session_id="planted_session_1",
        user_agent="PlantedAgent/1.0",
        referer="https://planted.example.net/",
        city="Plantedville",
        latitude="48.123456",
        longitude="11.5",
        url_variables={
            "email": {"key": "email", "value": "planted-mail-in-url@example.org"},
            "utm_source": {"key": "utm_source", "value": "news"},
        },
        **fields,
    )


@pytest.fixture
def planted(scripted):
    client = serve(scripted, ASKED, [answers(), response(2, [])])
    return client.responses(
        5,
        progress="none",
        metadata="all",
        where='[question(2)] = "planted.one@example.org"',
    )


def held(frame, folder):
    """All that leaves with a frame, as bytes: pickle, Parquet, attrs, what relabel gives back."""
    frame.to_parquet(folder / "frame.parquet", compression=None)
    made = [frame.alchemer.relabel(metadata="all", values=v) for v in ("label", "code", "id")]
    made += [frame.alchemer.relabel(shape="long"), frame.alchemer.relabel(names="text")]
    texts = [each.to_csv() + str(each.attrs["alchemer"]) for each in made]
    raw = [pickle.dumps(frame, protocol) for protocol in (2, 5)]
    return b"".join([*raw, (folder / "frame.parquet").read_bytes(), *(t.encode() for t in texts)])


@pytest.mark.parametrize(
    "options",
    [{}, pytest.param({"how": "hash"}, marks=pytest.mark.long), {"how": "hash", "salt": SALT}],
)
def test_nothing_leads_back_to_what_was_taken_out(planted, tmp_path, options):
    before = held(planted, tmp_path)
    assert [text for text in PLANTED if text.encode() not in before] == []
    after = planted.alchemer.redact(columns=["where"], **options)
    found = held(after, tmp_path)
    assert [text for text in PLANTED if text.encode() in found] == []
    again = pickle.loads(pickle.dumps(after.head(1)))  # noqa: S301 - our own bytes
    assert [text for text in PLANTED if text.encode() in held(again, tmp_path)] == []


def test_the_frame_that_was_redacted_is_left_alone(planted):
    before = planted.copy()
    text = str(planted.attrs["alchemer"])
    planted.alchemer.redact()
    planted.alchemer.redact(how="hash", salt=SALT)
    pd.testing.assert_frame_equal(planted, before)
    assert planted.attrs["alchemer"] == text
    pd.testing.assert_frame_equal(planted.alchemer.relabel(), before)


def test_drop_leaves_every_other_column_as_it_was(planted):
    after = planted.alchemer.redact()
    gone = [name for name in planted if name not in after]
    assert gone == [
        "mail", "given", "tel", "url_email", "contact_id", "session_id", "ip_address", "referer",
        "user_agent", "longitude", "latitude", "country", "city", "region", "postal", "dma",
    ]  # fmt: skip
    pd.testing.assert_frame_equal(after, planted.drop(columns=gone))
    pd.testing.assert_frame_equal(after.alchemer.relabel(), after)
    assert "mail" not in after.alchemer.relabel(metadata="none", values="both")
    assert after.alchemer.columns("comments") == ["comments"]
    assert after.alchemer.missing().columns.tolist()[:2] == ["where", "where_other"]


def test_hashes_stand_where_the_answers_stood_in_every_shape(planted):
    after = planted.alchemer.redact(how="hash", salt=SALT)
    hashed = after.loc[1, ["contact_id", "ip_address", "mail", "given", "tel", "url_email"]]
    assert all(re.fullmatch(r"h[0-9a-f]{16}", value) for value in hashed)
    assert hashed.is_unique
    assert after.loc[2, ["mail", "given", "tel"]].isna().all()
    assert after["mail"].dtype == planted["mail"].dtype
    pd.testing.assert_frame_equal(after.alchemer.relabel(), after)
    long = after.alchemer.relabel(shape="long").set_index("column")
    assert long.loc["mail", "value"] == after.loc[1, "mail"]
    assert after.alchemer.relabel(names="id")["q2"].tolist()[0] == after.loc[1, "mail"]
    assert "city" not in after.columns


URLS = {
    "__sg_tester": True, "sguid": True, "snc": True, "name": True, "Email": True, "user-name": True,
    "mobile_phone": True, "customer_id": True, "first name": True, "fname": True, "ip": True,
    "utm_source": False, "source": False, "name_of_product": False, "cell": False, "lang": False,
    "campaign_id": False, "username_taken": False,
}  # fmt: skip


def test_url_variables_that_name_people_are_taken_out_by_default(scripted):
    given_ = {name: {"key": name, "value": f"<{name}>"} for name in URLS}
    df = serve(scripted, ASKED, [response(1, {}, url_variables=given_)]).responses(
        5, progress="none"
    )
    assert {f"url_{name}" for name in URLS} <= set(df.columns)
    after = df.alchemer.redact()
    left = {name: f"url_{name}" not in after for name in URLS}
    assert left == URLS
    raw = pickle.dumps(after)
    assert [name for name, out in URLS.items() if (f"<{name}>".encode() in raw) is out] == []
    hashed = df.alchemer.redact(how="hash", salt=SALT)
    assert re.fullmatch(r"h[0-9a-f]{16}", hashed.loc[1, "url___sg_tester"])
    assert "url___sg_tester" in df.alchemer.redact(keep=["url___sg_tester"])
    assert not any(name.startswith("url_") for name in df.alchemer.redact(url_variables=True))


@pytest.mark.parametrize(
    "index",
    [["response_id", "mail"], ["mail", "ip_address", "response_id"], ["contact_id"], ["mail", "x"]],
)
def test_contact_data_in_the_index_are_taken_out(planted, tmp_path, index):
    df = planted.assign(x=1).reset_index().set_index(index)
    after = df.alchemer.redact(columns=["where"])
    assert not {"mail", "ip_address", "contact_id"} & {*after.index.names, *after.columns}
    found = pickle.dumps(after)
    assert [text for text in PLANTED if text.encode() in found] == []
    hashed = df.alchemer.redact(how="hash", salt=SALT, columns=["where"])
    assert hashed.index.names == index
    whole = hashed.reset_index().iloc[0]
    plain = planted.alchemer.redact(how="hash", salt=SALT).iloc[0]
    for name in {"mail", "ip_address", "contact_id"} & set(index):
        assert whole[name] == plain[name]
        report = hashed.alchemer.redacted.set_index("column")
        assert report.loc[name, "values"] == 1
    assert [text for text in PLANTED if text.encode() in pickle.dumps(hashed)] == []


def test_addresses_in_an_index_of_ones_own_are_reported(planted):
    df = planted.assign(mine=["ann@example.org", "x"]).set_index("mine", append=True)
    report = df.alchemer.redact().alchemer.redacted.set_index("column")
    assert report.loc["mine", "emails"] == 1
    assert "mine" not in df.alchemer.redact(columns=["mine"]).index.names
    both = df.reset_index().set_index([[1, 2], [3, 4]]).alchemer.redact()  # levels without names
    assert both.alchemer.redacted.set_index("column").loc["mine", "emails"] == 1
    with pytest.raises(InvalidArgument, match="response_id"):
        df.alchemer.redact(columns=["response_id"])
    copied = planted.set_index("mail", drop=False, append=True).alchemer.redact()
    assert "mail" not in {*copied.index.names, *copied.columns}


def test_one_salt_gives_one_hash_in_every_survey_and_frame(planted):
    first = planted.alchemer.redact(how="hash", salt=SALT)
    second = planted.head(1).alchemer.redact(how="hash", salt=SALT.encode())
    assert first.loc[1, "mail"] == second.loc[1, "mail"]
    other = planted.alchemer.redact(how="hash", salt="quite another salt")
    assert other.loc[1, "mail"] != first.loc[1, "mail"]
    random = [planted.alchemer.redact(how="hash").loc[1, "mail"] for _ in range(2)]
    assert len({first.loc[1, "mail"], *random}) == 3


def test_the_case_of_an_address_and_white_space_do_not_count(scripted):
    mails = [" Ann@Example.org", "ann@example.org ", "Ann", "ann", ""]
    given_ = [response(i, {"2": {"answer": mail}}) for i, mail in enumerate(mails, 1)]
    df = serve(scripted, ASKED, given_).responses(5, progress="none")
    hashed = df.alchemer.redact(how="hash", salt=SALT)["mail"].tolist()
    assert hashed[0] == hashed[1]
    assert len(set(hashed[:4])) == 3
    assert pd.isna(hashed[4])


def test_the_report_says_what_was_done_and_what_looks_like_contact_data(planted):
    report = planted.alchemer.redact().alchemer.redacted.set_index("column")
    assert report.loc["mail"].tolist()[:3] == ["dropped", "e-mail question", 1]
    assert report.loc["given", "why"] == "contact form"
    assert report.loc["url_email", "why"] == "url variable"
    left = report[report["done"] == "left as it is"]
    assert left.index.tolist() == ["comments"]
    assert left.loc["comments", ["values", "emails", "phones"]].tolist() == [1, 1, 1]
    hashed = planted.alchemer.redact(how="hash").alchemer
    assert "random salt" in hashed.redacted.set_index("column").loc["mail", "done"]
    assert SALT not in str(planted.alchemer.redact(how="hash", salt=SALT).attrs["alchemer"])
    assert planted.alchemer.redacted.empty
    assert "planted" not in hashed.redacted.to_csv().lower()
    assert hashed.facts["asked"]["where"] == ["[question(2)] ="]


def test_more_columns_and_fewer(planted):
    mine = planted.assign(note=["planted.one@example.org", None])
    told = mine.alchemer.redact().alchemer.redacted.set_index("column")
    assert told.loc["note", "emails"] == 1
    after = mine.alchemer.redact(columns=["note", "channels", "q8"], keep=["contact_id", "you"])
    assert {"contact_id", "given", "tel", "comments"} <= set(after.columns)
    assert not {"note", "channels_web", "channels_other", "customer", "mail"} & set(after.columns)
    back = after.alchemer.relabel(multi="list", metadata="all")
    assert not {"note", "channels", "customer", "ip_address"} & set(back.columns)


def test_a_number_can_be_hashed_and_is_a_column_of_your_own_then(planted):
    after = planted.alchemer.redact(how="hash", salt=SALT, columns=["customer"])
    assert after.columns.get_loc("customer") < after.columns.get_loc("channels_web")
    assert re.fullmatch(r"h[0-9a-f]{16}", after.loc[1, "customer"])
    back = after.alchemer.relabel(names="id")
    assert back["customer"].tolist()[0] == after.loc[1, "customer"]
    assert "q8" not in back


def test_only_what_was_written_in_can_be_taken_out(planted):
    after = planted.alchemer.redact(columns=["where_other", "channels_other_text"])
    assert not {"where_other", "channels_other_text"} & set(after.columns)
    assert after.loc[1, "where"] == "Other"
    assert after.alchemer.relabel().loc[1, "where"] == "Other"
    assert after.alchemer.relabel().loc[1, "channels_other"]


def test_hashing_twice_hashes_once_and_dropping_takes_hashes_too(planted):
    once = planted.alchemer.redact(how="hash", salt=SALT)
    twice = once.alchemer.redact(how="hash", salt=SALT)
    pd.testing.assert_frame_equal(twice, once)
    assert not {"mail", "contact_id"} & set(once.alchemer.redact().columns)


def test_a_choice_of_columns_survives(scripted):
    client = serve(scripted, ASKED, [answers()])
    df = client.responses(5, progress="none", columns=["mail", "you", "comments", "contact_id"])
    after = df.alchemer.redact()
    assert list(after.columns) == ["comments"]
    assert list(after.alchemer.relabel(names="id").columns) == ["q7"]


def test_a_long_frame_loses_its_rows(scripted):
    df = serve(scripted, ASKED, [answers(), response(2, [])]).responses(
        5, progress="none", shape="long"
    )
    after = df.alchemer.redact()
    assert set(df["column"].dropna()) - set(after["column"].dropna()) == {"mail", "given", "tel"}
    assert after["response_id"].unique().tolist() == [1, 2]


def test_a_long_frame_keeps_the_rows_that_were_chosen(scripted):
    df = serve(scripted, ASKED, [answers(), response(2, []), response(3, [])]).responses(
        5, progress="none", shape="long"
    )
    chosen = df[df["column"].isna() | df["column"].isin(["comments", "mail"])]
    chosen = chosen[chosen["response_id"] != 3]
    after = chosen.alchemer.redact()
    assert after["response_id"].unique().tolist() == [1, 2]
    assert set(after["column"].dropna()) == {"comments"}
    assert (
        after["value"].dropna().tolist() == chosen[chosen["column"] == "comments"]["value"].tolist()
    )


@pytest.mark.parametrize("everything", [False, True])
def test_nothing_comes_back_through_our_own_files(planted, tmp_path, everything):
    path = tmp_path / "redacted.parquet"
    planted.alchemer.redact(columns=["where"]).alchemer.to_parquet(path, everything=everything)
    again = read_parquet(path)
    for each in (again, again.alchemer.relabel(names="id"), again.alchemer.redact()):
        texts = each.to_csv() + str(each.attrs["alchemer"])
        raw = pickle.dumps(each, 5) + texts.encode()
        assert [text for text in PLANTED if text.encode() in raw] == []


def test_what_was_read_from_a_file_can_be_redacted(planted, tmp_path):
    path = tmp_path / "frame.parquet"
    planted.alchemer.to_parquet(path, everything=True)
    after = read_parquet(path).alchemer.redact(columns=["where"])
    found = held(after, tmp_path)
    assert [text for text in PLANTED if text.encode() in found] == []


def test_the_original_does_not_give_back_what_was_taken_out(planted):
    after = planted.alchemer.redact()
    with pytest.raises(InvalidArgument, match="would bring back what was taken out"):
        planted.alchemer.attach(after)
    lost = pd.DataFrame(after).assign(mine=1)
    lost.attrs = {}
    assert "mail" not in after.alchemer.attach(lost).alchemer.relabel()


def test_a_question_that_is_called_as_metadata_is_not_metadata(scripted):
    asked = [question(2, "RADIO", "Part of the country", "region", [option(10001, "North", "1")])]
    given_ = [response(1, {"2": {"answer": "1", "answer_id": 10001}}, region="CO", city="Denver")]
    df = serve(scripted, asked, given_).responses(5, progress="none")
    after = df.alchemer.redact()
    assert after["region"].tolist() == ["North"]
    assert "region" not in after.alchemer.redacted["column"].tolist()
    assert after.alchemer.relabel()["region"].tolist() == ["North"]
    assert b"Denver" not in pickle.dumps(after)
    assert "region" in df.alchemer.redact(keep=["region"])


def test_notes_do_not_quote_what_was_taken_out(scripted, tmp_path):
    asked = [
        question(2, "RADIO", "Who", "who", [option(10001, "Me", "me")]),
        question(3, "TEXTBOX", "How many", "many", key="number", subtype="NUMBER"),
    ]
    given_ = [response(1, {"2": {"answer": "Planted Name"}, "3": {"answer": "about seventy"}})]
    df = serve(scripted, asked, given_).responses(5, progress="none")
    assert "Planted Name" in df["who"].tolist()
    after = df.alchemer.redact(columns=["who", "many"])
    raw = held(after, tmp_path)
    assert b"Planted Name" not in raw
    assert b"about seventy" not in raw
    path = tmp_path / "dropped.parquet"
    df.drop(columns=["who"]).alchemer.to_parquet(path)
    assert b"Planted Name" not in path.read_bytes()
    read = read_parquet(path)
    assert b"Planted Name" not in pickle.dumps(read, 5)


def test_bad_arguments_and_lost_knowledge(planted):
    with pytest.raises(InvalidArgument, match="drop"):
        planted.alchemer.redact(how="encrypt")
    with pytest.raises(InvalidArgument, match="8 letters"):
        planted.alchemer.redact(how="hash", salt="short")
    with pytest.raises(InvalidArgument, match="a salt is for"):
        planted.alchemer.redact(salt=SALT)
    with pytest.raises(InvalidArgument, match="columns: no column or question is called 'nope'"):
        planted.alchemer.redact(columns=["nope"])
    lost = planted.copy()
    lost.attrs = {}
    with pytest.raises(KnowledgeLost):
        lost.alchemer.redact()


def test_the_demo_holds_no_address_after_redaction(box):
    client = Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)
    for survey in ("9000001", "9000002"):
        df = client.responses(survey, metadata="all", progress="none")
        assert df["email"].map(has_email, na_action="ignore").any()
        after = df.alchemer.redact()
        raw = pickle.dumps(after, 5)
        values = {
            str(v) for name in ("email", "ip_address", "session_id") for v in df[name].dropna()
        }
        assert [value for value in values if value.encode() in raw] == []


@pytest.mark.parametrize(
    ("text", "email", "phone"),
    [
        ("ann@example.org", True, False),
        ("<ann.b+c@mail.example.co.uk>!", True, False),
        ("me @ home", False, False),
        ("555-0147", False, True),
        ("(020) 7946 0018", False, True),
        ("+49 89 1234567", False, True),
        ("5550147123", False, True),
        ("2026-01-15", False, False),
        ("15.01.2026 to 20.02.2026", False, False),
        ("2019-2020", False, False),
        ("192.168.100.200", False, False),
        ("order 12345", False, False),
        ("1,234,567", False, False),
        ("10 / 10, would buy again", False, False),
    ],
)
def test_what_looks_like_contact_data(text, email, phone):
    assert (has_email(text), has_phone(text)) == (email, phone)


@given(st.text(alphabet="a@.-+1 5", max_size=300))
def test_looking_never_fails(text):
    assert has_email(text) in (True, False)
    assert has_phone(text) in (True, False)


def test_looking_at_a_long_answer_is_quick():
    began = time.process_time()
    for text in ("a" * 200_000 + "@", "1" * 200_000, "a." * 100_000 + "@b", "@a-" * 60_000):
        assert not has_email(text)
        assert not has_phone(text)
    assert time.process_time() - began < 5  # it would be hours, if letters were looked at again


def test_names_that_say_contact_data():
    assert all(map(names_contact, ["email", "e_mail", "work-email", "first_name", "home phone"]))
    assert not any(map(names_contact, ["contact_reason", "name", "telephony", "emails_sent", ""]))


def test_undocumented_fields_of_responses_are_looked_at(scripted):
    given_ = [response(1, {}, notes_of_staff="call ann@example.org"), response(2, {})]
    df = serve(scripted, ASKED, given_).responses(5, progress="none", metadata="all")
    report = df.alchemer.redact().alchemer.redacted.set_index("column")
    assert report.loc["notes_of_staff", ["done", "values", "emails"]].tolist() == [
        "left as it is", 1, 1,
    ]  # fmt: skip
    assert "notes_of_staff" not in df.alchemer.redact(columns=["notes_of_staff"])
