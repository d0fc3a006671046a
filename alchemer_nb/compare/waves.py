"""Waves of a survey stacked into one frame.

The next wave is a copy of the survey, or another survey: its ids mean nothing to the first. So
columns are matched by alias, then by words. A report says how each column was matched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alchemer_nb.errors import InvalidArgument
from alchemer_nb.frame.description import ATTRS, Description, describe, response_ids
from alchemer_nb.frame.text_dtype import text_dtype, typed_frame
from alchemer_nb.frame.values import option_names
from alchemer_nb.survey.columns import INDEX, free_name
from alchemer_nb.wire.ids import id_text
from alchemer_nb.wire.text import comparable_words

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from alchemer_nb.survey.columns import AnswerColumn
    from alchemer_nb.survey.definition import Option

_KEYS = ("id", "name", "alias", "words")  # the most reliable first
_SAME_CHOICES = ("values", "multi", "shape", "language", "tz", "day_first")


@dataclass
class _Column:
    """A column of a wave, or of the result.

    Attributes:
        name: Name in the result.
        names: Wave -> name there, of the waves that have the column.
        keys: Pairs of one of ``_KEYS`` and a text, by which columns are matched.
        record: Row of the codebook, from the first wave that has the column.
        matched: The kinds of keys that matched.
        notes: What an analyst should look at.
        labels: Wave -> old label -> new one, of options whose words changed.
    """

    name: Any
    names: dict[str, Any]
    keys: set[tuple[str, str]]
    record: dict[str, Any] | None
    matched: str = ""
    notes: list[str] = field(default_factory=list)
    labels: dict[str, dict[str, str]] = field(default_factory=dict)


class _Wave:
    """One of the frames, with its description; an empty one if it carries none."""

    def __init__(self, label: str, frame: pd.DataFrame) -> None:
        self.label = label
        self.frame = frame
        self.description = describe(frame) if ATTRS in frame.attrs else Description()
        if frame.columns.has_duplicates:
            twice = frame.columns[frame.columns.duplicated()][0]
            raise InvalidArgument(f"the frame of {label!r} has two columns {str(twice)[:60]!r}")

    def options(self, name: Any) -> dict[str, tuple[str, str]]:
        """Return category -> option id and reporting value, of the categories that are options."""
        column, dtype = self.description.columns.get(name), self.frame[name].dtype
        if column is None or self.description.options.rendered != "label":
            return {}
        if not isinstance(dtype, pd.CategoricalDtype):
            return {}
        labels = option_names(column.choices, "label", self.description.languages)
        return {
            label: (option.id, option.value)
            for label, option in zip(labels, column.choices, strict=True)
            if label in dtype.categories
        }

    def codes(self, name: Any) -> list[tuple[str, Option]]:
        """Return code or option id -> option of a column that does not hold labels."""
        description = self.description
        owner = description.codes.get(name)
        column = description.columns.get(owner or name)
        if column is None or column.part not in ("answer", "item", "leaf", "list"):
            return []
        way = description.options.rendered
        if owner is not None or (column.kind == "number" and way != "id"):
            way = "code"
        names = option_names(column.choices, way, description.languages)
        return [] if way == "label" else list(zip(names, column.choices, strict=True))

    def column(self, name: Hashable) -> _Column:
        """Return a column of the wave, with the keys by which it can be matched."""
        if owner := self.description.codes.get(str(name)):
            keys = {(kind, f"{text} (codes)") for kind, text in self.column(owner).keys}
            return _Column(name, {self.label: name}, keys, None)
        row = self.description.records.get(str(name))
        keys = {("name", str(name))}
        if row is None:  # the user's own, which may have the name of a question
            keys.add(("alias", str(name)))
        elif row.get("part") not in ("metadata", "url variable"):
            keys = {("words", comparable_words(row.get("column_text")))} - {("words", "")}
            if row["column_alias"] != row["column_id"]:
                keys.add(("alias", row["column_alias"]))
            if survey_id := self.description.survey.id:  # an id means something within one survey
                keys.add(("id", f"{survey_id} {row['column_id']}"))
        return _Column(name, {self.label: name}, keys, row)


def stack_waves(frames: Mapping[str, pd.DataFrame] | Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Stack the waves of a survey into one frame.

    Columns of one question are matched by alias, else by their words; metadata, url variables and
    your own columns by name. The first wave that has a column names it.

    Args:
        frames: Wave -> frame of responses in the wide shape, in the order of the result; or a
            list of frames, whose waves are then called 1, 2 and so on.

    Returns:
        Index ``wave`` (categories) above ``response_id``; all columns of all waves. The options
        of all waves are merged in order, and are ordered only if all waves have the same. An
        option whose words alone changed has the words of the last wave. Columns of different
        kinds become text. ``result.alchemer.waves`` reports how columns were matched, with notes.

    Raises:
        InvalidArgument: Fewer than two frames, or frames built with different choices.

    Example:
        >>> waves = {
        ...     "2025": client.responses("Customer satisfaction 2025", progress="none"),
        ...     "2026": client.responses(9000001, progress="none"),
        ... }
        >>> stack_waves(waves).groupby("wave", observed=False)["nps"].mean().index.tolist()
        ['2025', '2026']
    """
    pairs = frames.items() if isinstance(frames, Mapping) else enumerate(frames, 1)
    waves = [_Wave(str(label), frame) for label, frame in pairs]
    _check_frames(waves)
    columns = _match_columns(waves)
    index = _build_index(waves)
    data = {column.name: _stack_values(column, waves, index) for column in columns}
    result = pd.DataFrame(data, index=index)
    result.attrs = {ATTRS: _describe_waves(columns, waves).to_json()}
    return result


