"""What is odd or wrong gets a clear sentence or a sensible table, and no warning."""

from __future__ import annotations

import subprocess
import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

from alchemer_nb.errors import ConfigurationError, InvalidArgument, KnowledgeLost
from tests.analysis.conftest import EVERY_TYPE
from tests.analysis.made import survey
from tests.analysis.raw import counts_of
from tests.survey_json import frame as download
from tests.survey_json import option, question, response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.scripted import ScriptedServer

OPTIONS: tuple[dict[str, Any], ...] = (
    {}, {"by": "place"}, {"by": ["which", "place"]}, {"by": "place", "weight": "w"},
    {"by": "place", "percent": "row"}, {"not_applicable": True, "sort": "ascending"},
)  # fmt: skip


@pytest.fixture(autouse=True)
def _no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=ResourceWarning)
        yield


def show(frame: pd.DataFrame, question: str, tmp_path: Path, **options: Any) -> str:
    table = frame.alchemer.table(question, **options)
    if not (tmp_path / "table.xlsx").exists():
        table.to_excel(tmp_path / "table.xlsx")
    assert len(table.frame) == sum(len(block.rows) for block in table.blocks)
    assert len(table.bases) == len(table.blocks) * len(table.banner)
    assert "<figure" in table.to_html()
    return str(table)


def test_no_responses(scripted: ScriptedServer, tmp_path: Path) -> None:
    frame = survey(scripted, []).assign(w=1.0)
    for question_ in ("rating", "which", "status", "w", "date_submitted"):
        for options in OPTIONS if question_ == "rating" else OPTIONS[:2]:
            text = show(frame, question_, tmp_path, **options)
            assert "Base: 0" in text
    assert "Very good" in show(frame, "rating", tmp_path)
    with pytest.raises(InvalidArgument, match="no response has an answer to all questions"):
        frame.alchemer.weight({"place": {"North": 1}})


def test_one_response(scripted: ScriptedServer, tmp_path: Path) -> None:
    frame = survey(scripted, [(0, 0, (0, 2))]).assign(w=2.0)
    for question_ in ("rating", "which"):
        for options in OPTIONS[::2]:
            assert "Base: 1" in show(frame, question_, tmp_path, **options)
    weighted = frame.alchemer.weight({"place": {"North": 1}})
    assert weighted["weight"].tolist() == [1.0]
    assert "efficiency 100 %" in repr(weighted.alchemer.weighting)


def test_all_answers_missing(scripted: ScriptedServer, tmp_path: Path) -> None:
    frame = survey(scripted, [(None, None, None)] * 3).assign(w=1.0)
    for question_ in ("rating", "which"):
        for options in OPTIONS[1::2]:
            text = show(frame, question_, tmp_path, **options)
            assert "Base: 0 who answered, of 3 who were asked." in text


@pytest.mark.long
def test_every_type_without_responses(
    downloads: Callable[[int], pd.DataFrame], tmp_path: Path
) -> None:
    frame = downloads(EVERY_TYPE)
    book = frame.alchemer.codebook
    questions = book["parent_id"].fillna(book["question_id"]).dropna().unique()
    for place, name in enumerate((*questions[::2], "status", "date_submitted", "contact_id")):
        show(frame.head(place % 2), name, tmp_path)


def test_a_question_that_nobody_of_a_banner_group_answered(
    scripted: ScriptedServer, tmp_path: Path
) -> None:
    answers = [(0, 0, None), (1, 0, None), (3, 0, None), (None, 1, None), (4, 1, None)] * 40
    frame = survey(scripted, answers).assign(w=1.5)
    for options in ({}, {"weight": "w"}):
        table = frame.alchemer.table("rating", by="place", **options)
        assert table.blocks[0].bases.answered.tolist() == [120, 120, 0, 0]
        assert table.blocks[0].bases.not_applicable.tolist() == [40, 0, 40, 0]
        assert np.isnan(table.blocks[0].rows[0].values[2])
        assert "–" in show(frame, "rating", tmp_path, by="place", **options)
        assert all(not any(row.letters) for row in table.blocks[0].rows)


