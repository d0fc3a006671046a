"""A real JupyterLab in a real Chromium, for tests.

``lab_server`` starts a JupyterLab that keeps all its files in a temporary folder and asks nothing
of the internet. ``browser`` starts Chromium, which can reach loopback addresses only. ``Window`` is
a page of JupyterLab that is emptied after each test, as its load takes longer than most tests.
``Notebook`` is one open notebook: run a cell, read its output, save.

Learnt the hard way, and relied on below:

* the kernel indicator in the toolbar says "idle" before there is a kernel, and a cell run in that
  second is dropped: wait for the status bar;
* without a kernelspec in the notebook a dialog covers the page;
* cells outside the view are not in the page unless ``windowingMode`` is ``none``;
* kernels live in process groups of their own, so the server must be asked to end them.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
import requests
from playwright.sync_api import Error, Page, expect, sync_playwright

from .chromium import find

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, FloatRect, Locator

Theme = Literal["light", "dark"]
# What works in one works in the other: test_readme_picture shows the panel in both.
THEMES = ["light", pytest.param("dark", marks=pytest.mark.long)]
THEME_NAMES: dict[Theme, str] = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}

ARTIFACTS = Path(__file__).resolve().parents[2] / "artifacts" / "screenshots"

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",  # root in a container has no user namespaces
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]

QUIET: dict[str, dict[str, Any]] = {
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
}


@dataclass
class Server:
    """A running JupyterLab.

    Attributes:
        address: Its address, without a slash at the end.
        root: The folder whose files it shows.
        settings: Where it keeps the user's settings; read anew at each page load.
        configured: What ``configure`` was given last.
    """

    address: str
    root: Path
    settings: Path
    configured: tuple[Theme, bool] = ("light", False)

    @property
    def home(self) -> Path:
        """The folder of all that it keeps apart from notebooks."""
        return self.settings.parent

    @property
    def log(self) -> Path:
        """What the server and its kernels said."""
        return self.home / "server.log"

    def configure(self, *, theme: Theme = "light", save_widget_state: bool = False) -> None:
        """Sets what the next page load shows and what a save writes."""
        self.configured = theme, save_widget_state
        self.set("@jupyterlab/apputils-extension:themes", {"theme": THEME_NAMES[theme]})
        manager = "@jupyter-widgets/jupyterlab-manager:plugin"
        self.set(manager, {"saveState": save_widget_state})

    def set(self, plugin: str, values: dict[str, Any]) -> None:
        """Writes one plugin's settings, as the settings editor would."""
        package, name = plugin.split(":")
        folder = self.settings / package
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.jupyterlab-settings").write_text(json.dumps(values), encoding="utf-8")

    def write(self, name: str, cells: list[str]) -> Path:
        """Writes a notebook of code cells into the server's folder."""
        path = self.root / name
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        code: dict[str, Any] = {
            "cell_type": "code",
            "execution_count": None,
            "metadata": {},
            "outputs": [],
        }
        notebook = {
            "cells": [{**code, "source": cell.strip("\n")} for cell in cells],
            "metadata": {"kernelspec": kernel},
            "nbformat": 4,
            "nbformat_minor": 4,
        }
        path.write_text(json.dumps(notebook), encoding="utf-8")
        return path

    def kernels(self) -> list[dict[str, Any]]:
        """The running kernels."""
        answer = requests.get(f"{self.address}/api/kernels", timeout=10)
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()
        return found

    def end_kernels(self) -> None:
        """Ends every kernel, so that the next notebook starts from nothing."""
        for kernel in self.kernels():
            address = f"{self.address}/api/kernels/{kernel['id']}"
            requests.delete(address, timeout=20).raise_for_status()


