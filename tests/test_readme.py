"""What the README shows is true: its code runs, its files are there, its commands exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
TEXT = (REPOSITORY / "README.md").read_text("utf-8")
ACCOUNT = "<!-- needs an account -->"


class Block(NamedTuple):
    """One fenced block: its language, its text, and whether it can run here."""

    language: str
    code: str
    runs: bool


def blocks() -> list[Block]:
    found: list[Block] = []
    language, code, before = "", [], ""
    for line in TEXT.splitlines():
        if not line.startswith("```"):
            if language:
                code.append(line)
            elif line.strip():
                before = line
        elif language:
            found.append(Block(language, "\n".join(code), before != ACCOUNT))
            language, code, before = "", [], ""
        else:
            language = line[3:]
    return found


PYTHON = [block for block in blocks() if block.language == "python"]


@pytest.mark.notebook
def test_the_code_runs_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat  # takes a second, which every worker would need
    from nbclient import NotebookClient

    for name in ("ALCHEMER_API_TOKEN", "ALCHEMER_CONSUMER_KEY"):
        monkeypatch.delenv(name, raising=False)
    cells = [block.code for block in PYTHON if block.runs]
    assert len(cells) >= 4
    tell = "print(len(df), len(northern), len(frame), set(codes.columns) < set(frame.columns))"
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(code) for code in [*cells, tell]]
    )
    NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        store_widget_state=False,
        resources={"metadata": {"path": str(tmp_path)}},
    ).execute()
    all_of, northern, lately, fewer_columns = notebook.cells[-1].outputs[0].text.split()
    assert int(all_of) > int(northern) > 0
    assert int(lately) > 0
    assert fewer_columns == "True"


def test_the_code_that_needs_an_account_is_python() -> None:
    account = [block.code for block in PYTHON if not block.runs]
    assert len(account) == 1
    compile(account[0], "README.md", "exec")


def test_the_files_it_names_are_there() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", TEXT)
    pictures = re.findall(r'(?:src|srcset)="([^"]+)"', TEXT)
    assert links
    assert len(pictures) == 2
    missing = [name for name in links + pictures if not (REPOSITORY / name).exists()]
    assert missing == []


def test_the_make_targets_it_names_exist() -> None:
    targets = re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text("utf-8"), re.MULTILINE)
    asked = set(re.findall(r"make ([a-z]+)\b", "\n".join(b.code for b in blocks())))
    assert asked >= {"demo", "test"}
    assert asked <= set(targets)


def test_the_commands_in_its_table_are_those_of_the_magic() -> None:
    from alchemer_nb.notebook.magic.command_table import COMMANDS

    section = TEXT.partition("## The magic")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    named = {word for cell in cells for word in re.findall(r"`([a-z]+)", cell)}
    assert named >= {"login", "responses"}
    assert named <= {*COMMANDS, "help"}


def test_the_environment_variables_it_names_are_read() -> None:
    source = (REPOSITORY / "alchemer_nb" / "auth" / "lookup.py").read_text("utf-8")
    source += (REPOSITORY / "alchemer_nb" / "client" / "client.py").read_text("utf-8")
    for name in re.findall(r"`(ALCHEMER_[A-Z_]+)`", TEXT):
        assert name in source, name
