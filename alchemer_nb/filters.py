"""Condition lines and dates become the API's filter parameters. Pure: nothing is sent here.

Facts: fields, operators and the zone of dates from https://apihelp.alchemer.com/help/filters-v5.
Conditions are combined by AND alone.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from alchemer_nb.errors import ConditionError, InvalidArgument
from alchemer_nb.stamps import is_ambiguous, read_moment, wall_clock
from alchemer_nb.words import name_of, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from zoneinfo import ZoneInfo

    from alchemer_nb.definition import Question, Survey

FIELDS = ("status", "date_submitted", "date_updated", "is_test_data", "contact_id")
STATUSES = ("Complete", "Partial", "Disqualified")
_DATES = ("date_submitted", "date_updated")
_WITHOUT_VALUE = ("IS NULL", "IS NOT NULL")
_FIELD = r"\[(?:[^\]\"]|\"[^\"]*\")+\]|\"[^\"]+\"|'[^']+'|[^\s<>=!]+"
_LINE = re.compile(
    rf"\s*(?P<field>{_FIELD})\s*"
    r"(?:(?P<null>is\s+not\s+null|is\s+null)\s*$"
    r"|(?P<operator><=|>=|<>|!=|==|=|<|>|\bnot\s+in\b|\bin\b)\s*(?P<value>.*?)\s*$)",
    re.I,
)
_QUESTION = re.compile(
    r"\[\s*question\(\s*\"?(\d+)\"?\s*\)(?:\s*,\s*option\(\s*\"?([^\")]+)\"?\s*\))?\s*\]", re.I
)
_URL = re.compile(r"\[\s*url\(\s*\"?([^\")]+?)\"?\s*\)\s*\]", re.I)


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition as written, and later as the API takes it.

    Attributes:
        field: ``status``, ``date_submitted``, ``[question(2)]``, ``[url("x")]``, an alias …
        operator: ``=``, ``<>``, ``<``, ``>``, ``<=``, ``>=``, ``in``, ``IS NULL``, ``IS NOT NULL``.
        value: Text; None for the last two operators.
        line: Line it stands on, from 1.
    """

    field: str
    operator: str
    value: str | None = None
    line: int = 1

    def __str__(self) -> str:
        words = {"=": "is", "<>": "is not", "IS NULL": "is empty", "IS NOT NULL": "is answered"}
        said = words.get(self.operator, self.operator)
        return f"{self.field} {said}{'' if self.value is None else f' {self.value}'}"


def parse_conditions(where: str | Iterable[str] | None) -> list[Condition]:
    """Reads condition lines.

    Args:
        where: Text with one condition a line, or a list of such lines. Blank lines and what
            follows a ``#`` (at the start of a line or after white space) are left out.

    Raises:
        ConditionError: A line cannot be read; it says which and what would do.

    Example:
        >>> [str(c) for c in parse_conditions("status = Complete")]
        ['status is Complete']
    """
    if where is None:
        return []
    lines = where.splitlines() if isinstance(where, str) else list(where)
    conditions = []
    for number, line in enumerate(lines, 1):
        if not isinstance(line, str):
            raise ConditionError("a condition is text, such as 'status = Complete'", number)
        text = _without_comment(line).strip()
        if text:
            conditions.append(_parse(text, number))
    return conditions


def resolve(
    conditions: Iterable[Condition], survey: Survey, tz: ZoneInfo, server: ZoneInfo
) -> list[Condition]:
    """Turns conditions into those that the API understands.

    Args:
        conditions: From ``parse_conditions`` or ``between``.
        survey: Gives questions for aliases, and reporting values for labels.
        tz: Zone of dates that carry none.
        server: Zone of the account's data centre, in which the API reads dates.

    Raises:
        ConditionError: A field, status or date that does not exist.
    """
    return [
        resolved
        for condition in conditions
        for resolved in _resolve_one(condition, survey, tz, server)
    ]


def to_params(conditions: Sequence[Condition]) -> dict[str, str]:
    """The query parameters of a list of resolved conditions."""
    params: dict[str, str] = {}
    for index, condition in enumerate(conditions):
        params[f"filter[field][{index}]"] = condition.field
        params[f"filter[operator][{index}]"] = condition.operator
        if condition.value is not None:
            params[f"filter[value][{index}]"] = condition.value
    return params


