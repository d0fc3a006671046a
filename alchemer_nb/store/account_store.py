"""The stores of one account."""

from __future__ import annotations

import threading
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

from alchemer_nb.errors import AuthenticationError, DownloadIncomplete, StoreError
from alchemer_nb.fetch.interruption import RUN_SYNC_AGAIN, build_hint, describe_interruption
from alchemer_nb.http.waiting import CallOptions
from alchemer_nb.store import paths
from alchemer_nb.wire.ids import check_given_id, check_received_id

if TYPE_CHECKING:
    import os
    from pathlib import Path

    import pandas as pd

    from alchemer_nb.fetch.progress import OnProgress
    from alchemer_nb.http.regions import Region
    from alchemer_nb.http.transport import Transport
    from alchemer_nb.store.sync_result import SyncResult, VerifyResult


class Stores:
    """The stores of the surveys of one account.

    Args:
        transport: Sends the calls.
        region: Of the account.
        folder: The folder of all stores; left out, ``ALCHEMER_STORE`` or this user's data folder.
    """

    def __init__(
        self, transport: Transport, region: Region, folder: str | os.PathLike[str] | None = None
    ) -> None:
        self.folder = paths.find_root(folder)
        self.region = region
        self._transport = transport

    @property
    def account(self) -> Path:
        """The folder of the account; the first time one call asks for the account's id."""
        account_id = check_received_id(self._transport.account_id(), "the account")
        return paths.account_folder(self.folder, self.region.host, account_id)

    def survey_folder(self, survey_id: str) -> Path:
        """Return the folder of a survey.

        Raises:
            InvalidArgument: It is no id.
        """
        name = paths.survey_folder_name(survey_id)  # a wrong id makes no call
        return self.account / name

    def sync(
        self,
        survey_id: str,
        *,
        full: bool = False,
        fresh: bool = False,
        verify: bool = False,
        tell: OnProgress | None = None,
        stop: threading.Event | None = None,
    ) -> SyncResult:
        """Bring a survey's store up to date.

        Args:
            survey_id: Id.
            full: Compare all responses, not only those that changed lately.
            fresh: Use no page of the cache of the last minute.
            verify: Compare the store with Alchemer afterwards. If anything differs, all responses
                are synced, and compared once more.
            tell: Called with a ``Progress`` after each page, and often while waiting.
            stop: Set it to stop the sync; what came before is stored.

        Raises:
            DownloadIncomplete: The credentials were refused after some pages; these are stored.
            StoreError: The store cannot be written, or with ``verify`` still differs.
            ApiError, TransportError: As for any call; what came before is stored.
            Stopped: ``stop`` was set; what came before is stored.
        """
        from alchemer_nb.store.listing import Listing
        from alchemer_nb.store.sync import Sync

        survey_id = check_given_id(survey_id, "a survey")
        folder = self.survey_folder(survey_id)
        options = CallOptions(stop or threading.Event(), fresh=fresh)
        listing = Listing(self._transport, survey_id, options, tell)
        try:
            result = Sync(folder, listing, self.region, full).run()
            return self._prove(result, tell, options.stop) if verify else result
        except AuthenticationError as error:
            if not listing.calls:  # refused at the first call, so nothing was interrupted
                raise
            refused = error  # raised outside the ``except``: its message includes the first error
        why, needs = describe_interruption(refused, self._transport.credentials)
        raise DownloadIncomplete(
            f"{listing.title}: the sync had begun when {why}",
            hint=build_hint(needs, RUN_SYNC_AGAIN),
            needs=needs,
            cause=refused,
        )

    def _prove(
        self, first: SyncResult, tell: OnProgress | None, stop: threading.Event
    ) -> SyncResult:
        """Compare a store with Alchemer after a sync; sync all responses once if it differs.

        A response that differs in the same way both times was not mended. One that differs in the
        second comparison alone may have come or changed in the meantime.
        """
        found = self.verify(first.survey, tell=tell, stop=stop)
        if found.ok:
            return replace(first, verified=found)
        second = self.sync(first.survey, full=True, tell=tell, stop=stop)
        again = self.verify(first.survey, tell=tell, stop=stop)
        both = found.differences.index.intersection(again.differences.index)
        is_left = again.definition_differs and found.definition_differs
        if len(both) or len(again.files) or is_left:
            raise StoreError(
                f"{again.title}: {again.summary}, although all responses were synced again",
                hint=f"Look at client.verify({first.survey}).differences: Alchemer may send these "
                "responses in another form each time. Else move the folder "
                f"{again.place} away, and sync anew",
            )
        return replace(
            second,
            added=first.added + second.added,
            changed=first.changed + second.changed,
            removed=first.removed + second.removed,
            calls=first.calls + second.calls,
            notes=(*first.notes, f"{found.summary}; all were synced again", *second.notes),
            verified=again,
        )

    def verify(
        self,
        survey_id: str,
        *,
        tell: OnProgress | None = None,
        stop: threading.Event | None = None,
    ) -> VerifyResult:
        """Compare a survey's store with Alchemer, and its files with their digests.

        All responses are read from Alchemer, and nothing is changed here or there.

        Args:
            survey_id: Id.
            tell: Called with a ``Progress`` after each page, and often while waiting.
            stop: Set it to stop.

        Raises:
            StoreError: The survey is not stored, or its store cannot be read.
            ApiError, TransportError: As for any call.
            Stopped: ``stop`` was set.
        """
        from alchemer_nb.store.listing import Listing
        from alchemer_nb.store.verifying import verify

        survey_id = check_given_id(survey_id, "a survey")
        options = CallOptions(stop or threading.Event())
        listing = Listing(self._transport, survey_id, options, tell, is_comparison=True)
        return verify(self.survey_folder(survey_id), listing)

    def list_folders(self) -> dict[str, Path]:
        """Return survey id -> folder of all stores."""
        return paths.list_survey_folders(self.account)

    def list_stored(self) -> pd.DataFrame:
        """Return the stored surveys, one row each.

        A store that cannot be read has 0 rows and no time, and causes a warning.
        """
        import pandas as pd

        from alchemer_nb.store.reading import read_complete_manifest

        rows = []
        for survey_id, folder in self.list_folders().items():
            found, size = None, 0
            try:
                found = read_complete_manifest(folder)
                size = sum(path.stat().st_size for path in paths.list_store_files(folder))
            except (StoreError, OSError) as error:
                found = None
                warnings.warn(f"{folder.name} is left out of the sums: {error}", stacklevel=3)
            facts = (found.title, found.rows, found.utc) if found else ("", 0, None)
            rows.append((survey_id, *facts, size, str(folder)))
        frame = pd.DataFrame(rows, columns=["id", "title", "rows", "synced", "bytes", "place"])
        frame["synced"] = pd.to_datetime(frame["synced"], utc=True)
        return frame
