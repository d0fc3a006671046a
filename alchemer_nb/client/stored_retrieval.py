"""Frames from a local store instead of a download."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from alchemer_nb.client.download_facts import about
from alchemer_nb.client.retrieval import Retrieval, say
from alchemer_nb.errors import DownloadIncomplete, InvalidArgument, Stopped, StoreError
from alchemer_nb.frame import rows as chosen
from alchemer_nb.frame.description import Kept
from alchemer_nb.frame.provenance import summary
from alchemer_nb.store import reading
from alchemer_nb.store.sync_result import STOPPED

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from alchemer_nb.decode.answers import Answers
    from alchemer_nb.fetch.download import Download
    from alchemer_nb.frame.rows import Rows
    from alchemer_nb.store.account_store import Stores
    from alchemer_nb.survey.definition import Definition

_AGE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([smhdw]?)\s*", re.I)
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


@dataclass(kw_only=True)
class StoredRetrieval(Retrieval):
    """A frame from a store, which is synced before where it has to be.

    Attributes:
        stores: Of the account.
    """

    stores: Stores

    def __post_init__(self) -> None:
        super().__post_init__()
        self._age = age(self.options.max_age)
        self._utc: str | None = None
        self._mended: tuple[str, ...] = ()
        if self._lines:
            raise InvalidArgument(
                "the conditions of where are Alchemer's to decide; take the frame from the store "
                "without them and choose its rows, or leave store and max_age out"
            )

    def run(self) -> pd.DataFrame:
        """Reads the frame; syncs first if the store is empty, or older than it may be.

        Raises:
            StoreError: The store cannot be read or written.
            ApiError, TransportError: As for any call.
        """
        own = self.find()
        folder = self.stores.survey_folder(own)
        if self._is_stale(folder):
            self._sync(own)
        try:
            read = reading.read_download(folder)
        except StoreError:
            if reading.read_complete_manifest(folder) is not None:
                raise
            self._sync(own)  # it was damaged, which showed only now
            read = reading.read_download(folder)
        self._utc = read.utc
        frame, facts = self._frame(read.survey, read.download)
        ending = summary(facts)
        ending = replace(ending, notes=(*ending.notes, f"in {folder}"))
        say(self.progress, read.survey, read.download, ending)
        return frame

    def _sync(self, own: str) -> None:
        tell = self.progress if callable(self.progress) else None
        with suppress(Stopped, KeyboardInterrupt):
            synced = self.stores.sync(own, fresh=self.fresh, tell=tell, stop=self.stop)
            self._mended = synced.notes
            return
        raise DownloadIncomplete(f"{STOPPED}. Run it again for the frame")

    def _is_stale(self, folder: Path) -> bool:
        found = reading.read_complete_manifest(folder)
        if found is None or found.utc is None:
            return True
        if self._age is None:
            return self.fresh
        old = datetime.now(UTC) - datetime.fromisoformat(found.utc)
        return self.fresh or not timedelta() <= old <= self._age  # or the clock was set back

    def _frame(self, survey: Definition, result: Download) -> tuple[pd.DataFrame, dict[str, Any]]:
        rows = self._choose(result.answers)
        facts = about(self.region, survey, self.options, result, rows)
        facts |= {"utc": self._utc, "from_store": True, "mended": list(self._mended)}
        kept = Kept(result.answers, survey, str(self.region.zone), self.options.frame, facts)
        return kept.build(rows), facts

    def _choose(self, answers: Answers) -> Rows:
        inside = chosen.submitted_between(answers, self.region.zone, *self._between)
        if self._status:
            value = self._status[0].value
            wanted = set(value if isinstance(value, tuple) else [value])
            fits = np.array([str(s) in wanted for s in answers.meta["status"]], dtype=bool)
            inside = fits if inside is None else inside & fits
        return chosen.choose_rows(answers, self.options.frame, inside)


def age(given: object) -> timedelta | None:
    """A span of time: ``"1h"``, ``"30m"``, ``"2d"``, seconds, or a ``timedelta``.

    Raises:
        InvalidArgument: It cannot be read.
    """
    if given is None or isinstance(given, timedelta):
        return given
    found = None if isinstance(given, bool) else _AGE.fullmatch(str(given))
    if not found:
        raise InvalidArgument(
            f"max_age is a span such as '1h', '30m' or '2d', or seconds, not {str(given)[:40]!r}"
        )
    return timedelta(seconds=float(found[1]) * _SECONDS[found[2].lower()])
