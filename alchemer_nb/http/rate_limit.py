"""Limits the calls per minute of an account, over all its clients on this machine.

All clients, threads and processes of one user share one window of calls, which is stored in a small
file. Fact: 240 calls per minute and account on current plans, whatever the credentials
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

from alchemer_nb.files import write_atomically
from alchemer_nb.forks import OriginProcess, renew_after_fork
from alchemer_nb.http.call_window import Window
from alchemer_nb.http.waiting import CallOptions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

FOLDER_NAME = "ALCHEMER_LIMITS_FOLDER"
_LOCK_SECONDS = 5.0  # a process holds the lock for milliseconds, unless it is suspended or hangs
_LOCK_POLL = 0.005
_OLD_SECONDS = 24 * 3600.0
# Windows, and temporary files that a killed process left behind.
_REMOVABLE = re.compile(
    r"[0-9a-f]{24}\.json|\.[0-9a-f]{24}-[0-9a-f]{12}\.(json|link)"
    r"|[0-9a-f]{24}\.(json|link)\.[0-9a-f]{8}\.tmp"
)
# Calls take different times to reach the server, and may arrive closer together than they were
# sent: so count a slightly longer minute.
_SLACK = 1.005


class Limiter:
    """The rate limit of one set of credentials.

    Args:
        host: Host of the API; accounts of two regions are different accounts.
        identity: Distinguishes the credentials from others; only a hash of it is stored.
        limit: Calls per minute.
        minute: Seconds of that minute; another number is for tests.
        folder: Folder of the files; left out, ``ALCHEMER_LIMITS_FOLDER`` or this user's cache.
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
        self._host = host
        self._credentials = _digest("credentials", host, identity)
        self._account: str | None = None  # key of the account's window, once it is known
        self._is_linked = False  # whether this object has stored that key for the credentials
        period = minute * _SLACK
        self._files: _Files | None = _Files(folder or default_folder(), period)
        self._window_state = Window(period)
        self._renew()
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        self._lock = threading.Lock()

    @property
    def shared(self) -> bool:
        """True if the window is shared with other processes; False if no file can be written."""
        return self._files is not None

    def wait_for_turn(self, options: CallOptions | None = None) -> None:
        """Wait until one call may be made.

        Raises:
            Stopped: ``stop`` was set; the slot is free again.
        """
        ticket, origin = secrets.token_hex(6), OriginProcess()
        with self._locked_window() as (window, now):
            if window.reserve(ticket, self.limit, now) <= now:
                return
        try:
            (options or CallOptions()).wait(
                lambda: self._seconds_left(ticket), "waiting for the rate limit"
            )
        except BaseException:
            if origin.is_current:  # the slot does not belong to a forked process
                with self._locked_window() as (window, now):
                    window.release(ticket, now)
            raise

    def wait_for(self, calls: int) -> float:
        """Return the seconds until the last of so many further calls may be made."""
        with self._locked_window() as (window, now):
            return window.wait_for(calls, self.limit, now)

    def warn(self) -> None:
        """Slow down for a minute, after Alchemer's warning that the limit is near."""
        with self._locked_window() as (window, now):
            window.warn(self.limit, now)

    def pause(self, seconds: float) -> None:
        """Allow no call for some seconds, after Alchemer refused one."""
        with self._locked_window() as (window, now):
            window.pause(now + seconds, now)

    def free_calls(self) -> int:
        """Return how many calls may be made at once now, as far as this machine knows."""
        with self._locked_window() as (window, now):
            return window.free(self.limit, now)

    def set_account(self, account_id: str) -> None:
        """Share the window of the account with its other credentials from now on.

        The calls so far are added to that window. The link from credentials to account is stored
        for other clients with these credentials.
        """
        key = _digest("account", self._host, account_id)
        with self._lock:
            if self._is_linked and self._account == key:
                return
            self._account, self._is_linked = key, True
            try:
                if self._files is not None:
                    self._files.link(self._credentials, key)
            except (OSError, filelock.Timeout):
                self._files = None

    def _seconds_left(self, ticket: str) -> float:
        with self._locked_window() as (window, now):
            at = window.time_of(ticket)
            if at is None:  # the file was deleted
                at = window.reserve(ticket, self.limit, now)
            return at - now

    @contextmanager
    def _locked_window(self) -> Iterator[tuple[Window, float]]:
        """Yield the window, locked for reading and changing, and the time.

        If the files cannot be used, this client continues alone with the last state of the window.
        """
        with self._lock:
            try:
                with ExitStack() as stack:
                    self._open(stack)
                    now = time.monotonic()
                    self._window_state.update(now)
                    yield self._window_state, now
            except (OSError, filelock.Timeout):
                self._files = None

    def _open(self, stack: ExitStack) -> None:
        files = self._files
        if files is None:
            return
        try:
            if self._account is None:
                window = stack.enter_context(files.open_window(self._credentials))
                # Only under the lock: another client may be merging this window into the
                # account's at the same time.
                self._account = files.account_of(self._credentials)
            if self._account is not None:
                stack.close()  # frees that lock
                window = stack.enter_context(files.open_window(self._account))
            self._window_state = window
        except (OSError, filelock.Timeout):
            self._files = None


