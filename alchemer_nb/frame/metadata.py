"""The columns of a responses frame that are not answers: metadata and url variables.

Types as received: https://apihelp.alchemer.com/help/surveyresponse-returned-fields-v5 and real
payloads, which disagree with it (``is_test_data`` is the text "0" or "1", ``response_time`` a
number of seconds or null).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from alchemer_nb.frame.text_dtype import text_array, text_dtype
from alchemer_nb.frame.values import is_plain_number
from alchemer_nb.survey.columns import META_FIELDS, STANDARD_FIELDS
from alchemer_nb.survey.filters import STATUSES
from alchemer_nb.survey.scales import read_number
from alchemer_nb.wire.stamps import ZONE_HOURS, parse_stamp
from alchemer_nb.wire.text import is_flag, read_flags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alchemer_nb.decode.answers import Answers
    from alchemer_nb.frame.options import Metadata

EXTRA = (*(name for name in META_FIELDS if name not in {*STANDARD_FIELDS, "id"}), "data_quality")
STATUS_ORDER = STATUSES[::-1]  # an ordered category runs from the least to the most complete
_DATES = ("date_started", "date_submitted", "date_updated")
# numpy reads the year 0, which does not exist; those next to an end are over it in some zone.
_FIRST_DATE, _END_OF_DATES = np.datetime64("0002-01-01", "us"), np.datetime64("9999-01-01", "us")
# pandas 2 looks the name of a zone up in pytz, which is fast and knows the rules of these years.
_FIRST_YEAR, _LAST_YEAR = 1902, 2036
_STAMP_LENGTH = len("2026-01-15 10:42:26")
_DAY_LENGTH = len("2026-01-15")
_LENGTH_OF_DAY = 86399  # seconds from its first to its last one, unless the clocks change
_LENGTH_WITH_ZONE = len("2026-01-15 10:42:26 EST")
_NUMBERS = ("response_time", "longitude", "latitude")


def metadata_names(metadata: Metadata) -> tuple[str, ...]:
    """Return the names of the metadata columns for a value of ``metadata=``, in order."""
    return {"standard": STANDARD_FIELDS, "all": (*STANDARD_FIELDS, *EXTRA), "none": ()}[metadata]


def metadata_array(
    name: str, answers: Answers, row_numbers: np.ndarray, zone: ZoneInfo, tz: str | None
) -> Any:
    """Return the values of one metadata column.

    Args:
        name: One of ``STANDARD_FIELDS`` or ``EXTRA``.
        answers: All answers of the download.
        row_numbers: Rows of the answers, in the order of the result.
        zone: The region's zone, for dates that carry none.
        tz: Zone of the result; None for wall-clock time of the region, without a zone.
    """
    if name == "data_quality":
        return text_array([answers.quality.get(row) for row in row_numbers.tolist()])
    values = np.array([*answers.meta[name]], dtype=object)[row_numbers].tolist()
    if name in _DATES:
        before = _DATES[: _DATES.index(name)]
        earlier = [np.array([*answers.meta[each]], dtype=object)[row_numbers] for each in before]
        return to_datetimes(values, zone, tz, [each.tolist() for each in earlier])
    if name in _NUMBERS:
        return _numbers(values)
    if name == "is_test_data":
        return np.array(read_flags(values), dtype=bool)
    texts = _texts(values)
    if name == "status":
        others = sorted({text for text in texts if text is not None} - set(STATUSES))
        categories = pd.Index([*others, *STATUS_ORDER], dtype=text_dtype())
        return pd.Categorical(text_array(texts), categories, ordered=True)
    return text_array(texts)


def _texts(values: list[Any]) -> list[str | None]:
    if set(map(type, values)) <= {str, type(None)} and "" not in values:
        return values
    return [None if value in (None, "") else str(value) for value in values]


def _numbers(values: list[Any]) -> np.ndarray:
    """Return float64, NaN for what is no number.

    NumPy converts all at once where it reads the same as ``read_number``, which is slower.
    """
    kinds = set(map(type, values))
    texts = "".join(value for value in values if type(value) is str)
    if kinds <= {int, float, str, type(None)} and "_" not in texts:
        try:
            numbers = np.array(values, dtype=object).astype(np.float64)
        except (ValueError, OverflowError):
            pass
        else:
            return np.where(np.isfinite(numbers), numbers, np.nan)
    return np.array([read_number(value) for value in values], dtype=np.float64)


def to_datetimes(
    values: list[Any], zone: ZoneInfo, tz: str | None, earlier: Sequence[list[Any]] = ()
) -> pd.Series[Any]:
    """Convert dates of the API to the zone ``tz``; None means wall-clock time of ``zone``.

    Args:
        values: Dates as received; without a zone, they are wall-clock time of ``zone``.
        zone: The region's zone.
        tz: Zone of the result.
        earlier: Dates of the same responses that these cannot be before, the first ones first:
            they decide which of the two hours is meant in the hour that occurs twice.
    """
    instants = _to_utc(values, zone)
    second_hours = _second_hours(values, zone) if earlier else {}
    if second_hours:
        bound = to_datetimes(earlier[-1], zone, "UTC", earlier[:-1]).dt.tz_localize(None)
        for row, moment in second_hours.items():
            if pd.Timestamp(instants[row]) < bound.iloc[row]:
                instants[row] = moment
    series = pd.Series(instants).dt.tz_localize("UTC")
    series = series.dt.tz_convert(tz or zone_for(series, str(zone)))
    return series.dt.tz_localize(None) if tz is None else series


def zone_for(dates: pd.Series[Any], name: str) -> Any:
    """Return the zone of a name as pandas takes it to convert these dates, in any year."""
    years = dates.dt.year.dropna()
    return name if years.between(_FIRST_YEAR, _LAST_YEAR).all() else ZoneInfo(name)


def _to_utc(values: list[Any], zone: ZoneInfo) -> np.ndarray:
    """Convert dates of the API to naive UTC: the two common forms all at once, others singly."""
    texts = [value if isinstance(value, str) else "" for value in values]
    hours = [
        ZONE_HOURS.get(text[20:]) if len(text) == _LENGTH_WITH_ZONE else None for text in texts
    ]
    bare = np.array([len(text) == _STAMP_LENGTH for text in texts], dtype=bool)
    usual = [h is not None or len(t) == _STAMP_LENGTH for h, t in zip(hours, texts, strict=True)]
    clocks = [t[:_STAMP_LENGTH] if u else "NaT" for t, u in zip(texts, usual, strict=True)]
    try:
        local = np.array(clocks, dtype="datetime64[s]")
    except ValueError:  # one of them is no date
        local = np.full(len(values), "NaT", dtype="datetime64[s]")
    years = local.astype("datetime64[Y]").astype(np.int64) + 1970
    local[(years < _FIRST_YEAR) | (years > _LAST_YEAR)] = np.datetime64("NaT", "s")
    offsets = np.array([h or 0 for h in hours], dtype="timedelta64[h]")
    instants: np.ndarray = (local - offsets).astype("datetime64[us]")
    if bare.any():
        instants[bare] = _in_zone(local[bare], zone)
    seen: dict[Any, np.datetime64] = {}
    for row in np.flatnonzero(np.isnat(local)).tolist():
        value = values[row]
        if value not in seen:
            read = parse_stamp(value, zone)
            naive = None if read is None else read.replace(tzinfo=None)
            seen[value] = np.datetime64(naive, "us")
        instants[row] = seen[value]
    instants[(instants < _FIRST_DATE) | (instants >= _END_OF_DATES)] = np.datetime64("NaT", "us")
    return instants


def _second_hours(values: list[Any], zone: ZoneInfo) -> dict[int, Any]:
    """Return row -> second reading, of the stamps in an hour that occurs twice."""
    texts = [value if isinstance(value, str) else "" for value in values]
    changing = {day for day in {text[:_DAY_LENGTH] for text in texts} if _changes(day, zone)}
    found: dict[int, Any] = {}
    for row, text in enumerate(texts):
        if text[:_DAY_LENGTH] in changing:
            first, second = (parse_stamp(text, zone, fold) for fold in (0, 1))
            if first is not None and second is not None and second > first:
                found[row] = np.datetime64(second.replace(tzinfo=None), "us")
    return found


def _changes(day: str, zone: ZoneInfo) -> bool:
    """Check whether the clocks change on a day."""
    start, end = (parse_stamp(f"{day} {clock}", zone) for clock in ("00:00:00", "23:59:59"))
    return start is not None and end is not None and (end - start).seconds != _LENGTH_OF_DAY


def _in_zone(local: np.ndarray, zone: ZoneInfo) -> np.ndarray:
    """Convert wall-clock times to UTC; of an hour that occurs twice, take the first."""
    wall = pd.Series(local.astype("datetime64[us]"))
    first = np.ones(len(wall), dtype=bool)
    skipped = pd.Timedelta(hours=1)
    moments = wall.dt.tz_localize(str(zone), ambiguous=first, nonexistent=skipped)
    return np.asarray(moments.dt.tz_convert("UTC").dt.tz_localize(None), dtype="datetime64[us]")


def count_unread(name: str, values: Any, answers: Answers, row_numbers: np.ndarray) -> int:
    """Count the values of a metadata column that say more than the column shows.

    Args:
        name: Name of the field.
        values: The column.
        answers: All answers of the download.
        row_numbers: Rows of the answers, in the order of the column.
    """
    if name in _DATES:
        is_suspect = np.asarray(pd.isna(values), dtype=bool)
    elif name in (*_NUMBERS, "is_test_data"):
        is_suspect = np.ones(len(row_numbers), dtype=bool)
    else:
        return 0
    received = np.array([*answers.meta[name]], dtype=object)[row_numbers][is_suspect]
    if name == "is_test_data":
        return sum(not is_flag(value) for value in received.tolist())
    if name in _DATES:
        return sum(value not in (None, "") for value in received.tolist())
    texts = Counter(str(value) for value in received.tolist() if value not in (None, ""))
    return sum(
        count for text, count in texts.items() if not is_plain_number(text, read_number(text))
    )


def field_array(name: str, answers: Answers, row_numbers: np.ndarray) -> Any:
    """Return the values of an undocumented field of the responses, as text."""
    values = answers.others[name]
    return text_array(_texts([values.get(row) for row in row_numbers.tolist()]))


def url_array(name: str, answers: Answers, row_numbers: np.ndarray) -> Any:
    """Return the values of one url variable; a variable sent empty is an empty text."""
    values = answers.urls.get(name, {})  # a frame may be asked for one that nobody has
    return text_array([values.get(row) for row in row_numbers.tolist()])
