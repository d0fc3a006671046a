"""Magic lines as commands with arguments, and what is told about lines that are none."""

from __future__ import annotations

import datetime as dt
import inspect

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from IPython.core.error import UsageError

from alchemer_nb.client.client import Client
from alchemer_nb.http.regions import Region
from alchemer_nb.notebook.magic.command_table import COMMANDS
from alchemer_nb.notebook.magic.parser import ParsedCommand, parse_line
from alchemer_nb.notebook.magic.response_options import OPTIONS

KEY = "0123456789abcdef0123456789abcdef"


def parse(line: str, **names: object) -> ParsedCommand:
    return parse_line(line, COMMANDS, names)


def refusal(line: str, **names: object) -> str:
    with pytest.raises(UsageError) as caught:
        parse(line, **names)
    # IPython shows the plain class in one line, and any subclass with a full traceback.
    assert type(caught.value) is UsageError
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_every_option_of_responses_arrives_under_its_python_name():
    call = parse(
        'responses "Customer satisfaction" --where "nps > 8" --where \'region = "North"\' '
        "--status Complete,Partial --since 2026-01-01 --until=2026-01-31 --test-rows include "
        "--names id --values CODE --shape long --multi list --language French --metadata all "
        "--tz none --columns nps,region --limit 10 --fresh --progress none -o df"
    )
    assert call.command is COMMANDS["responses"]
    assert call.target == "df"
    assert call.arguments == {
        "survey": "Customer satisfaction",
        "where": ["nps > 8", 'region = "North"'],
        "status": ["Complete", "Partial"],
        "since": "2026-01-01",
        "until": "2026-01-31",
        "test_rows": "include",
        "names": "id",
        "values": "code",
        "shape": "long",
        "multi": "list",
        "language": "French",
        "metadata": "all",
        "tz": None,
        "columns": ["nps", "region"],
        "limit": 10,
        "fresh": True,
        "progress": "none",
    }


def test_what_is_not_given_is_left_to_the_client():
    assert parse("responses 9000001").arguments == {"survey": "9000001"}
    assert parse("surveys").arguments == {}
    assert parse("get survey").arguments == {"path": "survey", "parameters": []}


def test_every_keyword_of_the_client_is_an_option_of_responses():
    keywords = set(inspect.signature(Client.responses).parameters) - {"self", "id_or_title"}
    options = {option.name for option in COMMANDS["responses"].options}
    assert options - keywords == {"complete", "dry_run", "background", "out"}
    assert keywords <= options


def test_python_objects_go_through_as_they_are():
    day, zone = dt.date(2026, 1, 1), Region.get("ca")
    call = parse(
        "responses {ids[0]} --since $day --until={day} --columns {names} --limit $n",
        ids=[9000001],
        day=day,
        names=("a", "b c"),
        n=5,
    )
    assert call.arguments == {
        "survey": 9000001,
        "since": day,
        "until": day,
        "columns": ["a", "b c"],
        "limit": 5,
    }
    assert parse("login --region {box.zone}", box=type("B", (), {"zone": zone})).arguments == {
        "region": zone
    }


@pytest.mark.parametrize("word", ["{v}", "$v", '"{v}"', "'$v'"])
def test_an_option_whose_parameter_is_none_is_not_given(word):
    for option in OPTIONS:
        if option.convert:
            line = f"responses 5 {option.flag} {word} --limit 5"
            line = line if option.flag != "--limit" else f"responses 5 --limit {word}"
            rest = {} if option.flag == "--limit" else {"limit": 5}
            assert parse(line, v=None).arguments == {"survey": "5", **rest}, option.flag
            assert parse(f"responses 5 {option.flag}={word}", v=None).arguments == {"survey": "5"}
    assert parse(f"responses 5 -o {word}", v=None).target is None
    assert parse(f"surveys {word} --status {word}", v=None).arguments == {}
    assert parse(f"surveys x{word}", v=None).arguments == {"text": "xNone"}
    assert parse("responses 5 --since None").arguments["since"] == "None"
    where = parse(f"responses 5 --where {word} --where 'a = 1'", v=None).arguments["where"]
    assert where == ["a = 1"]
    since = parse(f"responses 5 --since {word}", v="2026-01-01").arguments["since"]
    assert since == "2026-01-01"


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ('"Yes, fully",No', ["Yes, fully", "No"]),
        ('"Yes, fully","No"', ["Yes, fully", "No"]),
        ("No,'Yes, fully'", ["No", "Yes, fully"]),
        ("{v},'Yes, fully'", ["p, q", "Yes, fully"]),
        ("'Yes, fully','{v}'", ["Yes, fully", "p, q"]),
        ("'5\" or 6\", wide',No", ['5" or 6", wide', "No"]),
        ("'\"Yes, fully\", No'", ["Yes, fully", "No"]),
        ("'Yes, fully'", ["Yes", "fully"]),
        ("a,'b c'", ["a", "b c"]),
        ("[a,'b, c']", ["a", "b, c"]),
    ],
)
def test_quoted_items_of_a_list_keep_their_commas(word, names):
    assert parse(f"responses 5 --columns {word}", v="p, q").arguments["columns"] == names
    assert parse(f"responses 5 --columns={word}", v="p, q").arguments["columns"] == names


