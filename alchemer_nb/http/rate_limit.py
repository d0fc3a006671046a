"""Alchemer's limit of calls a minute, shared by all that call the same account from here.

Every client, thread and process of one user on one machine takes its turns from one window, kept
in a small file. Fact: 240 calls a minute and account on current plans, whatever the credentials
(https://apihelp.alchemer.com/help/api-request-limits).
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import secrets
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import filelock
import platformdirs

from alchemer_nb.forks import Home, in_child
from alchemer_nb.http.call_window import Window
from alchemer_nb.http.waiting import CallOptions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

FOLDER_NAME = "ALCHEMER_LIMITS_FOLDER"
_LOCK_SECONDS = 5.0  # a holder needs a thousandth; one that takes so long is stopped or gone
_LOOK = 0.005
_WINDOW = re.compile(r"[0-9a-f]{24}(\.json|\.(json|link)\.[0-9a-f]{8}\.tmp)")  # and leftovers
_OLD = 24 * 3600.0
# A call arrives a little after its time, and the last of a window may arrive sooner.
_SLACK = 1.005


class Limiter:
    """Turns of one set of credentials.

    Args:
        host: Host of the API, as accounts of two regions have nothing in common.
        identity: What tells the credentials from others; only a hash of it is kept.
        limit: Calls a minute.
        minute: Seconds of that minute.
        folder: Where the windows are; left out, ``ALCHEMER_LIMITS_FOLDER`` or this user's cache.
    """

    def __init__(
        self,
        host: str,
        identity: str,
        limit: int,
        minute: float = 60.0,
        folder: Path | None = None,
    ) -> None:
        self.limit = limit
        self.period = minute * _SLACK
        self._host = host
        self._credentials = _digest("credentials", host, identity)
        self._account: str | None = None  # as noted by whoever learnt it
        self._linked: str | None = None  # as told to this one
        self._files: _Files | None = _Files(folder or default_folder(), self.period)
        self._own = Window(self.period)
        self._begin()
        in_child(self._begin)

    def _begin(self) -> None:
        self._lock = threading.Lock()

    @property
    def shared(self) -> bool:
        """Whether turns are shared with other processes; False where no file can be written."""
        return self._files is not None

    def turn(self, options: CallOptions | None = None) -> None:
        """Waits until one call may be made.

        Raises:
            Stopped: It was called off; the place is free again.
        """
        ticket = secrets.token_hex(6)
        with self._window() as (window, now):
            come = window.book(ticket, self.limit, now) <= now
        if not come:
            self._wait_for(ticket, options or CallOptions())

    def _wait_for(self, ticket: str, options: CallOptions) -> None:
        home = Home()
        try:
            options.wait(lambda: self._left(ticket), "waiting for the rate limit")
        except BaseException:
            if home.is_here:  # to a forked process it does not belong
                with self._window() as (window, now):
                    window.give_back(ticket, now)
            raise

    @contextmanager
    def alone(self, call: str, options: CallOptions | None = None) -> Iterator[None]:
        """Takes a turn once nobody else of the account makes the same call from this machine.

        Args:
            call: What is the same for two calls that are; only a hash of it is kept.
            options: Of the caller.

        Raises:
            Stopped: It was called off.
        """
        options = options or CallOptions()
        name, ticket, come = _digest("call", call), secrets.token_hex(6), False
        home = Home()

        def enter(seconds: float) -> bool:
            nonlocal come
            with self._window() as (window, now):
                is_free = window.lease(name, ticket, os.getpid(), now, _is_alive)
                if is_free:
                    come = window.book(ticket, self.limit, now) <= now
            if not is_free:
                options.stop.wait(seconds)
            return is_free

        try:
            if not enter(0):
                options.wait_until(enter, "waiting for the same call of another client")
            if not come:
                self._wait_for(ticket, options)
                with self._window() as (window, now):  # it begins only now
                    window.lease(name, ticket, os.getpid(), now, _is_alive)
            yield
        finally:
            if home.is_here:
                with self._window() as (window, _):
                    window.end_lease(name, ticket)

    def warned(self) -> None:
        """Alchemer warned that the limit is near: slower for a minute, for all that share it."""
        with self._window() as (window, now):
            window.warn(self.limit, now)

    def pause(self, seconds: float) -> None:
        """Alchemer refused a call: nobody calls for so long."""
        with self._window() as (window, now):
            window.pause(now + seconds, now)

    def know_account(self, account: str) -> None:
        """From now on turns are shared with all credentials of the account.

        What was called so far is carried over, and remembered for the next time.
        """
        key = _digest("account", self._host, account)
        with self._lock:
            if self._linked == key:
                return
            self._account = self._linked = key
            try:
                if self._files is not None:
                    self._files.link(self._credentials, key)
            except (OSError, filelock.Timeout):
                self._files = None

    def _left(self, ticket: str) -> float:
        with self._window() as (window, now):
            at = window.time_of(ticket)
            if at is None:  # the file was lost meanwhile
                at = window.book(ticket, self.limit, now)
            return at - now

    @contextmanager
    def _window(self) -> Iterator[tuple[Window, float]]:
        """The window, to read and change while nobody else does, and the time.

        Once the files fail, what was known last goes on as a window of this client alone.
        """
        with self._lock:
            try:
                with ExitStack() as stack:
                    self._open(stack)
                    now = time.monotonic()
                    self._own.settle(now)
                    yield self._own, now
            except (OSError, filelock.Timeout):
                self._files = None

    def _open(self, stack: ExitStack) -> None:
        if self._files is None:
            return
        try:
            self._own = self._opened(self._files, stack)
        except (OSError, filelock.Timeout):
            self._files = None

    def _opened(self, files: _Files, stack: ExitStack) -> Window:
        if self._account is None:
            with ExitStack() as waiting:
                window = waiting.enter_context(files.opened(self._credentials))
                # Looked for only now: whoever learnt it may have moved the window meanwhile, and
                # a call that ended would be taken for one that goes on.
                self._account = files.account_of(self._credentials)
                if self._account is None:
                    stack.push(waiting.pop_all())
                    return window
        return stack.enter_context(files.opened(self._account))


def default_folder() -> Path:
    """Where the windows of this user are, whether the folder exists or not."""
    given = os.environ.get(FOLDER_NAME)
    try:
        return Path(given) if given else platformdirs.user_cache_path("alchemer_nb") / "limits"
    except (RuntimeError, OSError):  # there is no home
        return Path(os.devnull) / "none"


class _Files:
    """Windows in a folder, one a file, each with a lock beside it."""

    def __init__(self, folder: Path, period: float) -> None:
        self.folder = folder
        self._period = period
        self._ready = False
        # Times of the clock used mean nothing on another machine, nor after a restart.
        self._machine = _machine()

    @contextmanager
    def opened(self, key: str) -> Iterator[Window]:
        """The window of a key; written back at the end."""
        self._prepare()
        path = self._path(key)
        with self._locked(path):
            window = self._read(path)
            yield window
            self._write(path, window.to_text())

    def account_of(self, credentials: str) -> str | None:
        """The key of the account that credentials are known to belong to."""
        try:
            text = (self.folder / f"{credentials}.link").read_text("ascii").strip()
        except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError):
            return None
        return text if len(text) == len(credentials) and text.isalnum() else None

    def link(self, credentials: str, account: str) -> None:
        """Notes whose the credentials are, and moves their window into that of the account."""
        self._prepare()
        source = self._path(credentials)
        with self._locked(source), self.opened(account) as window:
            now = time.monotonic()
            window.settle(now)
            window.carry(self._read(source), now)
            self._write(self.folder / f"{credentials}.link", account)
            source.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.folder / f"{_digest(key, str(self._period), self._machine)}.json"

    def _locked(self, path: Path) -> AbstractContextManager[object]:
        lock = filelock.FileLock(path.with_suffix(".lock"), mode=0o600)
        return lock.acquire(timeout=_LOCK_SECONDS, poll_interval=_LOOK)

    def _read(self, path: Path) -> Window:
        try:
            return Window.from_text(path.read_text("utf-8"), self._period)
        except (FileNotFoundError, UnicodeDecodeError):
            return Window(self._period)

    def _write(self, path: Path, text: str) -> None:
        temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def _prepare(self) -> None:
        if self._ready:
            return
        if not self.folder.is_dir():
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._ready = True
        oldest = time.time() - _OLD
        for path in self.folder.iterdir():
            # Locks stay: one that is taken away while it is held would be two. So does what
            # somebody else has put there.
            if _WINDOW.fullmatch(path.name):
                with suppress(OSError):
                    if path.stat().st_mtime < oldest:
                        path.unlink()


def _is_alive(pid: int) -> bool:
    """Whether a process is there; True where that cannot be asked without harm."""
    if os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it is somebody else's
        return True
    return True


def _digest(*parts: str) -> str:
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=12).hexdigest()


def _machine() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return platform.node()
