"""Errors are for analysts: one red line in a notebook, the cell fails, the tree holds."""

from __future__ import annotations

import inspect
import io
import sys

import pytest
from IPython.core.interactiveshell import InteractiveShell

from alchemer_nb import errors
from alchemer_nb.errors import AlchemerError, ApiError, ConditionError, DownloadIncomplete

CLASSES = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, Exception)]


def shown(code):
    """What a cell prints and whether it failed."""
    shell = InteractiveShell()
    said = io.StringIO()
    before, sys.stdout = sys.stdout, said
    try:
        result = shell.run_cell(code)
    finally:
        sys.stdout = before
    return said.getvalue(), result


def test_an_error_is_one_red_line_and_the_cell_fails():
    said, result = shown(
        "from alchemer_nb.errors import TransportError\n"
        "raise TransportError('nothing answers at\\n example.org')"
    )
    assert said.strip().splitlines() == [
        "\x1b[31mTransportError\x1b[0m: nothing answers at example.org"
    ]
    assert not result.success


def test_the_whole_traceback_on_request():
    said, _ = shown(
        "from alchemer_nb.errors import TransportError\n"
        "error = TransportError('nothing answers')\n"
        "error.short = False\n"
        "raise error"
    )
    assert "Traceback" in said
    assert len(said.splitlines()) > 3


def test_an_error_raised_while_another_is_handled_is_still_one_line():
    said, _ = shown(
        "from alchemer_nb.errors import ConfigurationError\n"
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n    raise ConfigurationError('plain')"
    )
    assert said.strip() == "\x1b[31mConfigurationError\x1b[0m: plain"


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_has_the_one_base_and_stands_in_the_tree(kind):
    assert issubclass(kind, AlchemerError)
    assert kind.__name__ in (errors.__doc__ or "")


def test_errors_are_caught_by_the_builtin_that_people_expect():
    assert issubclass(errors.ConfigurationError, ValueError)
    assert issubclass(errors.NotFound, LookupError)
    assert issubclass(errors.SurveyNotFound, LookupError)
    assert issubclass(ConditionError, ValueError)
    assert not issubclass(errors.TransportError, ApiError)


def test_whether_there_are_rows_is_known_without_building_the_frame():
    asked = []
    error = DownloadIncomplete("few", partial=lambda: asked.append(1))
    assert error.has_rows
    assert asked == []
    assert not DownloadIncomplete("none").has_rows


def test_what_errors_carry():
    assert DownloadIncomplete("few", partial=[1]).partial == [1]
    assert ConditionError("odd", line=3).line == 3
    error = errors.RateLimited(
        "slow", retry_after=3.0, status=429, code=429, method="GET", path="x"
    )
    assert (error.retry_after, error.status, error.code, error.method, error.path) == (
        3.0,
        429,
        429,
        "GET",
        "x",
    )