def test_a_condition_without_quotes_is_told_so():
    told = refusal('responses 5 --where solved in "Yes, fully", "No"')
    assert "a condition needs quotes around it: --where '" in told


@pytest.mark.parametrize(
    ("value", "is_on"),
    [(True, True), (False, False), (None, False), (1, True), (0, False), ("true", True),
     ("False", False), (np.bool_(True), True), (np.bool_(False), False)],
)  # fmt: skip
def test_switches_follow_a_parameter(value, is_on):
    for word in ("{v}", "$v", '"{v}"'):
        for flag in ("--complete", "--dry-run", "--background", "--fresh", "--store"):
            found = parse(f"responses 5 {flag}={word} --limit 5", v=value).arguments
            name = flag.lstrip("-").replace("-", "_")
            assert found == {"survey": "5", "limit": 5, **({name: True} if is_on else {})}
    assert "expected True or False" in refusal("responses 5 --complete={v}", v="perhaps")
    assert "expected True or False" in refusal("responses 5 --complete={v}", v=[True])
    assert "given 2 times" in refusal("responses 5 --complete={v} --complete={v}", v=True)


def test_a_value_never_turns_into_an_option_or_a_name():
    for value in ("--fresh", "-o", "-h", "--", "x <<", "#", "--where=1"):
        assert parse("responses $v", v=value).arguments == {"survey": value}
        assert parse(f"responses '{value}'").arguments == {"survey": value}
        assert parse("responses 1 --where $v", v=value).arguments["where"] == [value]
        assert parse("responses 1 --where={v}", v=value).arguments["where"] == [value]


def test_two_dashes_end_the_options():
    assert parse("responses --fresh -- --dry-run").arguments == {
        "survey": "--dry-run",
        "fresh": True,
    }
    assert parse("get -- survey -x=1").arguments == {"path": "survey", "parameters": ["-x=1"]}
    assert parse("responses -- --").arguments == {"survey": "--"}
    assert parse("responses -- -h").arguments == {"survey": "-h"}
    assert parse("responses -h --").help_for == "responses"


@pytest.mark.parametrize(
    "line",
    ["df << responses 1", "df<< responses 1", "responses 1 -o df", "responses -o=df 1",
     "responses -odf 1", "responses --out=df 1"],
)  # fmt: skip
def test_a_name_for_the_result_stands_in_front_or_after_o(line):
    call = parse(line)
    assert (call.target, call.arguments) == ("df", {"survey": "1"})


