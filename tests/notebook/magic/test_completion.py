"""What Tab offers, through IPython's own completer."""

from __future__ import annotations

import pytest

from alchemer_nb.http.regions import Region
from alchemer_nb.notebook.magic.command_table import COMMANDS

FORMS = ["%alchemer ", "df = %alchemer ", "  a, b = %alchemer ", "%alchemer df << ", "%%alchemer ",
         "%%alchemer df << ", "x = 1\n%alchemer "]  # fmt: skip


@pytest.fixture
def seen(notebook):
    """A notebook whose session has seen three surveys."""
    notebook.magics.known_surveys.add("9000001", "Customer satisfaction")
    notebook.magics.known_surveys.add("9000002", 'The "big" event $5')
    notebook.magics.known_surveys.add("9100003", "Pulse")
    return notebook


@pytest.mark.parametrize("form", FORMS)
def test_commands_and_nothing_else_are_offered(notebook, form):
    assert notebook.tab(form) == [form + name for name in (*COMMANDS, "help")]
    assert notebook.tab(form + "su") == [form + "surveys"]
    assert notebook.tab(form + "help resp") == [form + "help responses"]


@pytest.mark.parametrize("form", FORMS)
def test_options_of_the_command_are_offered_and_used_ones_are_not(notebook, form):
    line = form + "responses 1 --fresh --where 'a' --"
    offers = [offer.removeprefix(line[:-2]) for offer in notebook.tab(line)]
    expected = [o.flag for o in COMMANDS["responses"].options if o.flag != "--fresh"]
    assert offers == expected
    assert "--where" in offers


@pytest.mark.parametrize("wrong", ["--stat=Complete", "--fresh=1", "--limit --fresh"])
def test_options_are_offered_after_a_word_that_is_wrong(notebook, wrong):
    line = f"%alchemer responses 1 {wrong} "
    assert notebook.tab(line + "--sha") == [line + "--shape"]
    assert line + "--shape" in notebook.tab(line)
    assert (line + "--fresh" in notebook.tab(line)) is ("--fresh" not in wrong)


@pytest.mark.parametrize("form", FORMS)
def test_values_of_an_option_are_offered(notebook, form):
    line = form + "responses 1 --shape "
    assert notebook.tab(line) == [line + "wide", line + "long"]
    line = form + "login --region="
    assert notebook.tab(line) == [line + name for name in Region.names()]
    line = form + "responses 1 --status C"
    assert notebook.tab(line) == [line[:-1] + "Complete"]


@pytest.mark.parametrize("form", FORMS)
def test_known_surveys_are_offered_and_titles_quoted(seen, form):
    for command in ("responses", "questions", "codebook", "campaigns"):
        line = f"{form}{command} "
        assert seen.tab(line) == [
            line + '"Customer satisfaction"',
            line + "'The \"big\" event $$5'",
            line + "Pulse",
            line + "9000001",
            line + "9000002",
            line + "9100003",
        ]


@pytest.mark.parametrize(
    "typed", ["cust", "Cust", '"cust', "'Customer s", '"Customer satisfaction']
)
def test_a_title_is_found_from_its_beginning_in_any_case_and_inside_an_open_quote(seen, typed):
    assert seen.tab(f"%alchemer responses {typed}") == [
        '%alchemer responses "Customer satisfaction"'
    ]


def test_a_title_with_quotes_in_it_is_read_back_as_it_was(seen):
    from alchemer_nb.notebook.magic.parser import parse_line

    [line] = seen.tab("%alchemer responses The")
    call = parse_line(line.removeprefix("%alchemer "), COMMANDS, {})
    assert call.arguments == {"survey": 'The "big" event $5'}


def test_ids_are_offered_from_their_first_digits(seen):
    assert seen.tab("%alchemer responses 9000") == [
        "%alchemer responses 9000001",
        "%alchemer responses 9000002",
    ]


def test_after_the_survey_options_are_offered(seen):
    line = '%alchemer responses "Customer satisfaction" '
    assert seen.tab(line)[:2] == [line + "--where", line + "--status"]


def test_variables_are_offered_after_a_dollar(notebook):
    notebook.names["my_survey"] = 1
    assert notebook.tab("%alchemer responses $my_s") == ["%alchemer responses $my_survey"]


def test_inside_braces_python_itself_completes(notebook):
    notebook.names["my_survey"] = 1
    assert "%alchemer responses {my_survey" in notebook.tab("%alchemer responses {my_s")


@pytest.mark.parametrize(
    "code", ["my_", "x = my_", "# %alchemer my_", "alchemers = my_", "%%time\nmy_"]
)
def test_other_lines_are_left_to_ipython(notebook, code):
    notebook.names["my_name"] = 1
    assert any(offer.endswith("my_name") for offer in notebook.tab(code))


def test_names_of_connections_and_paths_are_offered(notebook):
    assert notebook.tab("%alchemer get surv") == [
        "%alchemer get survey",
        "%alchemer get surveytheme",
    ]
    assert notebook.magics.completion.find_completions("%alchemer switch ") == ("", ["--out"])


def test_a_title_that_a_terminal_would_obey_is_offered_by_its_id(seen):
    seen.magics.known_surveys.add("9200004", "Pulse\x1b[2J\u202e")
    assert seen.tab("%alchemer responses Pul") == ["%alchemer responses Pulse"]
    assert seen.tab("%alchemer responses 92") == ["%alchemer responses 9200004"]
