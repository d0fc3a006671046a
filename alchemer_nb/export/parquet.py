"""Writes and reads a frame as a Parquet file, with the facts and answers that it carries.

Any reader of Parquet sees the same values. The footer has one key for this package alone: exact
dtypes that Parquet does not have, and the answers (see ``description_codec``), as text that begins
with the number of the format.
"""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from alchemer_nb import files
from alchemer_nb.errors import ConfigurationError, InvalidArgument
from alchemer_nb.export.description_codec import (
    Shown,
    UnreadableDescription,
    only_shown,
    pack,
    unpack,
)
from alchemer_nb.frame import metadata
from alchemer_nb.frame.build import ATTRS
from alchemer_nb.frame.kept import Facts, kept_of
from alchemer_nb.survey.columns import INDEX

if TYPE_CHECKING:
    import os

    from alchemer_nb.frame.kept import Kept

KEY = b"alchemer_nb"
FORMAT = 1
SUFFIXES = (".parquet", ".pq")
_PANDAS_ATTRS = b"PANDAS_ATTRS"  # where pandas itself keeps attrs
_MOST = 64 * 2**20  # Parquet readers refuse footers of 100 MB


class _Dtype(msgspec.Struct, omit_defaults=True):
    """The dtype of a column that Parquet would read as another one."""

    kind: str
    storage: str = ""
    na: bool = False
    ordered: bool = False
    categories: list[str] | None = None
    index: bytes = b""  # categories that are no texts, as Arrow keeps them
    name: str = ""
    missing: str = ""  # of objects, by ``_MISSING``: a letter for all of them, or one for each


# Parquet knows one kind of missing; of objects, pandas knows four.
_MISSING: dict[str, Any] = {"o": None, "n": np.nan, "a": pd.NA, "t": pd.NaT}


class _Entry(msgspec.Struct, omit_defaults=True):
    dtypes: list[_Dtype | None]
    index: list[_Dtype | None] = []  # of its levels; files of earlier versions do not have it


def write_parquet(
    frame: pd.DataFrame,
    path: str | os.PathLike[str],
    *,
    everything: bool = False,
    most: int = _MOST,
) -> None:
    """Write a frame with the facts and answers that it carries.

    Args:
        frame: Any frame; one that this package made keeps what it knows.
        path: Name of the file, ending in ``.parquet``.
        everything: Whether what the frame does not show is written too: rows filtered out,
            columns dropped, metadata not asked for.
        most: Bytes that the answers behind the frame may take in the footer.

    Raises:
        InvalidArgument: The path does not fit, or a column cannot be stored.
    """
    place = files.output_path(path, SUFFIXES)
    table, dtypes = _table(frame)
    kept = kept_of(frame)
    entry = {KEY: b"%d:%s" % (FORMAT, msgspec.json.encode(_Entry(dtypes, _levels(frame.index))))}
    if kept is not None:
        packed = _packed(frame, kept, everything)
        if len(packed) > most:
            warnings.warn(
                f"the answers behind this frame take {len(packed) / 2**20:.1f} MB, too much for "
                "the footer of a Parquet file: the frame is written without them, so that relabel "
                "and missing will not work on it",
                stacklevel=3,
            )
        else:
            entry[KEY + b".answers"] = packed
    table = table.replace_schema_metadata(
        {**(table.schema.metadata or {}), **_attrs(frame, everything)}
    )
    with (
        files.replace_atomically(place) as temporary,
        pq.ParquetWriter(temporary, table.schema) as writer,
    ):
        writer.write_table(table)
        # Not in the schema, of which Parquet files hold a second copy.
        writer.add_key_value_metadata(entry)


