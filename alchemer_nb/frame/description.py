"""What the columns of a frame mean: the text of ``attrs["alchemer"]``, which holds no answer.

It is one JSON text, because pandas deep-copies attrs at every step, and a text costs nothing.
Copies, filters, pickle and pandas' own Parquet keep it; a merge of two frames loses it.
"""

from __future__ import annotations

import base64
import functools
import json
import zlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pandas as pd

from alchemer_nb.errors import AlchemerError, InvalidArgument, KnowledgeLost
from alchemer_nb.forks import lazy_attribute
from alchemer_nb.frame import metadata
from alchemer_nb.frame.codebook import codebook_records
from alchemer_nb.frame.multi_lists import fold_options
from alchemer_nb.frame.options import FrameOptions
from alchemer_nb.frame.reasons import NO_REASONS, Reasons, cell_key
from alchemer_nb.frame.values import option_names
from alchemer_nb.survey.columns import INDEX, AnswerColumn, plan_columns, question_names
from alchemer_nb.survey.definition import Definition, check_options
from alchemer_nb.wire.stamps import find_zone

if TYPE_CHECKING:
    from collections.abc import Mapping

ATTRS = "alchemer"
VERSION = 1
WAVE = "wave"  # the level or column of the index that names the wave
_KEY = "alchemer_nb"  # of the text: its version
_EXACT = 2**53  # whole numbers below it are exact as floats
_MOST = 2**28  # bytes of an unpacked definition
_HEAL = "; original.alchemer.attach(this_frame) gives it back"
_OF_DAMAGE = (
    AlchemerError, ValueError, TypeError, LookupError, AttributeError, zlib.error, RecursionError,
    msgspec.ValidationError,  # a ValueError only in later versions
)  # fmt: skip


def damaged() -> KnowledgeLost:
    """Return the error for a description that cannot be read."""
    return KnowledgeLost(f"the description in df.attrs[{ATTRS!r}] is damaged{_HEAL}")


