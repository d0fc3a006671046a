"""The topline report: whole, in one file, and without what must not be in it."""

from __future__ import annotations

import functools
import os
import re
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import alchemer_nb as al
from alchemer_nb.errors import InvalidArgument
from tests import survey_json
from tests.analysis.conftest import EVERY_TYPE
from tests.analysis.frames import customers, frames, nobody, pulse

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.scripted import ScriptedServer

FEW = ["satisfaction", "q9", "comments"]


def report(df: pd.DataFrame, folder: Path, **options: object) -> str:
    path = folder / "report.html"
    df.alchemer.report(path, **options)
    return path.read_text("utf-8")


@functools.cache
def whole() -> tuple[pd.DataFrame, str]:
    """A frame with an address in an open answer, and the report of all of it."""
    df = customers()
    df["comments"] = df["comments"].astype(object)
    written = df.index[df["comments"].notna()]
    df.loc[written[0], "comments"] = "write to ann.canary@example.org"
    df.loc[written[1], "comments"] = "a plain <b>canary"
    with tempfile.TemporaryDirectory() as folder:
        return df, report(df, Path(folder), by="region_q3", open_answers=True)


def test_one_file_without_scripts_and_references() -> None:
    _, page = whole()
    assert "<script" not in page.lower()
    assert re.findall(r'(?:src|href)\s*=\s*"(?!#)', page) == []
    assert "@import" not in page
    assert "url(" not in page
    assert not re.search(r"\son\w+=", page)


def test_elements_are_closed() -> None:
    """A parser of the standard library, with the elements that need no end."""
    open_ones: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag not in {"meta", "br", "col"}:
                open_ones.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert open_ones.pop() == tag

    reader = Reader()
    reader.feed(whole()[1])
    assert open_ones == []


def test_every_question_is_there() -> None:
    df, page = whole()
    questions = df.alchemer.redact().alchemer.codebook["question"].dropna().unique()
    assert len(questions) > 10
    for question in questions:
        words = question.split(":")[0][:40].replace("&", "&amp;").replace("'", "&#39;")
        assert words in page, question


@pytest.mark.long
def test_every_question_of_another_survey_is_there(tmp_path: Path) -> None:
    page = report(pulse(), tmp_path)
    for question in pulse().alchemer.codebook["question"].dropna().unique():
        words = question.split(":")[0][:40].replace("&", "&amp;").replace("'", "&#39;")
        assert words in page, question


def test_contact_data_is_never_in_it() -> None:
    df, page = whole()
    emails = df["email"].dropna().unique()
    assert len(emails)
    assert not [each for each in emails if each in page]
    for name in ("ip_address", "session_id", "user_agent", "city"):
        assert not [each for each in df[name].dropna().astype(str).unique()[:50] if each in page]
    assert "ann.canary@example.org" not in page
    assert "1 answer that may hold contact data left out." in page
    assert "a plain &lt;b&gt;canary" in page


def test_open_answers_are_left_out_unless_asked_for(tmp_path: Path) -> None:
    df = customers()
    texts = [text for text in df["comments"].dropna().unique() if len(text) > 25]
    page = report(df, tmp_path, questions=["comments"])
    assert not [text for text in texts if text in page]


def test_a_banner_question_is_not_compared_with_itself() -> None:
    df, page = whole()
    words = "In which part of the country do you live?"
    section = next(s for s in page.split("<section ") if f"<h3>{words}</h3>" in s)
    assert "North (A)" not in section
    assert f"{int((df['region_q3'] == 'North').sum()):,}</td>" in section


def test_drop_off_counts_those_who_reached_a_page() -> None:
    from alchemer_nb.analysis.drop_off import drop_off

    df = customers()
    pages = drop_off(df)
    first = df[df.alchemer.columns("region_q3")].notna().any(axis=1).sum()
    assert pages["reached"].iloc[0] >= first
    assert pages["reached"].is_monotonic_decreasing
    ended = pages["reached"].diff(-1).iloc[:-1].astype(int).tolist()
    assert pages["left"].iloc[:-1].tolist() == ended


