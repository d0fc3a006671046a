"""A fresh shell for each test."""

from __future__ import annotations

import atexit
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from alchemer_nb.notebook.magic.magics import AlchemerMagics


def bare_config() -> Config:
    """Settings of a shell that writes no history."""
    config = Config()
    config.HistoryManager.enabled = False
    return config


@contextmanager
def new_shell(config: Config) -> Iterator[InteractiveShell]:
    """A shell of which nothing is left afterwards."""
    shell = InteractiveShell(config=config)
    # Each shell would collect all garbage when the process ends: minutes for hundreds of them.
    atexit.unregister(shell.atexit_operations)
    try:
        yield shell
    finally:
        shell.extension_manager.unload_extension("alchemer_nb")
        shell.cleanup()  # else each shell holds the one before it, by its `__main__`


@dataclass
class Outcome:
    """What a cell came to."""

    value: Any
    out: str
    err: str
    failure: BaseException | None

    @property
    def told(self) -> str:
        """The one line of a failed cell."""
        assert self.failure is not None, "the cell did not fail"
        return str(self.failure)


class Notebook:
    """Runs cells in a shell of its own."""

    def __init__(self, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
        self.shell = shell
        self._capsys = capsys

    @property
    def names(self) -> dict[str, Any]:
        return self.shell.user_ns

    @property
    def magics(self) -> AlchemerMagics:
        magics: AlchemerMagics = self.shell.magics_manager.registry["AlchemerMagics"]
        return magics

    def run(self, cell: str) -> Outcome:
        self._capsys.readouterr()
        result = self.shell.run_cell(cell, store_history=False)
        self.shell.execution_count += 1  # what it does itself only where it keeps a history
        out, err = self._capsys.readouterr()
        return Outcome(result.result, out, err, result.error_before_exec or result.error_in_exec)

    def tab(self, code: str) -> list[str]:
        """What the code becomes with each offer of Tab at its end, in order."""
        with provisionalcompleter():
            offers = list(self.shell.Completer.completions(code, len(code)))
        return [code[: offer.start] + offer.text + code[offer.end :] for offer in offers]


@pytest.fixture
def bare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Notebook]:
    """A shell in which nothing is loaded, with no environment that signs in by itself."""
    for name in (
        "API_TOKEN",
        "API_TOKEN_SECRET",
        "API_SECRET",
        "CONSUMER_KEY",
        "CONSUMER_SECRET",
        "OAUTH_TOKEN",
        "OAUTH_TOKEN_SECRET",
        "REGION",
    ):
        monkeypatch.delenv(f"ALCHEMER_{name}", raising=False)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    with new_shell(bare_config()) as shell:
        yield Notebook(shell, capsys)


@pytest.fixture
def notebook(bare: Notebook) -> Notebook:
    """A shell with the extension loaded."""
    assert bare.run("%load_ext alchemer_nb").failure is None
    return bare
