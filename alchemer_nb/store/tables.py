"""Tables: Parquet files of the columns of a frame, one for each part, for ``scan`` and SQL.

A table is built from the responses of its part and the current definition, and is built again
when the definition has changed, or when its file is not the one that was written.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from alchemer_nb.decode.answers import Answers, AnswersBuilder
from alchemer_nb.fetch.raw_pages import join_page
from alchemer_nb.frame.build import build_frame, column_words, columns_by_name
from alchemer_nb.frame.metadata import EXTRA, STATUS_ORDER, field_array, metadata_array
from alchemer_nb.frame.options import FrameOptions
from alchemer_nb.frame.rows import Rows
from alchemer_nb.frame.unplanned_columns import all_columns
from alchemer_nb.frame.values import Renderer, option_names
from alchemer_nb.store import paths
from alchemer_nb.store.opening import read_stored_definition, table_names, table_path
from alchemer_nb.store.parts import ID_BITS, StoredVersion, in_chunks, read_all_versions
from alchemer_nb.survey.columns import INDEX, free_name, is_before_edit, name_columns
from alchemer_nb.survey.scales import is_ordered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from alchemer_nb.store.manifest import Manifest
    from alchemer_nb.survey.columns import AnswerColumn
    from alchemer_nb.survey.definition import Definition

KEY = "store_row"
_FACTS = b"alchemer_nb"  # key of a field's metadata: JSON of what its type does not say
_OPTIONS = FrameOptions(test_rows="include")


def version_key(version: Any, response_id: Any) -> Any:
    """Return version and response id as one number, unique among all rows of all tables."""
    return version << ID_BITS | response_id


def write_tables(
    manifest: Manifest,
    on_table: Callable[[str], None] = lambda _: None,
    *,
    day_first: bool = False,
) -> list[str]:
    """Write the tables that are missing, damaged or out of date. The folder must be locked.

    Args:
        manifest: Lists the parts.
        on_table: Called before each table with the current activity; may raise, and the rest is
            written the next time.
        day_first: Whether typed dates have the day before the month.

    Returns:
        Notes about tables that were damaged.

    Raises:
        FileDamaged: A part or the definition is gone or damaged.
    """
    if not manifest.definitions:
        return []
    survey, notes = None, []
    files = [table_path(manifest, part, day_first=day_first) for part in manifest.parts]
    pairs = zip(manifest.parts, (file.name for file in files), strict=True)
    missing = [(part, name) for part, name in pairs if not manifest.is_intact(name)]
    before = dict(manifest.files)
    try:
        for number, (part, name) in enumerate(missing, 1):
            on_table(f"writing table {number:,} of {len(missing):,}")
            if name in before:
                notes.append(f"{name} was gone or damaged, and was built again")
            survey = survey or read_stored_definition(manifest)
            versions = read_all_versions(manifest, [part])
            _write(manifest, name, _build_table(manifest, versions, survey, day_first=day_first))
        _unify_types(manifest, files)
    finally:  # stopped, interrupted or failed: the tables so far count
        if manifest.files != before:
            manifest.save()
    paths.remove_other_files(manifest.folder, set(table_names(manifest)), paths.TABLE_PATTERN)
    return notes


def find_tables(manifest: Manifest, *, day_first: bool) -> tuple[list[Path], pa.Schema] | None:
    """Return the tables and the columns of all of them; None if ``write_tables`` has to run."""
    files = [table_path(manifest, part, day_first=day_first) for part in manifest.parts]
    if not all(manifest.is_intact(file.name) for file in files):
        return None
    if not files:
        return files, _build_table(manifest, (), read_stored_definition(manifest)).schema
    schemas = [pq.read_schema(file) for file in files]
    types = _unified_types(schemas)
    if any(each.type != types[each.name] for schema in schemas for each in schema):
        return None
    return files, pa.schema([_unify_fields(name, kind, schemas) for name, kind in types.items()])


def _unify_types(manifest: Manifest, files: Sequence[Path]) -> None:
    """Write tables again so that a column of several types is text in each.

    Answers to unknown questions can look like numbers in one part and like words in another.
    """
    schemas = [pq.read_schema(file) for file in files]
    types = _unified_types(schemas)
    for file, schema in zip(files, schemas, strict=True):
        unified = pa.schema([each.with_type(types[each.name]) for each in schema])
        if unified.types != schema.types:
            _write(manifest, file.name, pq.read_table(file).cast(unified))


def _unified_types(schemas: Sequence[pa.Schema]) -> dict[str, pa.DataType]:
    types: dict[str, pa.DataType] = {}
    for schema in schemas:
        for name, kind in zip(schema.names, schema.types, strict=True):
            known = types.get(name)
            if known is None or pa.types.is_null(known):
                types[name] = kind
            elif not pa.types.is_null(kind) and kind != known:
                types[name] = pa.string()
    return {name: types[name] for name in _merge_orders([schema.names for schema in schemas])}


def _merge_orders(tables: Sequence[list[str]]) -> list[str]:
    """Return the names of all columns in an order that fits each table, as in a single table.

    Where the tables leave it open, as of url variables that no table has both, it is alphabetical.
    """
    order = list(tables[0]) if tables else []
    for names in tables[1:]:
        if names == order:
            continue
        known, at = set(order), 0
        for place, name in enumerate(names):
            if name in known:
                at = order.index(name) + 1
                continue
            following = next((each for each in names[place:] if each in known), None)
            end = len(order) if following is None else order.index(following)
            while at < end and order[at] < name:
                at += 1
            order.insert(at, name)
            at += 1
    return order


def _unify_fields(name: str, kind: pa.DataType, schemas: Sequence[pa.Schema]) -> pa.Field:
    """Return the field of a column with the categories that it has in any table."""
    own = [schema.field(name) for schema in schemas if name in schema.names]
    found = [column_facts(each) for each in own if not pa.types.is_null(each.type)]
    merged = {key: value for facts in found[:1] for key, value in facts.items()}
    for key in ("options", "texts"):
        if all(key in facts for facts in found):
            merged[key] = list(dict.fromkeys(text for facts in found for text in facts[key]))
        else:  # as text in one table it may hold any other
            merged.pop(key, None)
    return pa.field(name, kind, metadata={_FACTS: json.dumps(merged)})


def column_facts(field: pa.Field) -> dict[str, Any]:
    """Return what the type of a column does not say.

    Returns:
        ``words``, by which ``columns=`` may mean it; of a category, ``options`` (of the
        definition, in its order), ``texts`` (answers that are no option) and ``ordered``;
        ``typed_dates`` of a column with the texts that are no date.
    """
    facts: dict[str, Any] = json.loads((field.metadata or {}).get(_FACTS, b"{}"))
    return facts


def list_categories(field: pa.Field, texts: Sequence[str] | None = None) -> tuple[list[str], bool]:
    """Return the categories of a column, none if it is no category, and whether they are ordered.

    Args:
        field: The column.
        texts: The answers that are no option; left out, those of all tables.
    """
    facts = column_facts(field)
    if "options" not in facts:
        return [], False
    texts = facts["texts"] if texts is None else texts
    if field.name == "status":  # those that the API does not document come first
        return [*sorted(texts), *facts["options"]], True
    return [*facts["options"], *texts], facts["ordered"] and not texts


def build_versions_frame(
    survey: Definition, manifest: Manifest, versions: Iterable[StoredVersion]
) -> pd.DataFrame:
    """Build the frame of some versions, in their order, without those that have no content."""
    answers, ids, _ = _decode(survey, versions)
    return _build_frame(survey, manifest, answers, ids)


def _decode(
    survey: Definition, versions: Iterable[StoredVersion]
) -> tuple[Answers, np.ndarray, np.ndarray]:
    """Return the answers of the versions that have content, their ids, and version numbers."""
    builder = AnswersBuilder(survey)
    ids: list[int] = []
    numbers: list[int] = []
    for chunk in in_chunks(versions):
        with_content = [each for each in chunk if each.content is not None]
        ids += [each.id for each in with_content]
        numbers += [each.version for each in with_content]
        builder.add_page(join_page(each.content for each in with_content))
    return builder.build(), np.array(ids, dtype=np.int64), np.array(numbers, dtype=np.int64)


def _build_frame(
    survey: Definition,
    manifest: Manifest,
    answers: Answers,
    ids: np.ndarray,
    *,
    day_first: bool = False,
) -> pd.DataFrame:
    rows = Rows(np.arange(len(ids)), ids, len(ids), 0, 0)
    options, zone = replace(_OPTIONS, day_first=day_first), ZoneInfo(manifest.zone)
    frame = build_frame(answers, survey, rows, options, zone, {})
    frame.attrs.clear()
    # Added here, so that a question has the name that it has in a frame with its default options.
    renderer = Renderer(answers, rows.numbers, "label", (survey.language,))
    edits = [c for c in all_columns(survey, answers, renderer) if is_before_edit(c.path)]
    names = name_columns(edits, survey, _OPTIONS.names, [*frame, *EXTRA, INDEX])
    more = {name: renderer.array(column) for name, column in zip(names, edits, strict=True)}
    for name in EXTRA:
        values = metadata_array(name, answers, rows.numbers, zone, _OPTIONS.tz)
        own = free_name(f"{name}_metadata", frame.columns) if name in frame.columns else name
        more[own] = values
    for field in answers.others:
        more[free_name(field, {*frame, *more, INDEX})] = field_array(field, answers, rows.numbers)
    extra = {name: pd.Series(values).set_axis(frame.index) for name, values in more.items()}
    return pd.concat([frame, pd.DataFrame(extra, index=frame.index)], axis=1)


def _build_table(
    manifest: Manifest,
    versions: Iterable[StoredVersion],
    survey: Definition,
    *,
    day_first: bool = False,
) -> pa.Table:
    answers, ids, numbers = _decode(survey, versions)
    frame = _build_frame(survey, manifest, answers, ids, day_first=day_first)
    renderer = Renderer(answers, np.arange(answers.count), "label", (survey.language,))
    named = columns_by_name(answers, survey, renderer, _OPTIONS)
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    fields = [
        _portable(field).with_metadata(
            {_FACTS: json.dumps(_facts_of(frame[field.name], named, survey))}
        )
        for field in table.schema
    ]
    table = table.cast(pa.schema(fields))
    keys = pa.array(version_key(numbers, ids))
    return table.add_column(0, INDEX, pa.array(ids)).add_column(1, KEY, keys)


def _facts_of(
    series: pd.Series[Any], named: Mapping[str, AnswerColumn], survey: Definition
) -> dict[str, Any]:
    column = named.get(str(series.name))
    facts: dict[str, Any] = {} if column is None else {"words": sorted(column_words(column))}
    if column is not None and column.part == "raw" and column.raw_kind == "date":
        facts["typed_dates"] = True
    if isinstance(series.dtype, pd.CategoricalDtype):
        options, ordered = list(STATUS_ORDER), True  # the only category of metadata
        if column is not None:
            options = option_names(column.choices, "label", (survey.language,))
            ordered = is_ordered(column)
        texts = [text for text in series.cat.categories if text not in options]
        facts |= {"options": options, "texts": texts, "ordered": ordered}
    return facts


def _portable(field: pa.Field) -> pa.Field:
    """Return a field of a type that every engine reads the same way."""
    kind = field.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_large_string(kind):
        kind = pa.string()
    if pa.types.is_timestamp(kind):
        kind = pa.timestamp("us", kind.tz)
    return pa.field(field.name, kind)


def _write(manifest: Manifest, name: str, table: pa.Table) -> None:
    with manifest.write_file(name) as temporary:
        pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)
