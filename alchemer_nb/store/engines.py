"""Opens the tables of a store with pyarrow, pandas, DuckDB, Polars or Dask.

Many readers use the columns of the first file for all files, and drop the others without an error;
here the schema of all files is passed. Only the current version of each response is read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from alchemer_nb.errors import InvalidArgument, StoreDamaged
from alchemer_nb.files import import_optional
from alchemer_nb.frame.build import absent_urls, choose_by_words
from alchemer_nb.frame.options import FrameOptions, check_choice
from alchemer_nb.frame.provenance import note_other_order
from alchemer_nb.frame.text_dtype import text_dtype
from alchemer_nb.store import parts, paths, reading, tables
from alchemer_nb.store.digests import FileDamaged, FileRecord, is_intact
from alchemer_nb.store.manifest import Manifest, read_expunged_ids
from alchemer_nb.survey.columns import INDEX, URL
from alchemer_nb.wire.stamps import parse_typed_date
from alchemer_nb.wire.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

ENGINES = ("arrow", "pandas", "duckdb", "polars", "dask")
TEST = "is_test_data"


@dataclass(frozen=True, slots=True)
class TableSet:
    """The tables of a store, and what of them is read.

    Attributes:
        title: Title of the survey.
        files: One for each part.
        records: Their sizes and digests.
        schema: Columns of all of them; times in the wanted zone, which for ``tz=None`` is the
            region's.
        stale: Keys of the rows to leave out: older versions, expunged responses.
        options: ``test_rows``, ``tz``, ``day_first`` and ``columns`` are used.
        columns: The columns to read, without response id and key.
        empty: Of these, the ones that no response has.
        repairs: Notes about tables that were damaged.
    """

    title: str
    files: tuple[str, ...]
    records: Mapping[str, FileRecord]
    schema: pa.Schema
    stale: np.ndarray
    options: FrameOptions
    columns: tuple[str, ...]
    empty: tuple[str, ...] = ()
    repairs: tuple[str, ...] = ()

    @property
    def dataset(self) -> ds.Dataset:
        """A pyarrow Dataset of the current rows; it filters them when it is read."""
        test = pc.field(TEST)
        if self.options.test_rows == "include":
            return self._all_rows
        return self._all_rows.filter(test if self.options.test_rows == "only" else ~test)

    @property
    def _all_rows(self) -> ds.Dataset:
        """The current rows, test rows included."""
        if not self.files:
            return ds.dataset(self.schema.empty_table())
        # Digests were checked when it was opened; engines may read the rows much later.
        checks = ds.ParquetFragmentScanOptions(page_checksum_verification=True)
        parquet = ds.ParquetFileFormat(default_fragment_scan_options=checks)
        everything = ds.dataset(list(self.files), schema=self.schema, format=parquet)
        if not len(self.stale):
            return everything
        return everything.filter(~pc.field(tables.KEY).isin(pa.array(self.stale)))

    def notes(self) -> list[str]:
        """Return what to know about the rows and columns that are read."""
        found = list(self.repairs)
        if self.options.test_rows == "exclude":
            count = self._all_rows.count_rows(filter=pc.field(TEST))
            if count:
                rows = counted(count, "test row")
                way = 'test_rows="include" or --test-rows include brings them back'
                found.append(f"{rows} left out ({way})")
        other_order = self._count_other_order()
        if other_order:
            found.append(note_other_order(other_order, day_first=self.options.day_first))
        found += [f"no response has the url variable {n.removeprefix(URL)!r}" for n in self.empty]
        return [f"{self.title}: {note}" for note in found]

    def _count_other_order(self) -> int:
        """Count the typed dates that can be read only with the other order of day and month."""
        fields = map(self.schema.field, self.columns)
        names = [field.name for field in fields if tables.column_facts(field).get("typed_dates")]
        other = not self.options.day_first
        return sum(
            item["counts"]
            for column in (self.dataset.to_table(columns=names).columns if names else ())
            for item in column.drop_null().value_counts().to_pylist()
            if parse_typed_date(item["values"], day_first=other) is not None
        )

    def is_naive(self, name: str) -> bool:
        """Check whether a column has to lose its zone."""
        kind = self.schema.field(name).type
        return self.options.tz is None and pa.types.is_timestamp(kind) and kind.tz is not None

    def to_pandas(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Read the rows as a frame whose dtypes do not depend on missing values.

        Args:
            columns: Of ``columns``, those to read; left out, all.
        """
        names = self.columns if columns is None else columns
        table = self.dataset.to_table(columns=[INDEX, *names])
        frame: pd.DataFrame = table.to_pandas(types_mapper=choose_dtype, date_as_object=False)
        frame = frame.set_index(INDEX)
        for name in names:
            categories, ordered = tables.list_categories(self.schema.field(name))
            if categories:
                frame[name] = to_category(frame[name], categories, ordered=ordered)
            elif self.is_naive(name):
                frame[name] = frame[name].dt.tz_localize(None)
            elif name == TEST:
                frame[name] = frame[name].astype(bool)  # it is never missing
        return frame


