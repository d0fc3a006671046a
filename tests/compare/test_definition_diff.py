"""What changed between two definitions of a survey."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alchemer_nb import ApiKey, Client
from alchemer_nb.client.survey import Survey
from alchemer_nb.compare.definition_diff import FIELDS
from alchemer_nb.errors import InvalidArgument
from alchemer_nb.survey.definition import read_definition
from tests.survey_json import option, question

SCALE = [option(10001, "Good", "3"), option(10002, "Fair", "2"), option(10003, "Bad", "1")]
SHOPS = [option(10011, "Web", "web"), option(10012, "Shop", "shop")]
ROWS = [question(11, "RADIO", "Staff", "staff"), question(12, "RADIO", "Prices", "prices")]


def asked(**changes):
    """Questions by name, some of them otherwise than usual; None leaves one out."""
    usual = {
        "sat": question(2, "RADIO", "How satisfied are you?", "sat", SCALE, key="radio-likert"),
        "shops": question(3, "CHECKBOX", "Where do you buy?", "shops", SHOPS, key="checkbox"),
        "region": question(4, "RADIO", "Where do you live?", "region", SHOPS, key="radio"),
        "grid": question(10, "TABLE", "Rate our", "rate", SCALE, ROWS, key="table-radio"),
        "note": question(5, "ESSAY", "Anything else?", "note", key="essay"),
    }
    return [each for each in {**usual, **changes}.values() if each is not None]


def survey(*pages, own=5):
    nested = [
        {"id": n, "title": {"English": f"Page {n}"}, "questions": page}
        for n, page in enumerate(pages, 1)
    ]
    return Survey.of(read_definition({"id": own, "title": "Made by hand", "pages": nested}))


def changes(before, after):
    """The rows of a diff, without those fields that are empty."""
    found = after.diff(before)
    assert list(found.columns) == list(FIELDS)
    return [
        (r.change, r.question_id, r.before, r.after, r.comparable, r.columns)
        for r in found.fillna("").itertuples()
    ]


def test_the_same_definition_has_not_changed():
    assert changes(survey(asked()), survey(asked())) == []


def test_questions_added_removed_and_in_another_place():
    new = question(7, "TEXTBOX", "Your job", "job", key="text")
    after = survey(asked(shops=None, note=None, extra=new))
    assert changes(survey(asked()), after) == [
        ("question added", "7", "", "Your job", False, ["job"]),
        ("question removed", "3", "Where do you buy?", "", False, ["shops_web", "shops_shop"]),
        ("question removed", "5", "Anything else?", "", False, ["note"]),
    ]
    order = asked()
    moved = [order[-1], *order[:-1]]
    assert changes(survey(order), survey(moved)) == [
        ("question moved", "5", "Page 1, 5", "Page 1, 1", True, ["note"])
    ]
    pages = survey(order[:3], order[3:])
    assert [row[:4] for row in changes(survey(order), pages)] == [
        ("question moved", "10", "Page 1, 4", "Page 2, 1"),
        ("question moved", "5", "Page 1, 5", "Page 2, 2"),
    ]


def test_a_new_page_in_between_moves_nothing_before_it():
    order = asked()
    first, second = survey(order[:3], order[3:]), survey(order[:3], order[3:], [])
    assert changes(first, second) == []


def test_rows_of_a_grid():
    third = question(13, "RADIO", "Site", "site")
    grid = question(10, "TABLE", "Rate our", "rate", SCALE, [ROWS[1], third], key="table-radio")
    assert changes(survey(asked()), survey(asked(grid=grid))) == [
        ("question added", "13", "", "Rate our: Site", False, ["site"]),
        ("question removed", "11", "Rate our: Staff", "", False, ["staff"]),
    ]
    turned = question(10, "TABLE", "Rate our", "rate", SCALE, ROWS[::-1], key="table-radio")
    assert changes(survey(asked()), survey(asked(grid=turned)))[0][:5] in (
        ("question moved", "11", "row 1", "row 2", True),
        ("question moved", "12", "row 2", "row 1", True),
    )
    gone = changes(survey(asked()), survey(asked(grid=None)))
    assert gone == [("question removed", "10", "Rate our", "", False, ["staff", "prices"])]


def test_words_alias_and_type():
    region = question(4, "MENU", "Where is home?", "home", SHOPS, key="menu")
    note = question(5, "TEXTBOX", "Anything else?", "note", key="number")
    assert changes(survey(asked()), survey(asked(region=region, note=note))) == [
        ("question retyped", "4", "radio", "menu", True, ["home"]),
        ("words changed", "4", "Where do you live?", "Where is home?", True, ["home"]),
        ("alias changed", "4", "region", "home", True, ["home"]),
        ("question retyped", "5", "essay", "number", False, ["note", "note_raw"]),
    ]


def test_html_is_no_change_of_words_and_a_translation_is_one():
    marked = question(5, "ESSAY", "<b>Anything</b>&nbsp;else?", "note", key="essay")
    assert changes(survey(asked()), survey(asked(note=marked))) == []
    french = {**asked()[-1], "title": {"English": "Anything else?", "French": "Autre ?"}}
    assert changes(survey(asked()), survey(asked(note=french)))[0][1:4] == (
        "5",
        "French: ",
        "French: Autre ?",
    )


def test_options_added_and_removed():
    more = [*SCALE, option(10004, "Awful", "0")]
    mail, fewer = option(10013, "Mail", "mail"), SHOPS[:1]
    after = survey(
        asked(
            sat=question(2, "RADIO", "How satisfied are you?", "sat", more, key="radio-likert"),
            shops=question(3, "CHECKBOX", "Where do you buy?", "shops", [*SHOPS[1:], mail],
                           key="checkbox"),
            region=question(4, "RADIO", "Where do you live?", "region", fewer, key="radio"),
        )
    )  # fmt: skip
    assert changes(survey(asked()), after) == [
        ("option added", "2", "", "Awful = 0", False, ["sat"]),  # a scale with one step more
        ("option added", "3", "", "Mail = mail", False, ["shops_mail"]),
        ("option removed", "3", "Web = web", "", False, ["shops_web"]),
        ("option removed", "4", "Shop = shop", "", True, ["region"]),  # the others mean the same
    ]


def test_labels_values_and_order_of_options():
    def sat(*options):
        return survey(
            asked(sat=question(2, "RADIO", "How satisfied are you?", "sat", options,
                               key="radio-likert"))
        )  # fmt: skip

    first, second, third = SCALE
    assert changes(survey(asked()), sat(option(10001, "Great", "3"), second, third)) == [
        ("label changed", "2", "Good", "Great", True, ["sat"])
    ]
    assert changes(survey(asked()), sat(option(10001, "Good", "5"), second, third)) == [
        ("reporting value changed", "2", "3", "5", False, ["sat"])
    ]
    replaced = changes(survey(asked()), sat(option(10001, "Never", "9"), second, third))
    assert [(row[0], row[4]) for row in replaced] == [
        ("label changed", False),
        ("reporting value changed", False),
    ]
    assert changes(survey(asked()), sat(third, second, first)) == [
        ("options in another order", "2", "Good, Fair, Bad", "Bad, Fair, Good", True, ["sat"])
    ]


def test_two_surveys_are_matched_by_alias_then_by_words_and_not_by_id():
    renumbered = survey(
        [
            question(92, "RADIO", "How satisfied?", "sat",
                     [option(90001, "Good", "3"), option(90002, "Fair", "2"),
                      option(90003, "Bad", "1")], key="radio-likert"),
            question(93, "ESSAY", "anything ELSE", "remarks", key="essay"),
            question(3, "ESSAY", "Why?", "why", key="essay"),
        ],
        own=6,
    )  # fmt: skip
    found = changes(survey(asked()), renumbered)
    assert [(row[0], row[1]) for row in found] == [
        ("words changed", "92"),
        ("words changed", "93"),
        ("alias changed", "93"),
        ("question added", "3"),
        ("question removed", "3"),
        ("question removed", "4"),
        ("question removed", "10"),
    ]


def test_columns_that_cannot_be_compared_any_more():
    value = [option(10001, "Good", "5"), *SCALE[1:]]
    sat = question(2, "RADIO", "How satisfied are you?", "sat", value, key="radio-likert")
    found = survey(asked(sat=sat, note=None)).diff(survey(asked()))
    assert found.loc[~found["comparable"], "columns"].explode().tolist() == ["sat", "note"]
    assert found["comparable"].dtype == bool


def test_a_comment_box_is_not_concerned_by_an_option():
    before, after = (
        [{**question(2, "RADIO", "How?", "sat", [option(1, word, "5")]), "comment": True}]
        for word in ("Good", "Fine")
    )
    assert survey(after).diff(survey(before))["columns"].tolist() == [["sat"]]


def test_a_saved_definition_is_the_definition(box, tmp_path):
    client = Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)
    for own in client.surveys()["id"]:
        definition = client.survey(own)
        definition.save(tmp_path / "saved.json")
        assert Survey.load(tmp_path / "saved.json") == definition
        assert definition.diff(tmp_path / "saved.json").empty
        assert definition.diff(str(tmp_path / "saved.json")).empty


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": "x"}', "\x00", '{"format": 1}'])
def test_another_file_is_no_definition(tmp_path, text):
    path = tmp_path / "saved.json"
    path.write_text(text)
    with pytest.raises(InvalidArgument, match="does not hold a definition"):
        Survey.load(path)


def test_half_a_definition_is_none(tmp_path):
    path = tmp_path / "saved.json"
    survey(asked()).save(path)
    saved = json.loads(path.read_text())
    del saved["survey"]["pages"][0]["questions"][0]["options"]
    path.write_text(json.dumps(saved))
    with pytest.raises(InvalidArgument):
        Survey.load(path)
    with pytest.raises(FileNotFoundError):
        Survey.load(tmp_path / "nowhere" / "saved.json")


@given(st.permutations(range(5)), st.sets(st.integers(0, 4)))
@settings(deadline=None)
def test_there_and_back_tell_the_same_changes(order, out):
    questions = asked()
    usual, mixed = survey(questions), survey([questions[i] for i in order if i not in out])
    there, back = changes(usual, mixed), changes(mixed, usual)
    removed = {row[1] for row in there if row[0] == "question removed"}
    assert removed == {row[1] for row in back if row[0] == "question added"}
    assert removed == {str(questions[i]["id"]) for i in out}
    moves = [[row for row in rows if row[0] == "question moved"] for rows in (there, back)]
    assert len(moves[0]) == len(moves[1])