def read_parquet(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a frame, with the facts and answers if this package wrote it.

    Raises:
        ConfigurationError: A newer version of this package wrote it.
        InvalidArgument: There is no such file, or it is not Parquet.

    Example:
        >>> import tempfile, pathlib
        >>> df = client.responses("Customer satisfaction", progress="none")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "customers.parquet")
        ...     df.alchemer.to_parquet(path)
        ...     again = read_parquet(path)
        >>> again.alchemer.columns("nps")
        ['nps']
    """
    place = files.input_path(path)
    try:
        with pq.ParquetFile(place) as file:
            footer = dict(file.metadata.metadata or {})
            table = file.read()
    except (pa.ArrowException, OSError) as error:
        raise InvalidArgument(f"{place} cannot be read as Parquet: {_first_line(error)}") from None
    number, _, written = footer.get(KEY, b"").partition(b":")
    if number.isdigit() and int(number) > FORMAT:
        raise ConfigurationError(
            f"{place} was written by a newer alchemer_nb (format {int(number)}, this one reads "
            f"{FORMAT}): pip install -U alchemer_nb. pandas.read_parquet reads its values"
        )
    frame: pd.DataFrame = table.to_pandas()
    frame.attrs = _read_attrs(table.schema.metadata or {})
    lost: list[str] = []
    if KEY in footer:
        frame = _as_it_was(frame, written, lost)
    text = frame.attrs.get(ATTRS)
    if isinstance(text, str):
        frame.attrs[ATTRS] = Facts(text, _answers(footer, lost))
    for what in lost:
        warnings.warn(f"{place} is damaged: {what}", stacklevel=2)
    return frame


# -- writing --------------------------------------------------------------------------------


def _table(frame: pd.DataFrame) -> tuple[pa.Table, list[_Dtype | None]]:
    frame = frame.copy(deep=False)
    frame.attrs = {}  # Arrow would keep a second copy
    columns = [frame.iloc[:, place] for place in range(frame.shape[1])]
    try:
        dtypes = [_dtype(values) for values in columns]
        for place, dtype in enumerate(dtypes):
            if dtype is not None and dtype.index:
                columns[place] = _plain(columns[place])
        if any(dtype is not None and dtype.index for dtype in dtypes):
            names = frame.columns
            frame = pd.concat(columns, axis=1)
            frame.columns = names
        return pa.Table.from_pandas(frame), dtypes
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise InvalidArgument(
            f"Parquet cannot hold this frame: {_first_line(error)}; change or drop that column"
        ) from None


def _levels(index: pd.Index[Any]) -> list[_Dtype | None]:
    """Return the dtypes of text levels of an index, which pandas 2.3 reads as other dtypes."""
    levels = [index.get_level_values(number) for number in range(index.nlevels)]
    dtypes = [_dtype(pd.Series(level[:0])) for level in levels]
    found = [d if d and d.kind in ("text", "category") and not d.index else None for d in dtypes]
    return found if any(found) else []


def _attrs(frame: pd.DataFrame, everything: bool) -> dict[bytes, bytes]:
    """Return attrs as pandas would write them; leave out, with a warning, what is no JSON."""
    kept: dict[Any, Any] = {}
    for name, value in frame.attrs.items():
        try:
            json.dumps({name: value})
        except (TypeError, ValueError):
            warnings.warn(f"attrs[{name!r}] is not JSON and is not written", stacklevel=4)
        else:
            shortened = name == ATTRS and isinstance(value, str) and not everything
            kept[name] = _without_notes(frame, value) if shortened else value
    return {_PANDAS_ATTRS: json.dumps(kept).encode()} if kept else {}


def _without_notes(frame: pd.DataFrame, text: str) -> str:
    """Return the facts without notes of dropped columns, as notes quote answers."""
    try:
        facts = Facts(text).read()
    except ValueError:  # a text of the user's own
        return text
    asked = facts.get("asked", {})
    if isinstance(text, Facts) and text.kept is not None:
        asked = text.kept.options.asked()
    field = f"column_{asked.get('names', 'alias')}"
    is_long = asked.get("shape") == "long" and "column" in frame.columns
    here = set(frame["column"]) if is_long else set(frame.columns)
    rows = facts.get("codebook", ())
    dropped = {row.get("column_id") for row in rows if row.get(field) not in here}
    # The note of an answer that does not fit stands at its question, its words in a column beside.
    quoting = [
        row
        for row in rows
        if row.get("notes") and {own := row.get("column_id"), f"{own}_raw"} & dropped
    ]
    for row in quoting:
        row["notes"] = ""
    return json.dumps(facts, ensure_ascii=False) if quoting else text


def _plain(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return categories that are no text as plain values; those unknown to Parquet as text."""
    groups = values.cat.categories
    if not isinstance(groups, pd.IntervalIndex):
        return pd.Series(groups).reindex(values.cat.codes).set_axis(values.index)
    return values.cat.rename_categories(_as_texts(groups)).astype(object)


