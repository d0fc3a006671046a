"""Names and labels that SPSS and Stata allow, whatever an alias says."""

from __future__ import annotations

import pandas as pd
import pyreadstat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alchemer_nb.export.names import SPSS, STATA, build_label, clean, legal_names

DIALECTS = pytest.mark.parametrize("dialect", [SPSS, STATA], ids=lambda d: d.program)
ALIASES = st.lists(st.text(max_size=80), min_size=1, max_size=12)
WORDS = st.sampled_from(["status", "class", "ALL", "with", "_n", "str5", "in", "a b", "a_b", "A_B"])


@DIALECTS
@given(names=st.lists(st.one_of(st.text(max_size=80), WORDS), min_size=1, max_size=12))
def test_any_names_become_legal_and_unique(dialect, names):
    legal = legal_names(names, dialect)
    assert len({name.casefold() for name in legal}) == len(names)
    for name in legal:
        assert dialect.size(name) <= dialect.longest_name
        assert name[0].isalpha()
        assert all(c.isalpha() or c in "0123456789_" for c in name)
        assert name.isascii() or dialect is SPSS
        assert not dialect.is_reserved(name)
    assert legal_names(legal, dialect) == legal


@given(names=ALIASES)
def test_pyreadstat_takes_the_names_and_gives_them_back(tmp_path_factory, names):
    folder = tmp_path_factory.mktemp("names", numbered=True)
    for dialect, write, read in (
        (SPSS, pyreadstat.write_sav, pyreadstat.read_sav),
        (STATA, pyreadstat.write_dta, pyreadstat.read_dta),
    ):
        legal = legal_names(names, dialect)
        write(pd.DataFrame({name: [1.0] for name in legal}), folder / "file")
        assert list(read(folder / "file")[0].columns) == legal


def test_a_legal_name_stays_whatever_others_turn_into():
    assert legal_names(["a b", "a_b", "A_b"], SPSS) == ["a_b_2", "a_b", "A_b_3"]
    assert legal_names(["status", "class"], SPSS) == ["status", "class"]


def test_reserved_words_digits_and_foreign_letters():
    assert legal_names(["with", "2nd", "größe", "日本", "!?"], SPSS, list("12345")) == [
        "v_with",
        "v_2nd",
        "größe",
        "日本",
        "v_5",
    ]
    names = ["using", "str12", "größe", "日本", "_n"]
    instead = ["q1", "q2", "q3", "q4", "q5"]
    assert legal_names(names, STATA, instead) == ["v_using", "v_str12", "gro_e", "q4", "v_n"]


@DIALECTS
def test_a_long_question_is_cut_and_its_option_kept(dialect):
    label, cut = build_label(["Why? " * 2000, "Row", "The option"], dialect)
    assert cut
    assert label.endswith("…: Row: The option")
    assert dialect.size(label) <= dialect.longest_label
    label, cut = build_label(["Question", "o" * 10_000], dialect)
    assert cut
    assert label.startswith("Question: ooo")
    assert dialect.size(label) <= dialect.longest_label
    assert build_label(["Short", "", "Option"], dialect) == ("Short: Option", False)


@DIALECTS
@given(pieces=st.lists(st.text(max_size=400), min_size=1, max_size=3))
def test_labels_fit_whatever_the_words(dialect, pieces):
    label, _ = build_label(pieces, dialect)
    assert dialect.size(label) <= dialect.longest_label
    assert "\0" not in label


def test_text_that_no_file_may_hold_is_mended():
    assert clean("a\0b\ud800c") == ("a\ufffdb\ufffdc", True)
    assert clean("ä \U0001f600\n") == ("ä \U0001f600\n", False)
