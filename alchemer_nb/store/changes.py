"""What the last sync brought: which responses came, changed and went, and in which columns."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from alchemer_nb.store import parts
from alchemer_nb.store.opening import definition_of
from alchemer_nb.store.reading import steadily
from alchemer_nb.store.streaming import Stored, chosen, stream
from alchemer_nb.store.sync import compare
from alchemer_nb.store.tables import frame_of

if TYPE_CHECKING:
    from pathlib import Path

    from alchemer_nb.store.manifest import Manifest
    from alchemer_nb.store.parts import Index
    from alchemer_nb.survey.definition import Definition

COLUMNS = ("change", "columns", "date_updated")
CHANGES = ("added", "changed", "removed")


def changes(folder: Path) -> pd.DataFrame:
    """Compares the last two syncs.

    Returns:
        One row a response that differs, by ``response_id``: ``change`` (``"added"``,
        ``"changed"``, ``"removed"``), ``columns`` (the list of those that differ; empty for the
        other two) and ``date_updated`` as received. The first sync added all there were.

    Raises:
        StoreError: There is no store, or it is damaged.
    """
    return steadily(folder, lambda manifest: _changes(folder, manifest))


def _changes(folder: Path, manifest: Manifest) -> pd.DataFrame:
    now = parts.index(folder, manifest)
    before = parts.index(folder, manifest, until=manifest.sync - 1)
    added, changed, removed = compare(before, now)
    differ = _differences(folder, manifest, (before, now), changed)
    updated = dict(
        zip(now.ids.tolist(), now.updated.to_pylist(), strict=True)
        if len(added) + len(changed)
        else ()
    )
    rows = [
        *((own, "added", []) for own in added.tolist()),
        *((own, "changed", columns) for own, columns in differ.items() if columns),
        *((own, "removed", []) for own in removed.tolist()),
    ]
    rows.sort(key=lambda row: row[0])
    index = pd.Index([row[0] for row in rows], name="response_id", dtype=np.int64)
    kinds = pd.Categorical([row[1] for row in rows], categories=CHANGES)
    data = {
        "change": pd.Series(kinds, index=index),
        "columns": pd.Series([row[2] for row in rows], index=index, dtype=object),
        "date_updated": pd.Series([updated.get(row[0]) for row in rows], index=index),
    }
    frame = pd.DataFrame(data, index=index)
    frame.attrs["syncs"] = [each["utc"] for each in manifest.syncs[-2:]]
    return frame


def _differences(
    folder: Path, manifest: Manifest, states: tuple[Index, Index], ids: np.ndarray
) -> dict[int, list[str]]:
    """For each response that changed, the columns that differ; none where only words did."""
    if not len(ids):
        return {}
    survey = definition_of(folder, manifest)
    zone = ZoneInfo(manifest.zone)
    old, new = (_frame(folder, manifest, survey, zone, state, ids) for state in states)
    columns = list(dict.fromkeys([*new.columns, *old.columns]))
    marks = {}
    for name in columns:
        one, other = (_texts(frame, name) for frame in (old, new))
        marks[name] = one != other
    return {
        int(own): [name for name in columns if marks[name][row]]
        for row, own in enumerate(new.index.tolist())
    }


def _texts(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Values in a form that can be compared, whatever their type; nothing is nothing."""
    if name not in frame:
        return np.full(len(frame), None, dtype=object)
    column = frame[name].astype(object)
    pairs = zip(column, column.isna(), strict=True)
    return np.array([None if missing else str(v) for v, missing in pairs], dtype=object)


def _frame(
    folder: Path,
    manifest: Manifest,
    survey: Definition,
    zone: ZoneInfo,
    state: Index,
    ids: np.ndarray,
) -> pd.DataFrame:
    which = np.isin(state.ids, ids)
    stored: list[Stored] = list(stream(folder, manifest, chosen(state, which)))
    return frame_of(survey, zone, stored, manifest.dates)