def test_three_hundred_options(scripted: ScriptedServer, tmp_path: Path) -> None:
    options = [option(10001 + n, f"Town {n}", str(n)) for n in range(300)]
    town = question(2, "RADIO", "Where?", "town", options, key="radio")
    given = [
        response(n, {"2": {"id": 2, "type": "RADIO", "question": "", "answer": str(n % 300),
                           "answer_id": 10001 + n % 300, "shown": True}})
        for n in range(1, 601)
    ]  # fmt: skip
    frame = download(scripted, [town], given)
    table = frame.alchemer.table("town")
    assert set(counts_of(table).values()) == {2}
    assert "Town 299" in show(frame, "town", tmp_path)
    with pytest.raises(
        InvalidArgument, match="the banner has more than 60 columns: 'town' has 300"
    ):
        frame.alchemer.table("status", by="town")


HOSTILE = [
    "راضٍ جدًا", "非常满意的回答", "<script>alert(1)</script>", "=1+1", "+cmd|' /C calc'!A0",
    "@SUM(A1)", "\x1b[31mred\x1b[0m", "a & b < c", "'quoted'", "‮reversed", "-1", "x" * 300,
]  # fmt: skip


def test_labels_of_any_characters(scripted: ScriptedServer, tmp_path: Path) -> None:
    frame = survey(scripted, [(0, 0, (0,))] * len(HOSTILE))
    frame["group"] = pd.Categorical(HOSTILE, HOSTILE)
    title = "<b>=group</b>"
    frame = frame.rename(columns={"group": title})
    for options in ({}, {"by": title}):
        table = frame.alchemer.table(title, **options)
        html = table.to_html()
        for bad in ("<script", "<b>", "\x1b", "‮", "<i"):
            assert bad not in html
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
        text = str(table)
        table.to_excel(tmp_path / "table.xlsx")
        assert "\x1b" not in text
        assert "‮" not in text
        for label in ("راضٍ جدًا", "非常满意的回答", "=1+1"):
            assert label in text
            assert label in html
        sheet = openpyxl.load_workbook(tmp_path / "table.xlsx").active
        values = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
        assert {cell.data_type for cell in values} <= {"s", "n"}
        assert {"=1+1", "@SUM(A1)"} <= {cell.value for cell in values}
        assert not any("\x1b" in str(cell.value) for cell in values)


def test_numbers_of_any_length(scripted: ScriptedServer, tmp_path: Path) -> None:
    asked = [question(2, "TEXTBOX", "Your number?", "number", key="number")]
    typed = ["7", "9" * 30, "-" + "9" * 40, "1" + "0" * 300]
    entries = [{"id": 2, "type": "TEXTBOX", "question": "", "section_id": 1, "answer": text,
                "shown": True} for text in typed]  # fmt: skip
    responses = [response(own, {"2": entry}) for own, entry in enumerate(entries, 1)]
    frame = download(scripted, asked, responses).assign(half=["a", "a", "b", "b"])
    assert show(frame, "number", tmp_path, by="half")
    text = show(frame, "number", tmp_path)
    assert "1e+300" in text
    assert "inf" not in text
    cells = openpyxl.load_workbook(tmp_path / "table.xlsx").worksheets[0]
    assert not [cell for row in cells.iter_rows() for cell in row if "inf" in str(cell.value)]
    assert "-1e+40" in text


def test_cells_that_hold_lists(customers: pd.DataFrame, tmp_path: Path) -> None:
    frame = customers.assign(region=[["North"]] * len(customers))
    assert "['North']" in show(frame, "region", tmp_path)
    assert "['North']" in show(frame, "satisfaction", tmp_path, by="region")


