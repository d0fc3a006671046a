"""A store as one table for engines that need not hold it in memory.

Other readers take the columns of the first file for those of all and lose what came later in
silence; here all columns are known beforehand. Of each response the version that counts is given,
and none that is gone.
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
from alchemer_nb.files import needed
from alchemer_nb.frame.options import check_choice
from alchemer_nb.store import engines, parts, paths, reading, tables
from alchemer_nb.store.manifest import load_expunged
from alchemer_nb.store.opening import table_name
from alchemer_nb.store.reading import steadily

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    import pandas as pd

    from alchemer_nb.store.manifest import Manifest


ENGINES = ("arrow", "pandas", "duckdb", "polars", "dask")


@dataclass(frozen=True, slots=True)
class Scan:
    """What a store gives to an engine.

    Attributes:
        files: Tables, one a part.
        schema: Columns of them all.
        stale: Keys of the rows that do not count any more.
    """

    files: tuple[str, ...]
    schema: pa.Schema
    stale: np.ndarray

    @property
    def dataset(self) -> ds.Dataset:
        """As a pyarrow Dataset; rows that do not count are filtered as it is read."""
        if not self.files:
            return ds.dataset(self.schema.empty_table())
        everything = ds.dataset(list(self.files), schema=self.schema, format="parquet")
        if not len(self.stale):
            return everything
        return everything.filter(~pc.field(tables.KEY).isin(pa.array(self.stale)))

    @property
    def columns(self) -> list[str]:
        """Names of the columns that an analyst knows."""
        return [name for name in self.schema.names if name != tables.KEY]


def of_store(folder: Path) -> Scan:
    """Finds out what to read; tables that are missing are made.

    Raises:
        StoreError: There is no store, or it is damaged.
    """
    return steadily(folder, partial(_scan, folder))


def _scan(folder: Path, manifest: Manifest) -> Scan:
    files = [folder / table_name(part, manifest) for part in manifest.parts]
    if not all(file.exists() for file in files):
        with paths.locked(folder):
            tables.make_all(folder, manifest)
    schema = tables.agree(folder, manifest)
    index = parts.index(folder, manifest, without=load_expunged(folder))
    here = index.here
    counts = tables.key(index.version[here], index.ids[here])
    stored = [tables.key(*_versions(folder, part)) for part in manifest.parts]
    every = np.concatenate(stored) if stored else counts
    return Scan(tuple(map(str, files)), schema, np.setdiff1d(every, counts))


def _versions(folder: Path, part: Any) -> tuple[np.ndarray, np.ndarray]:
    stored = parts.keys(folder, part, ["version", "response_id"])
    return stored["version"].to_numpy(), stored["response_id"].to_numpy()


def scan(folder: Path, engine: str = "arrow") -> Any:
    """Gives a store to an engine.

    Args:
        folder: The survey's.
        engine: ``"arrow"`` (a pyarrow Dataset), ``"pandas"`` (a DataFrame), ``"duckdb"`` (a
            relation), ``"polars"`` (a LazyFrame) or ``"dask"`` (a dask DataFrame).

    Raises:
        ConfigurationError: The engine is not installed.
        StoreError: There is no store, or it is damaged.
    """
    check_choice("engine", engine, ENGINES)
    found = of_store(folder)
    give = {"pandas": _pandas, "duckdb": _duckdb, "polars": _polars, "dask": _dask}.get(engine)
    return found.dataset if give is None else give(found)


def _pandas(found: Scan) -> pd.DataFrame:
    table = found.dataset.to_table(columns=found.columns)
    return to_pandas(table).sort_index()


def _duckdb(found: Scan) -> Any:
    duckdb = needed("duckdb", "sql")
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    names = ", ".join(f'"{name.replace(chr(34), chr(34) * 2)}"' for name in found.columns)
    return connection.from_arrow(found.dataset).project(names)


def _polars(found: Scan) -> Any:
    polars = needed("polars", "polars")
    return polars.scan_pyarrow_dataset(found.dataset).select(found.columns)


def _dask(found: Scan) -> Any:
    dask = needed("dask.dataframe", "dask")
    meta = to_pandas(found.schema.empty_table().select(found.columns))
    return dask.from_map(
        partial(read_part, schema=found.schema, stale=found.stale),
        list(found.files),
        meta=meta,
    )


def read_part(
    file: str, *, schema: pa.Schema, stale: np.ndarray, columns: list[str] | None = None
) -> pd.DataFrame:
    """One part as a frame with the columns of all; for a worker, maybe on another machine.

    Args:
        file: The part.
        schema: Columns of all parts.
        stale: Keys of rows that do not count.
        columns: Those that are wanted, which dask finds out by itself; None for all.
    """
    found = Scan((file,), schema, stale)
    wanted = found.columns if columns is None else [tables.ID, *columns]
    return to_pandas(found.dataset.to_table(columns=wanted))


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """A table as a frame, with the same types whatever is missing in it."""
    import pandas as pd

    from alchemer_nb.frame.text_dtype import text_dtype

    kinds = {pa.bool_(): pd.BooleanDtype(), pa.string(): text_dtype()}
    frame: pd.DataFrame = table.to_pandas(types_mapper=kinds.get, date_as_object=False)
    return frame.set_index(tables.ID)


_WORD = re.compile(r"\w+")


_LONGEST = 400


_QUOTE = '"'


def names_of(survey_id: str, title: str) -> tuple[str, ...]:
    """What a stored survey is called in SQL: by its title, and by its id."""
    return (tables.slug(title), f"survey_{survey_id}")


def run(
    query: str,
    surveys: Iterable[str],
    folder_of: Callable[[str], Path],
    frames: Mapping[str, Any],
) -> pd.DataFrame:
    """Runs a query over stored surveys and frames.

    Args:
        query: SQL as DuckDB knows it.
        surveys: Ids of the surveys that are stored.
        folder_of: Gives the folder of one.
        frames: Names that may stand for frames; they come before surveys.

    Raises:
        ConfigurationError: DuckDB is not installed.
        InvalidArgument: The query does not work; says which tables there are.
    """
    if not isinstance(query, str) or not query.strip():
        raise InvalidArgument("give a query, such as: select count(*) from customer_satisfaction")
    duckdb = needed("duckdb", "sql")
    words = {word.casefold() for word in _WORD.findall(query)}
    known = _known(surveys, folder_of)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        given = {n: f for n, f in frames.items() if n.casefold() in words and _is_frame(f)}
        for name, frame in given.items():
            connection.register(name, _plain(frame))
        taken = {name.casefold() for name in given}
        for name, own in known.items():
            if name.casefold() in words - taken:
                _register(connection, name, engines.of_store(folder_of(own)))
        try:
            relation = connection.sql(query)
            result: pd.DataFrame = relation.to_arrow_table().to_pandas()
        except duckdb.Error as error:
            said = " ".join(str(error).split())[:_LONGEST]
        except AttributeError:
            said = "only a query that gives rows can be asked"
        else:
            return result
    there = ", ".join(known) or "none yet: %alchemer sync SURVEY stores one"
    raise InvalidArgument(f"{said} (stored surveys: {there})")


def _known(surveys: Iterable[str], folder_of: Callable[[str], Path]) -> dict[str, str]:
    """Names of tables -> ids; a title that two surveys share names neither."""
    titles: dict[str, list[str]] = {}
    for own in surveys:
        try:
            found = reading.peek(folder_of(own))
        except StoreError:
            continue
        if found is not None:
            for name in names_of(own, found.title):
                titles.setdefault(name, []).append(own)
    return {name: owners[0] for name, owners in titles.items() if len(owners) == 1}


def _register(connection: Any, name: str, found: engines.Scan) -> None:
    columns = [f'"{column.replace(_QUOTE, _QUOTE * 2)}"' for column in found.columns]
    connection.from_arrow(found.dataset).project(", ".join(columns)).create_view(name)


def _is_frame(value: Any) -> bool:
    import pandas as pd

    return isinstance(value, pd.DataFrame)


def _plain(frame: pd.DataFrame) -> Any:
    """A frame as Arrow, with a named index among its columns."""
    import pyarrow as pa

    named = frame.reset_index() if frame.index.name else frame
    return pa.Table.from_pandas(named, preserve_index=False)