@contextlib.contextmanager
def lab_server(
    root: Path,
    home: Path,
    *,
    python: str = sys.executable,
    environment: dict[str, str] | None = None,
    base_url: str = "/",
) -> Iterator[Server]:
    """Runs JupyterLab on a free port of loopback.

    Args:
        root: The folder it shows.
        home: An empty folder for its settings, data, runtime files and history.
        python: Which environment's JupyterLab.
        environment: Variables for the server and its kernels.
        base_url: A prefix, as JupyterHub and Binder have one.
    """
    port = free_port()
    server = Server(f"http://127.0.0.1:{port}{base_url.rstrip('/')}", root, home / "settings")
    for plugin, values in QUIET.items():
        server.set(plugin, values)
    server.configure()
    # Server and kernels log all that they can, into one file, which tests search for secrets.
    kernels = home / "ipython" / "profile_default" / "ipython_kernel_config.py"
    kernels.parent.mkdir(parents=True)
    kernels.write_text('c = get_config()\nc.IPKernelApp.log_level = "DEBUG"\n', encoding="utf-8")
    log = server.log
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [
                *(python, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"),
                *(f"--port={port}", "--ServerApp.port_retries=0"),
                *("--IdentityProvider.token=", "--ServerApp.password="),
                *(f"--ServerApp.root_dir={root}", f"--ServerApp.base_url={base_url}"),
                "--ServerApp.log_level=DEBUG",
                "--ServerApp.disable_check_xsrf=True",  # else kernels cannot be ended from here
                "--LabApp.expose_app_in_browser=True",  # see Window
                "--LabApp.news_url=None",
                "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
                "--LabApp.extension_manager=readonly",
            ],
            env=_environment(home, environment),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_up(server, process, log)
        yield server
    finally:
        with contextlib.suppress(requests.RequestException):
            server.end_kernels()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def _environment(home: Path, more: dict[str, str] | None) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ALCHEMER_", "JUPYTER"))}
    return {
        **kept,
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTER_PLATFORM_DIRS": "1",
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
        # The developer's own keychain is none of the tests' business.
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        **(more or {}),
    }


def _wait_until_up(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            break
        try:
            requests.get(f"{server.address}/api/status", timeout=2).raise_for_status()
        except requests.RequestException:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
        else:
            return
    raise RuntimeError("JupyterLab did not start:\n" + log.read_text(errors="replace")[-3000:])


def free_port() -> int:
    """A port of loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """Runs Chromium without a window."""
    executable = find()
    if executable is None:
        raise RuntimeError("no Chromium: run `python -m tests.browser.chromium --install`")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=executable, headless=True, args=CHROMIUM_ARGUMENTS
        )
        try:
            yield chromium
        finally:
            chromium.close()


@contextlib.contextmanager
def new_context(
    chromium: Browser, *, wide: int = 1280, high: int = 900, scale: int = 1
) -> Iterator[BrowserContext]:
    """A browser profile of its own: cookies, clipboard, pages."""
    context = chromium.new_context(
        viewport={"width": wide, "height": high}, device_scale_factor=scale
    )
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    try:
        yield context
    finally:
        context.close()


@dataclass
class Notebook:
    """A notebook that is open in JupyterLab.

    Attributes:
        page: The browser's page.
        path: The notebook's file.
        errors: What the page's scripts raised, for the test to look at.
    """

    page: Page
    path: Path
    errors: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, server: Server, context: BrowserContext, name: str) -> Notebook:
        """Opens a notebook of the server's folder in a new page and waits for its kernel."""
        page = context.new_page()
        notebook = cls(page, server.root / name)
        page.on("pageerror", lambda error: notebook.errors.append(str(error)))
        page.goto(f"{server.address}/lab/tree/{name}?reset")
        _wait_for_kernel(page)
        _hide_files(page)
        return notebook

    @classmethod
    def open_in_notebook_7(cls, server: Server, context: BrowserContext, name: str) -> Notebook:
        """Opens it in Notebook 7, which has no status bar, and waits for its kernel."""
        page = context.new_page()
        notebook = cls(page, server.root / name)
        page.on("pageerror", lambda error: notebook.errors.append(str(error)))
        # Until then the server answers 500 when it is asked for kernels, as one is half there.
        with page.expect_response(
            lambda r: r.request.method == "POST" and "/api/sessions" in r.url, timeout=60_000
        ):
            page.goto(f"{server.address}/notebooks/{name}")
        idle = page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")
        idle.first.wait_for(timeout=60_000)
        for _ in range(600):  # the page says idle before there is a kernel, too
            if any(kernel["execution_state"] == "idle" for kernel in server.kernels()):
                return notebook
            page.wait_for_timeout(100)
        raise RuntimeError("Notebook 7 started no kernel")

    def cell(self, index: int) -> Locator:
        """A code cell, counted from 0."""
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(index)

    def output(self, index: int) -> Locator:
        """All that is below a cell's input."""
        return self.cell(index).locator(".jp-Cell-outputWrapper")

    def start(self, index: int) -> None:
        """Runs a cell and does not wait for its end."""
        self.cell(index).locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")

    def run(self, index: int, timeout: float = 60) -> Locator:
        """Runs a cell, waits for its end and gives its output."""
        before = self.prompt(index)
        self.start(index)
        done = re.compile(r"^\[(?!" + re.escape(before.strip("[]: ") or "x") + r"\])\d+\]:$")
        expect(self.cell(index).locator(".jp-InputArea-prompt")).to_have_text(
            done, timeout=timeout * 1000
        )
        return self.output(index)

    def prompt(self, index: int) -> str:
        """The number in front of a cell, with its brackets."""
        return self.cell(index).locator(".jp-InputArea-prompt").inner_text().strip()

    def save(self) -> str:
        """Saves with the toolbar's button, as the user does, and gives the file's text."""
        save = self.page.locator('.jp-NotebookPanel:not(.lm-mod-hidden) [data-jp-item-name="save"]')
        with self.page.expect_response(
            lambda r: r.request.method == "PUT" and "/api/contents/" in r.url, timeout=20_000
        ) as answer:
            save.locator("jp-button, button").first.click()
        if not answer.value.ok:
            raise RuntimeError(f"saving gave {answer.value.status}")
        return self.path.read_text(encoding="utf-8")

    def screenshot(self, name: str, part: Locator | None = None) -> Path:
        """Takes a picture of the page, or of a part of it, for a person to look at."""
        return picture(part or self.page, name)


IDLE = re.compile(r"\(ipykernel\) \| Idle")


def _kernel_status(page: Page) -> Locator:
    return page.locator(".jp-StatusBar-TextItem, .jp-StatusItem", has_text=IDLE).first


def _wait_for_kernel(page: Page) -> None:
    cell = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell").first
    cell.wait_for(timeout=60_000)
    _kernel_status(page).wait_for(timeout=60_000)


def _hide_files(page: Page) -> None:
    """Hides the file browser: it takes a third of the width and shows nothing that a test wants."""
    page.keyboard.press("Control+b")
    page.locator("#jp-left-stack").wait_for(state="hidden")


@dataclass
class Window:
    """One page of JupyterLab for many tests, each of which begins with no notebook and no cookie.

    Attributes:
        server: The JupyterLab.
        context: The browser's profile.
        page: The page, loaded anew for a test that wants something else to be saved.
        saves_widget_state: What the server was configured to save then.
        errors: What the page's scripts raised since the notebook was opened.
    """

    server: Server
    context: BrowserContext
    page: Page | None = None
    saves_widget_state: bool = False
    errors: list[str] = field(default_factory=list)

    def open(self, name: str) -> Notebook:
        """Opens a notebook of the server's folder, as the file browser would, with its kernel."""
        page = self._load()
        self.errors.clear()
        opens = "path => jupyterapp.commands.execute('docmanager:open', {path}).then(() => null)"
        page.evaluate(opens, name)
        _wait_for_kernel(page)
        return Notebook(page, self.server.root / name, self.errors)

    def _load(self) -> Page:
        theme, save_widget_state = self.server.configured
        if self.page is None or self.saves_widget_state is not save_widget_state:
            self._load_anew()
        assert self.page is not None
        body, is_light = self.page.locator("body"), str(theme == "light").lower()
        if body.get_attribute("data-jp-theme-light") != is_light:  # as the menu Settings does
            change = "theme => jupyterapp.commands.execute('apputils:change-theme', {theme})"
            self.page.evaluate(change, THEME_NAMES[theme])
        expect(body).to_have_attribute("data-jp-theme-light", is_light)
        return self.page

    def _load_anew(self) -> None:
        if self.page is not None:
            self.page.close()
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        _, self.saves_widget_state = self.server.configured
        self.page.goto(f"{self.server.address}/lab?reset")
        self.page.locator("#jp-left-stack").wait_for(timeout=60_000)
        _hide_files(self.page)

    def clear(self) -> None:
        """Closes what a test opened, without a question about unsaved changes."""
        for page in self.context.pages:
            if page is not self.page:
                page.close()
        self.context.clear_cookies()
        if self.page is None:
            return
        self.page.evaluate(
            "() => [...jupyterapp.shell.widgets('main')].forEach(each => each.dispose())"
        )
        _kernel_status(self.page).wait_for(state="hidden")
        if self.page.locator(".jp-Dialog").count():  # of a test that failed
            self.page.close()
            self.page = None


def picture(what: Page | Locator, name: str, area: FloatRect | None = None) -> Path:
    """Takes a picture and keeps it as a build artefact; ``area`` is a part of a page.

    Chromium refuses now and then, and takes the same picture a moment later:
    https://github.com/MarketSquare/robotframework-browser/issues/5237
    """
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    path = ARTIFACTS / f"{name}.png"
    page = what if isinstance(what, Page) else what.page
    for left in reversed(range(10)):
        try:
            if area is not None:
                page.screenshot(path=path, animations="disabled", clip=area)
            else:
                what.screenshot(path=path, animations="disabled", caret="initial")
            break
        except Error as refused:
            if not left or "Unable to capture screenshot" not in refused.message:
                raise
            page.wait_for_timeout(250)
    return path