def _as_texts(groups: pd.Index[Any]) -> list[str]:
    return [str(group) for group in groups]


def _dtype(values: pd.Series[Any]) -> _Dtype | None:
    dtype = values.dtype
    if isinstance(dtype, pd.StringDtype):
        return _Dtype("text", storage=dtype.storage, na=dtype.na_value is pd.NA)
    if isinstance(dtype, pd.CategoricalDtype):
        inner = dtype.categories
        if not all(isinstance(each, str) for each in inner):
            whole = pa.Table.from_pandas(pd.DataFrame({"categories": inner}))
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, whole.schema) as stream:
                stream.write_table(whole)
            packed = sink.getvalue().to_pybytes()
            return _Dtype("category", ordered=bool(dtype.ordered), index=packed)
        own = _dtype(pd.Series(inner[:0])) or _Dtype("object")
        return _Dtype("category", own.storage, own.na, bool(dtype.ordered), list(inner))
    if pd.api.types.is_object_dtype(dtype):
        lists = any(isinstance(value, list) for value in values)
        return _Dtype("list" if lists else "object", missing=_missing(values))
    if isinstance(dtype, pd.DatetimeTZDtype):
        return _Dtype("moment", name=str(dtype))
    return None


def _missing(values: pd.Series[Any]) -> str:
    """Return a letter for the kind of each missing object; nothing if all are None."""
    letters = "".join(
        "o" if v is None else "a" if v is pd.NA else "t" if v is pd.NaT else "n"
        for v in values[values.isna()]
    )
    kinds = set(letters)
    return letters if len(kinds) > 1 else "".join(kinds - {"o"})


def _packed(frame: pd.DataFrame, kept: Kept, everything: bool) -> bytes:
    ids = _ids(frame)
    if everything or ids is None or not all(kept.knows(i) for i in ids):
        return pack(kept) if everything else b""
    names = metadata.metadata_names(kept.options.metadata)
    if kept.options.shape == "long":
        columns = frozenset(frame["column"].dropna()) if "column" in frame else frozenset()
        columns |= {f"url_{name}" for name in metadata.url_names(kept.answers)}  # of wide frames
        shown = Shown(ids, columns, frozenset(names))
    else:
        columns = frozenset(map(str, frame.columns))
        shown = Shown(ids, columns, columns & set(metadata.metadata_names("all")))
    return pack(only_shown(kept, shown))


def _ids(frame: pd.DataFrame) -> list[int] | None:
    """Return the response ids of the rows; None if the frame has none."""
    if frame.index.name == INDEX:
        ids: Any = frame.index
    elif INDEX in frame.columns:
        ids = frame[INDEX]
    else:
        return None
    numbers = pd.to_numeric(pd.Series(ids), errors="coerce")
    return None if numbers.isna().any() else [int(number) for number in numbers]


# -- reading --------------------------------------------------------------------------------


def _read_attrs(schema: dict[bytes, bytes]) -> dict[Any, Any]:
    try:
        attrs = json.loads(schema.get(_PANDAS_ATTRS, b"{}"))
    except ValueError:
        return {}
    return attrs if isinstance(attrs, dict) else {}


