"""Lists of any object of the API as DataFrames."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from alchemer_nb.errors import TransportError
from alchemer_nb.frame.metadata import to_datetimes
from alchemer_nb.frame.text_dtype import text_dtype, typed_frame
from alchemer_nb.wire.paging import to_count
from alchemer_nb.wire.stamps import parse_span
from alchemer_nb.wire.text import counted, strip_html

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_MOST_COLUMNS = 10_000  # each takes about a tenth of a millisecond
_MOST_CELLS = 50_000_000
_DATES = ("created_on", "modified_on")
SURVEY_COLUMNS = (
    "id", "title", "status", "type", "responses", "complete", "partial", "disqualified",
    "test_data", "created_on", "modified_on", "team", "link",
)  # fmt: skip
# Fields of lists that hold a date with its time:
# https://apihelp.alchemer.com/help/surveycampaign-returned-fields-v5 and its neighbours.
_DATE_NAME = re.compile(
    r"(^|_)(date_(created|modified|last_sent|submitted|started|updated)|(created|modified)_on"
    r"|link_(open|close)_date|last_login)$"
)
_COUNTS = {
    "Complete": "complete",
    "Partial": "partial",
    "Disqualified": "disqualified",
    "TestData": "test_data",
}


def build_table(rows: Iterable[Any], zone: ZoneInfo) -> pd.DataFrame:
    """Build a DataFrame with a row for each object.

    Inner objects become columns ``outer_inner``, lists become text. A column is numeric if all of
    its values are numbers. ``[]``, which the API sends for an empty map, is missing. Dates are in
    UTC; a column of dates with a value that is none stays as received.

    Args:
        rows: The objects.
        zone: Zone of dates without one.

    Raises:
        TransportError: The objects have so many different keys that it would fill the memory.
    """
    flat = [_flatten(row) if isinstance(row, Mapping) else {"value": row} for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    if len(names) > _MOST_COLUMNS or len(names) * len(flat) > _MOST_CELLS:
        raise TransportError(
            f"the answer is no table: its {counted(len(flat), 'object')} would need "
            f"{counted(len(names), 'column')}",
            reason="large",
            hint="client.request returns it as it came",
        )
    data = {name: _to_column(name, [row.get(name) for row in flat], zone) for name in names}
    return pd.DataFrame(data, index=pd.RangeIndex(len(flat)))


def build_survey_table(rows: Iterable[Mapping[str, Any]], zone: ZoneInfo) -> pd.DataFrame:
    """Build the list of surveys: ids and texts as text, counts as int64, dates in UTC."""
    records = []
    for row in rows:
        counts = row.get("statistics")
        counts = counts if isinstance(counts, Mapping) else {}
        links = row.get("links")
        numbers = {short: to_count(counts.get(name)) or 0 for name, short in _COUNTS.items()}
        records.append(
            {
                **numbers,
                "responses": numbers["complete"] + numbers["partial"] + numbers["disqualified"],
                **{name: _to_text(row.get(name)) for name in ("id", "status", "type")},
                **{name: row.get(name) for name in _DATES},
                "title": _to_text(strip_html(row.get("title"))),
                "team": _team_ids(row.get("team")),
                "link": _to_text(links.get("publish")) if isinstance(links, Mapping) else None,
            }
        )
    dtypes = dict.fromkeys(("responses", *_COUNTS.values()), "int64")
    frame = typed_frame(records, SURVEY_COLUMNS, {**dtypes, **dict.fromkeys(_DATES, object)})
    return frame.assign(**{name: to_datetimes(list(frame[name]), zone, "UTC") for name in _DATES})


def _to_text(value: Any) -> str | None:
    return None if value in (None, "", []) else str(value)


def _team_ids(value: Any) -> str | None:
    """Return the ids of teams, which come as one id, "0" for none, or a list of ids or objects."""
    if value in (None, "", "0", 0, []):
        return None
    items = value if isinstance(value, list) else [value]
    return ", ".join(str(i.get("id", i) if isinstance(i, Mapping) else i) for i in items)


def _flatten(row: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, Mapping):
            flat.update(_flatten(value, f"{prefix}{name}_"))
        elif isinstance(value, list):
            flat[f"{prefix}{name}"] = _list_text(value)
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _list_text(items: list[Any]) -> str | None:
    if not items:
        return None
    if all(isinstance(item, (str, int, float)) for item in items):
        return ", ".join(str(item) for item in items)
    return json.dumps(items, ensure_ascii=False)


def _to_column(name: str, values: list[Any], zone: ZoneInfo) -> Any:
    if _DATE_NAME.search(name) and all(_is_moment(value, zone) for value in values):
        return to_datetimes(values, zone, "UTC")
    return _to_array(values)


def _is_moment(value: Any, zone: ZoneInfo) -> bool:
    """Check whether a value is a date with its time of day, or empty."""
    try:
        return value in (None, "") or parse_span(str(value), zone).end is None
    except ValueError:
        return False


def _to_array(values: list[Any]) -> Any:
    given = [value for value in values if value is not None]
    kinds = {type(value) for value in given}
    if kinds == {bool}:
        return pd.array(values, dtype="bool" if len(given) == len(values) else "boolean")
    if kinds == {int} and len(given) == len(values):
        return pd.array(values, dtype="int64")
    if kinds and kinds <= {int, float}:
        return pd.array([math.nan if v is None else v for v in values], dtype="float64")
    return pd.array([None if v is None else str(v) for v in values], dtype=text_dtype())
