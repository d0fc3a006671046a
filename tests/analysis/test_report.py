"""The topline report: whole, in one file, and without what must not be in it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import numpy as np
import pytest

from alchemer_nb.errors import InvalidArgument
from tests.analysis.frames import customers, nobody, pulse

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd


def report(df: pd.DataFrame, folder: Path, **options: object) -> str:
    path = folder / "report.html"
    df.alchemer.report(path, **options)
    return path.read_text("utf-8")


def test_one_file_without_scripts_and_references(tmp_path: Path) -> None:
    page = report(customers(), tmp_path)
    assert "<script" not in page.lower()
    assert re.findall(r'(?:src|href)\s*=\s*"(?!#)', page) == []
    assert "@import" not in page
    assert "url(" not in page
    assert not re.search(r"\son\w+=", page)


def test_elements_are_closed(tmp_path: Path) -> None:
    """A parser of the standard library, with the elements that need no end."""
    open_ones: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag not in {"meta", "br", "link", "img", "input"}:
                open_ones.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert open_ones.pop() == tag

    reader = Reader()
    reader.feed(report(customers(), tmp_path, by="region_q3", open_answers=True))
    assert open_ones == []


def test_every_question_is_there(tmp_path: Path) -> None:
    page = report(pulse(), tmp_path)
    for question in pulse().alchemer.codebook["question"].dropna().unique():
        words = question.split(":")[0][:40].replace("&", "&amp;").replace("'", "&#39;")
        assert words in page, question


def test_contact_data_is_never_in_it(tmp_path: Path) -> None:
    df = customers()
    emails = df["email"].dropna().unique()
    df["comments"] = df["comments"].astype(object)
    written = df.index[df["comments"].notna()]
    df.loc[written[0], "comments"] = "write to ann.canary@example.org"
    df.loc[written[1], "comments"] = "a plain canary"
    page = report(df, tmp_path, open_answers=True)
    assert len(emails)
    assert not [each for each in emails if each in page]
    for name in ("ip_address", "session_id", "user_agent", "city"):
        assert not [each for each in df[name].dropna().astype(str).unique()[:50] if each in page]
    assert "ann.canary@example.org" not in page
    assert "1 answer that may hold contact data left out." in page
    assert "a plain canary" in page


def test_open_answers_are_left_out_unless_asked_for(tmp_path: Path) -> None:
    df = customers()
    texts = [text for text in df["comments"].dropna().unique() if len(text) > 25]
    page = report(df, tmp_path)
    assert not [text for text in texts if text in page]


def test_drop_off_counts_those_who_reached_a_page(tmp_path: Path) -> None:
    from alchemer_nb.analysis.drop_off import drop_off

    df = customers()
    pages = drop_off(df)
    first = df[df.alchemer.columns("region_q3")].notna().any(axis=1).sum()
    assert pages["reached"].iloc[0] >= first
    assert pages["reached"].is_monotonic_decreasing
    ended = pages["reached"].diff(-1).iloc[:-1].astype(int).tolist()
    assert pages["left"].iloc[:-1].tolist() == ended


def test_status_and_field_dates(tmp_path: Path) -> None:
    df = customers()
    page = report(df, tmp_path)
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
    assert "<h2>Method</h2>" in report(customers().iloc[:rows], tmp_path)


def test_a_survey_without_responses_and_a_weighted_one(tmp_path: Path) -> None:
    assert "<h2>Method</h2>" in report(nobody(), tmp_path)
    df = customers()
    df["w"] = np.linspace(0.5, 1.5, len(df))
    page = report(df, tmp_path, questions=["satisfaction"], weight="w", by="region_q3")
    assert "Weighted by w" in page


def test_the_name_of_the_file_is_checked(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match=r"\.html"):
        customers().alchemer.report(tmp_path / "report.pdf")
