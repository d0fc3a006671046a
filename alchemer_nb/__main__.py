"""``python -m alchemer_nb demo``: from an installation to a DataFrame, with no account.

It runs the quickstart notebook against the sandbox without a window, prints the DataFrame that
results, and opens JupyterLab on a copy of the notebooks. ``make demo`` runs the same command.
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
CELL_TIMEOUT = 300  # seconds; the slowest cell takes 2 seconds

# The last cell, added to the notebook to print its result.
_PRINT_RESULT = """
from alchemer_nb.notebook.running.preview import preview_text
print("df.shape =", df.shape)
print(preview_text(df[["region", "satisfaction", "nps", "date_submitted"]].head()))
"""


class DemoError(Exception):
    """The demo failed; the message says why and what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line and run the command.

    Args:
        arguments: The arguments after the program's name; those of the process by default.

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
    """Run the quickstart, print its DataFrame, and open JupyterLab.

    Args:
        check: Do not open JupyterLab.
        folder: Folder for JupyterLab's copies of the notebooks.

    Returns:
        The exit status, that of JupyterLab if it was opened.

    Raises:
        DemoError: A package is not installed, or a cell of the notebook failed.
    """
    _require_modules("nbclient", *([] if check else ["jupyterlab"]))
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
    """Return the folder of the notebooks: in an installed package, or next to it in a checkout."""
    package = Path(__file__).resolve().parent
    for candidate in (package / "_notebooks", package.parent / "notebooks"):
        if (candidate / QUICKSTART).is_file():
            return candidate
    raise DemoError("the notebooks are missing from this installation; install it anew")


def run_quickstart(path: Path) -> str:
    """Run the notebook in a new kernel and return the text of ``df`` at its end.

    Args:
        path: The notebook; it is only read.

    Raises:
        DemoError: A cell failed.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # no annotations
    last_cell = nbformat.v4.new_code_cell(_PRINT_RESULT)  # type: ignore[no-untyped-call]  # no annotations
    notebook.cells.append(last_cell)
    with tempfile.TemporaryDirectory(prefix="alchemer_nb-", ignore_cleanup_errors=True) as work:
        client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT,
            kernel_name="python3",
            store_widget_state=False,
            extra_arguments=["--log-level=ERROR"],  # no warning about the kernel's socket
            resources={"metadata": {"path": work}},
        )
        try:
            client.execute()
        except CellExecutionError as error:
            text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))  # without the codes of colours
            raise DemoError(f"{path.name} failed:\n{text}") from None
    return "".join(output.get("text", "") for output in last_cell.outputs).rstrip()


def copy_notebooks(source: Path, folder: Path) -> Path:
    """Copy the notebooks to a folder of the user, without overwriting any file.

    Args:
        source: The folder of the notebooks.
        folder: The target, which is created if it does not exist.

    Returns:
        Path of the copy of the quickstart.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for notebook in sorted(source.glob("*.ipynb")):
        if not (folder / notebook.name).exists():
            shutil.copyfile(notebook, folder / notebook.name)
    return folder / QUICKSTART


def open_lab(notebook: Path) -> int:
    """Open JupyterLab on a notebook, and wait until it is shut down."""
    print(f"Opening JupyterLab on {notebook}; your copies of the notebooks are in that folder.")
    print("Press Ctrl+C twice to stop it.", flush=True)
    command = [sys.executable, "-m", "jupyterlab", str(notebook)]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        print("You are root, as in a container: JupyterLab is told to allow that.", flush=True)
        command.append("--allow-root")
    return subprocess.run(command, check=False).returncode  # noqa: S603  # our own interpreter


def _require_modules(*modules: str) -> None:
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        raise DemoError(
            f"{' and '.join(missing)} not found in this environment; this helps:\n"
            "    python -m pip install jupyterlab jupyter-server-proxy"
        )


if __name__ == "__main__":
    sys.exit(main())
