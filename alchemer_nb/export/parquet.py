"""Writes and reads a frame as a Parquet file, with the description that it carries.

Any reader of Parquet sees the same values. The footer has two keys for this package alone: exact
dtypes that Parquet does not have, as text that begins with the number of the format, and the
description, once (pandas would write it about five times).
"""

from __future__ import annotations

import base64
import json
import warnings
import zlib
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from alchemer_nb import files
from alchemer_nb.errors import ConfigurationError, InvalidArgument, KnowledgeLost
from alchemer_nb.frame.description import (
    ATTRS,
    Description,
    describe,
    read_description,
    trim_frame,
)
from alchemer_nb.frame.multi_lists import fold_lists
from alchemer_nb.frame.options import FrameOptions  # noqa: TC001 - msgspec reads annotations
from alchemer_nb.frame.reasons import NO_REASONS
from alchemer_nb.survey.columns import name_columns, plan_columns
from alchemer_nb.survey.definition import Definition  # noqa: TC001 - msgspec reads annotations

if TYPE_CHECKING:
    import os
    from pathlib import Path

KEY = b"alchemer_nb"
FORMAT = 1
SUFFIXES = (".parquet", ".pq")
_DESCRIPTION = KEY + b".description"
_OLD_ANSWERS = KEY + b".answers"  # of versions that kept the answers behind a frame
_PANDAS_ATTRS = b"PANDAS_ATTRS"  # where pandas itself keeps attrs
_MOST_OLD = 2**29  # bytes of answers, unpacked
# What is raised by readers of a footer that somebody has changed.
_DAMAGED = (
    *(pa.ArrowException, ValueError, TypeError, LookupError, AttributeError, OverflowError),
    *(NotImplementedError, RecursionError, msgspec.DecodeError),  # a ValueError only in later ones
)
_MOST_DIGITS = 10  # of the number of a format
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
    """Write a frame with the description that it carries.

    Args:
        frame: Any frame; one that this package made keeps its description.
        path: Name of the file, ending in ``.parquet``.
        everything: Whether to keep what the description says of other rows and columns.
        most: Bytes that the description may take in the footer.

    Raises:
        InvalidArgument: The path does not fit, or a column cannot be stored.
    """
    place = files.output_path(path, SUFFIXES)
    described = _described(frame)
    if described is not None and not everything:
        frame, described = trim_frame(frame, described)
    table, dtypes = _table(frame)
    entry = {KEY: b"%d:%s" % (FORMAT, msgspec.json.encode(_Entry(dtypes, _levels(frame.index))))}
    if described is not None:
        text = described.to_json()
        if len(text) > most:
            warnings.warn(
                f"the reasons of missing answers take {len(text) / 2**20:.1f} MB, too much for "
                "the footer of a Parquet file: it is written without them",
                stacklevel=3,
            )
            text = replace(described, reasons=NO_REASONS).to_json()
        entry[_DESCRIPTION] = text.encode("ascii")
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), **_attrs(frame)})
    with (
        files.replace_atomically(place) as temporary,
        pq.ParquetWriter(temporary, table.schema, write_page_checksum=True) as writer,
    ):
        writer.write_table(table)
        # Not in the schema, of which Parquet files hold a second copy.
        writer.add_key_value_metadata(entry)


