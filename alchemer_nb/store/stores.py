"""The stores of one account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alchemer_nb.paging import rows_of
from alchemer_nb.store import place

if TYPE_CHECKING:
    import os
    import threading
    from collections.abc import Callable
    from pathlib import Path

    from alchemer_nb.progress import Progress
    from alchemer_nb.regions import Region
    from alchemer_nb.store.synced import Synced
    from alchemer_nb.transport import Transport


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
            rows = rows_of(self._transport.send("GET", "account").envelope())
            known = str(rows[0].get("id")) if rows else ""
            self._account = place.account_folder(self.folder, self.region.host, known)
        return self._account

    def place(self, survey_id: str) -> Path:
        """The folder of a survey."""
        return place.survey_folder(self.account, survey_id)

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
        """
        from alchemer_nb.store.listing import Listing
        from alchemer_nb.store.sync import Sync

        more: dict[str, Any] = {} if stop is None else {"stop": stop}
        listing = Listing(self._transport, survey_id, tell, fresh=fresh, **more)
        return Sync(self.place(survey_id), listing, self.region, full).run()
