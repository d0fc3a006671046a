"""Who may import whom: the levels of the package, read from its source."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import alchemer_nb

ROOT = Path(alchemer_nb.__file__).parent
PACKAGE = "alchemer_nb"

# A module imports from a lower level, or from its own where that makes no circle.
LEVELS = {
    "errors": 0,
    "forks": 0,
    "once": 0,
    "regions": 0,
    "secrets": 0,
    "paging": 0,
    "stamps": 0,
    "words": 0,
    "wordtable": 0,
    "clocks": 0,
    "ids": 0,
    "files": 1,
    "logs": 1,
    "envelope": 1,
    "credentials": 1,
    "filters": 1,
    "quoting": 0,
    "definition": 1,
    "outline": 1,
    "saved": 1,
    "scalars": 0,
    "bodies": 0,
    "parameters": 1,
    "refusals": 1,
    "retries": 1,
    "troubles": 1,
    "waiting": 1,
    "window": 0,
    "connections": 2,
    "limiter": 2,
    "remembered": 2,
    "profiles": 2,
    "sources": 2,
    "transport": 2,
    "callback": 3,
    "oauth": 3,
    "download": 3,
    "closing": 3,
    "resuming": 3,
    "engine": 3,
    "progress": 3,
    "answers": 3,
    "atoms": 3,
    "entries": 3,
    "entry_columns": 3,
    "pages": 3,
    "collector": 0,
    "columns": 3,
    "decoding": 3,
    "extras": 3,
    "integrity": 3,
    "lists": 3,
    "lookup": 3,
    "question_types": 3,
    "metadata": 3,
    "tables": 3,
    "naming": 3,
    "values": 3,
    "codebook": 3,
    "frames": 3,
    "choices": 3,
    "rows": 3,
    "selection": 3,
    "kept": 3,
    "missing": 3,
    "privacy": 3,
    "hashing": 3,
    "taken_out": 3,
    "drift": 3,
    "waves": 3,
    "wave_values": 3,
    "traces": 0,
    "shapes": 3,
    "packing": 4,
    "parquet": 4,
    "store": 4,
    "client": 5,
    "finding": 1,
    "endings": 1,
    "stored": 5,
    "provenance": 5,
    "retrieval": 5,
    "analysis": 5,
    "knowledge": 4,
    "relabelling": 5,
    "scores": 5,
    "joining": 5,
    "accessor": 6,
    "jobs": 6,
    "registration": 6,
    "notebook": 7,
    "__main__": 8,
}

# The front of the package gives its public names lazily, so it stands above and below.
FRONT = "alchemer_nb"

# The only ways between sandbox and client, each inside a function.
BRIDGES = {
    ("alchemer_nb.notebook.demo", "alchemer_nb.sandbox"),
    ("alchemer_nb.sandbox", "alchemer_nb.http.regions"),
}

# Conveniences that reach upwards, inside a function: survey.diff(earlier), survey.save(path).
UPWARDS = {
    ("alchemer_nb.survey.definition", "alchemer_nb.compare.definition_diff"),
    ("alchemer_nb.survey.definition", "alchemer_nb.survey.saved"),
}

HEAVY = {
    "anywidget",
    "ipywidgets",
    "msgspec",
    "numpy",
    "oauthlib",
    "pandas",
    "pyarrow",
    "requests",
    "requests_oauthlib",
    "tornado",
    "urllib3",
}


class Import(NamedTuple):
    """One imported module and where it is imported: "top", "function" or "typing"."""

    target: str
    place: str


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}


def imports_of(source: str, module: str) -> list[Import]:
    found: list[Import] = []

    def walk(node: ast.AST, place: str) -> None:
        for child in ast.iter_child_nodes(node):
            inside = place
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                inside = "function" if place == "top" else place
            elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                inside = "typing"
            elif isinstance(child, ast.Import):
                found.extend(Import(name.name, place) for name in child.names)
            elif isinstance(child, ast.ImportFrom):
                found.extend(Import(target, place) for target in targets(child, module))
            walk(child, inside)

    walk(ast.parse(source), "top")
    return found


def targets(node: ast.ImportFrom, module: str) -> list[str]:
    base = node.module or ""
    if node.level:  # relative: count up from the package that holds the module
        package = module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]
        for _ in range(node.level - 1):
            package = package.rpartition(".")[0]
        base = f"{package}.{base}".rstrip(".")
    return [
        f"{base}.{name.name}" if f"{base}.{name.name}" in MODULES else base for name in node.names
    ]


IMPORTS = {name: imports_of(path.read_text("utf-8"), name) for name, path in MODULES.items()}


def area(module: str) -> str:
    """The part of the package that a module belongs to: the second word of its name."""
    return module.split(".")[1] if "." in module else ""


def ours(module: str) -> list[Import]:
    return [i for i in IMPORTS[module] if i.target == PACKAGE or i.target.startswith(PACKAGE + ".")]


def test_every_module_has_a_level() -> None:
    areas = {area(module) for module in MODULES if module != FRONT}
    assert areas - {"sandbox"} <= LEVELS.keys()


def test_imports_never_point_to_a_higher_level() -> None:
    wrong = [
        f"{module} -> {target}"
        for module in MODULES
        if module != FRONT and area(module) not in {"sandbox", "__main__"}
        for target, place in ours(module)
        if target != FRONT and area(target) != "sandbox"
        if (module, target) not in UPWARDS or place == "top"
        if LEVELS[area(target)] > LEVELS[area(module)]
    ]
    assert wrong == []


def test_imports_make_no_circle() -> None:
    graph = {
        module: {
            target
            for target, place in ours(module)
            if place != "typing" and (module, target) not in UPWARDS
        }
        - {module, FRONT}
        for module in MODULES
        if module != FRONT
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(" -> ".join(error.args[1])) from None


def test_client_and_sandbox_share_no_code() -> None:
    crossings = set()
    for module in MODULES:
        if module == FRONT or area(module) == "__main__":
            continue
        for target, place in ours(module):
            inside = area(module) == "sandbox"
            if target == FRONT or (area(target) == "sandbox") == inside:
                continue
            near = "alchemer_nb.sandbox" if inside else module
            far = target if inside else "alchemer_nb.sandbox"
            if (near, far) not in BRIDGES or place == "top":
                crossings.add(f"{module} -> {target} ({place})")
    assert crossings == set()


def test_loading_the_extension_reaches_no_heavy_import() -> None:
    reached, waiting = set(), [FRONT, "alchemer_nb.notebook.magic.magics"]
    while waiting:
        module = waiting.pop()
        if module in reached:
            continue
        reached.add(module)
        parents = [module.rsplit(".", n)[0] for n in range(1, module.count(".") + 1)]
        waiting += parents + [t for t, place in ours(module) if place == "top"]
    heavy = {
        f"{module} -> {i.target}"
        for module in reached
        for i in IMPORTS[module]
        if i.place == "top" and i.target.partition(".")[0] in HEAVY
    }
    assert heavy == set()