def status_condition(status: str | Iterable[str] | None) -> list[Condition]:
    """The condition for ``status=``: one status or several.

    Raises:
        InvalidArgument: There is no such status.
    """
    if status is None:
        return []
    wanted = [status] if isinstance(status, str) else list(status)
    try:
        names = [_status(str(name), 1) for name in wanted]
    except ConditionError as error:
        message = str(error).removeprefix("line 1: ")
    else:
        if not names:
            raise InvalidArgument("status is a status or a list of them, not an empty list")
        one = len(names) == 1
        return [Condition("status", "=" if one else "in", ",".join(names))]
    raise InvalidArgument(message)


def between(since: Any, until: Any, tz: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """The instants that ``since=`` and ``until=`` mean, the second exclusive.

    Args:
        since: Text, date or datetime; a day means its beginning.
        until: The same; a day is included as a whole.
        tz: Zone of what carries none.

    Raises:
        InvalidArgument: One cannot be read, or nothing lies between them.
    """
    bounds: list[datetime | None] = []
    for name, value in (("since", since), ("until", until)):
        if value is None or value == "":
            bounds.append(None)
            continue
        try:
            moment, whole_day = read_moment(value, tz)
        except ValueError:
            raise InvalidArgument(
                f"{name} {str(value)[:40]!r} is not a date; write 2026-01-31 or '2026-01-31 14:00'"
            ) from None
        if name == "until":
            moment = _next_day(moment) if whole_day else moment + timedelta(seconds=1)
        bounds.append(moment)
    start, end = bounds
    if start is not None and end is not None and start >= end:
        raise InvalidArgument("since lies after until: nothing can be between them")
    return start, end


def submitted(start: datetime | None, end: datetime | None, server: ZoneInfo) -> list[Condition]:
    """Conditions that let the server leave out most of what lies outside of two instants.

    In the hour that occurs twice in autumn its clock cannot tell which is meant: there an hour
    more is asked for, and the exact bounds are applied to what comes.
    """
    hour = timedelta(hours=1)
    conditions = []
    if start is not None:
        moment = start - hour if is_ambiguous(start, server) else start
        conditions.append(Condition("date_submitted", ">=", wall_clock(moment, server)))
    if end is not None:
        moment = end + hour if is_ambiguous(end, server) else end
        conditions.append(Condition("date_submitted", "<", wall_clock(moment, server)))
    return conditions


def _without_comment(line: str) -> str:
    return re.sub(r"(^|\s)#(?=([^\"']|\"[^\"]*\"|'[^']*')*$).*$", "", line)


def _parse(text: str, line: int) -> Condition:
    found = _LINE.match(text)
    if found is None:
        raise ConditionError(
            f"{text[:60]!r} is no condition; write FIELD OPERATOR VALUE, such as "
            "'status = Complete', 'date_submitted >= 2026-01-01' or 'nps IS NOT NULL'",
            line,
        )
    field = found["field"]
    if field[0] in "\"'":
        field = field[1:-1]
    if found["null"]:
        return Condition(field, " ".join(found["null"].upper().split()), None, line)
    operator = " ".join(found["operator"].lower().split())
    operator = {"==": "=", "!=": "<>"}.get(operator, operator)
    if operator == "not in":
        raise ConditionError("'not in' is unknown to Alchemer; write one <> line for each", line)
    value = _values(found["value"], operator)
    if value == "":
        raise ConditionError(
            f"the value is missing after {operator!r}; to look for no answer write "
            f"'{field} IS NULL'",
            line,
        )
    return Condition(field, operator, value, line)


def _values(text: str, operator: str) -> str:
    if operator == "in":
        text = text.strip()
        if text[:1] + text[-1:] in ("()", "[]"):
            text = text[1:-1]
        parts = re.findall(r"\"[^\"]*\"|'[^']*'|[^,]+", text)
        return ",".join(part for part in (_unquoted(p) for p in parts) if part)
    return _unquoted(text)


def _unquoted(text: str) -> str:
    text = text.strip()
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1] if quoted else text


