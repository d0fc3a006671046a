"""Write the values at hand of a frame as a fresh call with other options would write them.

Only the frame, the survey's definition and the list of columns are used, never the answers behind
the frame: what was blanked, recoded, dropped or added in it stays so.
What cannot be written raises ``InvalidArgument``; ``df.alchemer.relabel`` lists it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alchemer_nb.errors import InvalidArgument
from alchemer_nb.frame import metadata, multi_lists
from alchemer_nb.frame.build import (
    build_wide,
    check_language,
    choose_columns,
    code_names,
    field_names,
    url_names,
)
from alchemer_nb.frame.description import ATTRS
from alchemer_nb.frame.long import LONG, build_long
from alchemer_nb.frame.read_cells import (
    FrameCells,
    raw_owner,
    read_long,
    read_wide,
    write_cells,
)
from alchemer_nb.frame.text_dtype import text_array
from alchemer_nb.frame.unplanned_columns import arrange_columns
from alchemer_nb.frame.values import (
    UNKNOWN,
    Reading,
    option_names,
    write_boolean,
    write_lists,
    write_numbers,
)
from alchemer_nb.survey.columns import (
    INDEX,
    is_before_edit,
    is_open,
    name_columns,
    other_column,
    plan_columns,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alchemer_nb.frame.description import Description
    from alchemer_nb.frame.options import FrameOptions, Values
    from alchemer_nb.survey.columns import AnswerColumn


def reexpress(frame: pd.DataFrame, made: Description, options: FrameOptions) -> pd.DataFrame:
    """Return a frame as a fresh call of the same rows with other options returns it, described.

    Args:
        frame: The frame at hand; its columns and cells may have been changed.
        made: How it was made, and what its columns mean.
        options: The options to write it with; ``test_rows`` and ``limit`` are not used.

    Returns:
        A new frame with its description. Columns of the user are at its end.

    Raises:
        InvalidArgument: The values at hand do not say it; ``df.alchemer.relabel`` lists when.
    """
    reexpression = Reexpression(frame, made, options)
    result = reexpression.frame()
    description = reexpression.describe(result)
    reexpression.add_own_columns(result)
    result.attrs = {**frame.attrs, ATTRS: description.to_json()}
    return result


class Reexpression:
    """A frame at hand, to be written with other options.

    Args:
        frame: The frame.
        made: How it was made, and what its columns mean.
        options: The options to write it with.

    Attributes:
        columns: All columns of answers by their new names, those included that the frame has not.
    """

    def __init__(self, frame: pd.DataFrame, made: Description, options: FrameOptions) -> None:
        self._frame = frame
        self._made = made
        self._was_long = made.options.shape == "long"
        self._options = replace(options, language=check_language(options.language, made.survey))
        self._languages = (self._options.language, made.survey.language)
        self._at_hand: FrameCells = (read_long if self._was_long else read_wide)(frame, made)
        described = [p for c in made.columns.values() for p in c.option_columns or (c,)]
        self._described = {column.id for column in described}
        self._raw_texts: dict[str, np.ndarray | None] = {}
        columns = arrange_columns(made.survey, self._unknown_columns(described), self)
        columns = multi_lists.fold_lists(columns, self._options)
        self._metadata = metadata.metadata_names(self._options.metadata)
        names = name_columns(
            columns, made.survey, self._options.names, self._metadata, self._options.language
        )
        self.columns: dict[str, AnswerColumn] = dict(zip(names, columns, strict=True))
        self._codes = code_names(self.columns, self._options, self._metadata)
        self._urls = url_names(self.columns, made.urls.values(), self._options)
        taken = [*self.columns, *self._codes.values(), *self._urls, *self._metadata]
        self._fields = field_names(taken, made.fields.values(), self._options)

    def _unknown_columns(self, described: Sequence[AnswerColumn]) -> list[AnswerColumn]:
        """Return the columns that are not planned, without those that another one brings along."""
        unknown = [
            column
            for column in described
            if not column.planned
            and (self._options.metadata == "all" or not is_before_edit(column.path))
        ]
        planned = plan_columns(self._made.survey)
        owners = {c.id for c in (*planned, *unknown) if c.part not in ("raw", "other")}

        def is_due(column: AnswerColumn) -> bool:
            if column.id in owners:
                return True
            # The description of a dropped column may be gone; that of its write-ins is not.
            is_there = column.part == "other" or (column.piped and is_open(column))
            is_alone = column.id.removesuffix(f"_{column.part}") not in owners
            return is_alone and (is_there or self.has_raw(column))

        return [column for column in unknown if is_due(column)]

    def frame(self) -> pd.DataFrame:
        """Return the new frame without the columns of the user.

        ``response_id`` of the long shape holds the positions of the responses yet.
        """
        named = {name: column for name, column in self.columns.items() if self._is_there(column)}
        is_long = self._options.shape == "long"
        result = self._build_long(named) if is_long else self._build_wide(named)
        if self._options.columns not in (None, self._made.options.columns):
            result = choose_columns(result, self._options, named)
        return result

    def add_own_columns(self, result: pd.DataFrame) -> None:
        """Add the columns of the user to the new frame."""
        is_long = self._options.shape == "long"
        own = self._own_columns(result) if is_long else self._own_of_responses()
        if is_long:
            result[INDEX] = self._at_hand.ids[result[INDEX]]
        for name, values in own.items():
            if name in result.columns or name == INDEX:
                raise InvalidArgument(
                    f"the frame has a column {name!r} of its own, and a question gets this name",
                    hint="Rename yours first",
                )
            result[name] = values

    def describe(self, result: pd.DataFrame) -> Description:
        """Return the description of the new frame."""
        options, is_long = self._options, self._options.shape == "long"
        shown = {*result}
        columns = {
            name: self._at_hand_of(column)
            for name, column in self.columns.items()
            if self._is_there(column)
            and (is_long or not shown.isdisjoint((name, self._codes.get(name))))
        }
        asked = {**self._made.about.get("asked", {}), **options.asked()}
        return replace(
            self._made,
            options=options,
            columns=columns,
            codes={code: name for name, code in self._codes.items() if code in result},
            urls={name: own for name, own in self._urls.items() if name in result},
            fields={name: own for name, own in self._fields.items() if name in result},
            about={**self._made.about, "asked": asked},
        )

    def _at_hand_of(self, column: AnswerColumn) -> AnswerColumn:
        """Return a column; of a list, with the options that the frame at hand has."""
        parts = [part for part in column.option_columns if part.id in self._at_hand.cells]
        is_whole = len(parts) == len(column.option_columns)
        return column if is_whole else multi_lists.fold_options(parts)

    def has_raw(self, column: AnswerColumn) -> bool:
        """Check whether some answers, as received, cannot be read from the column."""
        texts = self._raw_of(column)
        return texts is not None and not pd.isna(texts).all()

    def has_other(self, column: AnswerColumn) -> bool:
        """Check for write-ins, by the columns that the frame was made with."""
        return other_column(column).id in self._described

    def array(self, column: AnswerColumn, values: Values) -> Any:
        """Return the values of a column, one for each response."""
        if column.part == "raw":
            return text_array(self._raw_of(column))
        if column.kind == "list":
            names = option_names(column.choices, values, self._languages)
            pairs = zip(names, column.option_columns, strict=True)
            there = [(name, part) for name, part in pairs if part.id in self._at_hand.cells]
            parts = [self._at_hand.cells[part.id].values for _, part in there]
            return write_lists([name for name, _ in there], parts)
        cells = self._at_hand.cells[column.id]
        if column.kind == "category":
            return write_cells(column, cells, values, self._languages)
        if column.kind == "number":
            return write_numbers(column, cells.values, cells.options, values)
        if column.kind == "boolean":
            chosen = cells.values.to_numpy(dtype=bool, na_value=False)
            return write_boolean(column, chosen, ~cells.values.isna(), values)
        return cells.values if column.kind == "date" else text_array(cells.values)

    def _is_there(self, column: AnswerColumn) -> bool:
        """Check whether the frame at hand has a column, or the values to write it."""
        if column.part == "raw":
            return self._raw_of(column) is not None
        parts = column.option_columns or (column,)
        return any(part.id in self._at_hand.cells for part in parts)

    def _raw_of(self, column: AnswerColumn) -> np.ndarray | None:
        """Return the answers as received that a column cannot show; None if there can be none.

        Those of numbers and dates are as they are. Of a category it depends on how it is written;
        a text that does not belong to its cell any more stays where it is.
        """
        own = raw_owner(column) if column.part == "raw" else column.id
        if own in self._raw_texts:
            return self._raw_texts[own]
        texts, kind = self._at_hand.raw.get(own), column.raw_kind or column.kind
        cells = self._at_hand.cells.get(own)
        if kind == "category" and cells is not None and (cells.options == UNKNOWN).any():
            is_unknown = cells.options == UNKNOWN
            unknown = cells.values[is_unknown]
            reading = Reading(column, kind, self._options.rendered, self._languages)
            raw_text = {text: None if reading.is_same(text) else text for text in set(unknown)}
            texts = np.array([None] * len(is_unknown) if texts is None else texts, dtype=object)
            texts[is_unknown] = [raw_text[text] for text in unknown]
        self._raw_texts[own] = texts
        return texts

    def _build_wide(self, named: dict[str, AnswerColumn]) -> pd.DataFrame:
        at_hand, options = self._at_hand, self._options
        others = {n: at_hand.urls[own] for n, own in self._urls.items() if own in at_hand.urls}
        for name in self._metadata:
            if name in at_hand.about_rows:
                others[name] = self._in_zone(at_hand.about_rows[name])
        names_before = {own: name for name, own in self._made.fields.items()}
        for name, own in self._fields.items():
            if names_before[own] in at_hand.about_rows:
                others[name] = at_hand.about_rows[names_before[own]]
        codes = {name: code for name, code in self._codes.items() if name in named}
        result = build_wide(at_hand.ids, named, codes, options, self.array, others)
        return result.drop(columns=self._dropped_halves(named))

    def _dropped_halves(self, named: dict[str, AnswerColumn]) -> list[str]:
        """Return the columns of labels or of codes that the frame at hand does not have."""
        halves = self._at_hand.halves
        return [
            self._codes[name] if halves[column.id] == "label" else name
            for name, column in named.items()
            if name in self._codes and column.id in halves
        ]

    def _build_long(self, named: dict[str, AnswerColumn]) -> pd.DataFrame:
        """Build the long shape; ``response_id`` has the positions of the responses yet."""
        ids = self._at_hand.ids

        in_reasons = self._made.reasons.positions(ids)

        def shown(question_id: str, at: np.ndarray) -> list[bool | None]:
            states = self._made.reasons.shown(in_reasons[at], question_id)
            return [None if state < 0 else bool(state) for state in states.tolist()]

        return build_long(np.arange(len(ids)), named, self._languages, self.array, shown)

    def _own_of_responses(self) -> dict[Any, Any]:
        """Return the columns of the user, one value for each response."""
        if not self._was_long:
            return {name: series.array for name, series in self._at_hand.others.items()}
        positions = pd.factorize(self._frame[INDEX].to_numpy())[0]
        first = np.unique(positions, return_index=True)[1]
        own: dict[Any, Any] = {}
        for name in self._own_of_long():
            series = self._frame[name]
            is_object = series.dtype == object  # whose values may be lists, which have no hash
            keys = series.map(repr, na_action="ignore") if is_object else series
            codes = pd.factorize(keys, use_na_sentinel=False)[0]
            if (codes != codes[first][positions]).any():
                raise InvalidArgument(
                    f"column {name!r} has several values for one response",
                    hint="Drop it, or keep one of them",
                )
            own[name] = series.iloc[first].array
        return own

    def _own_of_long(self) -> list[Any]:
        return [name for name in self._frame.columns if name not in (INDEX, *LONG)]

    def _own_columns(self, result: pd.DataFrame) -> dict[Any, Any]:
        """Return the columns of the user, one value for each row of the new long frame."""
        if not self._was_long:
            own = self._own_of_responses()
            return {name: values.take(result[INDEX].to_numpy()) for name, values in own.items()}
        before = {name: column.id for name, column in self._made.columns.items()}
        after = {name: column.id for name, column in self.columns.items()}
        positions = pd.factorize(self._frame[INDEX].to_numpy())[0]
        ids_before = [before.get(name, "") for name in self._frame["column"]]
        ids_after = [after.get(name, "") for name in result["column"]]
        old = pd.MultiIndex.from_arrays([positions, ids_before])
        new = pd.MultiIndex.from_arrays([result[INDEX].to_numpy(), ids_after])
        rows = old.get_indexer(new)
        is_any_new = bool((rows < 0).any())  # a response of which every answer was blanked
        return {
            name: self._frame[name].array.take(rows, allow_fill=is_any_new)
            for name in self._own_of_long()
        }

    def _in_zone(self, series: pd.Series[Any]) -> pd.Series[Any]:
        """Return dates of responses in the zone of the new frame."""
        tz = self._options.tz
        if series.dtype.kind != "M" or tz == self._made.options.tz:
            return series
        if series.dt.tz is None:
            missing = series.isna()
            zone = metadata.zone_for(series, self._made.timezone)
            series = series.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
            if (series.isna() & ~missing).any():
                raise InvalidArgument(
                    f"column {series.name!r} has dates in the hour that occurs twice when the "
                    "clocks change",
                    hint="Download with the time zone",
                )
        series = series.dt.tz_convert(tz or metadata.zone_for(series, self._made.timezone))
        return series.dt.tz_localize(None) if tz is None else series