def test_who_is_complete_has_left_nowhere() -> None:
    """Logic may skip the last pages."""
    from alchemer_nb.analysis.drop_off import drop_off

    df = customers()
    pages = drop_off(df)
    done = drop_off(df.assign(status="Complete"))
    assert done["left"].tolist() == [0, 0, 0]
    assert done["reached"].tolist() == pages["reached"].tolist()
    nobody_done = drop_off(df.assign(status="Partial"))
    assert nobody_done["left"].sum() == nobody_done["reached"].iloc[0]
    unknown = drop_off(df.drop(columns="status"))
    assert unknown["left"].iloc[-1] == 0


def test_status_and_field_dates() -> None:
    df, page = whole()
    for status, count in df["status"].value_counts().items():
        assert f"<dt>{status}</dt><dd>{count:,}</dd>" in page
    assert f"{df['date_submitted'].min():%Y-%m-%d} to {df['date_submitted'].max():%Y-%m-%d}" in page


def test_hostile_words_stay_words(tmp_path: Path) -> None:
    df = customers()
    df["place"] = df["region_q3"].cat.rename_categories({"North": "<script>alert(1)</script>"})
    page = report(df, tmp_path, questions=["place"])
    assert "<script" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("rows", [0, 1])
def test_few_responses(rows: int, tmp_path: Path) -> None:
    page = report(customers().iloc[:rows], tmp_path, questions=FEW)
    assert f"<dt>Responses</dt><dd>{rows}</dd>" in page
    assert "<h2>Method</h2>" in page


@pytest.mark.long
@pytest.mark.parametrize("rows", [0, 1])
def test_few_responses_to_all_questions(rows: int, tmp_path: Path) -> None:
    assert "<h2>Method</h2>" in report(customers().iloc[:rows], tmp_path)
    assert "<h2>Method</h2>" in report(nobody(), tmp_path)


def test_a_weighted_one(tmp_path: Path) -> None:
    df = customers()
    df["w"] = np.linspace(0.5, 1.5, len(df))
    page = report(df, tmp_path, questions=["satisfaction"], weight="w", by="region_q3")
    assert "Weighted by w" in page


def test_waves_side_by_side(tmp_path: Path) -> None:
    waves = al.stack_waves({"2025": frames()["5"], "2026": customers()})
    page = report(waves, tmp_path, questions=["nps"], by="wave")
    counts = f"2025: {len(frames()['5'])}, 2026: {len(customers())}"
    assert f"<dt>Waves</dt><dd>{counts}</dd>" in page
    assert "2025 (A)</th>" in page
    assert "2026: 1 About you" in page


def test_waves_in_which_one_id_means_several_questions(
    scripted: ScriptedServer, tmp_path: Path
) -> None:
    yes_no = [survey_json.option(1, "Yes"), survey_json.option(2, "No")]
    shops = [survey_json.option(3, "Website"), survey_json.option(4, "Shop")]
    answer = {"type": "RADIO", "question": "", "section_id": 1, "shown": True}

    def wave(survey_id: int, *asked: tuple[str, str], shown: int) -> pd.DataFrame:
        """Ask questions with the ids 2, 3 and so on, and one of several answers."""
        questions = [
            survey_json.question(own, "RADIO", title, alias, yes_no, key="radio")
            for own, (title, alias) in enumerate(asked, 2)
        ]
        last = len(asked) + 2
        questions.append(survey_json.question(last, "CHECKBOX", "Which shops?", "", shops[:shown]))
        data = {
            str(own): {**answer, "id": own, "answer": "Yes", "answer_id": 1}
            for own in range(2, last)
        }
        chosen = {"3": {"id": "3", "option": "Website", "answer": "Website"}}
        data[str(last)] = {**answer, "id": last, "type": "CHECKBOX", "options": chosen}
        responses = [survey_json.response(own, data) for own in range(1, 5)]
        return survey_json.frame(scripted, questions, responses, survey_id=survey_id)

    waves = al.stack_waves({
        "1": wave(5, ("Bought?", "bought"), ("Pleased?", "pleased"), shown=2),
        "2": wave(6, ("New?", "new"), ("Bought?", "bought"), ("Pleased?", "pleased"), shown=1),
    })  # fmt: skip
    page = report(waves, tmp_path)
    titles = re.findall(r"<h3>(.*)</h3>", page)
    assert sorted(titles) == ["Bought?", "New?", "Pleased?", "Which shops?"]
    assert "Left out: contact data." not in page
    bases = re.findall(r">Base: (\d) who answered, of (\d) who were asked", page)
    assert dict(zip(titles, bases, strict=True)) == {
        "Bought?": ("8", "8"), "Pleased?": ("8", "8"), "New?": ("4", "4"),
        "Which shops?": ("8", "8"),
    }  # fmt: skip