def report_matches(description: Description) -> pd.DataFrame:
    """Report how the columns of stacked waves were matched.

    Args:
        description: Of the stacked frame.

    Returns:
        One row for each column: ``column``, ``matched``, its name in each wave, ``notes`` (text).
    """
    rows = [{**row, **row["names"], "notes": row["notes"] or None} for row in description.matched]
    return typed_frame(rows, ("column", "matched", *description.waves, "notes"), {})


def _check_frames(waves: Sequence[_Wave]) -> None:
    if len(waves) < 2:
        raise InvalidArgument('give two waves or more: stack_waves({"2025": df1, "2026": df2})')
    for name in _SAME_CHOICES:
        made = [wave for wave in waves if wave.description.survey.id]
        chosen = {w.label: getattr(w.description.options, name) for w in made}
        if len(set(chosen.values())) > 1:
            listed = ", ".join(f"{label}: {value!r}" for label, value in chosen.items())
            way = f"make them alike first: df.alchemer.relabel({name}=…)"
            if name == "day_first":  # relabel does not have the dates as they were typed
                way = "download them with the same client.responses(…, day_first=…)"
            raise InvalidArgument(f"the frames were made with different {name}= ({listed}); {way}")
        if name == "shape" and "long" in chosen.values():
            raise InvalidArgument('waves are stacked wide; df.alchemer.relabel(shape="wide")')


# -- matching -------------------------------------------------------------------------------


def _match_columns(waves: Sequence[_Wave]) -> list[_Column]:
    columns: list[_Column] = []
    for wave in waves:
        added = [wave.column(name) for name in wave.frame.columns]
        matches: list[_Column | None] = [None] * len(added)
        for kind in _KEYS:
            _match_by_key(added, columns, matches, kind)
        columns = _merge_columns(columns, added, matches, wave.label)
    for column in columns:
        missing = [wave.label for wave in waves if wave.label not in column.names]
        if len(column.names) == 1:
            column.matched = f"only in {next(iter(column.names))}"
        elif missing:
            column.notes.append(f"not in {', '.join(missing)}")
    return columns


def _match_by_key(
    added: Sequence[_Column], columns: Sequence[_Column], matches: list[_Column | None], kind: str
) -> None:
    """Match the columns of a wave and of the result whose key of a kind no other column has."""
    taken = {id(column) for column in matches if column is not None}
    known = _by_key((column for column in columns if id(column) not in taken), kind)
    new = _by_key((c for c, match in zip(added, matches, strict=True) if match is None), kind)
    numbers = {id(column): number for number, column in enumerate(added)}
    for key, candidates in new.items():
        if len(candidates) != 1 or len(known.get(key, ())) != 1:  # ambiguous: no match
            continue
        column, match = candidates[0], known[key][0]
        matches[numbers[id(column)]] = match
        match.matched = ", ".join(dict.fromkeys((*match.matched.split(", "), kind))).strip(", ")
        words = {key for key in match.keys if key[0] == "words"}
        if words and not words & column.keys:
            match.notes.append(f"other words in {next(iter(column.names))}")


