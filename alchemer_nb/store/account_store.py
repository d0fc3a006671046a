"""The stores of one account."""

from __future__ import annotations

import threading
import warnings
from typing import TYPE_CHECKING, Any

from alchemer_nb.errors import AuthenticationError, DownloadIncomplete, StoreError
from alchemer_nb.fetch.endings import GOES_ON, advice, reason
from alchemer_nb.http.waiting import CallOptions
from alchemer_nb.store import names
from alchemer_nb.store import paths as place
from alchemer_nb.wire.ids import given_id, sent_id

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pandas as pd

    from alchemer_nb.fetch.progress import Progress
    from alchemer_nb.http.regions import Region
    from alchemer_nb.http.transport import Transport
    from alchemer_nb.store.manifest import Manifest
    from alchemer_nb.store.sync_result import Synced


class Stores:
    """The stores of the surveys of one account.

    Args:
        transport: Sends.
        region: Of the account.
        folder: Where all stores lie; left out, ``ALCHEMER_STORE`` or this user's data folder.
    """

    def __init__(
        self,
        transport: Transport,
        region: Region,
        folder: str | os.PathLike[str] | None = None,
    ) -> None:
        self.folder = place.root(folder)
        self.region = region
        self._transport = transport
        self._account: Path | None = None

    @property
    def account(self) -> Path:
        """The folder of the account; the first time asks which it is, in one call."""
        if self._account is None:
            own = sent_id(self._transport.account_id(), "the account")
            self._account = place.account_folder(self.folder, self.region.host, own)
        return self._account

    def place(self, survey_id: str) -> Path:
        """The folder of a survey.

        Raises:
            InvalidArgument: It is no id.
        """
        name = place.survey_name(survey_id)  # before the account is asked for
        return self.account / name

    def sync(
        self,
        survey_id: str,
        *,
        full: bool = False,
        fresh: bool = False,
        tell: Callable[[Progress], None] | None = None,
        stop: threading.Event | None = None,
    ) -> Synced:
        """Brings a survey's store up to date.

        Args:
            survey_id: Which.
            full: Compares all responses, not only those that changed lately.
            fresh: Takes nothing from the memory of the last minute.
            tell: Called after each page, and often while waiting.
            stop: Ends it when set; what came is kept.

        Raises:
            DownloadIncomplete: The credentials were refused on the way; what came is kept.
            StoreError: The store cannot be written.
            ApiError, TransportError: As for any call; what came is kept.
            Stopped: ``stop`` was set; what came is kept.
        """
        from alchemer_nb.store.listing import Listing
        from alchemer_nb.store.sync import Sync

        own, folder = given_id(survey_id, "a survey"), self.place(survey_id)
        options = CallOptions(stop or threading.Event(), fresh=fresh)
        listing = Listing(self._transport, own, options, tell)
        sync = Sync(folder, listing, self.region, full)
        try:
            return sync.run()
        except AuthenticationError as error:
            if not listing.calls:  # it was the first that they were used for
                raise
            refused = error
        why, needs = reason(refused, self._transport.credentials)
        raise DownloadIncomplete(
            f"{listing.title}: the sync had begun when {why}",
            hint=advice(needs, GOES_ON),
            needs=needs,
            cause=refused,
        )

    def table(self) -> pd.DataFrame:
        """Gives what is stored, one row a survey."""
        import pandas as pd

        rows = []
        for own in place.surveys_in(self.account):
            folder = self.place(own)
            found, size = _peeked(folder)
            rows.append(
                {
                    "id": own,
                    "title": found.title if found else "",
                    "rows": found.rows if found else 0,
                    "synced": found.utc if found else None,
                    "bytes": size,
                    "place": str(folder),
                }
            )
        frame = pd.DataFrame(rows, columns=["id", "title", "rows", "synced", "bytes", "place"])
        frame["synced"] = pd.to_datetime(frame["synced"], utc=True)
        return frame

    def scan(self, survey_id: str, engine: str = "arrow") -> Any:
        """Gives a stored survey to an engine, without reading it all.

        Args:
            survey_id: Which.
            engine: ``"arrow"`` (a pyarrow Dataset), ``"pandas"``, ``"duckdb"``, ``"polars"`` or
                ``"dask"``.
        """
        from alchemer_nb.store import engines

        return engines.scan(self.place(survey_id), engine)

    def changes(self, survey_id: str) -> pd.DataFrame:
        """Tells which responses came, changed and went with the last sync."""
        from alchemer_nb.store import changes

        return changes.changes(self.place(survey_id))

    def expunge(self, survey_id: str, **who: Any) -> list[int]:
        """Removes a person's responses from the store for good.

        Args:
            survey_id: Which survey.
            **who: ``responses`` (ids), ``contact_id`` or ``email``.

        Returns:
            The ids of the responses that were there.
        """
        from alchemer_nb.store import expunging

        folder = self.place(survey_id)
        return expunging.expunge(folder, given_id(survey_id, "a survey"), **who)

    def sql(self, query: str, frames: Mapping[str, Any]) -> pd.DataFrame:
        """Asks stored surveys and frames in SQL.

        Args:
            query: SQL as DuckDB knows it. A stored survey is called by its title in small
                letters with ``_`` for anything else, or ``survey_ID``.
            frames: Names of frames that may stand in it.
        """
        from alchemer_nb.store import engines

        return engines.run(query, place.surveys_in(self.account), self.place, frames)


def _peeked(folder: Path) -> tuple[Manifest | None, int]:
    """What a store holds and its bytes; one that cannot be read is told of, and hides no other."""
    from alchemer_nb.store import reading

    try:
        found = reading.peek(folder)
        return found, sum(path.stat().st_size for path in names.ours(folder))
    except (StoreError, OSError) as error:
        warnings.warn(f"{folder.name} is left out of the sums: {error}", stacklevel=4)
        return None, 0