def test_columns_of_two_tables_with_one_id_are_told_apart(
    scripted: ScriptedServer, tmp_path: Path
) -> None:
    """In a survey, the ids of the columns of each custom table begin with 10001."""
    sizes = [survey_json.option(3, "Large"), survey_json.option(4, "Small")]
    columns = [survey_json.question(10001, "RADIO", "Size", "", sizes, key="radio")]
    tables = [
        survey_json.question(own, "TABLE", title, "", rows=columns, key="matrix")
        for own, title in ((83, "Your car"), (84, "Your bicycle"))
    ]
    cell = {"id": 10001, "answer": "Large", "answer_id": 3, "shown": True}
    data = {own: {"type": "parent", "subquestions": {"10001": cell}} for own in ("83", "84")}
    df = survey_json.frame(scripted, tables, [survey_json.response(1, data)])
    page = report(df, tmp_path)
    assert re.findall(r"<h3>(.*)</h3>", page) == ["Size"]
    rows = re.findall(r'<th scope="row"[^>]*>(.*?)</th>', page)
    assert rows[:2] == ["Your car: Size", "Your bicycle: Size"]


def test_the_long_shape_has_the_same_tables(tmp_path: Path) -> None:
    wide = report(customers(), tmp_path, questions=["nps"])
    long = report(customers().alchemer.relabel(shape="long"), tmp_path, questions=["nps"])
    shares = [re.findall(r">([\d,]+ %|-?\d+ ± \d+)<", page) for page in (wide, long)]
    assert len(shares[0]) > 10
    assert shares[0] == shares[1]
    assert "Field dates" not in long


def test_questions_without_a_column_are_counted(tmp_path: Path) -> None:
    df = customers()
    page = report(df[["nps", "region_q3"]], tmp_path)
    assert page.count("<section id=") == 2
    assert re.search(r"<li>\d+ questions of the survey without a column in the frame.</li>", page)
    assert "without a column" not in whole()[1]


def test_metadata_of_other_types(tmp_path: Path) -> None:
    """An analyst made texts of dates, and lengths of numbers of seconds."""
    df = customers()
    page = report(df, tmp_path, questions=["nps"])
    assert "By date of submission (UTC)." in page
    median = f"{df['response_time'].median() / 60:.1f} minutes"
    df["date_submitted"] = df["date_submitted"].astype(str)
    df["response_time"] = pd.to_timedelta(df["response_time"], unit="s")
    page = report(df, tmp_path, questions=["nps"])
    assert "Field dates" not in page
    assert f"<dd>{median}</dd>" in page
    assert "Median time" not in report(df.assign(response_time="fast"), tmp_path, questions=[])


def test_a_zone_has_its_name(tmp_path: Path) -> None:
    """Not the letters of the first day, which change with summer time."""
    df = customers()
    df["date_submitted"] = df["date_submitted"].dt.tz_convert("America/New_York")
    assert "(America/New_York)</dd>" in report(df, tmp_path, questions=[])


def test_one_question_needs_no_list(tmp_path: Path) -> None:
    assert customers().alchemer.report(tmp_path / "one.html", questions="nps").questions == 1


def test_the_method_is_for_readers(tmp_path: Path) -> None:
    """It names no option of a download; undocumented members of answers are no questions."""
    _, page = whole()
    assert "test rows left out;" in page
    assert "test_rows=" not in page
    assert "chosen afterwards" not in page
    method = report(customers().head(9), tmp_path, questions=["nps"]).split("<h2>Method</h2>")[1]
    assert "This report is of 9 responses, chosen afterwards." in method
    waves = al.stack_waves({"old": customers(), "new": customers().head(9)})
    method = report(waves, tmp_path, questions=["nps"]).split("<h2>Method</h2>")[1]
    assert "new: This report is of 9 responses, chosen afterwards." in method
    assert "old: Customer satisfaction: " in method
    assert "old: This report" not in method
    answers = page.split("<h2>Answers</h2>")[1].split("<h2>Data quality</h2>")[0]
    assert "original_answer" not in answers
    assert "had_problem_original_answer" in page


