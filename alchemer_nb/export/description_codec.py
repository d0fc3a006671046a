"""Packs the answers that a frame carries as bytes, and unpacks them: plain data, never code.

A file is passed on more easily than a session, so data that a frame does not show are not written.
Rows that were filtered out are left out; of dropped columns only the fact that there was an answer
is written, which the reasons of missing need.
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
from alchemer_nb.decode.leaves import Leaf, OptionFinder, RawAnswer
from alchemer_nb.errors import KnowledgeLost
from alchemer_nb.frame import metadata
from alchemer_nb.frame.kept import Kept
from alchemer_nb.frame.options import FrameOptions  # noqa: TC001 - msgspec reads annotations
from alchemer_nb.frame.values import Renderer, read_number
from alchemer_nb.survey.columns import (
    AnswerPath,
    is_open,
)
from alchemer_nb.survey.definition import Definition  # noqa: TC001 - msgspec reads annotations

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alchemer_nb.survey.columns import AnswerColumn

_ALWAYS = ("id", "status", "is_test_data")  # they name nobody, and the kinds of missing need them
_UNSEEN = "(left out)"
_MOST = 2**31  # bytes of an unpacked entry; more would be no download but a trap
_WHOLE = range(-(2**63), 2**63)


class UnreadableDescription(ValueError):
    """The bytes are cut or altered."""


class _PackedLeaf(msgspec.Struct, array_like=True):
    path: AnswerPath
    raw_answers: list[RawAnswer] = msgspec.field(name="atoms")  # as in files written before
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
    """Metadata read from a file; a field that the file does not have raises KnowledgeLost."""

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
    """Pack the answers of a frame as ASCII text, which any Parquet reader can skip."""
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
                [RawAnswer(*map(_scalar, raw_answer)) for raw_answer in leaf.raw_answers],
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
    """Unpack what ``pack`` wrote.

    Raises:
        UnreadableDescription: It is cut or altered.
    """
    try:
        unzip = zlib.decompressobj()
        raw = unzip.decompress(base64.b64decode(text, validate=True), _MOST)
        if not unzip.eof:
            raise UnreadableDescription("cut short")
        packed = msgspec.msgpack.decode(raw, type=_Packed)
        return _kept(packed)
    except (binascii.Error, zlib.error, msgspec.DecodeError, IndexError, TypeError) as error:
        raise UnreadableDescription(str(error)) from None
    except ValueError as error:
        raise UnreadableDescription(str(error)) from None


def _kept(packed: _Packed) -> Kept:
    if any(len(values) != packed.count for values in packed.meta.values()):
        raise UnreadableDescription("columns of different lengths")
    answers = Answers(
        count=packed.count,
        meta=StoredMeta(packed.meta),
        urls=packed.urls,
        quality=_NoQuality() if packed.quality is None else packed.quality,
        unknown_questions=packed.words,
        misfits=packed.misfits,
    )
    for each in packed.leaves:
        leaf = Leaf(each.raw_answers)
        rows = _unrising(each.rows, packed.count)
        codes = _unnumbers(each.codes, len(each.raw_answers))
        if len(rows) != len(codes):
            raise UnreadableDescription("columns of different lengths")
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
    """The part of a download that a frame shows.

    Attributes:
        ids: Response ids of its rows.
        columns: Names of its columns; of a long frame, of the columns it holds answers of.
        meta: Metadata it shows.
    """

    ids: Iterable[int]
    columns: frozenset[str]
    meta: frozenset[str]


def only_shown(kept: Kept, shown: Shown) -> Kept:
    """Return the answers without those that a frame does not show."""
    old = kept.answers
    numbers = np.unique(kept.rows(dict.fromkeys(shown.ids)).numbers)
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
    """Return the metadata of some rows; fields asked for and then dropped are empty."""
    asked = metadata.metadata_names(kept.options.metadata)
    return {
        name: [values[row] if name in shown or name in _ALWAYS else None for row in numbers]
        for name, values in kept.answers.meta.items()
        if name in shown or name in _ALWAYS or name in asked
    }


def _paths(
    kept: Kept, columns: frozenset[str]
) -> tuple[set[AnswerPath], dict[AnswerPath, AnswerColumn]]:
    """Return the paths of answers that a frame shows, and the main column of each path.

    Of a multi-select all options count as shown if one is: whether the question was answered at
    all stands in all of them together.
    """
    named = [(name, each) for name, c in kept.names.items() for each in c.option_columns or (c,)]
    stems = {each.path[:-1] for name, each in named if name in columns and each.part == "option"}
    here: set[AnswerPath] = set()
    main: dict[AnswerPath, AnswerColumn] = {}
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
) -> dict[AnswerPath, dict[int, RawAnswer]]:
    """Find answers whose own column was dropped, but not another column of their path.

    Returns:
        Place -> number of the answer -> what remains of it: that there was one.
    """
    found: dict[AnswerPath, dict[int, RawAnswer]] = {}
    for name, column in kept.names.items():
        leaf = kept.answers.leaves.get(column.path)
        if leaf is None or column.part not in ("other", "raw"):
            continue
        is_shown = name in columns
        blanks = found.setdefault(column.path, {})
        for number, text in enumerate(renderer.extra_texts(column)):
            raw_answer = leaf.raw_answers[number]
            if text is not None and is_shown:
                blanks.pop(number, None)
            elif text is not None:
                blanks[number] = RawAnswer(_UNSEEN, raw_answer.answer_id, None, raw_answer.label)
    for name, column in kept.names.items():
        coded = f"{name}_code" in columns and kept.options.values == "both"
        if column.path not in found or column.part != "answer" or name in columns or coded:
            continue
        beside = [c for n, c in kept.names.items() if c.path == column.path and c.part != "answer"]
        typed = [renderer.extra_texts(each) for each in beside]
        for number, texts in enumerate(zip(*typed, strict=True)):
            if not any(texts):
                found[column.path][number] = _some_answer(column)
    return found


def _some_answer(column: AnswerColumn) -> RawAnswer:
    """Return an answer that fits a column and reveals nothing of the real one."""
    if column.choices:
        return RawAnswer(column.choices[0].value, column.choices[0].id)
    return RawAnswer("2000-01-01" if column.kind == "date" else "0")


def _thinned(
    leaf: Leaf,
    places: np.ndarray,
    column: AnswerColumn,
    dropped: dict[int, RawAnswer],
    *,
    coded: bool,
) -> Leaf:
    """Return the answers of some rows, without the words of answers that no such row has.

    Not their place: whether a number was no number, or a text no option, decides on columns and
    categories, which are to stay as they are.
    """
    at = places[np.asarray(leaf.rows, dtype=np.int64)]
    codes = np.asarray(leaf.codes, dtype=np.int64)[at >= 0]
    used = set(np.unique(codes).tolist())
    new = Leaf(
        dropped.get(number)
        or (raw_answer if number in used else _unseen(raw_answer, column, coded=coded))
        for number, raw_answer in enumerate(leaf.raw_answers)
    )
    new.extend(at[at >= 0], codes)
    return new


def _together(
    path: AnswerPath, column: AnswerColumn | None, leaves: dict[AnswerPath, Leaf]
) -> np.ndarray:
    """Return the rows with an answer at a path; for an option, with any option of its question.

    That an option is there says that it was chosen, which is the answer itself.
    """
    paths = [path]
    if column is not None and column.part == "option":
        paths = [each for each in leaves if each[:-1] == path[:-1]]
    rows = np.concatenate([np.asarray(leaves[each].rows, dtype=np.int64) for each in paths])
    return np.unique(rows)


def _emptied(rows: np.ndarray, places: np.ndarray, column: AnswerColumn | None) -> Leaf:
    """Return a leaf in which some rows have an answer without words."""
    at = places[rows]
    at = at[at >= 0]
    raw_answer = RawAnswer()
    if column is not None and not column.planned and column.option is not None:
        option = column.option  # only the answers tell what it is called
        raw_answer = RawAnswer(option.value or None, label=option.label() or None)
    new = Leaf([raw_answer])
    new.extend(at, np.zeros_like(at))
    return new


def _unseen(raw_answer: RawAnswer, column: AnswerColumn, *, coded: bool) -> RawAnswer:
    """Return an answer without its words, unless they are an option or a plain number."""
    option = column.option
    if option is not None and not column.planned and str(raw_answer.answer) == option.value:
        return raw_answer._replace(original=None)  # its name, as only the answers tell it
    written = raw_answer.answer_id is not None and str(raw_answer.answer_id).endswith("-other")
    listed = column.kind == "category" or (
        column.kind == "boolean" and not (option and option.is_other)
    )
    number = column.kind == "number" and not is_open(column)
    if column.kind == "category" and OptionFinder(column.choices, ()).find(raw_answer)[0] is None:
        if coded:
            return RawAnswer(_UNSEEN, raw_answer.answer_id, None, raw_answer.label)
        return raw_answer  # no option: the frame itself shows it, among its categories
    if not written and (listed or (number and np.isfinite(read_number(raw_answer.answer)))):
        return raw_answer._replace(original=None) if raw_answer.answer is not None else raw_answer
    answer = (
        raw_answer.answer
        if isinstance(raw_answer.answer, bool) or not raw_answer.answer
        else _UNSEEN
    )
    return RawAnswer(answer, raw_answer.answer_id, None, raw_answer.label)


# -- numbers --------------------------------------------------------------------------------


def _rising(values: array[int]) -> bytes:
    """Pack row numbers as differences, which are all 1 if everybody answered."""
    return _numbers(np.diff(np.asarray(values, dtype=np.int64), prepend=0))


def _unrising(data: bytes, count: int) -> np.ndarray:
    rows = np.cumsum(_unnumbers(data, None))
    if len(rows) and not (rows.min() >= 0 and rows.max() < count):
        raise UnreadableDescription("a row that is not there")
    return rows


def _numbers(values: np.ndarray) -> bytes:
    """Pack whole numbers in as few bytes as they need; the first byte is the size of each."""
    for size in (1, 2, 4, 8):
        kind = np.dtype(f"<i{size}")
        info = np.iinfo(kind)
        if not len(values) or (info.min <= values.min() and values.max() <= info.max):
            break
    return bytes([size]) + values.astype(kind).tobytes()


def _unnumbers(data: bytes, below: int | None) -> np.ndarray:
    if not data or data[0] not in (1, 2, 4, 8):
        raise UnreadableDescription("not a list of numbers")
    values = np.frombuffer(data, dtype=np.dtype(f"<i{data[0]}"), offset=1).astype(np.int64)
    if below is not None and len(values) and not (values.min() >= 0 and values.max() < below):
        raise UnreadableDescription("a number that stands for nothing")
    return values


def _scalar(value: Scalar) -> Scalar:
    """Convert to what the format allows: numbers beyond 64 bits as text, no lone surrogates."""
    if isinstance(value, int) and value not in _WHOLE:
        return str(value)
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "replace").decode("utf-8")
    return value


def _plainly(value: Any) -> Any:
    """Convert any other value of a definition to text."""
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)