def test_the_arrow_is_looked_for_in_the_first_two_words_only():
    assert parse('responses "a << b" --where "x << y"').target is None
    assert parse("responses '<<'").arguments == {"survey": "<<"}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("respnses 1", "no command is called `respnses`. Did you mean `responses`?"),
        ("Help", "no command is called `Help`. Did you mean `help`?"),
        ("xyz", "no command is called `xyz`. (%alchemer help)"),
        ("help respnses", "Did you mean `responses`?"),
        ("responses 1 --fersh", "no option is called `--fersh`. Did you mean `--fresh`?"),
        ("responses --fersh", "no option is called `--fersh`. Did you mean `--fresh`?"),
        ("responses 1 --fres", "no option is called `--fres`. Did you mean `--fresh`?"),
        ("responses 1 --test_rows only", "`--test_rows`. Did you mean `--test-rows`?"),
        ("responses 1 -x", "no option is called `-x`"),
        (
            "responses 1 --shape wid",
            "--shape: expected wide or long, got `wid`. Did you mean `wide`?",
        ),
        ("login --region uk", "--region: expected us or eu or ca or au"),
        ("responses 1 --limit ten", "--limit: expected a whole number, got `ten`"),
        ("responses 1 --limit 1.5", "--limit: expected a whole number, got `1.5`"),
        ("responses 1 --limit", "--limit needs a value after it"),
        ("responses 1 -o", "--out needs a value after it"),
        ("responses 1 --limit 1 --limit 2", "--limit is given 2 times"),
        ("responses", "SURVEY is missing"),
        ("get", "%alchemer get: PATH is missing (%alchemer help get)"),
        ("responses 1 --limit --fresh", "--limit needs a value after it"),
        ("responses 1 -fresh", "no option is called `-fresh`. Did you mean `--fresh`?"),
        ("responses Customer satisfaction", 'needs quotes: "Customer satisfaction"'),
        ("responses 1 --fresh=yes", "--fresh takes no value but {True}"),
        ("login eu", "--region eu"),
        ("df <<", "`df <<` needs a command after it"),
        ("df <<surveys", "write `df = %alchemer …` or `%alchemer df << …`"),
        ("df = surveys", "write `df = %alchemer …` or `%alchemer df << …`"),
        ("d-f << surveys", "`d-f` cannot be a variable's name"),
        ("class << surveys", "`class` cannot be a variable's name"),
        ("surveys -o 1x", "`1x` cannot be a variable's name"),
        ("a << surveys -o b", "two names for the result: `a` before << and `b` after -o"),
        ("x << login", "`login` gives nothing to keep under a name"),
        ("responses 1 --where 'a", "a quote ' is opened and not closed"),
        ("responses $nope", "no variable `nope`"),
    ],
)
def test_a_bad_line_is_told_in_one_line(line, told):
    assert told in refusal(line)


@pytest.mark.parametrize(
    "line",
    [
        "login --api-token x",
        "login --api_token=x",
        "login --token x",
        "login --secret x",
        "login --api-secret x",
        "login --api-token-secret x",
        "login --consumer-key x",
        "login --consumer-secret x",
        "login --password x",
        "login --key x",
        f"login {KEY}",
        f"login '{KEY}'",
        f"login --profile {KEY}",
        "login A9xyzabcdefgh",
        "login k3yw1thl3tt3rs0nly4",
        f"{KEY}",
        f"responses {KEY}",
        f"get survey api_token={KEY}",
        "get survey api_token_secret=x",
        "get https://api.alchemer.com/v5/survey?api_token=x",
        "df << login --token x",
        "responses 1 --token {t}",
    ],
)
def test_a_secret_on_the_line_is_refused_with_the_reason_and_not_repeated(line):
    told = refusal(line, t="tok")
    assert "Clear this cell, and regenerate the key: it is already in the history" in told
    assert KEY not in told
    assert "A9xyz" not in told


def test_a_key_that_is_split_by_a_missing_quote_is_not_repeated_either():
    assert KEY not in refusal(f"login '{KEY}")


def test_a_key_out_of_a_variable_is_not_repeated_further_down():
    for line in ("responses $k", "responses 1 --shape $k", "get survey {k}", "login --profile $k"):
        told = refusal(line, k=KEY)
        assert "looks like a key" in told
        assert KEY not in told


def test_an_ordinary_word_is_not_taken_for_a_secret():
    assert parse("responses 90000012345678").arguments == {"survey": "90000012345678"}
    for name in ("production2026", "marketresearchteam2026"):
        assert parse(f"login --profile {name}").arguments == {"profile": name}
    assert parse("responses 1 --where token=5").arguments["where"] == ["token=5"]
    assert parse("get survey/1/surveyresponse filter[field][0]=status key=1").arguments == {
        "path": "survey/1/surveyresponse",
        "parameters": ["filter[field][0]=status", "key=1"],
    }


@pytest.mark.parametrize("line", ["", "  ", "help", "-h", "--help", "# nothing"])
def test_nothing_and_help_ask_for_all_help(line):
    assert parse(line) == ParsedCommand(None, help_for="")