def open_tables(folder: Path, options: FrameOptions) -> TableSet:
    """Return the tables of a store; write those that are missing.

    Args:
        folder: The survey's.
        options: ``test_rows``, ``tz``, ``day_first`` and ``columns`` are used.

    Raises:
        InvalidArgument: A word of ``columns`` means no column.
        StoreError: There is no store, or it is damaged.
    """
    return reading.read_consistently(folder, partial(_open_tables, options=options))


def _open_tables(manifest: Manifest, options: FrameOptions) -> TableSet:
    day_first, notes = options.day_first, []
    ready = tables.find_tables(manifest, day_first=day_first)
    if ready is None:
        with paths.lock_folder(manifest.folder):
            renewed = reading.read_complete_manifest(manifest.folder)  # a sync may have ended
            if renewed is None:
                raise FileDamaged(paths.MANIFEST)
            manifest = renewed
            notes = tables.write_tables(manifest, day_first=day_first)
            ready = tables.find_tables(manifest, day_first=day_first)
        if ready is None:
            raise FileDamaged("a table")
    files, schema = ready
    columns: dict[int, pa.Table] = {}
    index = parts.read_index(manifest, without=read_expunged_ids(manifest), cache=columns)
    current = tables.version_key(index.version, index.ids)[index.has_content]
    every = [current]
    for stored in columns.values():
        keys = (stored["version"].to_numpy(), stored["response_id"].to_numpy())
        every.append(tables.version_key(*keys))
    stale = np.setdiff1d(np.concatenate(every), current)
    schema = _in_zone(schema, options.tz or manifest.zone)
    everything = tuple(name for name in schema.names if name not in (tables.KEY, INDEX))
    found = TableSet(
        manifest.title,
        tuple(map(str, files)),
        {str(file): manifest.files[file.name] for file in files},
        schema,
        stale,
        options,
        everything,
        repairs=tuple(notes),
    )
    return found if options.columns is None else _choose_columns(found, options.columns)


def _in_zone(schema: pa.Schema, zone: str) -> pa.Schema:
    """Return the schema with its times in a zone."""
    return pa.schema(
        field.with_type(pa.timestamp(field.type.unit, zone))
        if pa.types.is_timestamp(field.type) and field.type.tz
        else field
        for field in schema
    )


def add_empty_columns(found: TableSet, names: Iterable[str]) -> TableSet:
    """Return the tables with more columns of text, in which no response has anything."""
    added = tuple(names)
    schema = pa.schema([*found.schema, *(pa.field(name, pa.string()) for name in added)])
    columns = (*found.columns, *added)
    return replace(found, schema=schema, columns=columns, empty=(*found.empty, *added))


def _choose_columns(found: TableSet, wanted: Sequence[str]) -> TableSet:
    words = {n: tables.column_facts(found.schema.field(n)).get("words", ()) for n in found.columns}
    found = add_empty_columns(found, absent_urls(wanted, found.columns, words))
    # The key, id and test flag are needed to choose the rows.
    needed = (tables.KEY, INDEX, TEST)
    wanted = [word for word in wanted if word != INDEX]
    columns = tuple(choose_by_words(wanted, found.columns, words))
    schema = pa.schema(each for each in found.schema if each.name in {*columns, *needed})
    return replace(found, schema=schema, columns=columns)


def scan(folder: Path, engine: str, options: FrameOptions, on_note: Callable[[str], None]) -> Any:
    """Open a store with an engine.

    Args:
        folder: The survey's.
        engine: ``"arrow"`` (a pyarrow Dataset), ``"pandas"`` (a DataFrame), ``"duckdb"`` (a
            relation), ``"polars"`` (a LazyFrame) or ``"dask"`` (a dask DataFrame).
        options: ``test_rows``, ``tz``, ``day_first`` and ``columns`` are used.
        on_note: Called with what to know about rows and columns.

    Raises:
        ConfigurationError: The engine is not installed.
        InvalidArgument: An option does not fit.
        StoreError: There is no store, or it is damaged.
    """
    check_choice("engine", engine, ENGINES)
    if engine == "arrow" and options.tz is None:
        raise InvalidArgument(
            "a pyarrow Dataset has no wall-clock times of the region",
            hint="Give tz its zone, such as 'America/New_York', or take another engine",
        )
    read = partial(_open_and_read, options=options, is_eager=engine == "pandas")
    found, notes, frame = reading.read_consistently(folder, read)
    for note in notes:
        on_note(note)
    if engine == "pandas":
        return frame
    if engine == "duckdb":
        connection = connect_duckdb(options.tz or _region_zone(found))
        relation, notes = to_relation(connection, found)
        for note in notes:
            on_note(f"{found.title}: {note}")
        return relation
    if engine == "polars":
        return _to_polars(found)
    if engine == "dask":
        dask = import_optional("dask.dataframe", "dask")
        meta = replace(found, files=()).to_pandas()
        if not found.files:
            return dask.from_pandas(meta, npartitions=1)
        return dask.from_map(partial(read_table, found=found), list(found.files), meta=meta)
    return found.dataset


