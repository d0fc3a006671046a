"""Handle widget clicks while a cell waits.

While a cell runs, the kernel reads no messages, so that a click would be handled only after the
cell has ended. The pump reads the kernel's queue from inside the cell: messages of widgets
("comm" messages, https://jupyter-client.readthedocs.io/en/stable/messaging.html#custom-messages)
are handled at once, all others are put back in their order when the pump is closed. It is no
nested event loop: on ipykernel 7 that runs nothing, or loses messages. An interrupt is raised only
between two messages, as one that was read and not put back would be lost with its cell.

This needs names that are not part of ipykernel's public API. They are used in this module alone,
and ``find_pump`` checks all of them first: where one is missing there is no pump, and callers do
not wait for clicks. Tried on ipykernel 6.29 to 7.4.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from typing import TYPE_CHECKING, Any

from alchemer_nb.interrupts import HeldInterrupts

if TYPE_CHECKING:
    from collections.abc import Callable

# Seconds after which an interrupt ends the callback of a click: until then it is a short one, which
# runs completely, and from then on it waits for something, such as the network.
_CALLBACK_SECONDS = 0.1
_COMM_TYPES = ("comm_open", "comm_msg", "comm_close")
_KERNEL_NAMES = ("session", "comm_manager", "io_loop", "_publish_status")
_STREAM_NAMES = ("_handle_events", "_recv_callback")
# https://github.com/ipython/ipykernel/blob/v6.29.5/ipykernel/kernelbase.py
_KERNEL_6_NAMES = ("msg_queue", "schedule_dispatch", "dispatch_shell", "shell_stream")


class Pump:
    """A context manager that handles widget messages from inside a running cell.

    Args:
        kernel: The kernel of the running cell.
        queue: Its unread messages.
    """

    def __init__(self, kernel: Any, queue: _Queue6 | _Queue7) -> None:
        self._kernel = kernel
        self._queue = queue
        self._held: list[tuple[str, Any]] = []
        self._interrupts = HeldInterrupts()

    def __enter__(self) -> Pump:
        self._interrupts.begin()
        return self

    def __exit__(self, *_: object) -> None:
        held, self._held = self._held, []
        try:
            self._queue.put_back(held)
        finally:
            self._interrupts.end()

    def step(self, wait: float = 0.0) -> None:
        """Handle the widget messages that have arrived.

        Args:
            wait: Seconds to wait for one if there is none.

        Raises:
            KeyboardInterrupt: The kernel was interrupted since the last step.
        """
        self._interrupts.raise_received()
        unread, jobs = self._queue.take()
        self._held += [("job", job) for job in jobs]
        try:
            if not unread:
                self._queue.socket.poll(int(wait * 1000))
            while self._queue.socket.poll(0):
                unread.append(self._queue.socket.recv_multipart(copy=False))
            while unread:
                self._handle_or_hold(unread.pop(0))
        finally:  # at an interrupt in a callback, what was read must not be lost with it
            self._held += [("message", raw) for raw in unread]
        self._interrupts.raise_received()

    def wait(self, done: Callable[[], bool], seconds: float, tick: float = 0.05) -> bool:
        """Handle messages until ``done()`` is true; return False after so many seconds."""
        end = time.monotonic() + seconds
        while not done():
            if time.monotonic() >= end:
                return False
            self.step(tick)
        return True

    def _handle_or_hold(self, raw: list[Any]) -> None:
        kernel = self._kernel
        if len(raw) < 2:  # no message, but how ipykernel 7 notes that aborting has ended
            self._held.append(("message", raw))
            return
        idents, frames = kernel.session.feed_identities(raw, copy=False)
        kind = kernel.session.unpack(frames[1].bytes)["msg_type"]
        if kind not in _COMM_TYPES:
            self._held.append(("message", raw))
            return
        message = kernel.session.deserialize(frames, content=True, copy=False)
        # Front ends hold back a widget's next change until the status says the last was handled:
        # https://github.com/jupyter-widgets/ipywidgets/blob/main/packages/base/src/widget.ts
        kernel._publish_status("busy", "shell", message)
        try:
            with self._interrupts.allowed(after=_CALLBACK_SECONDS):
                getattr(kernel.comm_manager, kind)(self._queue.stream, idents, message)
        finally:
            kernel._publish_status("idle", "shell", message)
            kernel._publish_status("busy", "shell")  # the cell still runs


class _Queue7:
    """The unread messages of ipykernel 7, where a thread forwards them over a socket pair.

    Source: https://github.com/ipython/ipykernel/blob/main/ipykernel/subshell_manager.py
    """

    def __init__(self, kernel: Any, pair: Any) -> None:
        self._kernel = kernel
        self.socket, self.stream = pair.to_socket, pair.to_stream

    def take(self) -> tuple[list[Any], list[Any]]:
        """Return messages that were read but not handled, and jobs that are no messages."""
        return [], []

    def put_back(self, held: list[tuple[str, Any]]) -> None:
        # At once: what arrives from now on, the end of aborting included, comes after them.
        loop = self._kernel.io_loop.asyncio_loop
        for _, raw in held:
            handled = self.stream._recv_callback(raw)
            if inspect.isawaitable(handled):
                asyncio.ensure_future(handled, loop=loop)  # noqa: RUF006 - the kernel's lock holds it
        # ZeroMQ wakes the loop once for new messages (ZMQ_FD is edge-triggered), and the pump
        # has used that up: look again. http://api.zeromq.org/4-3:zmq-getsockopt
        self._kernel.io_loop.add_callback(self.stream._handle_events, self.socket, 0)


class _Queue6:
    """The unread messages of ipykernel 6: those in its socket, and those in a queue behind it."""

    def __init__(self, kernel: Any) -> None:
        self._kernel = kernel
        self.stream = kernel.shell_stream
        self.socket = kernel.shell_stream.socket

    def take(self) -> tuple[list[Any], list[Any]]:
        """Return messages that were read but not handled, and jobs that are no messages."""
        unread: list[Any] = []
        jobs: list[Any] = []
        while self._kernel.msg_queue.qsize():
            item = self._kernel.msg_queue.get_nowait()
            if item[2]:  # the arguments of a call: a message, or none for a job
                unread.append(item[2][0])
            else:
                jobs.append(item)
        return unread, jobs

    def put_back(self, held: list[tuple[str, Any]]) -> None:
        # At once: an error of this cell has to abort what was queued behind it.
        for kind, item in held:
            if kind == "job":
                self._kernel.msg_queue.put_nowait(item)
            else:
                self._kernel.schedule_dispatch(self._kernel.dispatch_shell, item)
        self._kernel.io_loop.add_callback(self.stream._handle_events, self.socket, 0)


def find_pump(shell: Any) -> Pump | None:
    """Return a pump for the running cell; None where this kernel does not allow one.

    Args:
        shell: What ``get_ipython()`` returned, or None.
    """
    kernel = getattr(shell, "kernel", None)
    if kernel is None or not _has(kernel, _KERNEL_NAMES):
        return None
    # ZeroMQ sockets belong to one thread: a cell of a subshell must not touch the main one's.
    if threading.current_thread() is not threading.main_thread():
        return None
    manager = getattr(getattr(kernel, "shell_channel_thread", None), "manager", None)
    if manager is not None:
        pair = getattr(manager, "_shell_channel_to_main", None)
        if pair is None or not _has(pair, ("to_socket", "to_stream")):
            return None
        return Pump(kernel, _Queue7(kernel, pair)) if _has(pair.to_stream, _STREAM_NAMES) else None
    if _has(kernel, _KERNEL_6_NAMES) and _has(kernel.shell_stream, (*_STREAM_NAMES, "socket")):
        return Pump(kernel, _Queue6(kernel))
    return None


def has_front_end(shell: Any) -> bool:
    """Check whether a person may use this kernel: whether its cells may ask for input.

    nbclient, papermill and nbconvert do not allow it: nobody would ever press a button.
    """
    kernel = getattr(shell, "kernel", None)
    return kernel is not None and bool(getattr(kernel, "_allow_stdin", True))


def is_unattended(shell: Any) -> bool:
    """Check for a kernel that runs without a person, as under papermill and nbclient."""
    return getattr(shell, "kernel", None) is not None and not has_front_end(shell)


def call_later(shell: Any, seconds: float, function: Callable[[], object]) -> bool:
    """Call a function later from the kernel's own loop; return False where there is none."""
    loop = getattr(getattr(shell, "kernel", None), "io_loop", None)
    if loop is None or not _has(loop, ("add_callback", "call_later")):
        return False
    # Of all methods of the loop, other threads may call this one only:
    # https://www.tornadoweb.org/en/stable/ioloop.html#tornado.ioloop.IOLoop.add_callback
    loop.add_callback(loop.call_later, seconds, function)
    return True


def _has(thing: Any, names: tuple[str, ...]) -> bool:
    return thing is not None and all(hasattr(thing, name) for name in names)
