"""The columns of a responses frame that are not answers.

Types as received: https://apihelp.alchemer.com/help/surveyresponse-returned-fields-v5 and real
payloads, which disagree with it (``is_test_data`` is the text "0" or "1", ``response_time`` a
number of seconds or null).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alchemer_nb.frame.text_dtype import text_array, text_dtype
from alchemer_nb.frame.values import read_number
from alchemer_nb.survey.filters import STATUSES
from alchemer_nb.wire.json import truths
from alchemer_nb.wire.stamps import ZONE_HOURS, read_stamp

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from alchemer_nb.decode.answers import Answers
    from alchemer_nb.frame.options import Metadata

STANDARD = (
    "status",
    "is_test_data",
    "date_started",
    "date_submitted",
    "date_updated",
    "response_time",
    "language",
    "link_id",
    "contact_id",
)
REST = (
    "session_id",
    "ip_address",
    "referer",
    "user_agent",
    "longitude",
    "latitude",
    "country",
    "city",
    "region",
    "postal",
    "dma",
    "data_quality",
)
_STATUS_ORDER = STATUSES[::-1]  # an ordered category runs from the least to the most complete
_DATES = ("date_started", "date_submitted", "date_updated")
_FIRST = np.datetime64("0001-01-01", "s")  # numpy reads the year 0, which there was not
_WITHOUT = len("2026-01-15 10:42:26")
_WITH_ZONE = len("2026-01-15 10:42:26 EST")
_NUMBERS = ("response_time", "longitude", "latitude")


def names(metadata: Metadata) -> tuple[str, ...]:
    """The columns that each choice of ``metadata=`` gives, in order."""
    return {"standard": STANDARD, "all": (*STANDARD, *REST), "none": ()}[metadata]


def array(name: str, answers: Answers, keep: np.ndarray, zone: ZoneInfo, tz: str | None) -> Any:
    """The values of one metadata column for the kept rows.

    Args:
        name: One of ``STANDARD`` or ``REST``.
        answers: All answers of the download.
        keep: Rows to give, by number.
        zone: Zone of stamps that carry none, the region's.
        tz: Zone of the result; None for naive wall-clock time of the region.
    """
    if name == "data_quality":
        return text_array([answers.quality.get(row) for row in keep.tolist()])
    values = np.array(answers.meta[name], dtype=object)[keep].tolist()
    if name in _DATES:
        return moments(values, zone, tz)
    if name in _NUMBERS:
        return _numbers(values)
    if name == "is_test_data":
        return np.array(truths(values), dtype=bool)
    texts = _texts(values)
    if name == "status":
        others = sorted({text for text in texts if text is not None} - set(STATUSES))
        categories = pd.Index([*others, *_STATUS_ORDER], dtype=text_dtype())
        return pd.Categorical(text_array(texts), categories, ordered=True)
    return text_array(texts)


def _texts(values: list[Any]) -> list[str | None]:
    if set(map(type, values)) <= {str, type(None)} and "" not in values:
        return values
    return [None if value in (None, "") else str(value) for value in values]


def _numbers(values: list[Any]) -> np.ndarray:
    """Numbers as received; all at once where that reads them as ``read_number`` does."""
    kinds = set(map(type, values))
    if kinds <= {int, float, str, type(None)} and (
        str not in kinds or "_" not in "".join(value for value in values if type(value) is str)
    ):
        try:
            numbers = np.array(values, dtype=object).astype(np.float64)
        except (ValueError, OverflowError):
            pass
        else:
            return np.where(np.isfinite(numbers), numbers, np.nan)
    return np.array([read_number(value) for value in values], dtype=np.float64)


def moments(values: list[Any], zone: ZoneInfo, tz: str | None) -> pd.Series[Any]:
    """Stamps as a column of times: in ``tz``, or naive wall-clock time of ``zone``."""
    series = pd.Series(_instants(values, zone)).dt.tz_localize("UTC").dt.tz_convert(tz or str(zone))
    return series.dt.tz_localize(None) if tz is None else series


def _instants(values: list[Any], zone: ZoneInfo) -> np.ndarray:
    """Stamps as UTC: those of the usual forms all at once, others one by one."""
    texts = [value if isinstance(value, str) else "" for value in values]
    hours = [ZONE_HOURS.get(text[20:]) if len(text) == _WITH_ZONE else None for text in texts]
    bare = np.array([len(text) == _WITHOUT for text in texts], dtype=bool)
    usual = [h is not None or len(t) == _WITHOUT for h, t in zip(hours, texts, strict=True)]
    clocks = [t[:_WITHOUT] if u else "NaT" for t, u in zip(texts, usual, strict=True)]
    try:
        local = np.array(clocks, dtype="datetime64[s]")
    except ValueError:  # one of them is no date
        local = np.full(len(values), "NaT", dtype="datetime64[s]")
    away = np.array([h or 0 for h in hours], dtype="timedelta64[h]")
    instants: np.ndarray = (local - away).astype("datetime64[us]")
    if bare.any():
        instants[bare] = _in_zone(local[bare], zone)
    seen: dict[Any, np.datetime64] = {}
    for row in np.flatnonzero(np.isnat(local) | (local < _FIRST)).tolist():
        value = values[row]
        if value not in seen:
            read = read_stamp(value, zone)
            naive = None if read is None else read.replace(tzinfo=None)
            seen[value] = np.datetime64(naive, "us")
        instants[row] = seen[value]
    return instants


def _in_zone(local: np.ndarray, zone: ZoneInfo) -> np.ndarray:
    """Wall-clock times as UTC; of an hour that occurs twice the first, as ``datetime`` reads it."""
    wall = pd.Series(local.astype("datetime64[us]"))
    first = np.ones(len(wall), dtype=bool)
    skipped = pd.Timedelta(hours=1)
    moments = wall.dt.tz_localize(str(zone), ambiguous=first, nonexistent=skipped)
    return np.asarray(moments.dt.tz_convert("UTC").dt.tz_localize(None), dtype="datetime64[us]")


def url_names(answers: Answers) -> list[str]:
    """Names of the url variables that came, in alphabetical order."""
    return sorted(answers.urls)


def url_array(name: str, answers: Answers, keep: np.ndarray) -> Any:
    """The values of one url variable; an empty text is a value that was sent empty."""
    values = answers.urls[name]
    return text_array([values.get(row) for row in keep.tolist()])
