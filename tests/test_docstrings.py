"""The examples in docstrings run, against the sandbox where they need one."""

from __future__ import annotations

import doctest
import importlib
import inspect

import pytest

import alchemer_nb
from alchemer_nb import ApiKey, Client, OAuth1, OAuthFlow, Region
from tests.person import landing_address
from tests.test_layers import MODULES

WITH_EXAMPLES = [n for n, path in MODULES.items() if ">>> " in path.read_text("utf-8")]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.fixture
def names(box):
    """What an example may take for granted."""
    return {
        "box": box,
        "client": Client(ApiKey(box.api_token, box.api_token_secret), region=box.region),
        "log_in_and_allow": lambda link: landing_address(link, box.username, box.password),
        **{each.__name__: each for each in (ApiKey, Client, OAuth1, OAuthFlow, Region)},
    }


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_run(name, names):
    module = importlib.import_module(name)
    runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
    said: list[str] = []
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, extraglobs=names):
        runner.run(test, out=said.append)
    result = runner.summarize(verbose=False)
    assert result.failed == 0, "".join(said)
    assert result.attempted > 0


@pytest.mark.parametrize("name", sorted({*alchemer_nb.__all__} - {"errors", "sandbox"}))
def test_every_public_name_has_an_example(name):
    assert ">>>" in (inspect.getdoc(getattr(alchemer_nb, name)) or "")


@pytest.mark.parametrize(
    "name", [n for n, f in vars(Client).items() if not n.startswith("_") and callable(f)]
)
def test_every_call_of_the_client_says_what_it_gives(name):
    assert inspect.getdoc(getattr(Client, name))
