"""The lines of commands, where they are wrapped."""

from __future__ import annotations

import re
from html import unescape

import pytest

from alchemer_nb.notebook.kernel.outputs import line_bundle

LONG = (
    "ALCHEMER_API_TOKEN is set in the environment but ALCHEMER_API_TOKEN_SECRET is not set; set "
    "both, or use %alchemer login --prompt with <both> → df; then go on -- as before"
)


def test_a_browser_breaks_no_option() -> None:
    html = line_bundle(LONG)["text/html"]
    assert re.findall(r'<span style="white-space:nowrap">(.*?)</span>', html) == ["--prompt"]
    assert unescape(re.sub("<[^>]*>", "", html)) == LONG


@pytest.mark.parametrize("part", [LONG, f"{LONG}; {LONG}", "x" * 200, "one; two → three"])
def test_plain_text_has_whole_words_in_full_lines(part: str) -> None:
    lines = line_bundle(part)["text/plain"].split("\n")
    assert " ".join(line.strip() for line in lines) == part
    assert all(len(line) <= 96 for line in lines if " " in line.strip())
    assert all(line.startswith("  ") for line in lines[1:])


def test_sentences_are_not_broken_at_their_semicolons() -> None:
    text = "It was refused. Copy both again (administrators: API Access; others: API Key). " * 3
    lines = line_bundle(text.strip())["text/plain"].split("\n")
    assert not any(line.endswith(";") for line in lines)
    assert all(len(line) > 70 for line in lines[:-1])


def test_the_rest_of_a_long_part_shares_its_line_with_the_next() -> None:
    lines = line_bundle(f"{'word ' * 25}end; set both; and go")["text/plain"].split("\n")
    assert lines[1].endswith("end; set both; and go")
