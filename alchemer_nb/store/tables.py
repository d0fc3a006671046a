"""Responses as columns, a table beside each part: for ``scan``, SQL and other tools.

A table is made from the responses of its part and the definition at hand, so it can be made anew
at any time; where the definition has changed, it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from alchemer_nb.decode.answers import Answers, AnswersBuilder
from alchemer_nb.frame.build import build
from alchemer_nb.frame.options import FrameOptions
from alchemer_nb.frame.rows import Rows
from alchemer_nb.frame.unplanned_columns import all_columns
from alchemer_nb.frame.values import Renderer
from alchemer_nb.store import names
from alchemer_nb.store.opening import definition_of, table_name
from alchemer_nb.store.parts import ID_BITS
from alchemer_nb.store.paths import written
from alchemer_nb.store.streaming import Stored, pages, stream
from alchemer_nb.survey.question_types import question_key
from alchemer_nb.wire.stamps import SHOWS, orders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    import pandas as pd

    from alchemer_nb.store.manifest import Manifest, Part
    from alchemer_nb.survey.definition import Definition

KEY = "store_row"
ID = "response_id"
_OPTIONS = FrameOptions(test_rows="include", metadata="all")


def key(version: Any, response_id: Any) -> Any:
    """What tells the versions of all responses apart, as one number."""
    return version << ID_BITS | response_id


def make_all(
    folder: Path, manifest: Manifest, between: Callable[[str], None] = lambda _: None
) -> None:
    """Makes the tables that are missing, or were made when less was known. The lock is held.

    Args:
        folder: The survey's.
        manifest: Its parts.
        between: Called before each with what is being done; may raise, and the rest is made the
            next time.
    """
    if not manifest.definitions:
        return
    survey = definition_of(folder, manifest)
    while missing := [p for p in manifest.parts if not _place(folder, manifest, p).exists()]:
        for number, part in enumerate(missing, 1):
            between(f"writing table {number:,} of {len(missing):,}")
            table = _table(folder, manifest, part, survey)
            _write(_place(folder, manifest, part), table)  # under the name of what is known now
    wanted = {table_name(part, manifest) for part in manifest.parts}
    names.sweep(folder, wanted, names.TABLE)


def _place(folder: Path, manifest: Manifest, part: Part) -> Path:
    return folder / table_name(part, manifest)


def agree(folder: Path, manifest: Manifest) -> pa.Schema:
    """The columns of all tables; those whose types do not go together become text.

    Answers that no definition knows can look like numbers in one part and like words in another.
    """
    places = [folder / table_name(part, manifest) for part in manifest.parts]
    schemas = [pq.read_schema(place) for place in places]
    types: dict[str, pa.DataType] = {}
    for schema in schemas:
        for name, kind in zip(schema.names, schema.types, strict=True):
            known = types.get(name)
            if known is None or pa.types.is_null(known):
                types[name] = kind
            elif not pa.types.is_null(kind) and kind != known:
                types[name] = pa.string()
    united = pa.schema(list(types.items()))
    for place, schema in zip(places, schemas, strict=True):
        if any(united.field(name).type != schema.field(name).type for name in schema.names):
            fields = pa.schema([united.field(name) for name in schema.names])
            _write(place, pq.read_table(place).cast(fields))
    return united


def frame_of(
    survey: Definition, zone: Any, stored: Sequence[Stored], dates: dict[str, list[str]]
) -> pd.DataFrame:
    """The analyst's frame of some stored versions, in their order.

    Args:
        survey: The definition.
        zone: The region's.
        stored: The versions.
        dates: Orders of typed dates that are known.
    """
    answers, ids = _answers(survey, [stored])
    return _frame(survey, zone, answers, ids, dates)


def page_of(stored: Sequence[Stored]) -> bytes:
    """Stored responses as a page of the API."""
    return b'{"data":[' + b",".join(each.content or b"" for each in stored) + b"]}"


def _answers(survey: Definition, some: Iterable[Sequence[Stored]]) -> tuple[Answers, list[int]]:
    builder = AnswersBuilder(survey)
    ids: list[int] = []
    for stored in some:
        ids += [each.id for each in stored]
        builder.add_page(page_of(stored))
    return builder.build(), ids


def _frame(
    survey: Definition, zone: Any, answers: Answers, ids: list[int], dates: dict[str, list[str]]
) -> pd.DataFrame:
    for path, shown in dates.items():
        leaf = answers.leaves.get(tuple(path.split("/")))
        if leaf is not None:
            for order in shown:  # known of the column, though of no row here
                leaf.encode(SHOWS[order])
    rows = Rows(np.arange(len(ids)), np.array(ids, dtype=np.int64), len(ids), 0, 0)
    frame = build(answers, survey, rows, _OPTIONS, zone, {})
    frame.attrs.clear()
    return frame


def _learn_dates(survey: Definition, answers: Answers, manifest: Manifest) -> None:
    """Notes which order typed dates show: what a whole column shows, a part need not."""
    renderer = Renderer(answers, np.arange(answers.count), "label", ())
    for column in all_columns(survey, answers, renderer):
        leaf = answers.leaves.get(column.path)
        if leaf is None or question_key(column.question) != "date":
            continue
        path = "/".join(column.path)
        known = set(manifest.dates.get(path, ()))
        shown = known | orders(text for text in leaf.atoms.texts() if text)
        if shown != known:
            manifest.dates[path] = sorted(shown)


def _table(folder: Path, manifest: Manifest, part: Part, survey: Definition) -> pa.Table:
    versions: list[int] = []

    def noted(some: list[Stored]) -> list[Stored]:
        kept = [each for each in some if each.content is not None]
        versions.extend(each.version for each in kept)
        return kept

    everything = stream(folder, manifest, {part.number: np.arange(part.rows)})
    answers, ids = _answers(survey, map(noted, pages(everything)))
    before = dict(manifest.dates)
    _learn_dates(survey, answers, manifest)
    if manifest.dates != before:
        manifest.save(folder)
    frame = _frame(survey, ZoneInfo(manifest.zone), answers, ids, manifest.dates)
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    table = table.cast(pa.schema([_plain(field) for field in table.schema]))
    own = np.array(ids, dtype=np.int64)
    keys = key(np.array(versions, dtype=np.int64), own)
    return table.add_column(0, ID, pa.array(own)).add_column(1, KEY, pa.array(keys))


def _plain(field: pa.Field) -> pa.Field:
    """A type that every engine reads the same way: no dictionaries, no large texts."""
    kind = field.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_large_string(kind):
        kind = pa.string()
    if pa.types.is_timestamp(kind):
        kind = pa.timestamp("us", kind.tz)
    return pa.field(field.name, kind)


def _write(place: Path, table: pa.Table) -> None:
    with written(place) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def slug(title: str) -> str:
    """A title as the name of a table."""
    name = re.sub(r"[^0-9a-z]+", "_", title.casefold()).strip("_")
    return f"survey_{name}" if not name or name[0].isdigit() else name