def test_names_that_do_not_fit(customers: pd.DataFrame, tmp_path: Path) -> None:
    wrong: list[tuple[Any, dict[str, Any], str]] = [
        ("satisfacton", {}, "did you mean 'satisfaction'"),
        ("satisfaction", {"by": "regoin"}, "did you mean 'region'"),
        ("how satisfied are  you", {}, "did you mean 'satisfaction'?"),
        ("How would you rate our …?", {}, "did you mean 'service'?"),
        ("Where have you bought from us", {}, "did you mean 'channels'?"),
        ("did you", {}, "did you mean 'last_visit', 'heard_from' or 'had_problem'?"),
        ("a", {}, "; df.alchemer.find looks for words"),
        ("Larkmoor Indoor", {}, "; df.alchemer.find looks for words"),
        ("satisfaction", {"by": "comments"}, "characters, too long for a banner. Put them"),
        ("satisfaction", {"by": "region, nps"}, "did you mean the list ['region', 'nps']?"),
        ("satisfaction", {"weight": "weight"}, "'weight'. df = df.alchemer.weight({…}) makes a"),
        ("satisfaction", {"weight": "npss"}, "there is no column 'npss'; did you mean 'nps'?"),
        ("satisfaction", {"by": "9"}, "is a grid with 4 rows; name one: staff, delivery"),
        ("satisfaction", {"by": "email"}, "different values, too many for a table"),
        ("satisfaction", {"by": "response_time"}, "different values, too many for a table"),
        ("satisfaction", {"by": "last_visit"}, "holds dates"),
        ("satisfaction", {"percent": "columns"}, "percent"),
        ("satisfaction", {"sort": "up"}, "sort"),
        ("satisfaction", {"top": -1}, "top is a number of options"),
        ("satisfaction", {"level": 5}, "level lies between 0 and 1"),
        ("satisfaction", {"correction": "tukey"}, "correction"),
        ("satisfaction", {"nets": {"Good": ["Satisfied", "Happy"]}}, "'Happy' is no option of the"),
        ("satisfaction", {"nets": {"Good": "Satisfied"}}, "nets are lists of options by label"),
        ("satisfaction", {"nets": ["Satisfied"]}, "nets are lists of options by label"),
        ("satisfaction", {"nets": {1: ["Satisfied"]}}, "nets are lists of options by label"),
        ("satisfaction", {"nets": {"Good": [["Satisfied"]]}}, "is no option of the question"),
        ("satisfaction", {"top": True}, "top is a number of options"),
        ("satisfaction", {"weight": "nobody"}, "there is no column 'nobody'"),
        ("satisfaction", {"weight": True}, "weight is the name of a column of weights"),
        ("satisfaction", {"weight": ["nps"]}, "weight is the name of a column of weights"),
        ("satisfaction", {"weight": customers["nps"]}, "weight is the name of a column of"),
        ("satisfaction", {"by": 3.0}, "by names questions or columns"),
        ("satisfaction", {"by": customers["region"]}, "by names questions or columns"),
        ("satisfaction", {"by": [["region"]]}, "a question is named by its alias or id"),
        (customers["region"], {}, "a question is named by its alias or id"),
        (None, {}, "a question is named by its alias or id"),
    ]
    for name, options, words in wrong:
        with pytest.raises(InvalidArgument) as caught:
            customers.alchemer.table(name, **options)
        assert words in f"{caught.value} {caught.value.hint}"
    with pytest.raises(InvalidArgument, match="by names questions or columns"):
        customers.alchemer.plot("satisfaction", by=customers["region"])
    alone = str(customers.alchemer.table("satisfaction"))
    assert str(customers.alchemer.table("satisfaction", by=None)) == alone
    assert "North" in str(customers.alchemer.table(np.int64(7), by=np.int64(3)))
    with pytest.raises(InvalidArgument):
        customers.alchemer.table("region").to_excel(tmp_path / "table.csv")
    with pytest.raises(KnowledgeLost):
        pd.DataFrame({"a": [1]}).alchemer.table("a")
    with pytest.raises(InvalidArgument, match="this frame has no weights"):
        customers.alchemer.weighting  # noqa: B018, the property raises


WITHOUT = """
import importlib.abc, sys, warnings
class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {packages!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
warnings.simplefilter("error")
import pandas as pd
import alchemer_nb.errors
frame = pd.read_parquet({file!r})
print(frame.alchemer.table("satisfaction", by="region"))
for action in (lambda: frame.alchemer.weight({{"region": {{"North": 1}}}}),
               lambda: frame.alchemer.table("region").to_excel({excel!r})):
    try:
        action()
    except alchemer_nb.errors.ConfigurationError as error:
        print("ERROR", error, error.hint)
"""


def test_packages_that_are_not_installed(customers: pd.DataFrame, tmp_path: Path) -> None:
    assert ConfigurationError.__name__ in WITHOUT
    customers.to_parquet(tmp_path / "frame.parquet")
    code = WITHOUT.format(
        packages={"scipy", "statsmodels", "weightipy", "openpyxl"},
        file=str(tmp_path / "frame.parquet"),
        excel=str(tmp_path / "table.xlsx"),
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    words = " ".join(done.stdout.split())
    assert "The columns were not compared: this needs scipy, which is not" in words
    assert words.partition("ERROR")[0].count("In a notebook run") == 1
    assert "(A)" not in words  # no letter promises a test
    plain = customers.alchemer.table("satisfaction", by="region", letters=False)
    for row in plain.frame.index:
        assert row in words
    errors = [line for line in done.stdout.splitlines() if line.startswith("ERROR")]
    assert len(errors) == 2
    assert "this needs weightipy, which is not installed here" in errors[0]
    assert "this needs openpyxl, which is not installed here" in errors[1]