def _by_key(columns: Iterable[_Column], kind: str) -> dict[tuple[str, str], list[_Column]]:
    found: dict[tuple[str, str], list[_Column]] = {}
    for column in columns:
        for key in column.keys:
            if key[0] == kind:
                found.setdefault(key, []).append(column)
    return found


def _merge_columns(
    columns: list[_Column], added: Sequence[_Column], matches: Sequence[_Column | None], label: str
) -> list[_Column]:
    """Return the columns with those of a wave, new ones after the column they followed there."""
    result = list(columns)
    taken = {column.name for column in columns}
    before = -1
    for column, match in zip(added, matches, strict=True):
        if match is None:
            if column.name in taken:
                column.name = free_name(f"{column.name}_{label}", taken)
            taken.add(column.name)
            before += 1
            result.insert(before, column)
        else:
            match.names |= column.names
            match.keys |= column.keys
            before = next(i for i, each in enumerate(result) if each is match)
    return result


# -- options and values -------------------------------------------------------------------


def _build_index(waves: Sequence[_Wave]) -> pd.MultiIndex:
    labels = [wave.label for wave in waves]
    codes = np.repeat(np.arange(len(waves)), [len(wave.frame) for wave in waves])
    categories = pd.Index(labels, dtype=text_dtype())
    ids: list[Any] = []
    for wave in waves:
        frame, is_ours = wave.frame, bool(wave.description.survey.id)
        plain = frame[INDEX] if INDEX in frame.columns else frame.index
        ids.extend(response_ids(frame) if is_ours else plain)
    outer = pd.Categorical.from_codes(codes, categories=categories)
    return pd.MultiIndex.from_arrays([outer, pd.Index(ids)], names=["wave", INDEX])


def _stack_values(column: _Column, waves: Sequence[_Wave], index: pd.MultiIndex) -> pd.Series[Any]:
    holders = [wave for wave in waves if wave.label in column.names]
    pieces = [_infer_objects(wave.frame[column.names[wave.label]]) for wave in holders]
    options = [wave.options(column.names[wave.label]) for wave in holders]
    for number, words in enumerate(_find_new_labels(options)):
        taken = set(pieces[number].cat.categories) if words else set()  # by a text of no option
        now = {old: new for old, new in words.items() if new not in taken}
        if now:
            pieces[number] = pieces[number].cat.rename_categories(now)
            column.labels[holders[number].label] = now
            listed = ", ".join(f"{old!r} is now {new!r}" for old, new in now.items())
            column.notes.append(f"{holders[number].label}: {listed}")
    by_wave = {wave.label: piece for wave, piece in zip(holders, pieces, strict=True)}
    # The dtype of a column without answers and options means nothing: pandas made it.
    by_wave = {label: p for label, p in by_wave.items() if _has_values(p)} or by_wave
    dtypes = [piece.dtype for piece in by_wave.values()]
    _compare_codes(column, holders, is_number=all(dtype.kind in "iuf" for dtype in dtypes))
    filled = [bool(piece.notna().any()) for piece in by_wave.values()]
    in_all_waves = all(wave.label in by_wave or not len(wave.frame) for wave in waves)
    dtype = _common_dtype(column.notes, dtypes, filled, in_all_waves=in_all_waves)
    made = [
        _cast(by_wave[wave.label], dtype)
        if wave.label in by_wave
        else pd.Series([None] * len(wave.frame), dtype=dtype)
        for wave in waves
    ]
    return pd.concat(made, ignore_index=True).astype(dtype).set_axis(index)


def _has_values(values: pd.Series[Any]) -> bool:
    """Check whether a column has answers, or the options of a category."""
    return bool(values.notna().any()) or len(getattr(values.dtype, "categories", ())) > 0


