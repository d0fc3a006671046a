"""Any line and any body of a magic cell: a command, or one line that says what is wrong."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

from hypothesis import given

from alchemer_nb.notebook.magic.command_table import COMMANDS
from alchemer_nb.notebook.magic.completion import Completion
from alchemer_nb.notebook.magic.interpolation import interpolate_lines
from alchemer_nb.notebook.magic.lookahead import KnownSurveys, Lookahead
from alchemer_nb.notebook.magic.parser import parse_line
from alchemer_nb.notebook.magic.tokens import evaluate_word, quote_word, split_words
from alchemer_nb.survey.filters import parse_conditions
from tests.fuzz.judge import ANY, outcome
from tests.fuzz.mutations import texts

KEY = "0123456789abcdef0123456789abcdef"
NAMES = {
    "survey": 9000001,
    "title": "Customer satisfaction",
    "since": dt.date(2026, 1, 1),
    "regions": ["North", "South"],
    "d": {"x": 3.5},
    "half": "\ud800",
    "bad": float("nan"),
}
LINES = (
    "responses 'Customer satisfaction' --complete --since 2026-01-01 --limit 10 -o df",
    'df << responses "Customer satisfaction" --where "nps > 8" --where \'region = "North"\'',
    "responses {survey} --status Complete,Partial --until=$since --shape long --tz none",
    "get survey/$survey/surveyresponse filter[field][0]=status page=1 --raw",
    "surveys --status Closed pulse",
    "sql select count(*) from customer_satisfaction where region in ('North', 'South')",
    "sync {title} --full",
    "login --region eu --mode key --profile work",
    "responses {d['x']:.1f} --names id --values code --multi list --columns nps,region",
    "expunge 'Customer satisfaction' --email a@example.com",
    "switch 'eu-work';",
    "help responses",
)
BODIES = (
    "status = Complete\ndate_submitted >= 2026-01-01\n# a comment\n[question(2)] = Yes",
    "region in {regions}\nnps > {d['x']}",
    '[url("utm_source")] IS NOT NULL\nsatisfaction not in \'Very happy\', "Happy, I\'d say"',
    "select * from customer_satisfaction where region in $regions and nps > {d['x']}",
    "comments = 'two\nlines' # so\n[question(8), option(10001)] = 5",
)


@given(line=texts(LINES))
@ANY
def test_any_line_is_a_command_or_one_line(line):
    parsed = outcome(parse_line, line, COMMANDS, NAMES)
    assert parsed is None or parsed.command is None or parsed.command.name in COMMANDS


@given(line=texts(LINES))
@ANY
def test_any_line_can_be_completed(line):
    session, shell = SimpleNamespace(names=lambda: ["work"], client=None), SimpleNamespace()
    shell.user_ns = NAMES
    completion = Completion(COMMANDS, Lookahead(session, KnownSurveys()), session, shell)
    offers = outcome(completion.find_completions, f"%alchemer {line}")
    assert offers is not None


@given(body=texts(BODIES))
@ANY
def test_any_body_of_a_cell_is_read(body):
    text = outcome(interpolate_lines, body, NAMES)
    if text is not None:
        outcome(parse_conditions, text)


@given(text=texts(LINES))
@ANY
def test_any_word_that_can_be_quoted_comes_back(text):
    quoted = outcome(quote_word, text)
    if quoted is None:
        return
    words = split_words(f"x {quoted} y")
    assert len(words) == 3
    assert evaluate_word(words[1], {}).text == text