def _answers(footer: dict[bytes, bytes], lost: list[str]) -> Kept | None:
    packed = footer.get(KEY + b".answers")
    if not packed:
        return None
    try:
        return unpack(packed)
    except UnreadableDescription:
        lost.append("the answers behind the frame are gone, so relabel and missing will not work")
        return None


def _as_it_was(frame: pd.DataFrame, written: bytes, lost: list[str]) -> pd.DataFrame:
    """Restore the dtypes of the columns."""
    try:
        entry = msgspec.json.decode(written, type=_Entry)
    except (msgspec.DecodeError, UnicodeDecodeError):
        lost.append("the exact dtypes are gone; the values are all there")
        return frame
    if len(entry.dtypes) != frame.shape[1]:
        return frame
    attrs = frame.attrs
    made = [
        _restored(frame.iloc[:, place], dtype) if dtype else frame.iloc[:, place]
        for place, dtype in enumerate(entry.dtypes)
    ]
    if made:
        names = frame.columns
        frame = pd.concat([s.rename(n) for n, s in enumerate(made)], axis=1)
        frame.columns = names
    if any(entry.index) and len(entry.index) == frame.index.nlevels:
        frame.index = _index_as_it_was(frame.index, entry.index)
    frame.attrs = attrs
    return frame


def _index_as_it_was(index: pd.Index[Any], dtypes: list[_Dtype | None]) -> pd.Index[Any]:
    levels = [
        pd.Index(_restored(pd.Series(index.get_level_values(number)), dtype))
        if dtype
        else index.get_level_values(number)
        for number, dtype in enumerate(dtypes)
    ]
    if len(levels) == 1:
        return levels[0].rename(index.name)
    return pd.MultiIndex.from_arrays(levels, names=index.names)


def _restored(values: pd.Series[Any], dtype: _Dtype) -> pd.Series[Any]:
    if dtype.kind == "text":
        return values.astype(_text(dtype))
    if dtype.kind == "moment":
        return values.astype(pd.DatetimeTZDtype.construct_from_string(dtype.name))
    if dtype.index:
        groups = pd.Index(pa.ipc.open_stream(dtype.index).read_pandas()["categories"]).rename(None)
        as_texts = isinstance(groups, pd.IntervalIndex)
        names = pd.Index(_as_texts(groups), dtype=object) if as_texts else groups
        place = {name: number for number, name in enumerate(names)}
        codes = [place.get(value, -1) for value in values.astype(object)]
        made = pd.Categorical.from_codes(codes, categories=groups, ordered=dtype.ordered)
        return pd.Series(made, index=values.index)
    if dtype.kind == "category":
        inner: Any = _text(dtype) if dtype.storage else object
        index = pd.Index(dtype.categories or [], dtype=inner)
        whole = pd.CategoricalDtype(index, ordered=dtype.ordered)
        return pd.Series(pd.Categorical(values.astype(object), dtype=whole), index=values.index)
    if dtype.kind == "list":
        lists = [v.tolist() if isinstance(v, np.ndarray) else v for v in values]
        return _with_missing(pd.Series(lists, index=values.index, dtype=object), dtype.missing)
    return _with_missing(values.astype(object), dtype.missing)


def _with_missing(values: pd.Series[Any], letters: str) -> pd.Series[Any]:
    """Restore the kinds of missing of objects."""
    cells = values.to_numpy(dtype=object, copy=True)
    (at,) = np.nonzero(values.isna().to_numpy())
    each = letters * len(at) if len(letters) == 1 else letters
    if len(each) != len(at) or not set(each) <= _MISSING.keys():
        each = "o" * len(at)  # another program has changed the rows
    for place, letter in zip(at.tolist(), each, strict=True):
        cells[place] = _MISSING[letter]
    return pd.Series(cells, index=values.index, dtype=object)


def _text(dtype: _Dtype) -> Any:
    return pd.StringDtype(dtype.storage, na_value=pd.NA if dtype.na else np.nan)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