def test_the_method_says_which_responses_were_downloaded(
    scripted: ScriptedServer, tmp_path: Path
) -> None:
    options = [survey_json.option(1, "North"), survey_json.option(2, "South")]
    question = survey_json.question(2, "RADIO", "Where?", "place", options, key="radio")
    data = {"2": {"id": 2, "type": "RADIO", "answer": "North", "answer_id": 1, "shown": True}}
    asked = {"where": "place = North", "status": "Complete", "since": "2026"}
    asked |= {"test_rows": "only"}
    test = survey_json.response(1, data, is_test_data="1")
    frame = survey_json.frame(scripted, [question], [test], **asked)
    since = "since 2026-01-01 00:00 UTC"  # what was read: "7d" says nothing to a reader
    words = f"these responses alone: test responses; status Complete; {since}; place = …."
    assert words in report(frame, tmp_path)
    assert "these responses alone" not in whole()[1]


def test_wide_tables_fit_on_paper(tmp_path: Path) -> None:
    """The letters of a table are as small as its width needs, as paper has no scroll bar."""
    df = customers()
    narrow, wide = (
        max(float(found) for found in re.findall(r'style="--w:(\d+)"', page))
        for page in (report(df, tmp_path, questions=["nps"]),
                     report(df, tmp_path, questions=["nps"], by=["region_q3", "heard_from"]))
    )  # fmt: skip
    assert narrow < wide / 3
    assert "var(--w)" in report(df, tmp_path, questions=["nps"])


def test_what_was_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written = customers().alchemer.report("a & b.html", questions=["comments"])
    path = tmp_path / "a & b.html"
    assert (written.path, written.size, written.questions) == (path, path.stat().st_size, 1)
    assert os.fspath(written) == str(path)
    assert repr(written).startswith("Report of 1 question, ")
    assert '<a href="a%20%26%20b.html"' in written._repr_html_()
    monkeypatch.chdir(tmp_path.parent.parent)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert "<a " not in written._repr_html_()
    assert "a &amp; b.html" in written._repr_html_()


def test_the_name_of_the_file_is_checked(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match=r"\.html"):
        customers().alchemer.report(tmp_path / "report.pdf", questions=FEW)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"by": "regoin"}, "no column here"),
        ({"by": "q9"}, "is a grid"),
        ({"by": "age"}, "different values"),
        ({"weight": "nosuch"}, "no column 'nosuch'"),
        ({"questions": ["satisfacton"]}, "did you mean"),
    ],
)
def test_what_is_wrong_in_all_tables_is_an_error_and_writes_nothing(
    wrong: dict[str, Any], words: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidArgument, match=words):
        customers().alchemer.report(tmp_path / "report.html", **wrong)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("old")
    with pytest.raises(InvalidArgument):
        customers().alchemer.report(tmp_path / "report.html", by="nobody")
    assert (tmp_path / "report.html").read_text() == "old"


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="could not write"):
        customers().alchemer.report(tmp_path / f"{'x' * 300}.html", questions=FEW)


def test_open_answers_by_item_and_each_text_once(
    downloads: Callable[[int], pd.DataFrame], tmp_path: Path
) -> None:
    df = downloads(EVERY_TYPE)
    page = report(df, tmp_path, questions=["notes", "photo"], open_answers=True)
    counts = df["notes_room_plus"].value_counts()
    assert counts.max() > 1
    listed = page.split('<p class="item">Room: Plus</p>')[1].split("</ul>")[0]
    shown = dict(re.findall(r"<li>(.*?) \(×\s(\d+)\)</li>", listed))
    assert {text: int(n) for text, n in shown.items()} == counts[counts > 1].to_dict()
    assert "photo.png" not in page  # respondents may name a file after themselves
