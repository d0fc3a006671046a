"""Frames from a store instead of a download."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from alchemer_nb.client.retrieval import Retrieval, check_answers
from alchemer_nb.errors import (
    DownloadIncomplete,
    InvalidArgument,
    Stopped,
    StoreDamaged,
    StoreError,
)
from alchemer_nb.frame.provenance import summary
from alchemer_nb.store import reading
from alchemer_nb.store.sync_result import STOPPED

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from alchemer_nb.decode.answers import Answers
    from alchemer_nb.store.account_store import Stores

_AGE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([smhdw]?)\s*", re.I)
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


@dataclass(kw_only=True)
class StoredRetrieval(Retrieval):
    """A frame from a store, which is synced first if it has to be.

    Attributes:
        stores: The stores of the account.
    """

    stores: Stores

    def __post_init__(self) -> None:
        super().__post_init__()
        self._age = parse_age(self.options.max_age)
        self._utc: str | None = None
        self._sync_notes: tuple[str, ...] = ()
        if self._conditions:
            raise InvalidArgument(
                "the conditions of where are Alchemer's to decide; take the frame from the store "
                "without them and choose its rows, or leave store and max_age out"
            )

    def run(self) -> pd.DataFrame:
        """Read the frame; sync first if the store is empty or too old.

        Raises:
            StoreError: The store cannot be read or written.
            ApiError, TransportError: As for any call.
        """
        survey_id = self.find_id()
        folder = self.stores.survey_folder(survey_id)
        if self._is_stale(folder):
            self._sync(survey_id)
        try:
            survey, download, utc = reading.read_download(folder)
        except StoreError as error:
            is_damaged = isinstance(error, StoreDamaged)
            if not is_damaged and reading.read_complete_manifest(folder) is not None:
                raise
            self._sync(survey_id)  # reading has shown that it is damaged; the sync repairs it
            survey, download, utc = reading.read_download(folder)
        self._utc = utc
        frame, facts = self._build_frame(survey, download)
        check_answers(facts)
        ending = summary(facts)
        ending = replace(ending, notes=(*ending.notes, f"in {folder}"))
        self._report_end(survey, download, ending)
        return frame

    def _sync(self, survey_id: str) -> None:
        tell = self.progress if callable(self.progress) else None
        with suppress(Stopped, KeyboardInterrupt):
            synced = self.stores.sync(
                survey_id, fresh=self.calls.fresh, tell=tell, stop=self.calls.stop
            )
            self._sync_notes = synced.notes
            return
        raise DownloadIncomplete(f"{STOPPED}. Run it again for the frame", stopped=True)

    def _is_stale(self, folder: Path) -> bool:
        manifest = reading.read_complete_manifest(folder)
        if manifest is None or manifest.utc is None:
            return True
        if self._age is None:
            return self.calls.fresh
        age = datetime.now(UTC) - datetime.fromisoformat(manifest.utc)
        return self.calls.fresh or not timedelta() <= age <= self._age  # or a clock was set back

    def _local_facts(self) -> dict[str, Any]:
        return {"utc": self._utc, "from_store": True, "mended": list(self._sync_notes)}

    def _local_mask(self, answers: Answers) -> np.ndarray | None:
        if not self._status:
            return None
        value = self._status[0].value
        allowed = set(value if isinstance(value, tuple) else [value])
        return np.array([str(status) in allowed for status in answers.meta["status"]], dtype=bool)


def parse_age(given: object) -> timedelta | None:
    """Parse a span of time: ``"1h"``, ``"30m"``, ``"2d"``, seconds, or a ``timedelta``.

    Raises:
        InvalidArgument: It is none of these.
    """
    if given is None or isinstance(given, timedelta):
        return given
    found = None if isinstance(given, bool) else _AGE.fullmatch(str(given))
    if not found:
        raise InvalidArgument(
            f"max_age is a span such as '1h', '30m' or '2d', or seconds, not {str(given)[:40]!r}"
        )
    return timedelta(seconds=float(found[1]) * _SECONDS[found[2].lower()])