@dataclass(frozen=True, eq=False)
class Description:
    """What the columns of a frame mean, and how the frame was made.

    Attributes:
        survey: The definition.
        options: The choices of the frame.
        timezone: Zone of the region.
        columns: Name in the frame -> column of answers.
        codes: Name of a column of codes (``values="both"``) -> name of its question's column.
        urls: Name of a column of a url variable -> name of the variable.
        fields: Name of a column of an undocumented field of responses -> name of the field.
        about: What was asked and received, as data.
        notes: Column id -> what did not fit, counted.
        redacted: The report of ``redact``.
        reasons: Why cells are empty.
        file_codes: Column -> codes and labels that a labelled file of another program had.
        waves: Wave -> its description, under the names of the stacked frame, which then has no
            columns of its own here.
        matched: How the columns of waves were matched.
    """

    survey: Definition = field(default_factory=lambda: Definition("", ""))
    options: FrameOptions = field(default_factory=FrameOptions)
    timezone: str = "UTC"
    columns: Mapping[str, AnswerColumn] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)
    urls: Mapping[str, str] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)
    notes: Mapping[str, list[str]] = field(default_factory=dict)
    redacted: tuple[dict[str, Any], ...] = ()
    reasons: Reasons = NO_REASONS
    file_codes: Mapping[str, Any] = field(default_factory=dict)
    waves: Mapping[str, Description] = field(default_factory=dict)
    matched: tuple[dict[str, Any], ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def languages(self) -> tuple[str | None, ...]:
        """The languages of labels: that of the frame, then that of the survey."""
        return self.options.language, self.survey.language

    @property
    def each_wave(self) -> tuple[Description, ...]:
        """The descriptions of the waves; this one alone where nothing is stacked."""
        return (*self.waves.values(),) or (self,)

    @property
    def metadata(self) -> tuple[str, ...]:
        """The names of metadata that the frame may have."""
        return metadata.metadata_names(self.options.metadata)

    @lazy_attribute
    def names(self) -> set[str]:
        """Return the names of all columns that come from the survey."""
        own: set[str] = {*self.columns, *self.codes, *self.urls, *self.metadata, *self.fields}
        return own.union(*(wave.names for wave in self.waves.values()))

    def to_json(self) -> str:
        """Return the description as one text of ASCII characters."""
        return json.dumps({_KEY: VERSION, **self._packed()}, default=str)

    @classmethod
    def from_json(cls, text: str) -> Description:
        """Read a text of ``to_json``.

        Raises:
            KnowledgeLost: It is something else, cut short, or of a newer version.
        """
        try:
            data = json.loads(text)
            version = data[_KEY]
        except (ValueError, TypeError, KeyError, RecursionError):
            raise KnowledgeLost(
                f"df.attrs[{ATTRS!r}] holds something else than the description of a survey{_HEAL}"
            ) from None
        if type(version) is not int or version < 1:
            raise damaged()
        if version > VERSION:
            raise KnowledgeLost(
                f"a newer alchemer_nb described this frame (version {version}, this one reads "
                f"{VERSION})",
                hint="Install the newer alchemer_nb here, too",
            )
        try:
            return _unpacked(data)
        except _OF_DAMAGE:
            raise damaged() from None

    def _packed(self) -> dict[str, Any]:
        about = {"about": dict(self.about), "redacted": self.redacted}
        if self.waves:
            waves = {label: wave._packed() for label, wave in self.waves.items()}
            return {**about, "waves": waves, "matched": self.matched}
        plan = {column.id: (n, column) for n, column in enumerate(plan_columns(self.survey))}
        meaning = {
            "survey": msgspec.to_builtins(self.survey, enc_hook=_plain),
            "options": msgspec.to_builtins(self.options),
            "timezone": self.timezone,
            "columns": [[name, _packed_column(c, plan)] for name, c in self.columns.items()],
            "codes": dict(self.codes),
            "urls": dict(self.urls),
            "fields": dict(self.fields),
            "notes": dict(sorted(self.notes.items())),  # equal frames have equal texts
            "file_codes": dict(self.file_codes),
        }
        raw = json.dumps(meaning, default=str).encode("ascii")
        packed = base64.b64encode(zlib.compress(raw, 6)).decode("ascii")
        return {**about, "meaning": packed, "reasons": self.reasons.pack()}

    def trim(self, frame: pd.DataFrame) -> Description:
        """Return the description of the rows and columns at hand alone."""
        if self.waves:
            waves = {label: wave.trim(frame.iloc[rows]) for label, rows, wave in self.pieces(frame)}
            here = {str(name) for name in frame.columns}
            matched = tuple(row for row in self.matched if row["column"] in here)
            return replace(self, waves=waves, matched=matched)
        is_long = self.options.shape == "long"
        if is_long:
            here = set(frame["column"].dropna())
            ids: Any = frame[INDEX].unique()
        else:
            here = {str(name) for name in frame.columns}
            here |= {self.codes[name] for name in here & self.codes.keys()}
            ids = response_ids(frame)
        # A list has the id of its question; so may another answer, on which its name then depends.
        lists = {c.id for n, c in self.columns.items() if n in here and c.part == "list"}
        columns = {
            name: column
            for name, column in self.columns.items()
            if name in here or (is_long and column.planned) or column.id in lists
        }
        reasons = self.reasons.only(ids, columns.values())
        if is_long:  # a column that nobody answered has no rows
            here |= {n for n, c in columns.items() if cell_key(c) not in reasons.answered}
        of_columns = {part.id for c in columns.values() for part in (c, *c.option_columns)}
        words = here.union(of_columns, *(question_names(c) for c in columns.values()))
        wanted = self.options.columns
        if wanted is not None:
            wanted = tuple(word for word in wanted if word in words)
        return replace(
            self,
            options=replace(self.options, columns=wanted),
            columns=columns,
            codes={name: own for name, own in self.codes.items() if name in here},
            urls={name: own for name, own in self.urls.items() if name in here},
            fields={name: own for name, own in self.fields.items() if name in here},
            notes={own: texts for own, texts in self.notes.items() if own in of_columns | here},
            file_codes={name: own for name, own in self.file_codes.items() if name in here},
            reasons=reasons.only(ids, [c for n, c in columns.items() if n in here]),
        )

    def named(self, new: str, old: str) -> Description:
        """Return a description by which a column means what another one does.

        Raises:
            InvalidArgument: No column is called so.
        """
        if self.waves:
            waves = {
                label: wave.named(new, old) if old in wave.names else wave
                for label, wave in self.waves.items()
            }
            if old in self.names:
                return replace(self, waves=waves)
        if old in self.columns:
            return replace(self, columns={**self.columns, new: self.columns[old]})
        if old in self.codes:
            return replace(self, codes={**self.codes, new: self.codes[old]})
        if old in self.urls:
            return replace(self, urls={**self.urls, new: self.urls[old]})
        raise InvalidArgument(f"names: no column of the survey is called {str(old)[:40]!r}")

    def pieces(self, frame: pd.DataFrame) -> list[tuple[str, np.ndarray, Description]]:
        """Return the waves of a frame: label, positions of rows, description; one if not stacked.

        Raises:
            KnowledgeLost: The rows have lost their wave.
        """
        if not self.waves:
            return [("", np.arange(len(frame)), self)]
        in_index = WAVE in frame.index.names
        labels: Any = frame.index.get_level_values(WAVE) if in_index else frame.get(WAVE)
        if labels is None:
            raise KnowledgeLost(
                "the rows of this frame have lost their wave: keep wave in the index or as a column"
            )
        of_rows = np.asarray(labels, dtype=object)
        pieces = [(label, np.flatnonzero(of_rows == label), d) for label, d in self.waves.items()]
        return [piece for piece in pieces if len(piece[1])] or pieces[:1]

    @lazy_attribute
    def raw_columns(self) -> dict[str, str]:
        """Return column id -> name, of the columns of answers as received."""
        return {column.id: name for name, column in self.columns.items() if column.part == "raw"}

    @lazy_attribute
    def records(self) -> dict[str, dict[str, Any]]:
        """Return the row of the codebook of each column that comes from the survey, by name."""
        if self.waves:
            found: dict[str, dict[str, Any]] = {}
            for wave in self.waves.values():
                found = {**wave.records, **found}
            return found
        rows = codebook_records(
            self.survey,
            list(self.columns.values()),
            metadata=self.metadata,
            urls=self.urls.values(),
            fields=self.fields,
            notes=self.notes,
            language=self.options.language,
        )
        return dict(
            zip([*self.columns, *self.urls, *self.metadata, *self.fields], rows, strict=True)
        )


def read_description(frame: pd.DataFrame) -> Description:
    """Return the description that a frame carries, whether it fits or not.

    Raises:
        KnowledgeLost: It carries none, or a damaged one.
    """
    text = frame.attrs.get(ATTRS)
    if not isinstance(text, str):
        raise KnowledgeLost(
            "this frame carries no description of its survey: concat of different downloads, "
            "merge and other libraries drop it. Use df.alchemer.join to merge, "
            "alchemer_nb.read_parquet for files of df.alchemer.to_parquet, or "
            "original.alchemer.attach(this_frame) to give it back"
        )
    return _parsed(text)


@functools.lru_cache(maxsize=8)
def _parsed(text: str) -> Description:
    return Description.from_json(text)


def describe(frame: pd.DataFrame) -> Description:
    """Return the description of a frame, after a check that it still is one of responses.

    Raises:
        InvalidArgument: Two columns have one name.
        KnowledgeLost: It is not, or carries no description.
    """
    description = read_description(frame)
    columns = frame.columns
    if columns.nlevels > 1:
        raise KnowledgeLost(
            f"the columns of this frame have {columns.nlevels} levels, so that none is known by "
            "its name; use df.droplevel(…, axis=1) first"
        )
    if not columns.is_unique:
        twice = columns[columns.duplicated()][0]
        raise InvalidArgument(f"two columns are called {twice!r}; rename or drop one of them first")
    if description.waves or description.survey.id:  # a file of SPSS may have none
        response_ids(frame)
    is_long = description.options.shape == "long"
    if is_long and INDEX not in columns:
        raise KnowledgeLost("response_id is a column of the long shape: use df.reset_index() first")
    of_rows = frame.get("column") if is_long else None
    if of_rows is not None and not pd.api.types.is_string_dtype(of_rows.dropna()):
        raise KnowledgeLost("the rows of this long frame do not name their column any more")
    names = {"column"} if is_long else description.names
    dtypes = zip(columns.tolist(), frame.dtypes.tolist(), strict=True)
    known = {name: dtype for name, dtype in dtypes if name in names}
    if not known and len(columns):
        raise KnowledgeLost("no column of this frame comes from the survey any more")
    # Flags of numpy: those of multi-selects are nullable, that of test data is no answer.
    known.pop("is_test_data", None)
    others = set(known.values())
    if np.dtype(bool) in others and others <= {np.dtype(bool), pd.BooleanDtype()}:
        raise KnowledgeLost(
            "this frame holds true and false in place of answers, such as notna() makes: ask it "
            "of the frame of responses"
        )
    return description


def describe_wide(frame: pd.DataFrame) -> Description:
    """Return the description of a frame whose columns are questions.

    Raises:
        InvalidArgument: It has the long shape, or two columns have one name.
        KnowledgeLost: As for ``describe``.
    """
    description = describe(frame)
    if description.options.shape == "long":
        raise InvalidArgument(
            "this is the long shape, where a row is an answer and no column is a question",
            hint='df.alchemer.relabel(shape="wide") returns the same answers in columns',
        )
    return description


def response_ids(frame: pd.DataFrame) -> pd.Index[Any]:
    """Return the response id of each row (int64), from the index or the column of that name.

    Raises:
        KnowledgeLost: The rows have none.
    """
    if INDEX in frame.index.names:
        ids = frame.index.get_level_values(INDEX)
    elif INDEX in frame.columns:
        ids = pd.Index(frame[INDEX])
    else:
        raise KnowledgeLost(
            "the rows of this frame have lost their response ids: keep response_id as the "
            "index or as a column"
        )
    if pd.api.types.is_float_dtype(ids.dtype):  # a merge or a missing value made them so
        floats = ids.to_numpy(dtype=np.float64, na_value=np.nan)
        if np.all(np.abs(floats) < _EXACT) and np.all(floats == np.floor(floats)):
            ids = pd.Index(floats.astype(np.int64))
    if not pd.api.types.is_integer_dtype(ids.dtype) or ids.hasnans:
        texts = [str(own) for own in ids]
        if not all(text.isascii() and text.isdigit() and len(text) < 19 for text in texts):
            raise KnowledgeLost("the response_id of this frame is no whole number in some rows")
        ids = pd.Index([int(text) for text in texts], dtype=np.int64)
    return ids


def trim_frame(frame: pd.DataFrame, description: Description) -> tuple[pd.DataFrame, Description]:
    """Return a frame and its description, both of the rows and columns at hand alone."""
    frame = drop_unused_texts(frame, description)
    return frame, description.trim(frame)


def drop_unused_texts(frame: pd.DataFrame, description: Description) -> pd.DataFrame:
    """Return a frame without the categories that nobody holds and that are no option.

    Levels of an index lose the values that no row has.
    """
    result = frame.copy(deep=False)
    in_use = CategoriesInUse(description)
    for place, dtype in enumerate(frame.dtypes):
        if isinstance(dtype, pd.CategoricalDtype):
            result.isetitem(place, in_use(frame.columns[place], frame.iloc[:, place]).array)
    index = frame.index
    if any(isinstance(dtype, pd.CategoricalDtype) for dtype in _level_dtypes(index)):
        levels = [index.get_level_values(number).to_series() for number in range(index.nlevels)]
        levels = [
            in_use(level.name, level) if isinstance(level.dtype, pd.CategoricalDtype) else level
            for level in levels
        ]
        index = pd.MultiIndex.from_arrays(levels) if len(levels) > 1 else pd.Index(levels[0])
    result.index = index.remove_unused_levels() if isinstance(index, pd.MultiIndex) else index
    result.index.names = frame.index.names
    return result


def _level_dtypes(index: pd.Index[Any]) -> list[Any]:
    return [*index.dtypes] if isinstance(index, pd.MultiIndex) else [index.dtype]


class CategoriesInUse:
    """The categories of columns: options of the survey, and texts that were received.

    A filter leaves texts behind that nobody holds any more.
    """

    def __init__(self, description: Description) -> None:
        self._of_columns: dict[Any, set[str]] = {}
        self._of_questions: list[set[str]] = []
        for wave in description.each_wave:
            for name, column in wave.columns.items():
                if column.kind != "category":
                    continue
                ways = [
                    set(option_names(column.choices, way, wave.languages))
                    for way in ("label", "code", "id")
                ]
                self._of_columns[name] = self._of_columns.get(name, set()).union(*ways)
                self._of_questions += [w for w in ways if w and w not in self._of_questions]

    def __call__(self, name: Any, values: pd.Series[Any]) -> pd.Series[Any]:
        """Return a column without its left texts."""
        left = self.left_texts(name, values)
        if not left:
            return values
        categories = values.cat.categories  # in their order, which remove_categories would sort
        return values.cat.set_categories(categories[[each not in left for each in categories]])

    def left_texts(self, name: Any, values: pd.Series[Any]) -> set[Any]:
        """Return the categories that nobody holds and that are no option of the column.

        A column that the survey does not have has such texts if it has all options of a question.
        """
        categories = set(values.cat.categories)
        options = self._of_columns.get(name)
        if options is None:
            options = set().union(*(texts for texts in self._of_questions if texts <= categories))
            if not options:
                return set()
        return categories.difference(options, values.unique())


# -- packing --------------------------------------------------------------------------------


class _Meaning(msgspec.Struct):
    survey: Definition
    options: FrameOptions
    timezone: str
    columns: list[tuple[str, Any]]
    codes: dict[str, str]
    urls: dict[str, str]
    notes: dict[str, list[str]]
    file_codes: dict[str, Any]
    fields: dict[str, str] = {}


class _Text(msgspec.Struct):
    about: dict[str, Any]
    redacted: tuple[dict[str, Any], ...] = ()
    meaning: str = ""
    reasons: dict[str, Any] = {}
    waves: dict[str, dict[str, Any]] = {}
    matched: tuple[dict[str, Any], ...] = ()


def _unpacked(data: dict[str, Any]) -> Description:
    text = msgspec.convert(data, _Text)
    if not isinstance(text.about.get("asked", {}), dict):
        raise TypeError("what was asked are names and values")
    if text.waves:
        waves = {label: _unpacked(wave) for label, wave in text.waves.items()}
        first = next(iter(waves.values()))
        if any(wave.waves or wave.options.shape == "long" for wave in waves.values()):
            raise ValueError("no waves that were stacked")
        return replace(
            Description(), options=first.options, about=text.about, redacted=text.redacted,
            waves=waves, matched=text.matched,
        )  # fmt: skip
    unzip = zlib.decompressobj()
    raw = unzip.decompress(base64.b64decode(text.meaning, validate=True), _MOST)
    if not unzip.eof:
        raise ValueError("cut short")
    meaning = msgspec.convert(json.loads(raw), _Meaning)
    for question in meaning.survey.walk():
        check_options(question.options)
    if find_zone(meaning.timezone) is None:
        raise ValueError("no time zone")
    plan = plan_columns(meaning.survey)
    return Description(
        survey=meaning.survey,
        options=meaning.options,
        timezone=meaning.timezone,
        columns={name: _unpacked_column(column, plan) for name, column in meaning.columns},
        codes=meaning.codes,
        urls=meaning.urls,
        fields=meaning.fields,
        about=text.about,
        notes=meaning.notes,
        file_codes=meaning.file_codes,
        redacted=text.redacted,
        reasons=Reasons.unpack(text.reasons),
    )


def _packed_column(column: AnswerColumn, plan: Mapping[str, tuple[int, AnswerColumn]]) -> Any:
    """Return the position of a planned column, else all of it; of a list, its options' columns."""
    if column.part == "list":
        return [_packed_column(part, plan) for part in column.option_columns]
    number, planned = plan.get(column.id, (0, None))
    return number if column == planned else msgspec.to_builtins(column, enc_hook=_plain)


def _unpacked_column(packed: Any, plan: list[AnswerColumn]) -> AnswerColumn:
    if isinstance(packed, list):
        return fold_options([_unpacked_column(part, plan) for part in packed])
    if isinstance(packed, int) and 0 <= packed < len(plan):
        return plan[packed]
    column = msgspec.convert(packed, AnswerColumn)
    check_options(column.choices)
    return column


def _plain(value: Any) -> Any:
    """Convert any other value of a definition to text."""
    return sorted(value) if isinstance(value, (set, frozenset)) else str(value)
