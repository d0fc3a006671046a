"""Plays the front end of a real kernel over ZeroMQ: runs cells, clicks, reads what comes back."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import zmq
from jupyter_client import BlockingKernelClient
from jupyter_client.connect import write_connection_file

from tests.notebook.signin.page import submission

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
START_SECONDS = 60
SILENCE = 2.0  # seconds after which a request may be stranded


class Done(NamedTuple):
    """How a cell ended, and what it showed until then."""

    status: str
    error: str
    text: str


class Kernel:
    """A kernel process and the client that talks to it.

    Args:
        folder: All that it writes lies here.
        overlay: A folder of packages that come before the installed ones.
        *arguments: What its command line has besides.
        strands: Whether this ipykernel leaves about one request in a hundred unread, until another
            connection is made: https://github.com/ipython/ipykernel/pull/1529
    """

    def __init__(
        self, folder: Path, overlay: Path | None, *arguments: str, strands: bool = False
    ) -> None:
        self.folder, self.arguments = folder, arguments
        self._strands = strands
        paths = [overlay, ROOT] if overlay else [ROOT]
        self._env = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("ALCHEMER_", "BINDER_"))},
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "IPYTHONDIR": str(folder / "ipython"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "ALCHEMER_LIMITS_FOLDER": str(folder / "limits"),
            "JUPYTER_RUNTIME_DIR": str(folder),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }
        self.messages: list[dict[str, Any]] = []
        self._replies: dict[str, dict[str, Any]] = {}

    def start(self) -> Kernel:
        """Starts it, once more if it does not come up: under load a kernel sometimes does not."""
        for last in (False, True):
            try:
                self._start_once()
                return self
            except (RuntimeError, TimeoutError):
                self.stop()
                if last:
                    raise
        raise AssertionError("not reached")

    def _start_once(self) -> None:
        file = str(self.folder / f"kernel-{time.monotonic_ns()}.json")
        write_connection_file(file, ip="127.0.0.1")
        with (self.folder / "kernel.log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ipykernel_launcher", "-f", file, *self.arguments],
                cwd=self.folder,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.client = BlockingKernelClient(connection_file=file)
        self.client.load_connection_file()
        # Without the heartbeat, which takes a kernel for dead that does not answer for a second.
        self.client.start_channels(hb=False)
        self.client.wait_for_ready(timeout=START_SECONDS)

    def stop(self) -> None:
        with contextlib.suppress(Exception):
            self.client.stop_channels()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def run(self, code: str, *, stdin: bool = True) -> str:
        """Asks for a cell to be run and gives the request's id at once."""
        return self.client.execute(code, allow_stdin=stdin)

    def do(self, code: str, **kwargs: Any) -> Done:
        """Runs a cell to its end."""
        return self.ended(self.run(code, **kwargs))

    def ended(self, request: str, seconds: float = 30) -> Done:
        """Waits until a cell has ended."""
        self.until(
            lambda m: (
                m["msg_type"] == "status"
                and m["parent_header"].get("msg_id") == request
                and m["content"]["execution_state"] == "idle"
            ),
            seconds,
        )
        reply = self.reply(request, seconds)["content"]
        return Done(reply["status"], reply.get("evalue", ""), self.text(request))

    def reply(self, request: str, seconds: float = 30) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while request not in self._replies:
            message = self._next(self.client.get_shell_msg, max(0.1, end - time.monotonic()))
            self._replies[message["parent_header"].get("msg_id", "")] = message
        return self._replies.pop(request)

    def _next(self, get: Callable[..., dict[str, Any]], seconds: float) -> dict[str, Any]:
        """Waits for a message, and wakes a kernel that has left a request unread."""
        if self._strands and seconds > SILENCE:
            with contextlib.suppress(queue.Empty):
                return get(timeout=SILENCE)
            seconds -= SILENCE
            with zmq.Context.instance().socket(zmq.DEALER) as other:
                other.connect(f"tcp://127.0.0.1:{self.client.get_connection_info()['shell_port']}")
                with contextlib.suppress(queue.Empty):
                    return get(timeout=min(seconds, SILENCE))
        return get(timeout=seconds)

    def interrupts_caught(self) -> int:
        """How often an interrupt came while ipykernel ran itself: it then sends no reply."""
        return (self.folder / "kernel.log").read_text().count("KeyboardInterrupt caught in kernel")

    def until(self, wanted: Any, seconds: float = 30) -> dict[str, Any]:
        """Reads messages until one fits; those read earlier count too."""
        for message in self.messages:
            if wanted(message):
                return message
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                message = self._next(self.client.get_iopub_msg, max(0.05, end - time.monotonic()))
            except queue.Empty:
                break
            self.messages.append(message)
            if wanted(message):
                return message
        seen = [(m["msg_type"], str(m["content"])[:200]) for m in self.messages[-15:]]
        raise AssertionError(f"the awaited message did not come; the last were {seen}")

    def until_printed(self, request: str, text: str, seconds: float = 30) -> None:
        self.until(lambda _: text in self.text(request), seconds)

    def text(self, request: str) -> str:
        """All that a cell printed or showed, errors as well."""
        parts = []
        for m in self.messages:
            if m["parent_header"].get("msg_id") != request:
                continue
            content = m["content"]
            if m["msg_type"] == "stream":
                parts.append(content["text"])
            elif m["msg_type"] in ("execute_result", "display_data", "update_display_data"):
                parts.append(str(content["data"].get("text/plain", "")))
            elif m["msg_type"] == "error":
                parts.append("\n".join(content["traceback"]))
        return "".join(parts)

    def traceback(self, request: str) -> list[str]:
        """The lines of a cell's error."""
        return next(
            list(m["content"]["traceback"])
            for m in self.messages
            if m["msg_type"] == "error" and m["parent_header"].get("msg_id") == request
        )

    @staticmethod
    def shows_widget(message: dict[str, Any], request: str) -> bool:
        """Tells whether a message puts a widget into a cell's output."""
        return (
            message["msg_type"] == "display_data"
            and message["parent_header"].get("msg_id") == request
            and "application/vnd.jupyter.widget-view+json" in message["content"]["data"]
        )

    def subshell(self) -> str | None:
        """Makes a subshell, as JupyterLab does for widgets; None where there are none."""
        if "kernel subshells" not in self.features:
            return None
        request = self.client.session.msg("create_subshell_request", {})
        self.client.control_channel.send(request)
        reply = self.client.get_control_msg(timeout=10)
        return str(reply["content"]["subshell_id"])

    @property
    def features(self) -> list[str]:
        """What the kernel says it can do besides the usual."""
        told = self.reply(self.client.kernel_info())["content"]
        return list(told.get("supported_features", []))

    def comm_message(
        self,
        comm_id: str,
        data: dict[str, Any],
        subshell: str | None = None,
        buffers: list[Any] | None = None,
    ) -> str:
        """Sends what a widget's view sends; gives the message's id."""
        message = self.client.session.msg("comm_msg", {"comm_id": comm_id, "data": data})
        message["buffers"] = buffers or []
        if subshell is not None:
            message["header"]["subshell_id"] = subshell
        self.client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def custom(
        self,
        comm_id: str,
        content: dict[str, Any],
        subshell: str | None = None,
        buffers: list[Any] | None = None,
    ) -> str:
        """Sends a widget's custom message."""
        data = {"method": "custom", "content": content}
        return self.comm_message(comm_id, data, subshell, buffers)

    def submit(
        self,
        comm_id: str,
        attempt: int,
        values: dict[str, str],
        subshell: str | None = None,
        options: dict[str, bool] | None = None,
    ) -> None:
        """Submits the form of the sign-in panel and waits until that was handled."""
        content, texts = submission(attempt, values, options)
        self.handled(self.custom(comm_id, content, subshell, texts), 20)

    def set_state(self, comm_id: str, **state: Any) -> str:
        """Sends a change of a widget's state."""
        return self.comm_message(comm_id, {"method": "update", "state": state, "buffer_paths": []})

    def handled(self, message: str, seconds: float = 10) -> None:
        """Waits until the kernel has told that a message was handled."""
        self.until(
            lambda m: (
                m["msg_type"] == "status"
                and m["parent_header"].get("msg_id") == message
                and m["content"]["execution_state"] == "idle"
            ),
            seconds,
        )
