"""Frames from labelled files of other programs, as pyreadstat reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alchemer_nb import files
from alchemer_nb.errors import InvalidArgument
from alchemer_nb.export.column_facts import Choices
from alchemer_nb.export.variables import SELECTED
from alchemer_nb.frame.description import ATTRS, Description
from alchemer_nb.frame.options import FrameOptions
from alchemer_nb.frame.text_dtype import text_dtype
from alchemer_nb.survey.columns import INDEX, AnswerColumn
from alchemer_nb.survey.definition import Question
from alchemer_nb.wire.text import ENGLISH

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence


@dataclass
class FileVariable:
    """A variable of a labelled file.

    Attributes:
        values: As pyreadstat returns them; texts of a numeric variable are missing values of Stata.
        labels: Code -> value label.
        missing: Codes that the file declares missing, with a label or in some cell.
        is_text: Whether it is a string variable.
        is_ordinal: Whether the file calls it a scale of ordered steps.
    """

    values: pd.Series[Any]
    labels: dict[Any, str] = field(default_factory=dict)
    missing: set[Any] = field(default_factory=set)
    is_text: bool = False
    is_ordinal: bool = False


def read_labelled(
    path: str | os.PathLike[str],
    suffixes: Sequence[str],
    read: Callable[..., tuple[Any, Any]],
    program: str,
    describe: Callable[[pd.Series[Any], Any], FileVariable],
    *,
    user_missing: bool,
) -> pd.DataFrame:
    """Read a file into a frame; see ``read_spss``.

    Args:
        path: Name of the file.
        suffixes: Its possible extensions.
        read: Reader of pyreadstat.
        program: Name of the program, for the error.
        describe: Function of a column and pyreadstat's metadata.
        user_missing: Whether declared missing values stay.

    Raises:
        InvalidArgument: There is no such file, or it is of another kind.
    """
    source = files.input_path(path, suffixes)
    try:
        raw, meta = read(source, user_missing=True)
    except Exception as error:  # noqa: BLE001 - it raises plain Exception too
        raise InvalidArgument(f"{source} cannot be read as {program} file: {error}") from None
    data, described = {}, {}
    for name in raw.columns:
        variable = describe(raw[name], meta)
        data[name], choices = _read_variable(variable, user_missing=user_missing)
        if choices is not None:
            described[name] = choices.to_json()
    frame = _with_index(pd.DataFrame(data, index=raw.index))
    labels = meta.column_names_to_labels
    frame.attrs[ATTRS] = Description(
        options=FrameOptions(metadata="none"),
        columns={name: _described(name, labels.get(name) or "") for name in frame.columns},
        about={"title": meta.file_label or ""},
        file_codes=described,
    ).to_json()
    return frame


def _read_variable(variable: FileVariable, *, user_missing: bool) -> tuple[Any, Choices | None]:
    """Return the values of a column, and its codes and labels."""
    values, labels = variable.values, variable.labels
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return values, None
    if variable.is_text:
        values = values.where(values != "").astype(object)
    elif pd.api.types.is_object_dtype(values.dtype) and not variable.missing:
        return _to_dates(values), None
    if not user_missing:
        values = values.mask(values.isin(list(variable.missing)))
    choices = _choices(variable)
    valid = {code: label for code, label in labels.items() if code not in variable.missing}
    present = set(values.dropna())
    if valid == SELECTED and present <= set(valid):
        return values.astype("boolean"), choices
    if labels and present <= set(labels):
        shown = dict(zip(_in_order(labels), choices.by_name, strict=True)) if choices else {}
        kept = {c: name for c, name in shown.items() if user_missing or c not in variable.missing}
        ordered = variable.is_ordinal and not variable.missing & set(kept)
        place = {code: number for number, code in enumerate(kept)}
        index = pd.Index([*kept.values()], dtype=text_dtype())
        codes = [place.get(value, -1) for value in values]
        return pd.Categorical.from_codes(codes, categories=index, ordered=ordered), choices
    if variable.is_text:
        return pd.array(values.where(values.notna(), None).tolist(), text_dtype()), None
    return pd.to_numeric(values, errors="coerce"), choices


def _choices(variable: FileVariable) -> Choices | None:
    """Return the codes and labels, with numbers for the letters of Stata's missing values."""
    if not variable.labels and not variable.missing:
        return None
    order = _in_order(variable.labels)
    texts = [variable.labels[code] for code in order]
    coded = [f"{variable.labels[code]} [{_code_text(code)}]" for code in order]
    names = [c if texts.count(t) > 1 else t for t, c in zip(texts, coded, strict=True)]
    if len(set(names)) < len(names):
        names = coded
    unlabelled = _in_order(variable.missing - set(order))
    number: dict[Any, Any] = {code: code for code in [*order, *unlabelled]}
    if not variable.is_text:
        numbers = [code for code in number if not isinstance(code, str)]
        first = np.floor(max(numbers, default=0.0)) + 1
        letters = [code for code in number if isinstance(code, str)]
        number |= {letter: float(first + place) for place, letter in enumerate(letters)}
    return Choices(
        {name: number[code] for name, code in zip(names, order, strict=True)},
        {number[code]: text for code, text in zip(order, texts, strict=True)},
        tuple(number[code] for code in [*order, *unlabelled] if code in variable.missing),
        ordered=variable.is_ordinal,
    )


def _in_order(codes: Any) -> list[Any]:
    """Return numbers, then texts, each sorted."""
    return sorted(codes, key=lambda code: (isinstance(code, str), code))


def _code_text(code: Any) -> str:
    return code if isinstance(code, str) else f"{code:g}"


def _to_dates(values: pd.Series[Any]) -> pd.Series[Any]:
    """Convert dates, which pyreadstat returns as objects; times of day stay objects."""
    try:
        return pd.Series(pd.to_datetime(values)).astype("datetime64[us]")
    except (ValueError, TypeError, OverflowError):
        return values


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Make response ids the index, whole numbers or texts, unless one is missing or twice there."""
    if INDEX not in frame or isinstance(frame[INDEX].dtype, pd.CategoricalDtype):
        return frame
    ids = frame[INDEX]
    if not ids.is_unique or ids.isna().any():
        return frame
    if pd.api.types.is_float_dtype(ids.dtype) and (ids == ids.round()).all():
        frame = frame.astype({INDEX: np.int64})
    return frame.set_index(INDEX)


def _described(name: str, label: str) -> AnswerColumn:
    question = Question(name, "", "", {ENGLISH: label} if label else {})
    return AnswerColumn(name, "text", (name,), question, planned=False)
