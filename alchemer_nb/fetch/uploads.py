"""Downloads the files that respondents sent, several at once.

Each file is asked for by its stored name; Alchemer answers with a signed address, which is used at
once, as it expires. A file gets its name when it is whole. ``.alchemer-files.json`` in the folder
lists the files with their sizes, so that another run makes no call for those that are there.
"""

from __future__ import annotations

import errno
import json
import os
import queue
import stat
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from alchemer_nb.errors import (
    AlchemerError,
    AuthenticationError,
    InvalidArgument,
    Stopped,
    TransportError,
)
from alchemer_nb.fetch.upload_names import Upload, name_files
from alchemer_nb.files import write_atomically
from alchemer_nb.http.regions import is_loopback
from alchemer_nb.http.secrets import to_secret
from alchemer_nb.http.signed_files import FileRefused, FileRequest, fetch_file
from alchemer_nb.http.waiting import CallOptions
from alchemer_nb.wire.paging import reply_object
from alchemer_nb.wire.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from alchemer_nb.http.regions import Region
    from alchemer_nb.http.secrets import Secret

LIST = ".alchemer-files.json"
DOWNLOADED, THERE, FAILED, NOT_TRIED = "downloaded", "already there", "failed", "not tried"
_WORKERS = 4
_ATTEMPTS = 3
_EXPIRES = 300  # seconds
_PAUSE = 0.5  # seconds before the second attempt
_TICK = 0.1
_EXPIRED = 403
_SERVER_ERROR = 500
# After these the next file would fail, too.
_OF_THE_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}


class Caller(Protocol):
    """What a download needs of a client."""

    region: Region

    def request(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        options: CallOptions | None = None,
    ) -> dict[str, Any]:
        """Make one call and return the envelope."""


@dataclass(frozen=True, slots=True)
class FileProgress:
    """How far a download of files is; passed to the callback after each file and while it waits.

    Attributes:
        done: Files that are through, whole or failed.
        total: Files to download.
        failed: Those that failed.
        bytes: Bytes that came.
        seconds: Since it began.
        state: What it waits for, such as ``"waiting for the rate limit, 23 s"``; else ``""``.
    """

    done: int
    total: int
    failed: int
    bytes: int
    seconds: float
    state: str = ""
    _stop: threading.Event = field(default_factory=threading.Event, repr=False, compare=False)

    def cancel(self) -> None:
        """Stop the download; files that are whole stay."""
        self._stop.set()

    @property
    def line(self) -> str:
        """The progress in one line."""
        parts = [counted(self.done, "file", of=self.total), in_bytes(self.bytes)]
        parts += [f"{self.failed:,} failed"] if self.failed else []
        return " · ".join([*parts, *([self.state] if self.state else [])])


@dataclass(frozen=True, slots=True)
class FileResult:
    """What became of one file.

    Attributes:
        upload: The file.
        path: Where it is, or would be.
        status: ``"downloaded"``, ``"already there"``, ``"failed"`` or ``"not tried"``.
        bytes: Its size, None if it is not there.
        reason: Why it failed.
    """

    upload: Upload
    path: Path
    status: str = NOT_TRIED
    bytes: int | None = None
    reason: str = ""


