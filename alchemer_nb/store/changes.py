"""Compares the last two syncs: responses added, changed and removed, and changed columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from alchemer_nb.store.opening import read_stored_definition
from alchemer_nb.store.parts import Index, read_index, read_versions
from alchemer_nb.store.reading import read_consistently
from alchemer_nb.store.tables import build_versions_frame

if TYPE_CHECKING:
    from pathlib import Path

    from alchemer_nb.store.manifest import Manifest

KINDS = ("added", "changed", "removed")


def read_changes(folder: Path) -> pd.DataFrame:
    """Compare the last two syncs.

    Returns:
        One row a response that differs, by ``response_id``: ``change`` (``"added"``,
        ``"changed"``, ``"removed"``), ``columns`` (the list of those that differ; empty for the
        other two) and ``date_updated`` as received. The first sync added all responses.

    Raises:
        StoreError: There is no store, or it is damaged.
    """
    return read_consistently(folder, _read_changes)


def _read_changes(manifest: Manifest) -> pd.DataFrame:
    now = read_index(manifest)
    before = read_index(manifest, until=manifest.sync - 1)
    added, changed, removed = now.compare(before)
    columns = _changed_columns(manifest, (before, now), changed)
    rows = [
        *((response_id, "added", []) for response_id in added.tolist()),
        *((response_id, "changed", names) for response_id, names in columns.items() if names),
        *((response_id, "removed", []) for response_id in removed.tolist()),
    ]
    rows.sort(key=lambda row: row[0])
    index = pd.Index([row[0] for row in rows], name="response_id", dtype=np.int64)
    kinds = pd.Categorical([row[1] for row in rows], categories=KINDS)
    updated = now.updated.take(now.positions(index.to_numpy())).to_pylist()
    data = {
        "change": pd.Series(kinds, index=index),
        "columns": pd.Series([row[2] for row in rows], index=index, dtype=object),
        "date_updated": pd.Series(updated, index=index),
    }
    frame = pd.DataFrame(data, index=index)
    frame.attrs["syncs"] = [each["utc"] for each in manifest.syncs[-2:]]
    return frame


def _changed_columns(
    manifest: Manifest, states: tuple[Index, Index], ids: np.ndarray
) -> dict[int, list[str]]:
    """Return response id -> the columns that differ; none if only the JSON differs."""
    if not len(ids):
        return {}
    survey = read_stored_definition(manifest)
    old, new = (
        build_versions_frame(
            survey, manifest, read_versions(manifest, state.rows_by_part(np.isin(state.ids, ids)))
        )
        for state in states
    )
    differs = {
        name: _as_text(old, name) != _as_text(new, name)
        for name in dict.fromkeys([*new.columns, *old.columns])
    }
    return {
        int(response_id): [name for name, rows in differs.items() if rows[row]]
        for row, response_id in enumerate(ids.tolist())
    }


def _as_text(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Return the values of a column as text, None for missing ones, so that any types compare."""
    if name not in frame:
        return np.full(len(frame), None, dtype=object)
    column = frame[name].astype(object)
    pairs = zip(column, column.isna(), strict=True)
    return np.array([None if missing else str(v) for v, missing in pairs], dtype=object)
