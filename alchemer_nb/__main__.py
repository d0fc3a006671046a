"""``python -m alchemer_nb demo``: from an installation to a DataFrame, with no account.

Runs the quickstart notebook against the sandbox without a window, prints the frame that it ends
with, then opens JupyterLab on a copy of the notebooks. ``make demo`` calls this too, so that
there is one way and both commands show the same.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from alchemer_nb._version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

QUICKSTART = "quickstart.ipynb"
FOLDER = "alchemer_demo"
CELL_TIMEOUT = 300  # seconds; the slowest cell takes two

# Runs after the notebook's own cells, in the same kernel, to show what the notebook ended with.
_SHOW = """
print("df.shape =", df.shape)
print(df.head().to_string(max_cols=6))
"""


class DemoError(Exception):
    """The demo cannot go on; the text says why and what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Reads the command line and runs what it asks for.

    Args:
        arguments: The words after the program's name; those of the process by default.

    Returns:
        The exit status.
    """
    parser = argparse.ArgumentParser(prog="python -m alchemer_nb", description="alchemer_nb")
    parser.add_argument("--version", action="version", version=f"alchemer_nb {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    demo_parser = commands.add_parser(
        "demo", help="run the quickstart against the sandbox, then open JupyterLab on it"
    )
    demo_parser.add_argument("--check", action="store_true", help="stop before JupyterLab")
    demo_parser.add_argument(
        "--folder",
        type=Path,
        default=Path(FOLDER),
        help=f"where the notebooks are copied to for JupyterLab (default: ./{FOLDER})",
    )
    options = parser.parse_args(arguments)
    try:
        return demo(check=options.check, folder=options.folder)
    except DemoError as error:
        print(f"alchemer_nb demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def demo(*, check: bool = False, folder: Path = Path(FOLDER)) -> int:
    """Runs the quickstart, prints its frame, and opens JupyterLab unless told to stop before.

    Args:
        check: Stop before JupyterLab.
        folder: Where JupyterLab's copies of the notebooks go.

    Returns:
        The exit status: of JupyterLab where it was opened.

    Raises:
        DemoError: Something is not installed, or a cell of the notebook failed.
    """
    _require("nbclient", *([] if check else ["jupyterlab"]))
    source = notebooks_folder()
    started = time.monotonic()
    print(
        f"Running {QUICKSTART} against the sandbox, a local server that behaves as Alchemer …",
        flush=True,
    )
    print(run_quickstart(source / QUICKSTART))
    print(f"Done in {time.monotonic() - started:.0f} s.", flush=True)
    if check:
        return 0
    return open_lab(copy_notebooks(source, folder))


def notebooks_folder() -> Path:
    """The shipped notebooks: inside an installed package, beside it in a checkout."""
    package = Path(__file__).resolve().parent
    for candidate in (package / "_notebooks", package.parent / "notebooks"):
        if (candidate / QUICKSTART).is_file():
            return candidate
    raise DemoError("the notebooks are missing from this installation; install it anew")


def run_quickstart(path: Path) -> str:
    """Executes the notebook in a kernel of its own and tells what ``df`` is at its end.

    Args:
        path: The notebook; it is read and never written.

    Raises:
        DemoError: A cell failed.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # no annotations
    show = nbformat.v4.new_code_cell(_SHOW)  # type: ignore[no-untyped-call]  # no annotations
    notebook.cells.append(show)
    with tempfile.TemporaryDirectory(prefix="alchemer_nb-", ignore_cleanup_errors=True) as work:
        client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT,
            kernel_name="python3",
            store_widget_state=False,
            extra_arguments=["--log-level=ERROR"],  # else it warns of a socket that only we know
            resources={"metadata": {"path": work}},
        )
        try:
            client.execute()
        except CellExecutionError as error:
            told = re.sub(r"\x1b\[[0-9;]*m", "", str(error))  # colours of a notebook, not of a log
            raise DemoError(f"{path.name} failed:\n{told}") from None
    return "".join(output.get("text", "") for output in show.outputs).rstrip()


def copy_notebooks(source: Path, folder: Path) -> Path:
    """Copies the notebooks to a folder of the user's, and never over what is there.

    Args:
        source: The shipped notebooks.
        folder: Where to; made if it is not there.

    Returns:
        The quickstart's copy.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for notebook in sorted(source.glob("*.ipynb")):
        if not (folder / notebook.name).exists():
            shutil.copyfile(notebook, folder / notebook.name)
    return folder / QUICKSTART


def open_lab(notebook: Path) -> int:
    """Opens JupyterLab on a notebook and waits until it is shut down."""
    print(f"Opening JupyterLab on {notebook}; your copies of the notebooks are in that folder.")
    print("Press Ctrl+C twice to stop it.", flush=True)
    command = [sys.executable, "-m", "jupyterlab", str(notebook)]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        print("You are root, as in a container: JupyterLab is told to allow that.", flush=True)
        command.append("--allow-root")
    return subprocess.run(command, check=False).returncode  # noqa: S603  # our own interpreter


def _require(*modules: str) -> None:
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        raise DemoError(
            f"{' and '.join(missing)} not found in this environment; this helps:\n"
            "    python -m pip install jupyterlab jupyter-server-proxy"
        )


if __name__ == "__main__":
    sys.exit(main())