class UploadDownload:
    """One download of files of one survey.

    Args:
        client: Client of the account.
        survey: Id of the survey.
        uploads: The files.
        folder: Where to put them; made if it is not there.
        most_bytes: Largest size of a file.
        on_progress: Called with a ``FileProgress``.

    Attributes:
        results: What became of each file, in the order given.
        stopped_by: The error that ended the download; None if it is complete or was cancelled.

    Raises:
        InvalidArgument: The folder cannot be made, or has the files of another survey.
    """

    def __init__(
        self,
        client: Caller,
        survey: str,
        uploads: Sequence[Upload],
        folder: Path,
        *,
        most_bytes: int,
        on_progress: Callable[[FileProgress], None],
    ) -> None:
        names = name_files(uploads)
        self._client = client
        self._survey = survey
        self._folder = _make_folder(folder)
        self._most = most_bytes
        self._on_progress = on_progress
        self._stop = threading.Event()
        self._state = ""
        self._options = CallOptions(self._stop, self._set_state)
        self._begun = time.monotonic()
        self._bytes = 0
        self._lock = threading.Lock()
        self._place = f"{client.region.name}/{survey}"
        self._list = _read_list(self._folder, self._place)
        self.results = {upload: FileResult(upload, self._folder / n) for upload, n in names.items()}
        self.stopped_by: AlchemerError | OSError | None = None

    @property
    def stopped(self) -> bool:
        """Whether it ended before all files were tried."""
        return any(each.status == NOT_TRIED for each in self.results.values())

    def run(self) -> None:
        """Download the files; an interrupt or ``cancel`` ends it, and ``stopped`` is then true."""
        waiting: queue.SimpleQueue[FileResult] = queue.SimpleQueue()
        done: queue.SimpleQueue[FileResult | None] = queue.SimpleQueue()
        for each in self.results.values():
            waiting.put(each)
        count = min(_WORKERS, len(self.results))
        workers = [
            threading.Thread(target=self._work, args=(waiting, done), daemon=True)
            for _ in range(count)
        ]
        try:
            for worker in workers:
                worker.start()
            self._collect(done, count)
        except KeyboardInterrupt:
            self._stop.set()
            self._collect(done, sum(worker.is_alive() for worker in workers), quiet=True)
        except BaseException:  # of the callback
            self._stop.set()
            raise
        finally:
            self._write_list()

    def _collect(
        self, done: queue.SimpleQueue[FileResult | None], workers: int, *, quiet: bool = False
    ) -> None:
        """Take the results until all workers have ended."""
        while workers:
            try:
                result = done.get(timeout=_TICK)
            except queue.Empty:
                result = None
            else:
                if result is None:
                    workers -= 1
                    continue
                self.results[result.upload] = result
            if not quiet:
                self._on_progress(self._progress())

    def _progress(self) -> FileProgress:
        statuses = [each.status for each in self.results.values()]
        done = len(statuses) - statuses.count(NOT_TRIED)
        seconds = time.monotonic() - self._begun
        failed = statuses.count(FAILED)
        return FileProgress(
            done, len(statuses), failed, self._bytes, seconds, self._state, self._stop
        )

    def _set_state(self, state: str) -> None:
        self._state = state

    def _count_bytes(self, count: int) -> None:
        with self._lock:
            self._bytes += count

    def _work(
        self,
        waiting: queue.SimpleQueue[FileResult],
        done: queue.SimpleQueue[FileResult | None],
    ) -> None:
        try:
            while not self._stop.is_set():
                done.put(self._fetch(waiting.get_nowait()))
        except (queue.Empty, Stopped):
            pass
        except (AlchemerError, OSError) as error:
            self.stopped_by = error
            self._stop.set()
        finally:
            done.put(None)

    def _fetch(self, wanted: FileResult) -> FileResult:
        """Fetch one file if it is not there.

        Raises:
            AuthenticationError: The credentials were refused, as they would be for the others.
            OSError: The disk is full, or the folder cannot be written.
            Stopped: It was stopped.
        """
        upload, path = wanted.upload, wanted.path
        if upload.response_id < 1:
            return FileResult(upload, path, FAILED, reason="the response came without a valid id")
        size, listed = _size(path), self._list.get(path.name)
        if listed is None and size is None:
            return FileResult(upload, path, FAILED, reason="what is there is no file: move it away")
        if listed == [upload.stored, size]:
            return FileResult(upload, path, THERE, size)
        at_hand = -1 if listed is not None or size is None else size
        try:
            came = self._fetch_with_retries(upload, path, at_hand)
        except (AuthenticationError, Stopped):
            raise
        except AlchemerError as error:
            return FileResult(upload, path, FAILED, reason=str(error))
        except OSError as error:
            if error.errno in _OF_THE_DISK:
                raise
            reason = f"it could not be written: {error.strerror}"
            return FileResult(upload, path, FAILED, reason=reason)
        status = THERE if came is None else DOWNLOADED
        whole = at_hand if came is None else came
        self._list[path.name] = [upload.stored, whole]
        return FileResult(upload, path, status, whole)

    def _fetch_with_retries(self, upload: Upload, path: Path, size: int) -> int | None:
        attempt = 0
        while True:
            address = self._ask_address(upload, attempt)
            try:
                return self._write(address, path, size)
            except TransportError as error:
                attempt += 1
                if attempt == _ATTEMPTS or not _may_pass(error):
                    raise
            self._options.pause(_PAUSE * attempt, "trying a file again")

    def _ask_address(self, upload: Upload, attempt: int) -> Secret:
        envelope = self._client.request(
            "GET",
            f"survey/{self._survey}/surveyresponse/{upload.response_id}/file",
            # Another number makes it another call, which no memory answers with an old address.
            {"filename": upload.stored, "expires": _EXPIRES + attempt},
            options=self._options,
        )
        return to_secret(reply_object(envelope).get("download_url"))

    def _write(self, address: Secret, path: Path, size: int) -> int | None:
        """Fetch a file, and give it its name when it is whole; None if it is there already."""
        is_sandbox = is_loopback(urlsplit(self._client.region.api_url).hostname)
        request = FileRequest(
            address, is_sandbox, self._most, size, self._options, self._count_bytes
        )
        with suppress(_AtHand), write_atomically(path, mode=0o600) as temporary:
            with temporary.open("wb") as target:
                came = fetch_file(request, target)
            if came is None:
                raise _AtHand
            return came
        return None

    def _write_list(self) -> None:
        noted = {"version": 1, "survey": self._place, "files": dict(self._list)}
        text = json.dumps(noted)
        with suppress(OSError), write_atomically(self._folder / LIST, mode=0o600) as temporary:
            temporary.write_text(text, encoding="ascii")


class _AtHand(Exception):
    """The file is there already, so nothing replaces it."""


def _may_pass(error: TransportError) -> bool:
    """Check whether a file that did not come may come the next time: an address expires."""
    if isinstance(error, FileRefused):
        return error.status == _EXPIRED or error.status >= _SERVER_ERROR
    return error.reason != "certificate"


def _make_folder(folder: Path) -> Path:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidArgument(f"the folder {folder} cannot be made: {error.strerror}") from None
    return folder


def _size(path: Path) -> int | None:
    """Return the size of a file, -1 if there is none, None for a link or a folder."""
    try:
        found = os.lstat(path)
    except OSError:
        return -1
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _read_list(folder: Path, survey: str) -> dict[str, list[Any]]:
    """Return the files that earlier runs have noted: name -> stored name and size.

    Raises:
        InvalidArgument: They are of another survey, whose files could have the same names.
    """
    try:
        noted = json.loads((folder / LIST).read_text("utf-8"))
        files = {str(name): list(entry) for name, entry in noted["files"].items()}
        other = str(noted["survey"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}  # then each file is asked for, and compared by its size
    if other != survey:
        raise InvalidArgument(
            f"{folder} has the files of another survey ({other[:60]})",
            hint="Give each survey a folder of its own",
        )
    return files


def in_bytes(count: int) -> str:
    """Return a number of bytes in words."""
    if count < 1000:
        return counted(count, "byte")
    return f"{count / 1e3:,.0f} kB" if count < 1e6 else f"{count / 1e6:,.1f} MB"