def default_folder() -> Path:
    """Return the folder of this user's windows; it may not exist yet."""
    given = os.environ.get(FOLDER_NAME)
    try:
        return Path(given) if given else platformdirs.user_cache_path("alchemer_nb") / "limits"
    except (RuntimeError, OSError):  # there is no home
        return Path(os.devnull) / "none"


class _Files:
    """The files of the windows in a folder, with one lock file each."""

    def __init__(self, folder: Path, period: float) -> None:
        self.folder = folder
        self._period = period
        self._is_ready = False
        # Part of the file names: times of the monotonic clock are valid until the machine restarts.
        self._machine = _machine()

    @contextmanager
    def open_window(self, key: str) -> Iterator[Window]:
        """Read the window of a key under its lock, and write it back at the end."""
        self._prepare()
        path = self._path(key)
        with self._locked(path):
            window = self._read(path)
            yield window
            _write(path, window.to_text())

    def account_of(self, credentials: str) -> str | None:
        """Return the key of the account that credentials are known to belong to."""
        try:
            text = (self.folder / f"{credentials}.link").read_text("ascii").strip()
        except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError):
            return None
        return text if len(text) == len(credentials) and text.isalnum() else None

    def link(self, credentials: str, account: str) -> None:
        """Store the account of credentials, and merge their window into the account's."""
        self._prepare()
        # Always credentials first, then account: two clients cannot wait for each other.
        source = self._path(credentials)
        with self._locked(source), self.open_window(account) as window:
            now = time.monotonic()
            window.update(now)
            window.merge(self._read(source), now)
            _write(self.folder / f"{credentials}.link", account)
            source.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.folder / f"{_digest(key, str(self._period), self._machine)}.json"

    def _locked(self, path: Path) -> AbstractContextManager[object]:
        lock = filelock.FileLock(path.with_suffix(".lock"), mode=0o600)
        return lock.acquire(timeout=_LOCK_SECONDS, poll_interval=_LOCK_POLL)

    def _read(self, path: Path) -> Window:
        try:
            return Window.from_text(path.read_text("utf-8"), self._period)
        except (FileNotFoundError, UnicodeDecodeError):
            return Window(self._period)

    def _prepare(self) -> None:
        if self._is_ready:
            return
        if not self.folder.is_dir():
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._is_ready = True
        oldest = time.time() - _OLD_SECONDS
        for path in self.folder.iterdir():
            # Lock files stay: if one were removed while held, another process could lock, too.
            if _REMOVABLE.fullmatch(path.name):
                with suppress(OSError):
                    if path.stat().st_mtime < oldest:
                        path.unlink()


def _write(path: Path, text: str) -> None:
    with write_atomically(path, mode=0o600) as temporary:
        temporary.write_text(text, "utf-8")


def _digest(*parts: str) -> str:
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=12).hexdigest()


def _machine() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return platform.node()