def _infer_objects(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column of objects as what they are; pandas leaves it alone where it has gaps."""
    nullable: dict[str, Any] = {"boolean": pd.BooleanDtype(), "integer": pd.Int64Dtype()}
    kind = pd.api.types.infer_dtype(values, skipna=True) if values.dtype == object else ""
    return values.astype(nullable[kind]) if kind in nullable else values.infer_objects()


def _compare_codes(column: _Column, holders: Sequence[_Wave], *, is_number: bool) -> None:
    """Compare the options that the codes of the waves mean; note a code with other words.

    Raises:
        InvalidArgument: A code means another option that both waves have, or an option has other
            numbers.
    """
    first, *others = holders
    before = first.codes(column.names[first.label])
    for wave in others:
        now = wave.codes(column.names[wave.label])
        is_same_survey = first.description.survey.id == wave.description.survey.id
        words_before, words_now = _by_words(first, before), _by_words(wave, now)
        shared = words_before.keys() & words_now.keys()
        changed = []
        for code, option in now:
            old = next((each for name, each in before if name == code), None)
            words, own = _words_of(wave, option), is_same_survey and old and old.id == option.id
            is_moved = is_number and words in shared and code not in words_before[words]
            if old is None and is_moved:
                raise _other_meaning(column, code, (first, None), (wave, option))
            if old is None or own or words == _words_of(first, old):
                continue
            if words in shared or _words_of(first, old) in shared:
                raise _other_meaning(column, code, (first, old), (wave, option))
            changed.append(code)
        if changed:
            column.notes.append(f"other words in {wave.label} for codes {', '.join(changed)}")


def _by_words(wave: _Wave, codes: Iterable[tuple[str, Option]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for code, option in codes:
        found.setdefault(_words_of(wave, option), set()).add(code)
    return found


def _words_of(wave: _Wave, option: Option) -> str:
    return comparable_words(option.label(*wave.description.languages))


def _other_meaning(
    column: _Column, code: str, *of_waves: tuple[_Wave, Option | None]
) -> InvalidArgument:
    meanings = " and ".join(
        f"{option.label(*wave.description.languages)!r} in {wave.label}"
        if option
        else f"nothing in {wave.label}"
        for wave, option in of_waves
    )
    return InvalidArgument(
        f"code {code} of {column.name!r} means {meanings}",
        hint='Stack the labels: df.alchemer.relabel(values="label") of each wave first',
    )


def _find_new_labels(waves: Sequence[Mapping[str, tuple[str, str]]]) -> list[dict[str, str]]:
    """Return, for each wave, old label -> new label of the options of which only that changed.

    A copy of a survey keeps the ids of its options. With another reporting value, or if the old
    label still means another option, it is another answer.
    """
    latest = {option: label for options in waves for label, option in options.items()}
    meanings: dict[str, set[tuple[str, str]]] = {}
    for options in waves:
        for label, option in options.items():
            meanings.setdefault(label, set()).add(option)
    return [
        {
            label: latest[option]
            for label, option in options.items()
            if latest[option] != label and latest[option] not in options
            if len(meanings[label]) == len(meanings[latest[option]]) == 1
        }
        for options in waves
    ]


def _common_dtype(
    notes: list[str], dtypes: Sequence[Any], filled: Sequence[bool], *, in_all_waves: bool
) -> Any:
    """Return one dtype for all waves; add to the notes what an analyst should know of it."""
    if all(isinstance(dtype, pd.CategoricalDtype) for dtype in dtypes):
        return _merge_categories(notes, dtypes)
    if all(pd.api.types.is_bool_dtype(dtype) for dtype in dtypes):
        plain = in_all_waves and all(dtype == np.bool_ for dtype in dtypes)
        return np.dtype(bool) if plain else pd.BooleanDtype()
    if len(set(dtypes)) == 1 and (in_all_waves or not pd.api.types.is_integer_dtype(dtypes[0])):
        return dtypes[0]
    if all(pd.api.types.is_numeric_dtype(d) and not pd.api.types.is_bool_dtype(d) for d in dtypes):
        nullable = any(isinstance(dtype, pd.Int64Dtype) for dtype in dtypes)
        has_floats = any(pd.api.types.is_float_dtype(dtype) for dtype in dtypes)
        return pd.Int64Dtype() if nullable and not has_floats else np.dtype(float)
    if all(isinstance(dtype, pd.DatetimeTZDtype) for dtype in dtypes):
        return pd.DatetimeTZDtype("us", "UTC")
    if all(pd.api.types.is_datetime64_dtype(dtype) for dtype in dtypes):
        return np.dtype("datetime64[us]")
    if all(pd.api.types.is_string_dtype(dtype) for dtype in dtypes):
        return text_dtype()
    used = {str(_kind_of(d)) for d, any_ in zip(dtypes, filled, strict=True) if any_}
    if len(used) > 1:
        notes.append(f"text, because its kinds differ: {', '.join(sorted(used))}")
    return text_dtype()


def _kind_of(dtype: Any) -> str:
    if isinstance(dtype, pd.CategoricalDtype):
        return "options"
    if pd.api.types.is_bool_dtype(dtype):
        return "yes or no"
    if pd.api.types.is_numeric_dtype(dtype):
        return "number"
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return "date"
    return "text"


def _merge_categories(
    notes: list[str], dtypes: Sequence[pd.CategoricalDtype]
) -> pd.CategoricalDtype:
    """Return the options of all waves, new ones after the option they followed in their wave."""
    lists = [list(dtype.categories) for dtype in dtypes]
    merged: list[Any] = []
    for options in lists:
        at = -1
        for option in options:
            if option in merged:
                at = merged.index(option)
            else:
                at += 1
                merged.insert(at, option)
    same = all(options == lists[0] for options in lists)
    ordered = same and all(dtype.ordered for dtype in dtypes)
    if not same:
        notes.append("the waves have other options")
    if any(dtype.ordered for dtype in dtypes) and not ordered:
        notes.append("not ordered any more")
    texts = all(isinstance(option, str) for option in merged)
    categories = pd.Index(merged, dtype=text_dtype()) if texts else pd.Index(merged)
    return pd.CategoricalDtype(categories, ordered=ordered)


def _cast(values: pd.Series[Any], dtype: Any) -> pd.Series[Any]:
    """Return the values of one wave in the common dtype."""
    values = values.reset_index(drop=True)
    if isinstance(dtype, pd.CategoricalDtype):
        # Not astype: to it, equal words of another text dtype are the same categories already,
        # and pandas 2.3 does not concatenate those of two text dtypes.
        return values.cat.set_categories(dtype.categories, ordered=dtype.ordered)
    if dtype != text_dtype() or pd.api.types.is_string_dtype(values.dtype):
        return values.astype(dtype)
    texts = [None if _is_missing(value) else _to_text(value) for value in values]
    return pd.Series(pd.array(texts, dtype=text_dtype()))


def _is_missing(value: Any) -> bool:
    return not isinstance(value, list) and bool(pd.isna(value))


def _to_text(value: Any) -> str:
    return "; ".join(map(str, value)) if isinstance(value, list) else id_text(value)


# -- description ----------------------------------------------------------------------------


def _describe_waves(columns: Sequence[_Column], waves: Sequence[_Wave]) -> Description:
    abouts = [wave.description.about for wave in waves]
    titles = [str(about.get("title") or w.label) for about, w in zip(abouts, waves, strict=True)]
    return Description(
        options=waves[0].description.options,
        about={
            "title": " / ".join(dict.fromkeys(titles)),
            "asked": abouts[0].get("asked", {}),
            "waves": [{"wave": w.label, **about} for w, about in zip(waves, abouts, strict=True)],
        },
        waves={wave.label: _under_new_names(wave, columns) for wave in waves},
        redacted=tuple(row for wave in waves for row in wave.description.redacted),
        matched=tuple(
            {"column": c.name, "matched": c.matched, "names": c.names, "notes": "; ".join(c.notes)}
            for c in columns
        ),
    )


def _under_new_names(wave: _Wave, columns: Sequence[_Column]) -> Description:
    """Return the description of a wave under the names and labels of the stacked frame."""
    old = wave.description
    names = {c.names[wave.label]: c.name for c in columns if wave.label in c.names}
    labels = {c.name: c.labels[wave.label] for c in columns if wave.label in c.labels}
    described = {
        names[name]: _with_labels(column, labels.get(names[name], {}), old)
        for name, column in old.columns.items()
        if name in names
    }
    return replace(
        old,
        columns=described,
        codes={names[c]: names[n] for c, n in old.codes.items() if c in names and n in names},
        urls={names[name]: variable for name, variable in old.urls.items() if name in names},
        fields={names[name]: own for name, own in old.fields.items() if name in names},
    )


def _with_labels(
    column: AnswerColumn, labels: Mapping[str, str], description: Description
) -> AnswerColumn:
    """Return a column whose options have new labels."""
    if not labels:
        return column
    language = description.survey.language
    shown = option_names(column.choices, "label", description.languages)
    choices = (
        replace(option, titles={language: labels[name]}) if name in labels else option
        for name, option in zip(shown, column.choices, strict=True)
    )
    return replace(column, choices=tuple(choices))
