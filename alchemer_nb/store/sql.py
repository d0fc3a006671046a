"""Stored surveys and frames, asked in SQL."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from alchemer_nb.errors import InvalidArgument, StoreError
from alchemer_nb.files import needed
from alchemer_nb.store import engines, reading, tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    import pandas as pd

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