def _resolve_one(
    condition: Condition, survey: Survey, tz: ZoneInfo, server: ZoneInfo
) -> Iterator[Condition]:
    field, line = condition.field.strip(), condition.line
    url = _URL.fullmatch(field)
    asked = _QUESTION.fullmatch(field)
    if url:
        yield Condition(f'[url("{url[1]}")]', condition.operator, condition.value, line)
    elif asked:
        question = _question(survey, asked[1], line)
        option = f", option({asked[2]})" if asked[2] else ""
        yield _answered(condition, f"[question({asked[1]}){option}]", question, bool(option))
    elif field.lower() in FIELDS:
        yield from _meta(condition, field.lower(), tz, server)
    else:
        question = _question(survey, field, line)
        yield _answered(condition, f"[question({question.id})]", question, False)


def _meta(condition: Condition, field: str, tz: ZoneInfo, server: ZoneInfo) -> Iterator[Condition]:
    operator, value, line = condition.operator, condition.value, condition.line
    if value is None:
        yield Condition(field, operator, None, line)
    elif field in _DATES:
        yield from _date(field, operator, value, line, tz, server)
    elif field == "status":
        names = ",".join(_status(name, line) for name in value.split(","))
        yield Condition(field, operator, names, line)
    elif field == "is_test_data":
        known = {"true": "1", "yes": "1", "1": "1", "false": "0", "no": "0", "0": "0"}
        if value.lower() not in known:
            raise ConditionError("is_test_data is 1 or 0", line)
        yield Condition(field, operator, known[value.lower()], line)
    else:
        yield Condition(field, operator, value, line)


def _date(
    field: str, operator: str, value: str, line: int, tz: ZoneInfo, server: ZoneInfo
) -> Iterator[Condition]:
    if operator == "in":
        raise ConditionError(f"{field} takes =, <, >, <= or >=, not 'in'", line)
    try:
        moment, whole_day = read_moment(value, tz)
    except ValueError:
        raise ConditionError(
            f"{value[:40]!r} is not a date; write 2026-01-31 or 2026-01-31 14:00", line
        ) from None
    if not whole_day:
        yield Condition(field, operator, wall_clock(moment, server), line)
        return
    start, end = wall_clock(moment, server), wall_clock(_next_day(moment), server)
    if operator == "=":  # a day, not its first second
        yield Condition(field, ">=", start, line)
        yield Condition(field, "<", end, line)
    elif operator in ("<=", ">"):  # the whole day belongs to what lies up to it
        yield Condition(field, "<" if operator == "<=" else ">=", end, line)
    elif operator == "<>":
        raise ConditionError(f"{field} <> a day cannot be asked; give two bounds instead", line)
    else:
        yield Condition(field, operator, start, line)


def _next_day(moment: datetime) -> datetime:
    """Midnight a day later by the calendar, which is not always 24 hours."""
    return (moment.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=moment.tzinfo)


def _status(name: str, line: int) -> str:
    for known in STATUSES:
        if known.casefold() == name.strip().casefold():
            return known
    near = difflib.get_close_matches(name.strip().title(), STATUSES, 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise ConditionError(
        f"{name.strip()[:40]!r} is no status; there are {', '.join(STATUSES)}{hint}", line
    )


def _question(survey: Survey, name: str, line: int) -> Question:
    try:
        return survey.question(name)
    except KeyError:
        pass
    everything = [each for q in survey.questions for each in q.walk()]
    same = [q for q in everything if name and name in (q.alias, name_of(q.alias))]
    if same:
        which = " or ".join(f"[question({q.id})]" for q in same)
        raise ConditionError(f"several questions have the alias {name!r}; write {which}", line)
    aliases = [q.alias for q in everything if q.alias]
    near = difflib.get_close_matches(name, [*FIELDS, *aliases], 1)
    hint = f"did you mean {near[0]!r}?" if near else f"fields are {', '.join(FIELDS)}, an alias"
    raise ConditionError(
        f"{name[:40]!r} is neither a field nor a question of this survey; {hint}", line
    )


def _answered(condition: Condition, field: str, question: Question, is_option: bool) -> Condition:
    """A condition on an answer, with labels turned into reporting values."""
    value = condition.value
    if value is not None and not is_option:
        parts = value.split(",") if condition.operator == "in" else [value]
        value = ",".join(_reporting_value(part.strip(), question) for part in parts)
    return Condition(field, condition.operator, value, condition.line)


def _reporting_value(text: str, question: Question) -> str:
    if any(option.value == text for option in question.options):
        return text
    for fold in (str, str.casefold):
        for option in question.options:
            labels = {plain(title) for title in option.titles.values()}
            if fold(text) in {fold(label) for label in labels}:
                return option.value
    return text
