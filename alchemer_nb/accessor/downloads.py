"""Downloads of the files that respondents sent, for ``df.alchemer.download_files``."""

from __future__ import annotations

import builtins
import json
import os
import sys
from typing import TYPE_CHECKING, Any

from alchemer_nb.errors import (
    AuthenticationError,
    ConfigurationError,
    DownloadIncomplete,
    InvalidArgument,
)
from alchemer_nb.fetch.upload_names import Upload
from alchemer_nb.fetch.uploads import FAILED, UploadDownload, in_bytes
from alchemer_nb.files import expand_path
from alchemer_nb.frame.description import describe_wide, response_ids
from alchemer_nb.frame.lookup import columns_of
from alchemer_nb.frame.text_dtype import typed_frame
from alchemer_nb.survey.question_types import question_key
from alchemer_nb.visible import print_line
from alchemer_nb.wire.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    import pandas as pd

    from alchemer_nb.fetch.uploads import Caller, FileProgress
    from alchemer_nb.frame.description import Description

_SHOWN_AFTER = 1.0  # seconds
_FILE_PARTS = ("answer", "item", "leaf")
_AGAIN = "Run it again: files that are whole are not fetched again"


def download_files(
    frame: pd.DataFrame,
    folder: str | os.PathLike[str],
    columns: Iterable[str | int] | None,
    client: Caller | None,
    most_bytes: int,
    progress: Any,
) -> pd.DataFrame:
    """Download files; see ``AlchemerAccessor.download_files``."""
    if not isinstance(folder, str | os.PathLike) or not str(folder) or "\0" in str(folder):
        raise InvalidArgument("folder is the name of a folder, such as 'uploads'")
    on_progress, receipt = _reporter(progress)
    description = describe_wide(frame)
    if description.waves:
        raise InvalidArgument(
            "this frame has several waves, and their files belong to several surveys",
            hint="Call it on the frame of each wave, before stack_waves",
        )
    if not description.survey.id:
        raise InvalidArgument("this frame does not say from which survey it came")
    names = _file_columns(frame, description, columns)
    client = _check_client(find_client() if client is None else client, description)
    uploads = list(dict.fromkeys(_uploads(frame, description, names)))
    place = expand_path(folder).absolute()
    job = UploadDownload(
        client, description.survey.id, uploads, place,
        most_bytes=most_bytes, on_progress=on_progress,
    )  # fmt: skip
    job.run()
    result = _to_frame(job)
    line = _sum_up(result, str(description.about.get("title", "")), place)
    if job.stopped:
        cause = job.stopped_by
        if isinstance(cause, AuthenticationError):
            needs = "Sign in again, then run it again: files that are whole are not fetched again"
            raise DownloadIncomplete(f"{cause.sentence}; {line}", result, hint=needs, cause=cause)
        why = f"{place} cannot be written: {getattr(cause, 'strerror', cause)}" if cause else ""
        raise DownloadIncomplete(f"{why or 'it was stopped'}; {line}", result, hint=_AGAIN)
    receipt(line)
    return result


def find_client() -> Caller:
    """Return the client of the notebook's current sign-in.

    The magics object of the shell has it; here only the shell is asked for that object, by the
    name of its command.

    Raises:
        ConfigurationError: There is no notebook, or nobody is signed in.
    """
    # IPython puts this name there while a cell runs: it returns the shell of that cell.
    get_shell = getattr(builtins, "get_ipython", None)
    shell = get_shell() if get_shell is not None else None
    magic = shell.find_line_magic("alchemer") if shell is not None else None
    session = getattr(getattr(magic, "__self__", None), "session", None)
    client: Caller | None = getattr(session, "client", None)
    if client is None:
        raise ConfigurationError(
            "the files have to be asked from Alchemer, and nobody is signed in here",
            hint="Sign in with %alchemer login, or give client=: "
            "df.alchemer.download_files(folder, client=client)",
        )
    return client


def _check_client(client: Caller, description: Description) -> Caller:
    if not callable(getattr(client, "request", None)) or not hasattr(client, "region"):
        raise InvalidArgument(f"client is a Client, not {type(client).__name__}")
    came_from = description.about.get("region")
    if came_from and came_from != client.region.name:
        raise InvalidArgument(
            f"this frame came from region {came_from}, and the client is signed in to region "
            f"{client.region.name}",
            hint="Give the client of that account: download_files(folder, client=client)",
        )
    return client


