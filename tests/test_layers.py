"""Which folder may import which, as the map in CONTRIBUTING.md says it.

Every import counts: at the top, inside a function, and for types alone.
"""

from __future__ import annotations

import ast
import functools
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import alchemer_nb

ROOT = Path(alchemer_nb.__file__).parent
MAP = (ROOT.parent / "CONTRIBUTING.md").read_text("utf-8")
FRONT = "alchemer_nb"
FREE = {FRONT, "alchemer_nb.__main__"}  # the lazy public names, and the command line
HEAVY = {
    *("anywidget", "ipywidgets", "msgspec", "numpy", "oauthlib", "pandas", "pyarrow"),
    *("requests", "requests_oauthlib", "tornado", "urllib3"),
}


class Import(NamedTuple):
    """One imported module, and whether it is imported when its importer is."""

    target: str
    at_once: bool


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}


def imports_of(source: str) -> list[Import]:
    tree = ast.parse(source)
    later = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
        for inner in ast.walk(node)
    }
    found = []
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute"
            whole = [f"{node.module}.{name.name}" for name in node.names]
            names = [name if name in MODULES else str(node.module) for name in whole]
        found += [Import(name, id(node) not in later) for name in names]
    return found


@functools.cache  # not when it is imported: every worker imports it
def all_imports() -> dict[str, list[Import]]:
    return {name: imports_of(path.read_text("utf-8")) for name, path in MODULES.items()}


def our_imports() -> dict[str, set[str]]:
    return {
        name: {i.target for i in found if i.target in MODULES} - {name, FRONT}
        for name, found in all_imports().items()
    }


def rows_of_the_map() -> dict[str, list[str]]:
    """The names of a row, such as ``wire/``, and what its last cell says they may import."""
    rows = re.findall(r"^\| (`[^|]+`) \| [^|]+ \| ([^|]*) \|$", MAP, re.MULTILINE)
    return {
        name.removesuffix(".py"): re.findall(r"`([^`]+)`", may)
        for names, may in rows
        for name in re.findall(r"`([^`]+)`", names)
    }


ROWS = rows_of_the_map()


def row_of(module: str) -> str:
    path = module.removeprefix(f"{FRONT}.").replace(".", "/")
    return max((row for row in ROWS if f"{path}/".startswith(row)), key=len)


def allowed(row: str) -> set[str]:
    """What a row names, and what those may import."""
    return {row}.union(*(allowed(other) if other in ROWS else {other} for other in ROWS[row]))


def test_folders_import_what_the_map_allows() -> None:
    wrong = [
        f"{module} -> {target}"
        for module, targets in our_imports().items()
        if module not in FREE
        for target in targets
        if row_of(target) not in allowed(row_of(module)) and target not in allowed(row_of(module))
    ]
    assert wrong == []


def test_each_folder_says_what_it_may_import() -> None:
    for row in ROWS.keys() - {"notebook/", "sandbox/"}:
        if row.endswith("/"):
            text = ast.get_docstring(ast.parse((ROOT / row / "__init__.py").read_text("utf-8")))
            words = " ".join((text or "").split())
            named = re.findall(r"May import: (.+), and what (?:it|they) may import\.$", words)
            assert named == [", ".join(name.rstrip("/") for name in ROWS[row])], row


def test_imports_make_no_circle() -> None:
    try:
        TopologicalSorter({m: t for m, t in our_imports().items() if m not in FREE}).prepare()
    except CycleError as error:
        raise AssertionError(" -> ".join(error.args[1])) from None


def test_sandbox_and_client_meet_in_two_places_alone() -> None:
    crossings = {
        (module, i.target, i.at_once)
        for module, found in all_imports().items()
        for i in found
        if i.target in MODULES and i.target != FRONT and module not in FREE
        if is_sandbox(module) != is_sandbox(i.target)
    }
    assert crossings == {
        ("alchemer_nb.notebook.demo", "alchemer_nb.sandbox", False),
        ("alchemer_nb.sandbox.box", "alchemer_nb.http.regions", False),
    }


def is_sandbox(module: str) -> bool:
    return f"{module}.".startswith("alchemer_nb.sandbox.")


def test_secrets_are_revealed_in_three_folders_alone() -> None:
    rows = {
        row_of(module)
        for module, path in MODULES.items()
        if module not in FREE and not is_sandbox(module)
        if ".reveal" in path.read_text("utf-8")
    }
    assert rows == {"auth/", "http/", "notebook/signin/"}


def test_the_trips_of_the_map_pass_functions_that_exist() -> None:
    there = {"requests"}
    for path in (path for module, path in MODULES.items() if not is_sandbox(module)):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                there |= {node.name, f"{path.stem}.{node.name}"}
                members = getattr(node, "body", ())
                there |= {
                    f"{node.name}.{m.name}" for m in members if isinstance(m, ast.FunctionDef)
                }
    trips = MAP.partition("\n## Three trips")[2].partition("\n## ")[0].splitlines()
    steps = "\n".join(line for line in trips if re.match(r" *\d+\. |   ", line))
    named = set(re.findall(r"`([^`/]+)`", steps))
    assert len(named) > 30
    assert named <= there
    assert max(int(n) for n in re.findall(r"^(\d+)\. ", steps, re.M)) <= 10


def test_loading_the_extension_reaches_no_heavy_import() -> None:
    reached, waiting = set(), [FRONT, "alchemer_nb.notebook.magic.magics"]
    while waiting:
        module = waiting.pop()
        if module in reached or module not in MODULES:
            continue
        reached.add(module)
        parents = [module.rsplit(".", n)[0] for n in range(1, module.count(".") + 1)]
        waiting += parents + [i.target for i in all_imports()[module] if i.at_once]
    heavy = {
        f"{module} -> {i.target}"
        for module in reached
        for i in all_imports()[module]
        if i.at_once and i.target.partition(".")[0] in HEAVY
    }
    assert heavy == set()
