"""What travels with a frame, as bytes and back: plain data, never code.

A file is passed on more easily than a session: what a frame does not show is not written into
its file. Rows that were filtered out are left out; of columns that were dropped, nothing is left
but that something stood there, which the kinds of missing need.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from alchemer_nb.decode.answers import Answers
from alchemer_nb.decode.entry_types import Scalar
from alchemer_nb.decode.leaves import Atom, Leaf
from alchemer_nb.errors import KnowledgeLost
from alchemer_nb.frame import metadata
from alchemer_nb.frame.description import Kept
from alchemer_nb.frame.options import FrameOptions  # noqa: TC001 - msgspec reads annotations
from alchemer_nb.frame.values import Renderer, read_number, resolve
from alchemer_nb.survey.columns import Path, is_open
from alchemer_nb.survey.definition import Definition  # noqa: TC001 - msgspec reads annotations

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alchemer_nb.survey.columns import Column

_ALWAYS = ("id", "status", "is_test_data")  # they name nobody, and the kinds of missing need them
_UNSEEN = "(left out)"
_MOST = 2**31  # bytes of an unpacked entry; more would be no download but a trap
_WHOLE = range(-(2**63), 2**63)


class Damaged(ValueError):
    """The bytes are not what ``pack`` made."""


class _PackedLeaf(msgspec.Struct, array_like=True):
    path: Path
    atoms: list[Atom]
    rows: bytes
    codes: bytes


class _Packed(msgspec.Struct):
    count: int
    known: list[str]  # ids of the questions, for older versions of this package
    meta: dict[str, list[Scalar]]
    urls: dict[str, dict[int, str]]
    quality: dict[int, str] | None
    leaves: list[_PackedLeaf]
    shown: dict[str, tuple[bytes, bytes]]
    words: dict[str, tuple[str, str]]
    misfits: int
    survey: Definition
    timezone: str
    options: FrameOptions
    about: dict[str, Any]


class StoredMeta(dict[str, list[Scalar]]):
    """Metadata read from a file; what the file does not hold is an error that says so."""

    def __missing__(self, name: str) -> list[Scalar]:
        raise KnowledgeLost(
            f"{name} is not in the file: the frame that was written did not show it. Download it "
            "again, or write the file with everything=True"
        )


class _NoQuality(dict[int, str]):
    """The same for ``data_quality``."""

    def get(self, *_: Any) -> Any:
        return StoredMeta()["data_quality"]


def pack(kept: Kept) -> bytes:
    """What travels with a frame, as text that any Parquet reader can pass over."""
    answers = kept.answers
    packed = _Packed(
        count=answers.count,
        known=sorted({question.id for question in kept.survey.walk()}),
        meta={name: [_scalar(v) for v in values] for name, values in answers.meta.items()},
        urls=answers.urls,
        quality=None if isinstance(answers.quality, _NoQuality) else answers.quality,
        leaves=[
            _PackedLeaf(
                path,
                [Atom(*map(_scalar, atom)) for atom in leaf.atoms],
                _rising(leaf.rows),
                _numbers(np.asarray(leaf.codes, dtype=np.int64)),
            )
            for path, leaf in answers.leaves.items()
        ],
        shown={
            own: (_rising(rows), _numbers(np.asarray(states, dtype=np.int64)))
            for own, (rows, states) in answers.shown.items()
        },
        words=answers.unknown_questions,
        misfits=answers.misfits,
        survey=kept.survey,
        timezone=kept.timezone,
        options=kept.options,
        about=kept.about,
    )
    raw = msgspec.msgpack.encode(packed, enc_hook=_plainly)
    return base64.b64encode(zlib.compress(raw, 6))


def unpack(text: bytes) -> Kept:
    """Reads what ``pack`` made.

    Raises:
        Damaged: It is cut or altered.
    """
    try:
        unzip = zlib.decompressobj()
        raw = unzip.decompress(base64.b64decode(text, validate=True), _MOST)
        if not unzip.eof:
            raise Damaged("cut short")
        packed = msgspec.msgpack.decode(raw, type=_Packed)
        return _kept(packed)
    except (binascii.Error, zlib.error, msgspec.DecodeError, IndexError, TypeError) as error:
        raise Damaged(str(error)) from None
    except ValueError as error:
        raise Damaged(str(error)) from None


def _kept(packed: _Packed) -> Kept:
    if any(len(values) != packed.count for values in packed.meta.values()):
        raise Damaged("columns of different lengths")
    answers = Answers(
        count=packed.count,
        meta=StoredMeta(packed.meta),
        urls=packed.urls,
        quality=_NoQuality() if packed.quality is None else packed.quality,
        unknown_questions=packed.words,
        misfits=packed.misfits,
    )
    for each in packed.leaves:
        leaf = Leaf(each.atoms)
        rows = _unrising(each.rows, packed.count)
        codes = _unnumbers(each.codes, len(each.atoms))
        if len(rows) != len(codes):
            raise Damaged("columns of different lengths")
        leaf.extend(rows, codes)
        answers.leaves[each.path] = leaf
    for own, (rows_, states_) in packed.shown.items():
        states = _unnumbers(states_, 2).astype(np.int8)
        answers.shown[own] = (
            array("i", _unrising(rows_, packed.count).astype(np.int32).tobytes()),
            array("b", states.tobytes()),
        )
    return Kept(answers, packed.survey, packed.timezone, packed.options, packed.about)


# -- what a frame shows ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shown:
    """What of a download a frame shows.

    Attributes:
        ids: Response ids of its rows.
        columns: Names of its columns; of a long frame, of the columns it holds answers of.
        meta: Metadata it shows.
    """

    ids: Iterable[int]
    columns: frozenset[str]
    meta: frozenset[str]


def only_shown(kept: Kept, shown: Shown) -> Kept:
    """The same knowledge without the answers that a frame does not show."""
    old = kept.answers
    numbers = np.unique(kept.rows(dict.fromkeys(shown.ids)).keep)
    places = np.full(old.count, -1, dtype=np.int64)
    places[numbers] = np.arange(len(numbers))
    quality: dict[int, str] = _NoQuality()
    if "data_quality" in shown.meta:
        quality = {int(places[r]): v for r, v in old.quality.items() if places[r] >= 0}
    new = Answers(
        count=len(numbers),
        meta=StoredMeta(_meta(kept, numbers, shown.meta)),
        quality=quality,
        unknown_questions=old.unknown_questions,
        misfits=old.misfits,
    )
    for name, values in old.urls.items():
        if f"url_{name}" in shown.columns:
            new.urls[name] = {int(places[r]): v for r, v in values.items() if places[r] >= 0}
    here, main = _paths(kept, shown.columns)
    renderer = Renderer(old, np.array([], dtype=np.int64), kept.options.rendered, ())
    dropped = _dropped_texts(kept, shown.columns, renderer)
    for path, leaf in old.leaves.items():
        column = main.get(path)
        if path in here and column is not None:
            coded = renderer.is_coded(column)
            new.leaves[path] = _thinned(leaf, places, column, dropped.get(path, {}), coded=coded)
        else:
            new.leaves[path] = _emptied(_together(path, column, old.leaves), places, column)
    for own, (rows, states) in old.shown.items():
        at = places[np.asarray(rows, dtype=np.int64)]
        kept_states = np.asarray(states, dtype=np.int8)[at >= 0]
        new.shown[own] = (
            array("i", at[at >= 0].astype(np.int32).tobytes()),
            array("b", kept_states.tobytes()),
        )
    return Kept(new, kept.survey, kept.timezone, kept.options, kept.about)


def _meta(kept: Kept, numbers: np.ndarray, shown: frozenset[str]) -> dict[str, list[Scalar]]:
    """Metadata of some rows: what was asked for and then dropped is there, but empty."""
    asked = metadata.names(kept.options.metadata)
    return {
        name: [values[row] if name in shown or name in _ALWAYS else None for row in numbers]
        for name, values in kept.answers.meta.items()
        if name in shown or name in _ALWAYS or name in asked
    }


def _paths(kept: Kept, columns: frozenset[str]) -> tuple[set[Path], dict[Path, Column]]:
    """Places whose answers a frame shows, and the main column of each place.

    Of a multi-select all options count as shown if one is: whether the question was answered at
    all stands in all of them together.
    """
    named = [(name, each) for name, c in kept.names.items() for each in c.parts or (c,)]
    stems = {each.path[:-1] for name, each in named if name in columns and each.part == "option"}
    here: set[Path] = set()
    main: dict[Path, Column] = {}
    for name, column in named:
        if column.part not in ("other", "raw"):
            main[column.path] = column
        coded = f"{name}_code" in columns and kept.options.values == "both"
        grouped = column.part == "option" and column.path[:-1] in stems
        if name in columns or coded or grouped:
            here.add(column.path)
    return here, main


def _dropped_texts(
    kept: Kept, columns: frozenset[str], renderer: Renderer
) -> dict[Path, dict[int, Atom]]:
    """Answers whose column a frame has dropped, though not the one beside it.

    Returns:
        Place -> number of the answer -> what remains of it: that there was one.
    """
    found: dict[Path, dict[int, Atom]] = {}
    for name, column in kept.names.items():
        leaf = kept.answers.leaves.get(column.path)
        if leaf is None or column.part not in ("other", "raw"):
            continue
        is_shown = name in columns
        blanks = found.setdefault(column.path, {})
        for number, text in enumerate(renderer.beside(column)):
            atom = leaf.atoms[number]
            if text is not None and is_shown:
                blanks.pop(number, None)
            elif text is not None:
                blanks[number] = Atom(_UNSEEN, atom.answer_id, None, atom.label)
    for name, column in kept.names.items():
        coded = f"{name}_code" in columns and kept.options.values == "both"
        if column.path not in found or column.part != "answer" or name in columns or coded:
            continue
        beside = [c for n, c in kept.names.items() if c.path == column.path and c.part != "answer"]
        typed = [renderer.beside(each) for each in beside]
        for number, texts in enumerate(zip(*typed, strict=True)):
            if not any(texts):
                found[column.path][number] = _some_answer(column)
    return found


def _some_answer(column: Column) -> Atom:
    """An answer that fits a column and says nothing of the one that was given."""
    if column.choices:
        return Atom(column.choices[0].value, column.choices[0].id)
    return Atom("2000-01-01" if column.kind == "date" else "0")


def _thinned(
    leaf: Leaf, places: np.ndarray, column: Column, dropped: dict[int, Atom], *, coded: bool
) -> Leaf:
    """The answers of some rows; answers that none of them gave lose their words.

    Not their place: whether a number was no number, or a text no option, decides on columns and
    categories, which are to stay as they are.
    """
    at = places[np.asarray(leaf.rows, dtype=np.int64)]
    codes = np.asarray(leaf.codes, dtype=np.int64)[at >= 0]
    used = set(np.unique(codes).tolist())
    new = Leaf(
        dropped.get(number) or (atom if number in used else _unseen(atom, column, coded=coded))
        for number, atom in enumerate(leaf.atoms)
    )
    new.extend(at[at >= 0], codes)
    return new


def _together(path: Path, column: Column | None, leaves: dict[Path, Leaf]) -> np.ndarray:
    """Rows with an answer here; of an option, rows with any option of its question.

    That an option is there says that it was chosen, which is the answer itself.
    """
    paths = [path]
    if column is not None and column.part == "option":
        paths = [each for each in leaves if each[:-1] == path[:-1]]
    rows = np.concatenate([np.asarray(leaves[each].rows, dtype=np.int64) for each in paths])
    return np.unique(rows)


def _emptied(rows: np.ndarray, places: np.ndarray, column: Column | None) -> Leaf:
    """Says of some rows that something stood here, and not what."""
    at = places[rows]
    at = at[at >= 0]
    atom = Atom()
    if column is not None and not column.planned and column.option is not None:
        option = column.option  # only the answers tell what it is called
        atom = Atom(option.value or None, label=option.label() or None)
    new = Leaf([atom])
    new.extend(at, np.zeros_like(at))
    return new


def _unseen(atom: Atom, column: Column, *, coded: bool) -> Atom:
    """An answer without its words, unless they were chosen from a list or are a plain number."""
    option = column.option
    if option is not None and not column.planned and str(atom.answer) == option.value:
        return atom._replace(original=None)  # its name, as only the answers tell it
    written = atom.answer_id is not None and str(atom.answer_id).endswith("-other")
    listed = column.kind == "category" or (
        column.kind == "boolean" and not (option and option.is_other)
    )
    number = column.kind == "number" and not is_open(column)
    if column.kind == "category" and resolve(atom, column.choices, ())[0] is None:
        if coded:
            return Atom(_UNSEEN, atom.answer_id, None, atom.label)
        return atom  # no option: the frame itself shows it, among its categories
    if not written and (listed or (number and np.isfinite(read_number(atom.answer)))):
        return atom._replace(original=None) if atom.answer is not None else atom
    answer = atom.answer if isinstance(atom.answer, bool) or not atom.answer else _UNSEEN
    return Atom(answer, atom.answer_id, None, atom.label)


# -- numbers --------------------------------------------------------------------------------


def _rising(values: array[int]) -> bytes:
    """Row numbers as steps: where everybody answered they are all 1."""
    return _numbers(np.diff(np.asarray(values, dtype=np.int64), prepend=0))


def _unrising(data: bytes, count: int) -> np.ndarray:
    rows = np.cumsum(_unnumbers(data, None))
    if len(rows) and not (rows.min() >= 0 and rows.max() < count):
        raise Damaged("a row that is not there")
    return rows


def _numbers(values: np.ndarray) -> bytes:
    """Whole numbers in as few bytes as they need; the first byte says how many."""
    for size in (1, 2, 4, 8):
        kind = np.dtype(f"<i{size}")
        info = np.iinfo(kind)
        if not len(values) or (info.min <= values.min() and values.max() <= info.max):
            break
    return bytes([size]) + values.astype(kind).tobytes()


def _unnumbers(data: bytes, below: int | None) -> np.ndarray:
    if not data or data[0] not in (1, 2, 4, 8):
        raise Damaged("not a list of numbers")
    values = np.frombuffer(data, dtype=np.dtype(f"<i{data[0]}"), offset=1).astype(np.int64)
    if below is not None and len(values) and not (values.min() >= 0 and values.max() < below):
        raise Damaged("a number that stands for nothing")
    return values


def _scalar(value: Scalar) -> Scalar:
    """What the format can hold: a number beyond 64 bits as its digits, no lone surrogates."""
    if isinstance(value, int) and value not in _WHOLE:
        return str(value)
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "replace").decode("utf-8")
    return value


def _plainly(value: Any) -> Any:
    """Anything else in a definition, as text."""
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)