@pytest.mark.parametrize(
    "line", ["help responses", "responses --help", "responses 1 --limit -h", "responses --nope -h"]
)
def test_help_of_one_command_needs_no_other_word(line):
    assert parse(line) == ParsedCommand(None, help_for="responses")


def test_a_semicolon_at_the_end_is_a_habit_and_no_word():
    assert parse("responses 1;").arguments == {"survey": "1"}
    assert parse("surveys 'a;'").arguments == {"text": "a;"}


def test_a_word_may_follow_an_option():
    assert parse("surveys --status Closed pulse").arguments == {"text": "pulse", "status": "Closed"}
    assert parse("get survey --raw page=1 a=2").arguments == {
        "path": "survey",
        "parameters": ["page=1", "a=2"],
        "raw": True,
    }
    assert parse("responses --fresh 1").arguments == {"survey": "1", "fresh": True}


def test_a_negative_number_is_a_value():
    assert parse("responses 1 --limit -5").arguments["limit"] == -5


PIECES = (
    *(
        "responses",
        "get",
        "df",
        "<<",
        "=",
        "-o",
        "--where",
        "--where=",
        "--limit",
        "--limit=",
        "-5",
    ),
    *("--fresh", "--shape", "$k", "{k}", "x{k}", "'", '"a b"', "-", "--", "-x", "$nope", "}", "#"),
)


@given(st.lists(st.sampled_from(PIECES)), st.sampled_from(["", " "]))
@example(["--limit", "x{k}"], " ")
def test_any_line_is_read_or_refused_in_one_line_without_the_key(pieces, between):
    refused = UsageError()
    try:
        parse(f"responses 1 {between.join(pieces)}", k=KEY)
    except UsageError as error:
        refused = error
    assert type(refused) is UsageError
    assert len(str(refused).splitlines()) <= 1
    assert KEY not in str(refused)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("surveys customer satisfaction", "customer satisfaction"),
        ("surveys customer   {what} --status Closed", "customer satisfaction"),
        ("surveys 'customer satisfaction' 2025", "customer satisfaction 2025"),
    ],
)
def test_a_piece_of_a_title_needs_no_quotes(line, text):
    assert parse_line(line, COMMANDS, {"what": "satisfaction"}).arguments["text"] == text


@pytest.mark.parametrize(
    ("line", "query"),
    [
        ("select 1", "select 1"),
        ("select  'x  y' from t where b <> \"c d\"", "select  'x  y' from t where b <> \"c d\""),
        ("select -a, 5 - 3 from t", "select -a, 5 - 3 from t"),
        ("--tz UTC select 'don''t' as a", "select 'don''t' as a"),
        ("select a -o df --tz=UTC from t", "select a from t"),
        ("select $a + {b[0]}", "select $a + {b[0]}"),
        ("'select 1 as \"n\"'", 'select 1 as "n"'),
        ("\"select $a\"", "select $a"),
    ],
)  # fmt: skip
def test_a_query_needs_no_quotes_and_keeps_its_own(line, query):
    assert parse_line(f"sql {line}", COMMANDS, {"a": 1, "b": [2]}).arguments["query"] == query


def test_a_wrong_option_of_sql_is_no_part_of_the_query():
    with pytest.raises(UsageError, match=r"no option is called `--tes-rows`. Did you mean"):
        parse_line("sql select 1 --tes-rows only", COMMANDS, {})


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("verify 9000001", "sync SURVEY --verify"),
        ("limit 5", "responses SURVEY --limit N"),
        ("survey", "surveys"),
    ],
)
def test_the_name_of_an_option_is_told_with_its_command(line, meant):
    with pytest.raises(UsageError, match=rf"Did you mean `{meant}`\?"):
        parse_line(line, COMMANDS, {})


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("“Customer satisfaction”", "Customer satisfaction"),
        ("„Kunden Umfrage“", "Kunden Umfrage"),
        ("« Les clients »", " Les clients "),
        ("‘Don’t know’", "Don’t know"),
        ("“Don't {word}”", "Don't know"),
        ("Don’t", "Don’t"),
        ('"A “big” event"', "A “big” event"),
    ],
)
def test_typographic_quotes_around_a_word_are_quotes(typed, title):
    line = f"responses {typed} --limit 5"
    assert parse_line(line, COMMANDS, {"word": "know"}).arguments["survey"] == title
