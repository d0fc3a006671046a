"""Tab in a real kernel, as a front end asks for it: a whole cell, and where the cursor is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from alchemer_nb.sandbox import Sandbox
from tests.kernels.test_download import setup

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(responses=20) as started:
        yield started


def complete(kernel, code: str) -> dict[str, Any]:
    """The reply for a cell with the cursor at its ``|``."""
    at = code.index("|")
    request = kernel.client.complete(code.replace("|", "", 1), at)
    content: dict[str, Any] = kernel.reply(request)["content"]
    return content


def press_twice(kernel, code: str) -> list[str]:
    """What the cell becomes with each offer of the second press."""
    complete(kernel, code)
    waited = 'get_ipython().magics_manager.registry["AlchemerMagics"].lookahead.wait(20)'
    assert kernel.do(waited).status == "ok"
    reply = complete(kernel, code)
    text = code.replace("|", "", 1)
    start, end = reply["cursor_start"], reply["cursor_end"]
    return [text[:start] + offer + text[end:] for offer in reply["matches"]]


def test_titles_conditions_and_columns_are_completed_where_the_cursor_is(kernel, box):
    assert kernel.do(setup(box)).status == "ok"
    line = 'é = "Ж😀"\ndf = %alchemer responses {} --complete'
    assert press_twice(kernel, line.format("event|")) == [line.format('"Event registration"')]
    assert press_twice(kernel, line.format('"event|"')) == [line.format('"Event registration"')]
    cell = (
        '%%alchemer df << responses "customer satisfaction" --columns {}\nstatus = Complete\n{}\n'
    )
    for columns, condition, completed in (
        ("nps", "reg|", ("nps", "region")),
        ("nps", "region = we|", ("nps", "region = West")),
        ("nps,sa|,region", "nps >= 5", ("nps,satisfaction,region", "nps >= 5")),
    ):
        assert cell.format(*completed) in press_twice(kernel, cell.format(columns, condition))
