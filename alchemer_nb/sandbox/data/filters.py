"""The server's side of ``filter[field][0]=…`` and ``altfilter`` (vendor's page *filters-v5*).

Conditions are joined by AND. Values of answers are compared as numbers where both sides are
numbers, else as text, exactly.

invented, because no page documents: a condition on a question that is repeated for other answers is
fulfilled by any of its piped rows; an unknown field or operator is an error of code 400; an answer
that is not there fulfils no condition but ``IS NULL``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from alchemer_nb.sandbox.demo.survey_writer import FIRST_SKU
from alchemer_nb.sandbox.wire import stamps
from alchemer_nb.sandbox.wire.replies import Refusal

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from alchemer_nb.sandbox.data.definition import Definition

OPERATORS = ("=", "<>", "!=", "<", ">", "<=", ">=", "in", "IS NULL", "IS NOT NULL")
_PART = re.compile(r"filter\[(field|operator|value)\]\[(\d{1,6})\]\Z")
_QUESTION = re.compile(r"\[\s*question\((\d{1,18})\)\s*(?:,\s*option\((\d{1,18})\)\s*)?\]\Z")
_URL = re.compile(r"""\[\s*url\(\s*["']?(.+?)["']?\s*\)\s*\]\Z""")
_COLUMNS = {
    "status": "status",
    "contact_id": "contact_id",
    "is_test_data": "is_test",
    "date_submitted": "submitted",
    "date_updated": "updated",
}
_STATUSES = ("Complete", "Partial", "Disqualified")


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition as it was asked."""

    field: str
    operator: str
    value: str

    @property
    def about_presence(self) -> bool:
        """Whether it checks for presence and so has no value."""
        return self.operator.endswith("NULL")


def read_conditions(params: Mapping[str, str]) -> list[Condition]:
    """Read the conditions of a call.

    Raises:
        Refusal: A condition without field, or with an operator that does not exist.
    """
    given = dict(params)
    given.update(parse_qsl(params.get("altfilter", ""), keep_blank_values=True))
    parts: dict[int, dict[str, str]] = {}
    for name, value in given.items():
        match = _PART.match(name)
        if match:
            parts.setdefault(int(match[2]), {})[match[1]] = value
    return [_condition(parts[index]) for index in sorted(parts)]


def _condition(part: dict[str, str]) -> Condition:
    field = part.get("field", "").strip()
    if not field:
        raise Refusal(400, "Invalid filter: a condition has no field")
    wanted = " ".join(part.get("operator", "=").split())
    by_name = {name.lower(): name for name in OPERATORS}
    operator = by_name.get(wanted.lower())
    if operator is None:
        raise Refusal(400, f"Invalid filter operator: {wanted[:40]}")
    if "value" not in part and not operator.endswith("NULL"):
        raise Refusal(400, f"Invalid filter: {field[:40]} has no value")
    return Condition(field, "<>" if operator == "!=" else operator, part.get("value", ""))


def compare(left: Any, operator: str, right: Any) -> bool:
    """Compare one value; also an SQL function, so it accepts all types of SQLite."""
    missing = left is None or left == ""
    if operator.endswith("NULL"):
        return missing is (operator == "IS NULL")
    if missing:
        return False
    if operator == "in":
        return any(_compare(left, "=", one.strip()) for one in str(right).split(","))
    return _compare(left, operator, right)


def _compare(left: Any, operator: str, right: Any) -> bool:
    try:
        a: Any = float(left)
        b: Any = float(right)
    except ValueError:
        a = b = float("nan")
    if a != a or b != b:  # also a text such as "nan"
        a, b = str(left), str(right)
    if operator == "=":
        return bool(a == b)
    if operator == "<>":
        return bool(a != b)
    less = bool(a < b)
    return {"<": less, ">=": not less, ">": bool(a > b), "<=": not bool(a > b)}[operator]


def add_functions(connection: sqlite3.Connection) -> None:
    """Register the comparison of this module as an SQL function."""
    connection.create_function("holds", 3, compare, deterministic=True)


def fulfils(row: Mapping[str, Any], conditions: list[Condition], fields: Mapping[str, str]) -> bool:
    """Check whether a row of a short list (surveys, campaigns, users) fulfils all conditions.

    Args:
        row: The row, with plain values.
        conditions: What was asked.
        fields: Filter fields of this object and the row's key of each.

    Raises:
        Refusal: A field that this object does not have.
    """
    for condition in conditions:
        if condition.field not in fields:
            raise Refusal(400, f"Invalid filter field: {condition.field[:60]}")
    return all(compare(row.get(fields[c.field]), c.operator, c.value) for c in conditions)


def response_sql(
    conditions: list[Condition], survey: Definition, zone: ZoneInfo
) -> tuple[str, list[Any]]:
    """Return the SQL condition of a filter on responses, and its values.

    Raises:
        Refusal: A field that responses do not have, or a date that is none.
    """
    clauses: list[str] = []
    values: list[Any] = []
    for condition in conditions:
        clause, more = _clause(condition, survey, zone)
        clauses.append(clause)
        values.extend(more)
    return " AND ".join(f"({clause})" for clause in clauses) or "1", values


def _clause(condition: Condition, survey: Definition, zone: ZoneInfo) -> tuple[str, list[Any]]:
    if condition.field in _COLUMNS:
        return _column(condition, zone)
    match = _QUESTION.match(condition.field)
    if match:
        return _answer(condition, survey, int(match[1]), match[2])
    match = _URL.match(condition.field)
    if match:
        path = f'$.url_variables."{_quoted(match[1])}"'
        # A value may come as it is or inside {"key":…, "value":…}.
        left = "COALESCE(json_extract(record, ? || '.value'), json_extract(record, ?))"
        return f"holds({left}, ?, ?)", [path, path, condition.operator, condition.value]
    raise Refusal(400, f"Invalid filter field: {condition.field[:60]}")


def _column(condition: Condition, zone: ZoneInfo) -> tuple[str, list[Any]]:
    column, value, operator = _COLUMNS[condition.field], condition.value, condition.operator
    if condition.about_presence:
        return f"holds({column}, ?, '')", [operator]
    if condition.field.startswith("date_"):
        value = _dates(condition, zone)
        if operator != "in":  # SQLite's own comparison, which finds its way by an index
            return f"{column} {operator} ?", [float(value)]
    if condition.field == "status" and operator in ("=", "<>") and value in _STATUSES:
        return f"{column} {operator} ?", [value]
    if condition.field == "is_test_data":
        flags = {"true": "1", "false": "0"}
        value = ",".join(flags.get(one.strip().lower(), one.strip()) for one in value.split(","))
        if operator in ("=", "<>") and value in ("0", "1"):
            return f"{column} {operator} ?", [int(value)]
    return f"holds({column}, ?, ?)", [operator, value]


def _dates(condition: Condition, zone: ZoneInfo) -> str:
    given = condition.value.split(",") if condition.operator == "in" else [condition.value]
    moments = []
    for text in given:
        moment = stamps.parse_date(text, zone)
        if moment is None:
            raise Refusal(400, f"Invalid filter value: {text[:40]!r} is not YYYY-MM-DD HH:MM:SS")
        moments.append(str(moment))
    return ",".join(moments)


def _answer(
    condition: Condition, survey: Definition, number: int, option: str | None
) -> tuple[str, list[Any]]:
    """Return SQL that finds an answer where it can be: at the top level, or below its parent."""
    if survey.question(number) is None:
        raise Refusal(400, f"Invalid filter field: {condition.field[:60]}")
    paths = [f'$.survey_data."{number}"']
    parent = survey.parent_of(number)
    if parent is not None:
        paths.append(f'$.survey_data."{parent["id"]}".subquestions."{number}"')
    found: list[str] = []
    values: list[Any] = []
    for path in paths:
        clause, more = _cells(path, option)
        found.append(clause)
        values.extend(more)
    clause, more = _piped_rows(number, option)
    found.append(clause)
    values.extend(more)
    # Only constants are joined here: all that a caller sent is in `values`.
    some = "EXISTS (SELECT 1 FROM (" + " UNION ALL ".join(found) + ") WHERE "  # noqa: S608 - see above
    if condition.about_presence:
        clause = some + "answer IS NOT NULL AND answer <> '')"
        return (f"NOT {clause}" if condition.operator == "IS NULL" else clause), values
    return some + "holds(answer, ?, ?))", [*values, condition.operator, condition.value]


def _cells(path: str, option: str | None) -> tuple[str, list[Any]]:
    """Return SQL for every answer of one entry, or for that of one of its options."""
    if option is None:
        return (
            "SELECT json_extract(record, ? || '.answer') AS answer"
            " UNION ALL SELECT json_extract(value, '$.answer')"
            " FROM json_each(record, ? || '.options')"
            " UNION ALL SELECT json_extract(value, '$.answer')"
            " FROM json_each(record, ?) WHERE type = 'object' AND key NOT IN"
            " ('options', 'subquestions')",
            [path, path, path],
        )
    number = int(option)
    return (
        "SELECT json_extract(record, ? || '.answer') AS answer"
        " WHERE json_extract(record, ? || '.answer_id') IN (?, ?)"
        " UNION ALL SELECT json_extract(record, ?)"
        " UNION ALL SELECT json_extract(record, ?)",
        [
            path,
            path,
            number,
            f"{number}-other",
            f'{path}.options."{number}".answer',
            f'{path}."{number}".answer',
        ],
    )


def _piped_rows(number: int, option: str | None) -> tuple[str, list[Any]]:
    """Return SQL for every answer of the piped rows of a question, or for one of its options."""
    rows = "json_each(record, '$.survey_data') AS entry"
    own = f"CAST(entry.key AS INTEGER) >= {FIRST_SKU} AND json_extract(entry.value, '$.parent') = ?"
    chosen = "" if option is None else " AND json_extract(entry.value, '$.answer_id') IN (?, ?)"
    cell = "" if option is None else " AND cell.key = ?"
    ids: list[Any] = [] if option is None else [int(option), f"{int(option)}-other"]
    return (
        f"SELECT json_extract(entry.value, '$.answer') AS answer FROM {rows} WHERE {own}{chosen}"  # noqa: S608 - constants alone
        f" UNION ALL SELECT json_extract(cell.value, '$.answer') FROM {rows},"
        f" json_each(entry.value, '$.subquestions') AS cell WHERE {own}{cell}",
        [number, *ids, number, *([] if option is None else [option])],
    )


def _quoted(name: str) -> str:
    """Remove the quotes of a name for a JSON path: SQLite has no escape for them."""
    return name.replace('"', "")
