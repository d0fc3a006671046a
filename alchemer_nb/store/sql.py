"""SQL over stored surveys and frames, with DuckDB."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from alchemer_nb.errors import InvalidArgument, StoreError
from alchemer_nb.files import import_optional
from alchemer_nb.store import engines, reading, sql_notes, tables
from alchemer_nb.store.frame_tables import CONVERT, convert_frame, convert_parameters
from alchemer_nb.survey.columns import URL
from alchemer_nb.wire.text import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from alchemer_nb.frame.options import FrameOptions
    from alchemer_nb.store.engines import TableSet

_LONGEST_ERROR = 400
# DuckDB alone knows which names of a query are tables, and says which one it does not have.
_NO_TABLE = re.compile(r'Table with name (.+?) does not exist!|Circular reference to CTE "(.+?)"')
_NO_COLUMN = re.compile(r'column (?:named )?"(url_[^"]+)"', re.I)
_WORD = re.compile(r"\w+")
_NOT_A_QUERY = "only a query that gives rows can be asked"


@dataclass(frozen=True)
class Query:
    """A query and what it may use.

    Attributes:
        text: SQL of DuckDB.
        folders: Survey id -> folder of its store.
        frames: Name -> frame; a frame comes before a survey of the same name.
        parameters: Name -> value, for each ``$name`` of the query.
        options: ``test_rows``, ``tz`` and ``day_first`` are used.
        zone: Zone of times that are computed.
        files: Whether the query may read and write files and load extensions.
        on_note: Called with what to know about the result.
    """

    text: str
    folders: Mapping[str, Path]
    frames: Mapping[str, Any]
    parameters: Mapping[str, Any]
    options: FrameOptions
    zone: str
    files: bool
    on_note: Callable[[str], None]


def run_sql(query: Query) -> pd.DataFrame:
    """Run a query over stored surveys and frames.

    Raises:
        ConfigurationError: DuckDB is not installed.
        InvalidArgument: The query fails, the message lists the stored surveys; a frame that it
            names cannot be a table; a parameter is missing or has a value that SQL does not know.
        StoreError: A stored survey is damaged.
    """
    text = query.text
    if not isinstance(text, str) or not text.strip():
        raise InvalidArgument("give a query, such as: select count(*) from customer_satisfaction")
    duckdb = import_optional("duckdb", "sql")
    stored = _folders_by_name(query.folders)
    parameters = convert_parameters(query.parameters)
    with engines.connect_duckdb(query.zone) as connection:
        if not query.files:
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
        database = _Database(connection, duckdb, query, stored)
        try:
            result = database.run(text, parameters)
        except duckdb.Error as error:
            problem = " ".join(str(error).split())[:_LONGEST_ERROR]
            hint = _hint(str(error), query) or _sync_hint(str(error), query)
        else:
            if result is not None:
                return _to_pandas(*result, database)
            problem, hint = _NOT_A_QUERY, ""
    known = ", ".join(stored) or "none yet: %alchemer sync SURVEY stores one"
    raise InvalidArgument(f"{problem} (stored surveys: {known})", hint=hint)


_Rows = tuple[pa.Table, list[Any]]  # the rows of a statement, and DuckDB's types of their columns


@dataclass
class _Database:
    """A database that gets its tables when a query names them.

    Attributes:
        connection: Of DuckDB.
        duckdb: Its module.
        query: The query and what it may use.
        stored: Name of a table -> folder of the survey.
        ordered: The categories that have an order, of all tables.
        unordered: Name and categories of the columns that have none, of all tables.
        fields: Categories with texts that are no option -> the field of such a column.
        surveys: The surveys that are tables, by their names.
        names: The names of all tables, in small letters.
    """

    connection: Any
    duckdb: Any
    query: Query
    stored: Mapping[str, Path]
    ordered: set[tuple[str, ...]] = field(default_factory=set)
    unordered: set[tuple[str, tuple[str, ...]]] = field(default_factory=set)
    fields: dict[tuple[str, ...], pa.Field] = field(default_factory=dict)
    surveys: dict[str, TableSet] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)

    def run(self, query: str, parameters: Mapping[str, Any]) -> _Rows | None:
        """Run the statements of a query; return the rows of the last one, None if it has none."""
        statements = self.connection.extract_statements(query)
        asked = [name for each in statements for name in each.named_parameters]
        given = {name.casefold(): value for name, value in parameters.items()}
        if missing := [name for name in asked if name.casefold() not in given]:
            raise InvalidArgument(
                f"no value is given for ${missing[0]}",
                hint=f"client.sql(query, parameters={{{missing[0]!r}: …}}) gives one",
            )
        known = {name.casefold() for name in asked}
        if surplus := [name for name in parameters if name.casefold() not in known]:
            hint = did_you_mean(surplus[0], asked)
            raise InvalidArgument(f"the query has no parameter ${surplus[0]}{hint}")
        if not all(each.query for each in statements):  # DuckDB 1 has no text of a PIVOT
            return self._run_statement(query, {name: given[name.casefold()] for name in asked})
        result = None
        for each in statements:
            values = {name: given[name.casefold()] for name in each.named_parameters}
            result = self._run_statement(each.query, values)
        return result

    def _run_statement(self, text: str, values: dict[str, Any]) -> _Rows | None:
        try:
            tree = sql_notes.parse_select(self.connection, text)
        except self.duckdb.Error:  # a build without JSON
            tree = {}
        if sql_notes.shows_tables(tree):
            return self._show_tables(text)
        rows = self._run_with_tables(text, values)
        for note in sql_notes.note_comparisons(tree, self._list_categories, values):
            self.query.on_note(note)
        return rows

    def _run_with_tables(self, text: str, values: dict[str, Any]) -> _Rows | None:
        missing = (self.duckdb.CatalogException, self.duckdb.BinderException)
        while True:  # each turn adds a table or a column, or ends
            try:
                relation = self.connection.sql(text, params=values or None)
                return None if relation is None else (relation.to_arrow_table(), relation.types)
            except missing as error:
                refused = error
            if not self._add_missing(str(refused).partition("\nLINE")[0]):
                raise refused

    def _show_tables(self, text: str) -> _Rows | None:
        """Run SHOW TABLES with the stored surveys that no query has named yet, too."""
        by_folder = {folder: name for name, folder in [*self.stored.items()][::-1]}
        added = [engines.quote_name(name) for name in by_folder.values() if name not in self.names]
        for name in added:
            self.connection.execute(f"CREATE VIEW {name} AS SELECT 1")
        try:
            return self._run_with_tables(text, {})
        finally:
            for name in added:
                self.connection.execute(f"DROP VIEW {name}")

    def _list_categories(self, name: str) -> dict[str, list[str]] | None:
        """Return the categories of a table by column; None if it is none of ours."""
        if name not in self.names:
            return None
        view = self.connection.view(name)
        kinds = zip(view.columns, map(_categories_of, view.types), strict=True)
        return {column.casefold(): known for column, known in kinds if known is not None}

    def _add_missing(self, message: str) -> bool:
        """Add the table or column that DuckDB misses; return whether there is one."""
        found = _NO_TABLE.search(message)
        if found:
            name = found[1] or found[2]
            if name.casefold() in self.names:  # and yet not found: of another schema
                return False
            self.names.add(name.casefold())
            return self._add_frame(name) or self._add_survey(name)
        column = _NO_COLUMN.search(message)
        return column is not None and self._add_column(column[1])

    def _add_frame(self, name: str) -> bool:
        frames = self.query.frames
        own = [n for n in frames if n.casefold() == name.casefold()]
        own = [n for n in own if isinstance(frames[n], pd.DataFrame)]
        if not own:
            return False
        named = [n for n in own if n in _WORD.findall(self.query.text)]
        if len(named) > 1 or (len(own) > 1 and not named):
            raise InvalidArgument(
                f"SQL sees no difference between the frames {' and '.join(named or own)}",
                hint="Give one of them another name",
            )
        own = named or own
        found = convert_frame(frames[own[0]], own[0])
        expressions = []
        for column, (categories, ordered) in found.categories.items():
            if ordered:
                self.ordered.add(tuple(categories))
            kind = engines.enum_type(categories)
            column = engines.quote_name(column)
            expressions.append(f"CAST({column} AS {kind}) AS {column}")
        replaced = f" REPLACE ({', '.join(expressions)})" if expressions else ""
        self._check_columns(found.table, own[0])
        self.connection.from_arrow(found.table).project(f"*{replaced}").create_view(name)
        for note in found.notes:
            self.query.on_note(f"{own[0]}: {note}")
        return True

    def _check_columns(self, table: pa.Table, name: str) -> None:
        """Check that DuckDB knows the types of a frame, which Arrow has more of."""
        for column, kind in zip(table.column_names, table.schema.types, strict=True):
            try:
                self.connection.from_arrow(table.select([column]).slice(0, 0))
            except self.duckdb.Error:
                pass
            else:
                continue
            raise InvalidArgument(
                f"the frame {name} cannot be asked: its column {column!r} is of Arrow's type "
                f"{kind}, which SQL does not know",
                hint=CONVERT.format(name, column),
            )

    def _add_survey(self, name: str) -> bool:
        title = name.casefold()
        if title not in self.stored:
            return False
        found = engines.open_tables(self.stored[title], self.query.options)
        for column in found.columns:
            own = found.schema.field(column)
            categories, ordered = tables.list_categories(own)
            if ordered:
                self.ordered.add(tuple(categories))
            else:
                self.unordered.add((column, tuple(categories)))
            if tables.column_facts(own).get("texts"):
                self.fields.setdefault(tuple(categories), own)
        for note in found.notes():
            self.query.on_note(note)
        self._create_view(name, found)
        return True

    def _create_view(self, name: str, found: TableSet) -> None:
        relation, notes = engines.to_relation(self.connection, found)
        relation.create_view(name, replace=True)
        if name not in self.surveys:
            for note in notes:
                self.query.on_note(f"{found.title}: {note}")
        self.surveys[name] = found

    def _add_column(self, column: str) -> bool:
        """Add a url variable that no response has to the surveys that have none of this name."""
        lacking = {
            name: found
            for name, found in self.surveys.items()
            if column.casefold() not in {own.casefold() for own in found.columns}
        }
        for name, found in lacking.items():
            self._create_view(name, engines.add_empty_columns(found, [column]))
            self.query.on_note(
                f"{found.title}: no response has the url variable {column[len(URL) :]!r}"
            )
        return bool(lacking)


def _hint(message: str, query: Query) -> str:
    """Return what to do about an error of DuckDB; an empty text if its message is enough."""
    missing = _NO_TABLE.search(message)
    value = query.frames.get(missing[1] or missing[2]) if missing else None
    if value is not None:
        kind = type(value).__name__
        return f"Only pandas DataFrames can be asked, and this is a {type(value).__module__}.{kind}"
    if "disabled by configuration" in message or "disabled through configuration" in message:
        return "Files and extensions are closed; files=True (--files) opens them"
    if "Parser Error" in message and query.parameters:
        return "A parameter is a value; it cannot be the name of a table or column"
    if any(isinstance(each, list) for each in query.parameters.values()) and "[]" in message:
        return "Write a list without brackets around it: region in $regions"
    return ""


def _categories_of(kind: Any) -> list[str] | None:
    """Return the categories of a type of DuckDB; None if it has none."""
    return dict(kind.children)["values"] if kind.id == "enum" else None


def _sync_hint(message: str, query: Query) -> str:
    """Return which surveys cannot be asked, where a name is missing that may be one of them."""
    if not _NO_TABLE.search(message):
        return ""
    unready = [own for own, folder in query.folders.items() if not _is_ready(folder)]
    if not unready:
        return ""
    return f"The store of survey {' and '.join(unready)} is damaged or not complete: sync it first"


def _is_ready(folder: Path) -> bool:
    try:
        return reading.read_complete_manifest(folder) is not None
    except StoreError:
        return False


def _to_pandas(table: pa.Table, kinds: list[Any], database: _Database) -> pd.DataFrame:
    """Return a result as a frame, with dtypes that do not depend on missing values.

    Categories have the order that they had in the tables. A text that is no option is a category
    only if a row has it: those of other rows, such as test rows, are not part of the result.
    """
    frame: pd.DataFrame = table.to_pandas(types_mapper=engines.choose_dtype)
    for place, column in enumerate(table.columns):
        values = frame.iloc[:, place]
        categories = _categories_of(kinds[place])
        if categories is not None:
            known = tuple(categories)
            is_ordered = known in database.ordered
            # Two questions may have the same options; only one of them is a scale.
            is_ordered &= (table.column_names[place], known) not in database.unordered
            own = database.fields.get(known)
            texts = values.astype(object)
            if own is not None:
                held = set(texts.dropna())
                held_texts = [text for text in tables.column_facts(own)["texts"] if text in held]
                categories, is_ordered = tables.list_categories(own, held_texts)
            frame.isetitem(place, engines.to_category(texts, categories, ordered=is_ordered))
        elif (
            table.column_names[place] == engines.TEST
            and pa.types.is_boolean(column.type)
            and not column.null_count
        ):
            frame.isetitem(place, values.to_numpy(dtype=bool))
    return frame


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
