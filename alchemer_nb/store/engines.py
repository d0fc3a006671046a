"""Opens the tables of a store with pyarrow, pandas, DuckDB, Polars or Dask, and runs SQL.

Many readers use the columns of the first file for all files, and drop the others without an error;
here the schema of all files is passed. Only the current version of each response is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from alchemer_nb.errors import InvalidArgument, StoreError
from alchemer_nb.files import import_optional
from alchemer_nb.frame.options import check_choice
from alchemer_nb.store import parts, paths, reading, tables
from alchemer_nb.store.manifest import Manifest, read_expunged_ids
from alchemer_nb.store.opening import table_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

ENGINES = ("arrow", "pandas", "duckdb", "polars", "dask")
_WORD = re.compile(r"\w+")
_LONGEST_ERROR = 400


@dataclass(frozen=True, slots=True)
class TableSet:
    """The tables of a store.

    Attributes:
        files: One for each part.
        schema: Columns of all of them.
        stale: Keys of the rows to leave out: older versions, expunged responses.
    """

    files: tuple[str, ...]
    schema: pa.Schema
    stale: np.ndarray

    @property
    def dataset(self) -> ds.Dataset:
        """A pyarrow Dataset of the current rows; it filters them when it is read."""
        if not self.files:
            return ds.dataset(self.schema.empty_table())
        everything = ds.dataset(list(self.files), schema=self.schema, format="parquet")
        if not len(self.stale):
            return everything
        return everything.filter(~pc.field(tables.KEY).isin(pa.array(self.stale)))

    @property
    def columns(self) -> list[str]:
        """The names of all columns except the key."""
        return [name for name in self.schema.names if name != tables.KEY]

    @property
    def projection(self) -> str:
        """These names as a list for SQL."""
        return ", ".join(f'"{name.replace(chr(34), chr(34) * 2)}"' for name in self.columns)


def open_tables(folder: Path, *, day_first: bool = False) -> TableSet:
    """Return the tables of a store; write those that are missing.

    Args:
        folder: The survey's.
        day_first: Whether typed dates have the day before the month.

    Raises:
        StoreError: There is no store, or it is damaged.
    """
    return reading.read_consistently(folder, partial(_open_tables, day_first=day_first))


def _open_tables(manifest: Manifest, *, day_first: bool) -> TableSet:
    files = [table_path(manifest, part, day_first=day_first) for part in manifest.parts]
    if not all(file.exists() for file in files):
        with paths.lock_folder(manifest.folder):
            tables.write_tables(manifest, day_first=day_first)
    schema = tables.unify_schemas(files)
    index = parts.read_index(manifest, without=read_expunged_ids(manifest.folder))
    current = tables.version_key(index.version, index.ids)[index.has_content]
    every = [current]
    for part in manifest.parts:
        stored = parts.read_key_columns(manifest, part, ["version", "response_id"])
        every.append(tables.version_key(*(column.to_numpy() for column in stored.columns)))
    return TableSet(tuple(map(str, files)), schema, np.setdiff1d(np.concatenate(every), current))


def scan(folder: Path, engine: str = "arrow", *, day_first: bool = False) -> Any:
    """Open a store with an engine.

    Args:
        folder: The survey's.
        engine: ``"arrow"`` (a pyarrow Dataset), ``"pandas"`` (a DataFrame), ``"duckdb"`` (a
            relation), ``"polars"`` (a LazyFrame) or ``"dask"`` (a dask DataFrame).
        day_first: Whether typed dates have the day before the month.

    Raises:
        ConfigurationError: The engine is not installed.
        StoreError: There is no store, or it is damaged.
    """
    check_choice("engine", engine, ENGINES)
    found = open_tables(folder, day_first=day_first)
    if engine == "pandas":
        return _to_pandas(found.dataset.to_table(columns=found.columns)).sort_index()
    if engine == "duckdb":
        connection = import_optional("duckdb", "sql").connect()
        connection.execute("SET TimeZone = 'UTC'")
        return connection.from_arrow(found.dataset).project(found.projection)
    if engine == "polars":
        return (
            import_optional("polars", "polars")
            .scan_pyarrow_dataset(found.dataset)
            .select(found.columns)
        )
    if engine == "dask":
        dask = import_optional("dask.dataframe", "dask")
        meta = _to_pandas(found.schema.empty_table().select(found.columns))
        read = partial(read_table, schema=found.schema, stale=found.stale)
        return dask.from_map(read, list(found.files), meta=meta)
    return found.dataset


def read_table(
    file: str, *, schema: pa.Schema, stale: np.ndarray, columns: list[str] | None = None
) -> pd.DataFrame:
    """Read one table with the columns of all; run by a dask worker, maybe on another machine.

    Args:
        file: The table.
        schema: Columns of all tables.
        stale: Keys of the rows to leave out.
        columns: The columns that dask needs; None for all.
    """
    found = TableSet((file,), schema, stale)
    needed = found.columns if columns is None else [tables.ID, *columns]
    return _to_pandas(found.dataset.to_table(columns=needed))


def _to_pandas(table: pa.Table) -> pd.DataFrame:
    """Return a table as a frame whose dtypes do not depend on missing values."""
    import pandas as pd

    from alchemer_nb.frame.text_dtype import text_dtype

    dtypes = {pa.bool_(): pd.BooleanDtype(), pa.string(): text_dtype()}
    frame: pd.DataFrame = table.to_pandas(types_mapper=dtypes.get, date_as_object=False)
    return frame.set_index(tables.ID)


# -- SQL ------------------------------------------------------------------------------------


def run_sql(query: str, folders: Mapping[str, Path], frames: Mapping[str, Any]) -> pd.DataFrame:
    """Run a query over stored surveys and frames.

    Args:
        query: SQL of DuckDB.
        folders: Survey id -> folder of its store.
        frames: Name -> frame; a frame comes before a survey of the same name.

    Raises:
        ConfigurationError: DuckDB is not installed.
        InvalidArgument: The query fails; the message lists the stored surveys.
    """
    import pandas as pd

    if not isinstance(query, str) or not query.strip():
        raise InvalidArgument("give a query, such as: select count(*) from customer_satisfaction")
    duckdb = import_optional("duckdb", "sql")
    words = {word.casefold() for word in _WORD.findall(query)}
    stored = _folders_by_name(folders)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        given = {n: f for n, f in frames.items() if n.casefold() in words}
        for name, frame in given.items():
            if isinstance(frame, pd.DataFrame):
                named = frame.reset_index() if frame.index.name else frame
                connection.register(name, pa.Table.from_pandas(named, preserve_index=False))
                words.discard(name.casefold())
        for name, folder in stored.items():
            if name.casefold() in words:
                found = open_tables(folder)
                relation = connection.from_arrow(found.dataset).project(found.projection)
                relation.create_view(name)
        try:
            result: pd.DataFrame = connection.sql(query).to_arrow_table().to_pandas()
        except duckdb.Error as error:
            problem = " ".join(str(error).split())[:_LONGEST_ERROR]
        except AttributeError:  # a statement without a result returns None
            problem = "only a query that gives rows can be asked"
        else:
            return result
    known = ", ".join(stored) or "none yet: %alchemer sync SURVEY stores one"
    raise InvalidArgument(f"{problem} (stored surveys: {known})")


def _folders_by_name(folders: Mapping[str, Path]) -> dict[str, Path]:
    """Return SQL name -> folder; a title of two surveys names neither."""
    found: dict[str, list[Path]] = {}
    for survey_id, folder in folders.items():
        try:
            manifest = reading.read_complete_manifest(folder)
        except StoreError:
            continue
        if manifest is not None:
            for name in (_sql_name(manifest.title), f"survey_{survey_id}"):
                found.setdefault(name, []).append(folder)
    return {name: owners[0] for name, owners in found.items() if len(owners) == 1}


def _sql_name(title: str) -> str:
    name = re.sub(r"[^0-9a-z]+", "_", title.casefold()).strip("_")
    return f"survey_{name}" if not name or name[0].isdigit() else name