def _open_and_read(
    manifest: Manifest, options: FrameOptions, *, is_eager: bool
) -> tuple[TableSet, list[str], pd.DataFrame | None]:
    """Return the tables, the notes about them, and if it is wanted the frame."""
    found = _open_tables(manifest, options)
    try:
        return found, found.notes(), _read_pandas(found) if is_eager else None
    except (OSError, pa.ArrowException):
        for file in map(Path, found.files):  # a sync may have removed one in the meantime
            if not is_intact(file, found.records[str(file)]):
                raise FileDamaged(file.name) from None
        raise


def _read_pandas(found: TableSet) -> pd.DataFrame:
    """Return all rows by ascending id; a text that is no option is a category if a row has it."""
    frame = found.to_pandas().sort_index()
    for name in found.columns:
        field = found.schema.field(name)
        texts = tables.column_facts(field).get("texts")
        if texts:
            held = [text for text in frame[name].unique() if text in texts]
            categories, ordered = tables.list_categories(field, held)
            index = pd.Index(categories, dtype=text_dtype())
            frame[name] = frame[name].cat.set_categories(index, ordered=ordered)
    return frame


def _to_polars(found: TableSet) -> Any:
    polars = import_optional("polars", "polars")
    frame = polars.scan_pyarrow_dataset(found.dataset).select([INDEX, *found.columns])
    changed = []
    for name in found.columns:
        categories, _ = tables.list_categories(found.schema.field(name))
        if categories:
            changed.append(polars.col(name).cast(polars.Enum(categories)))
        elif found.is_naive(name):
            changed.append(polars.col(name).dt.replace_time_zone(None))
    return frame.with_columns(changed)


def read_table(file: str, *, found: TableSet, columns: list[str] | None = None) -> pd.DataFrame:
    """Read one table with the columns of all; run by a dask worker, maybe on another machine.

    Args:
        file: The table.
        found: All tables, and what is read of them.
        columns: The columns that dask needs; None for all.

    Raises:
        StoreDamaged: The table has been changed or removed since it was opened.
    """
    if not is_intact(Path(file), found.records[file]):
        hint = "Open the survey again with scan, which mends it"
        raise StoreDamaged(f"{file} is gone or damaged, or a sync has replaced it", hint=hint)
    return replace(found, files=(file,)).to_pandas(columns)


def choose_dtype(kind: pa.DataType) -> Any:
    """Return the dtype of a column of an Arrow type; None if pandas chooses it."""
    return {pa.bool_(): pd.BooleanDtype(), pa.string(): text_dtype()}.get(kind)


def to_category(values: Any, categories: Sequence[str], *, ordered: bool) -> pd.Categorical:
    """Return texts as a category, as frames of responses have it."""
    return pd.Categorical(values, pd.Index(list(categories), dtype=text_dtype()), ordered=ordered)


# -- DuckDB ---------------------------------------------------------------------------------


def connect_duckdb(zone: str) -> Any:
    """Return a connection to an empty database that computes times in a zone."""
    duckdb = import_optional("duckdb", "sql")
    # Else a query could read the variables of this package under their names.
    connection = duckdb.connect(config={"python_enable_replacements": "false"})
    connection.execute(f"SET TimeZone = {quote_text(zone)}")
    return connection


def to_relation(connection: Any, found: TableSet) -> tuple[Any, list[str]]:
    """Return the tables as a relation of DuckDB, and notes.

    Categories are an ENUM in their order. Columns are taken by position, as SQL
    ignores the case of letters; see ``unique_names``.
    """
    names, notes = unique_names(found.schema.names)
    relation = connection.from_arrow(found.dataset)
    expressions = []
    for own, seen, new in zip(found.schema.names, relation.columns, names, strict=True):
        if own not in (INDEX, *found.columns):
            continue
        expression = quote_name(seen)
        categories, _ = tables.list_categories(found.schema.field(own))
        if categories:
            expression = f"CAST({expression} AS {enum_type(categories)})"
        elif found.is_naive(own):
            expression = f"timezone({quote_text(_region_zone(found))}, {expression})"
        expressions.append(f"{expression} AS {quote_name(new)}")
    return relation.project(", ".join(expressions)), notes


def unique_names(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return names that differ without regard to case, and a note for each changed one."""
    taken = {name.casefold() for name in names}
    used: set[str] = set()
    result, notes = [], []
    for name in names:
        new = name
        if name.casefold() in used:
            while new.casefold() in taken:
                new += "_"
            notes.append(f"{name!r} is {new!r} in SQL, which sees no difference to another name")
        used.add(new.casefold())
        taken.add(new.casefold())
        result.append(new)
    return result, notes


def quote_name(name: str) -> str:
    """Return a name as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """Return a text as SQL takes it."""
    return "'" + text.replace("'", "''") + "'"


def enum_type(categories: Iterable[str]) -> str:
    """Return the type of a column of categories in SQL."""
    return f"ENUM({', '.join(map(quote_text, categories))})"


def _region_zone(found: TableSet) -> str:
    """Return the zone of the times in the tables."""
    zones = (kind.tz for kind in found.schema.types if pa.types.is_timestamp(kind) and kind.tz)
    return next(zones, "UTC")