def _file_columns(
    frame: pd.DataFrame, description: Description, wanted: Iterable[str | int] | None
) -> list[str]:
    """Return the names of the columns that hold names of files.

    Raises:
        InvalidArgument: There are none, or a column that was asked for holds something else.
    """
    hashed = {row.get("column") for row in description.redacted if "hashed" in str(row.get("done"))}
    every = [
        name
        for name, column in description.columns.items()
        if question_key(column.question) == "file" and column.part in _FILE_PARTS
    ]
    here = [name for name in every if name in frame.columns and name not in hashed]
    if wanted is None and not here:
        if not any(question_key(each) == "file" for each in description.survey.walk()):
            raise InvalidArgument("this survey has no question that takes files")
        raise InvalidArgument(
            "no column of this frame holds names of files: they were left out or redacted",
            hint="Download the responses again with these columns",
        )
    if wanted is None:
        return here
    asked = [wanted] if isinstance(wanted, str | int) else list(wanted)
    named = [name for each in asked for name in columns_of(frame, description, each)]
    wrong = [name for name in named if name not in here]
    if wrong:
        there = ", ".join(here) or "no column"
        raise InvalidArgument(f"column {wrong[0]!r} holds no files; of this frame {there} does")
    return list(dict.fromkeys(named))


def _uploads(frame: pd.DataFrame, description: Description, names: list[str]) -> Iterator[Upload]:
    ids = response_ids(frame)
    for name in names:
        label = str(description.records[name].get("column_alias") or name)
        for own, answer in zip(ids, frame[name].tolist(), strict=True):
            if isinstance(answer, str) and answer.strip():
                yield from (Upload(int(own), label, each) for each in _stored_names(answer))


def _stored_names(answer: str) -> list[str]:
    """Return the names in an answer; several come as a list or map, which the frame has as JSON."""
    if answer[:1] in "[{":
        try:
            found = json.loads(answer)
        except (ValueError, RecursionError):
            return [answer]
        found = list(found.values()) if isinstance(found, dict) else found
        if isinstance(found, list) and all(isinstance(each, str) and each for each in found):
            return found
    return [answer]


def _to_frame(job: UploadDownload) -> pd.DataFrame:
    rows = [
        {
            "response_id": each.upload.response_id,
            "question": each.upload.question,
            "name": each.upload.name,
            "path": str(each.path) if each.bytes is not None else None,
            "bytes": each.bytes,
            "status": each.status,
            "reason": each.reason or None,
        }
        for each in job.results.values()
    ]
    names = ("response_id", "question", "name", "path", "bytes", "status", "reason")
    return typed_frame(rows, names, {"response_id": "int64", "bytes": "Int64"})


def _sum_up(result: pd.DataFrame, title: str, folder: Path) -> str:
    counts = result["status"].value_counts()
    there = int(result["bytes"].fillna(0).sum())
    parts = [f"{counts[status]:,} {status}" for status in counts.index]
    line = f"{counted(len(result), 'file')} in {folder}: " if len(result) else "no file was sent"
    line += ", ".join(parts) + (f" ({in_bytes(there)})" if there else "")
    if FAILED in counts.index:
        line += "; the column reason of the result says why"
    return f"{title}: {line}" if title else line


def _reporter(
    progress: Any,
) -> tuple[Callable[[FileProgress], None], Callable[[str], None]]:
    """Return what shows the progress, and what shows the line at the end.

    Raises:
        InvalidArgument: ``progress`` is none of its values.
    """
    if callable(progress):
        return progress, lambda _: None
    if progress in ("none", False, None):
        return lambda _: None, lambda _: None
    if progress not in ("auto", "text", True):
        raise InvalidArgument("progress is 'auto', 'none' or a function that takes the progress")
    if "ipykernel" not in sys.modules:
        return lambda _: None, print_line
    line = _NotebookLine()
    return line.show, line.end


class _NotebookLine:
    """A line below the cell, which the receipt replaces at the end."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._text = ""

    def show(self, progress: FileProgress) -> None:
        if progress.seconds >= _SHOWN_AFTER:
            self._write(progress.line)

    def end(self, text: str) -> None:
        if self._handle is None:
            print_line(text)
        else:
            self._write(text)

    def _write(self, text: str) -> None:
        from IPython.display import display

        from alchemer_nb.visible import make_visible

        if text == self._text:
            return
        self._text = text
        data = {"text/plain": make_visible(text)}
        if self._handle is None:
            self._handle = display(data, raw=True, display_id=True)  # type: ignore[no-untyped-call]  # IPython has no hints
        else:
            self._handle.update(data, raw=True)
