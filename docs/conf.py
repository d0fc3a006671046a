"""Sphinx: build the documentation from these pages, the notebooks and the docstrings.

``make docs`` runs it. Nothing on the built pages comes from another host.
"""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent
sys.path.insert(0, str(HERE))

from doc_tables import fill  # noqa: E402  # beside this file
from ipython_pygments_lexers import IPython3Lexer  # noqa: E402

from alchemer_nb import __version__  # noqa: E402

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

project = "alchemer_nb"
copyright = "The alchemer_nb developers"  # noqa: A001  # the name that Sphinx asks for
version = release = __version__
extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "myst_nb"]
exclude_patterns = ["notebooks/.ipynb_checkpoints"]
language = "en"

html_theme = "furo"
html_title = "alchemer_nb"
html_static_path = ["_static"]
html_css_files = ["outputs.css"]
html_copy_source = False
html_show_sourcelink = False

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say what an argument is
autodoc_class_signature = "separated"
napoleon_google_docstring = True
napoleon_numpy_docstring = False

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
logging.getLogger("traitlets").setLevel(logging.WARNING)  # no line for each notebook
nb_execution_mode = "force"  # the notebooks are committed without outputs
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_execution_in_temp = True
nb_merge_streams = True
nb_ipywidgets_js: dict[str, Any] = {}  # these would come from another host
# A widget is nothing without its kernel; its text is shown.
nb_mime_priority_overrides = [
    ("*", "application/vnd.jupyter.widget-view+json", None),
    ("*", "text/html", 1),
]

# The notebooks run as on a fresh machine: no account, no store and no settings of who builds.
for _name in [name for name in os.environ if name.startswith("ALCHEMER_")]:
    del os.environ[_name]
_FRESH = Path(tempfile.mkdtemp(prefix="alchemer_nb-docs-"))
atexit.register(shutil.rmtree, _FRESH, ignore_errors=True)
os.environ["ALCHEMER_STORE"] = str(_FRESH / "store")
os.environ["IPYTHONDIR"] = str(_FRESH / "ipython")
_PROFILE = _FRESH / "ipython" / "profile_default"
_PROFILE.mkdir(parents=True)
(_PROFILE / "ipython_kernel_config.py").write_text("c.IPKernelApp.log_level = 40\n", "utf-8")

_NOTEBOOKS = HERE / "notebooks"
_NOTEBOOKS.mkdir(exist_ok=True)
for _path in _NOTEBOOKS.glob("*.ipynb"):
    if not (REPOSITORY / "notebooks" / _path.name).is_file():
        _path.unlink()  # of an earlier build
for _path in sorted((REPOSITORY / "notebooks").glob("*.ipynb")):
    shutil.copy2(_path, _NOTEBOOKS)  # with its date, by which Sphinx knows what to build


def _fill_tables(_app: Sphinx, _name: str, source: list[str]) -> None:
    """Write what the code knows, and link to the notebooks where they are at the build."""
    source[0] = fill(source[0]).replace("../notebooks/", "notebooks/")


def _read_again(
    _app: Sphinx, env: BuildEnvironment, _added: set[str], _changed: set[str], _removed: set[str]
) -> set[str]:
    """Return the pages that show what the package does, if it changed since they were built."""
    package = max(path.stat().st_mtime for path in (REPOSITORY / "alchemer_nb").rglob("*.py"))
    return {name for name, read in env.all_docs.items() if read / 1e6 < package}


def setup(app: Sphinx) -> None:
    """Register the lexer and the two functions above."""
    app.add_lexer("python", IPython3Lexer)  # which knows %alchemer
    app.connect("source-read", _fill_tables)
    app.connect("env-get-outdated", _read_again)
