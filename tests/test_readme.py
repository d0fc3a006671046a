"""What README and documentation show is true: their code runs, what they name is there."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import alchemer_nb
from alchemer_nb import errors, sandbox
from alchemer_nb.auth import lookup
from alchemer_nb.notebook.magic.command_table import COMMANDS

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.append(str(REPOSITORY / "docs"))
import doc_tables  # noqa: E402 - the documentation's own

README = (REPOSITORY / "README.md").read_text("utf-8")
PAGES = {path.name: path.read_text("utf-8") for path in sorted((REPOSITORY / "docs").glob("*.md"))}
EVERYTHING = {"README.md": README, **PAGES}
MOST_WORDS = 700
ACCOUNT = "<!-- needs an account -->"
# What the examples of every page go on from; docs/start.md shows it.
BEGINNING = """\
%load_ext alchemer_nb
import alchemer_nb as al
import pandas as pd
%alchemer demo
client = %alchemer client
df = client.responses("Customer satisfaction", progress="none")
"""


class Block(NamedTuple):
    """One fenced block: its language, its text, and whether it can run here."""

    language: str
    code: str
    runs: bool


def blocks(text: str) -> list[Block]:
    found: list[Block] = []
    language, code, before = "", [], ""
    for line in text.splitlines():
        if not line.startswith("```"):
            if language:
                code.append(line)
            elif line.strip():
                before = line
        elif language:
            found.append(Block(language, "\n".join(code), before != ACCOUNT))
            language, code, before = "", [], ""
        else:
            language = line[3:] or "text"
    return found


def cells(text: str, *, run: bool = True) -> list[str]:
    return [b.code for b in blocks(text) if b.language == "python" and b.runs is run]


@pytest.mark.notebook
def test_the_code_runs_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat  # takes a second, which every worker would need
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    for name in ("ALCHEMER_API_TOKEN", "ALCHEMER_CONSUMER_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ALCHEMER_STORE", str(tmp_path / "store"))
    told = cells(README)
    assert len(told) >= 2
    told.append("print(len(df), len(northern))")
    end_of_readme = len(told)
    for number, text in enumerate(PAGES.values()):
        if number % 8 == 7:  # the next sandbox has a rate limit of its own
            told.append("%alchemer logout")
        if cells(text):
            told += [BEGINNING, *cells(text)]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in told])
    try:
        NotebookClient(
            notebook,
            timeout=120,
            kernel_name="python3",
            store_widget_state=False,
            resources={"metadata": {"path": str(tmp_path)}},
        ).execute()
    except CellExecutionError as error:
        code = next(c.source for c in notebook.cells if c.get("outputs") and failed(c.outputs))
        where = [name for name, text in EVERYTHING.items() if code in text]
        pytest.fail(f"{' or '.join(where)}: {error}")
    all_of, northern = notebook.cells[end_of_readme - 1].outputs[0].text.split()
    assert int(all_of) > int(northern) > 0


def failed(outputs: list[dict[str, str]]) -> bool:
    return any(output["output_type"] == "error" for output in outputs)


def test_the_code_that_needs_an_account_is_python() -> None:
    from IPython.core.inputtransformer2 import TransformerManager

    account = {name: cells(text, run=False) for name, text in EVERYTHING.items()}
    assert sum(map(len, account.values())) >= 2
    for name, codes in account.items():
        for code in codes:
            compile(TransformerManager().transform_cell(code), name, "exec")


def test_the_readme_is_short() -> None:
    """Every word counts, those of code and tables, too, but no address and no tag of HTML."""
    shown = re.sub(r"\]\([^)]*\)|<[^>]*>", "", README)
    assert len(re.findall(r"\S*\w\S*", shown)) <= MOST_WORDS


@pytest.mark.parametrize("name", EVERYTHING)
def test_the_files_it_names_are_there(name: str) -> None:
    text, folder = EVERYTHING[name], (REPOSITORY / ("" if name == "README.md" else "docs"))
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)", text)
    pictures = re.findall(r'(?:src|srcset)="([^"]+)"', text)
    included = re.findall(r"^```\{include\} (.+)$", text, re.MULTILINE)
    missing = [link for link in links + pictures + included if not (folder / link).exists()]
    assert missing == []
    assert (len(links) > 10, len(pictures)) == (True, 2) or name != "README.md"


def test_every_page_is_in_the_list_of_pages() -> None:
    listed = re.findall(r"```\{toctree\}\n(.*?)```", doc_tables.fill(PAGES["index.md"]), re.DOTALL)
    names = {re.sub(r".*<(.*)>", r"\1", line) for each in listed for line in each.splitlines()}
    pages = {name.removesuffix(".md") for name in PAGES} - {"index"}
    notebooks = {f"../notebooks/{p.stem}" for p in (REPOSITORY / "notebooks").glob("*.ipynb")}
    assert pages | notebooks <= names


def test_the_make_targets_it_names_exist() -> None:
    targets = re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text("utf-8"), re.MULTILINE)
    told = "\n".join(b.code for text in EVERYTHING.values() for b in blocks(text))
    asked = set(re.findall(r"make ([a-z]+)\b", told))
    assert asked >= {"demo", "test"}
    assert asked <= set(targets)


def test_every_public_name_is_documented() -> None:
    shown = set(
        re.findall(r"^\.\. auto\w+:: alchemer_nb\.([\w.]+)$", "\n".join(PAGES.values()), re.M)
    )
    modules = {"sandbox": sandbox.__all__}
    public = {*alchemer_nb.__all__} - {*modules}
    public |= {f"{module}.{name}" for module, names in modules.items() for name in names}
    assert public <= shown


def test_every_error_says_when_and_what_to_do() -> None:
    rows = re.findall(
        r"^\| `(\w+)`[^|]*\| ([^|]+) \| ([^|]+) \|$", PAGES["errors.md"], re.MULTILINE
    )
    named = [name for name, *_ in rows]
    assert len(named) == len(set(named))
    known = {n for n, e in vars(errors).items() if isinstance(e, type) and issubclass(e, Exception)}
    assert {*named} == known - {"AlchemerError"} | {"UsageError"}


def test_every_command_is_documented_and_no_other() -> None:
    page = doc_tables.fill(PAGES["commands.md"])
    sections = re.findall(r"^### `(\w+)`$", page, re.MULTILINE)
    linked = re.findall(r"\]\(#command-(\w+)\)", page)
    assert sections == linked == [*COMMANDS]
    for text in map(doc_tables.fill, EVERYTHING.values()):
        for name in re.findall(r"`%?%alchemer ([a-z]+)\b(?! <<)", text):
            assert name in {*COMMANDS, "help"}, name


def test_the_environment_variables_it_names_are_read() -> None:
    source = Path(lookup.__file__).read_text("utf-8")
    for file in ("store/paths.py", "sandbox/settings.py"):
        source += (REPOSITORY / "alchemer_nb" / file).read_text("utf-8")
    named = {
        name for text in EVERYTHING.values() for name in re.findall(r"\b(ALCHEMER_[A-Z_]+)\b", text)
    }
    assert {"ALCHEMER_REGION", "ALCHEMER_STORE"} <= named
    # That of alchemeR, in the page for those who come from it, and of the settings it shows.
    assert [name for name in named - {"ALCHEMER_DOMAIN"} if name not in source] == []


def test_the_methods_it_names_exist() -> None:
    from alchemer_nb.accessor.accessor import AlchemerAccessor

    text = "\n".join(EVERYTHING.values())
    for owner, called in (("client", alchemer_nb.Client), ("df.alchemer", AlchemerAccessor)):
        names = set(re.findall(rf"(?<!\.)\b{owner}\.(\w+)", text))
        assert len(names) > 8
        assert [name for name in names if not hasattr(called, name)] == []