def read_parquet(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a frame, with its description if this package or pandas wrote it.

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
        with pq.ParquetFile(place, page_checksum_verification=True) as file:
            footer = dict(file.metadata.metadata or {})
            table = file.read()
    except (pa.ArrowException, OSError) as error:
        raise InvalidArgument(f"{place} cannot be read as Parquet: {_first_line(error)}") from None
    number, _, written = footer.get(KEY, b"").partition(b":")
    if number.isdigit() and len(number) < _MOST_DIGITS and int(number) > FORMAT:
        raise ConfigurationError(
            f"{place} was written by a newer alchemer_nb (format {int(number)}, this one reads "
            f"{FORMAT})",
            hint="Install the newer alchemer_nb here, too; pandas.read_parquet reads the values",
        )
    lost: list[str] = []
    frame = _to_pandas(table, lost, place, is_ours=KEY in footer)
    frame.attrs = _read_attrs(table.schema.metadata or {})
    if KEY in footer:
        frame = _as_it_was(frame, written, lost)
    if _DESCRIPTION in footer:
        frame.attrs[ATTRS] = footer[_DESCRIPTION].decode("ascii", "replace")
    elif _OLD_ANSWERS in footer or _is_of_earlier_version(frame.attrs.get(ATTRS)):
        _describe_old_file(frame, footer.get(_OLD_ANSWERS, b""), place)
    for what in lost:
        warnings.warn(f"{place} is damaged: {what}", stacklevel=2)
    return frame


# -- writing --------------------------------------------------------------------------------


def _table(frame: pd.DataFrame) -> tuple[pa.Table, list[_Dtype | None]]:
    frame = frame.copy(deep=False)
    frame.attrs = {}  # Arrow would keep a second copy
    if isinstance(frame.columns, pd.CategoricalIndex):  # of a pivot: Arrow cannot read it again
        frame.columns = frame.columns.astype(frame.columns.categories.dtype)
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


def _described(frame: pd.DataFrame) -> Description | None:
    """Return the description of a frame; None for any other frame."""
    try:
        return describe(frame)
    except (KnowledgeLost, InvalidArgument):
        return None


def _has_description(frame: pd.DataFrame) -> bool:
    try:
        read_description(frame)
    except KnowledgeLost:
        return False
    return True


def _attrs(frame: pd.DataFrame) -> dict[bytes, bytes]:
    """Return attrs as pandas would write them; leave out, with a warning, what is no JSON.

    A description that does not fit the frame is not written: it describes other rows.
    """
    written: dict[Any, Any] = {}
    for name, value in frame.attrs.items():
        if name == ATTRS and _has_description(frame):
            continue
        try:
            json.dumps({name: value})
        except (TypeError, ValueError):
            warnings.warn(f"attrs[{name!r}] is not JSON and is not written", stacklevel=4)
        else:
            written[name] = value
    return {_PANDAS_ATTRS: json.dumps(written).encode()} if written else {}


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


# -- reading --------------------------------------------------------------------------------


def _read_attrs(schema: dict[bytes, bytes]) -> dict[Any, Any]:
    try:
        attrs = json.loads(schema.get(_PANDAS_ATTRS, b"{}"))
    except (ValueError, RecursionError):
        return {}
    return attrs if isinstance(attrs, dict) else {}


class _OldAnswers(msgspec.Struct):
    """The part of the answers of an earlier version that is no answer."""

    survey: Definition
    timezone: str
    options: FrameOptions
    about: dict[str, Any]


def _is_of_earlier_version(text: object) -> bool:
    """Check whether attrs have the facts of an earlier version."""
    try:
        facts = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return False
    return isinstance(facts, dict) and "codebook" in facts


def _describe_old_file(frame: pd.DataFrame, packed: bytes, place: Any) -> None:
    """Describe the columns that a file of an earlier version shows, without its answers."""
    note = "the reasons of missing answers are gone"
    frame.attrs.pop(ATTRS, None)
    try:
        unzip = zlib.decompressobj()
        raw = unzip.decompress(base64.b64decode(packed, validate=True), _MOST_OLD)
        old = msgspec.msgpack.decode(raw, type=_OldAnswers)
        columns = fold_lists(plan_columns(old.survey), old.options)
        description = Description(old.survey, old.options, old.timezone, about=old.about)
        names = name_columns(
            columns, old.survey, old.options.names, description.metadata, old.options.language
        )
        codes = {f"{n}_code": n for n in names if old.options.values == "both"}
        by_name = {n: c for n, c in zip(names, columns, strict=True) if n in frame.columns}
        about = {name: value for name, value in old.about.items() if name != "redacted"}
        about["asked"] = old.options.asked()  # without the values of conditions
        description = replace(
            description,
            columns=by_name,
            codes={c: n for c, n in codes.items() if c in frame.columns and n in by_name},
            urls={n: n[4:] for n in frame.columns if str(n).startswith("url_") and n not in names},
            redacted=tuple(old.about.get("redacted", ())),
            about=about,
        )
        frame.attrs[ATTRS] = description.to_json()
    except (*_DAMAGED, zlib.error):
        note = "df.alchemer needs a new download"
    warnings.warn(
        f"{place} is of an earlier version, which kept the answers behind the frame a second "
        f"time: the frame is what it shows, and {note}",
        stacklevel=3,
    )


def _to_pandas(table: pa.Table, lost: list[str], place: Path, *, is_ours: bool) -> pd.DataFrame:
    # Whole numbers stay whole where others are missing; pandas would make them floats, which round.
    given: dict[str, Any] = {"integer_object_nulls": is_ours}
    with suppress(*_DAMAGED):
        frame: pd.DataFrame = table.to_pandas(**given)
        return frame
    try:
        frame = table.replace_schema_metadata(None).to_pandas(**given)
    except _DAMAGED as error:
        raise InvalidArgument(f"{place} cannot be read: {_first_line(error)}") from None
    lost.append(
        "what pandas noted of index and dtypes cannot be read, so the index is a column; the "
        "values are all there"
    )
    return frame


def _as_it_was(frame: pd.DataFrame, written: bytes, lost: list[str]) -> pd.DataFrame:
    """Restore the dtypes of the columns."""
    with suppress(*_DAMAGED):
        return _with_dtypes(frame, msgspec.json.decode(written, type=_Entry))
    lost.append("the exact dtypes are gone; the values are all there")
    return frame


def _with_dtypes(frame: pd.DataFrame, entry: _Entry) -> pd.DataFrame:
    if len(entry.dtypes) != frame.shape[1]:
        return frame
    attrs = frame.attrs
    made = [
        _restored_whole(frame.iloc[:, place], dtype) if dtype else frame.iloc[:, place]
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


def _restored_whole(values: pd.Series[Any], dtype: _Dtype) -> pd.Series[Any]:
    """Restore the dtype of a column.

    Raises:
        ValueError: Values would be lost: another program has changed them, or the footer.
    """
    is_date = values.dtype.kind == "M"
    restored = _restored(values, dtype)
    if (dtype.kind == "moment" and not is_date) or not restored.isna().equals(values.isna()):
        raise ValueError("the dtype of another column")
    return restored


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
        if not values.dropna().drop_duplicates().isin(dtype.categories or []).all():
            raise ValueError("a value that is no category")  # pandas would warn, and drop it
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
