"""Translate condition lines and dates into filter parameters of the API; send nothing.

Facts: fields, operators and the zone of dates from https://apihelp.alchemer.com/help/filters-v5.
Conditions are combined by AND alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from alchemer_nb.errors import ConditionError, InvalidArgument
from alchemer_nb.survey.condition_fields import FIELDS, find_question
from alchemer_nb.survey.condition_values import (
    COMPARISONS,
    check_values,
    refuse_missing,
    refuse_object,
)
from alchemer_nb.wire.ids import has_digits_alone
from alchemer_nb.wire.quoting import (
    QUOTES,
    ValueEnd,
    find_value_end,
    parse_value,
    parse_values,
    quote,
)
from alchemer_nb.wire.stamps import DATE_FORMS, Span, is_ambiguous, parse_span, to_stamp
from alchemer_nb.wire.text import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from zoneinfo import ZoneInfo

    from alchemer_nb.survey.definition import Definition, Question

STATUSES = ("Complete", "Partial", "Disqualified")
DATE_FIELDS = ("date_submitted", "date_updated")
_FIELD = r"\[(?:[^\]\"]|\"[^\"]*\")+\]|\"[^\"]+\"|'[^']+'|[^\s<>=!]+"
_LINE = re.compile(
    rf"\s*(?P<field>{_FIELD})\s*"
    r"(?:(?P<null>is\s+not\s+null|is\s+null)\s*(?:(?<=\s)#.*)?$"
    r"|(?P<operator><=|>=|<>|!=|==|=|<|>|\bnot\s+in\b|\bin\b)(?P<value>.*)$)",
    re.I | re.S,
)
_FIELD_AND_REST = re.compile(rf"\s*(?P<field>{_FIELD})(?:\s+|(?=[<>=!]))(?P<rest>.*)", re.S)
QUESTION_FIELD = re.compile(
    r"\[\s*question\(\s*\"?(\d+)\"?\s*\)(?:\s*,\s*option\(\s*\"?([^\")]+)\"?\s*\))?\s*\]", re.I
)
_SYMBOL = r"(?:<=|>=|<>|!=|==|=|<|>)"
_SHOWN = 60  # characters of a text in a message
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
# Another condition in the value of one: a second field with its operator after a word of logic.
_SECOND = re.compile(
    rf"(?:^|\s)(?P<word>or|and|\|\|?|&&?)\s+(?P<field>{_FIELD})\s*"
    rf"(?:{_SYMBOL}|(?P<in_words>\bnot\s+in\b|\bin\b|\bis\s+(?:not\s+)?null\b))",
    re.I,
)
URL_FIELD = re.compile(r"\[\s*url\(\s*\"?([^\")]+?)\"?\s*\)\s*\]", re.I)


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition as written, or as the API takes it.

    Attributes:
        field: ``status``, ``date_submitted``, ``[question(2)]``, ``[url("x")]``, an alias …
        operator: ``=``, ``<>``, ``<``, ``>``, ``<=``, ``>=``, ``in``, ``IS NULL``, ``IS NOT NULL``.
        value: A text; for ``in`` a tuple of them; None for the last two operators.
        line: Number of its line, from 1.
        quoted: Whether a value of it is in quotes.
        note: What it asks for, where its words do not show it; without a value.
    """

    field: str
    operator: str
    value: str | tuple[str, ...] | None = None
    line: int = 1
    quoted: bool = False
    note: str = ""

    @property
    def values(self) -> tuple[str, ...]:
        """Its values, none of ``IS NULL`` and ``IS NOT NULL``."""
        if self.value is None or isinstance(self.value, tuple):
            return self.value or ()
        return (self.value,)

    @property
    def is_date(self) -> bool:
        """Whether it compares a date with one that the user wrote."""
        return self.field.lower() in DATE_FIELDS and isinstance(self.value, str)

    @property
    def can_be_sent(self) -> bool:
        """False if the API would split a value: its ``in`` cannot escape commas."""
        values = self.value if isinstance(self.value, tuple) else ()
        return not any("," in one or one != one.strip() for one in values)

    def __str__(self) -> str:
        words = {"=": "is", "<>": "is not", "IS NULL": "is empty", "IS NOT NULL": "is answered"}
        value = self.value or ""
        if isinstance(value, tuple):
            value = ", ".join(quote(one) if "," in one else one for one in value)
        return " ".join(f"{self.field} {words.get(self.operator, self.operator)} {value}".split())


def parse_conditions(where: str | Iterable[str] | None) -> list[Condition]:
    """Parse condition lines.

    Args:
        where: Text with one condition per line, or a list of such lines. Blank lines and comments
            (from a ``#`` at the start of a line or after white space) are ignored. Values may be
            in quotes, see ``quoting``.

    Raises:
        ConditionError: A line cannot be parsed; the message names it and how to write it.

    Example:
        >>> [str(c) for c in parse_conditions("status = Complete")]
        ['status is Complete']
    """
    conditions = []
    for position, text in enumerate(_as_list(where), 1):
        if not isinstance(text, str):
            raise ConditionError("a condition is text, such as 'status = Complete'", position)
        for number, line in _split_lines(text):
            if not line.lstrip().startswith("#") and line.strip():
                conditions.append(_parse_line(line, number if isinstance(where, str) else position))
    return conditions


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str) else [value]


def text_after_operator(text: str) -> tuple[str, bool] | None:
    """Return the text after the operator of a condition, and whether it is a list.

    Returns:
        None where field and operator are not complete.
    """
    found = _LINE.match(text)
    if found is None or found["operator"] is None:
        return None
    return found["value"], found["operator"].lower().endswith("in")


def split_field(text: str) -> tuple[str, str] | None:
    """Return the field at the start of a condition, and the text after it: operator and value.

    Returns:
        None where the field may still be going on.
    """
    found = _FIELD_AND_REST.fullmatch(text)
    return (found["field"], found["rest"]) if found else None


def resolve(
    conditions: Iterable[Condition],
    survey: Definition,
    tz: ZoneInfo,
    server: ZoneInfo,
    now: datetime | None = None,
) -> list[Condition]:
    """Translate conditions into those that the API understands.

    Args:
        conditions: Conditions of ``parse_conditions`` or ``status_condition``.
        survey: The definition, for the questions of aliases and the reporting values of labels.
        tz: Zone of dates without one.
        server: Zone of the account's data centre, which the API applies to dates.
        now: The time from which relative dates count; None for the present.

    Raises:
        ConditionError: A field, status or date does not exist.
    """
    resolver = _Resolver(survey, tz, server, now)
    return [each for condition in conditions for each in resolver.resolve(condition)]


def to_params(conditions: Sequence[Condition]) -> dict[str, str]:
    """Return the query parameters of resolved conditions."""
    params: dict[str, str] = {}
    for index, condition in enumerate(conditions):
        params[f"filter[field][{index}]"] = condition.field
        params[f"filter[operator][{index}]"] = condition.operator
        if condition.value is not None:
            value = condition.value
            value = ",".join(value) if isinstance(value, tuple) else value
            params[f"filter[value][{index}]"] = value
    return params


def status_condition(status: str | Iterable[str] | None) -> list[Condition]:
    """Return the condition of ``status=``: one status or several.

    Raises:
        InvalidArgument: There is no such status.
    """
    if status is None:
        return []
    names = tuple(_match_status(str(name), InvalidArgument) for name in _as_list(status))
    if not names:
        raise InvalidArgument("status is a status or a list of them, not an empty list")
    return [_simplify(Condition("status", "in", names))]


class Period(NamedTuple):
    """The dates of ``since=`` and ``until=``, None where one is not given."""

    since: Span | None = None
    until: Span | None = None

    @property
    def bounds(self) -> tuple[datetime | None, datetime | None]:
        """The first instant, and the one after the last: a day, month or year counts whole."""
        since, until = self
        end = until and (until.end or until.start + timedelta(seconds=1))
        return since and since.start, end

    def words(self) -> dict[str, str]:
        """Return what the dates that are given mean, with the zone in which they were read."""
        words = {"since": self.since and str(self.since), "until": self.until and self.until.last}
        return {name: text for name, text in words.items() if text}

    def phrases(self) -> list[str]:
        """Return the same with the words before them: ``from …`` and ``until …``."""
        return [text.replace("since", "from") for text in map(" ".join, self.words().items())]


def parse_period(since: Any, until: Any, tz: ZoneInfo, now: datetime | None = None) -> Period:
    """Parse ``since=`` and ``until=``.

    Args:
        since: Text, date or datetime; a day, month or year means its beginning.
        until: The same; a day, month or year is included as a whole.
        tz: Zone of dates without one.
        now: The time from which relative dates count; None for the present.

    Raises:
        InvalidArgument: One is no date, or nothing is between them.
    """
    spans: list[Span | None] = []
    for name, value in (("since", since), ("until", until)):
        if value is None or (isinstance(value, str) and not value):
            spans.append(None)
            continue
        try:
            spans.append(parse_span(value, tz, now))
        except ValueError:
            raise InvalidArgument(
                f"{name} {str(value)[:40]!r} is not a date; write {DATE_FORMS}"
            ) from None
    period = Period(*spans)
    start, end = period.bounds
    if start is not None and end is not None and start >= end:
        raise InvalidArgument("since lies after until: nothing can be between them")
    return period


def describe_condition(condition: Condition, tz: ZoneInfo, now: datetime) -> str:
    """Return a condition in words; a date with the zone in which it is read.

    Args:
        condition: A condition as written.
        tz: Zone of dates without one.
        now: The time from which relative dates count.
    """
    if not condition.is_date:
        return str(condition)
    span = parse_span(condition.value, tz, now)
    if condition.operator == "=" and span.end is not None:
        return f"{condition.field} from {span} until {span.last}"
    words = span.last if condition.operator in ("<=", ">") else str(span)
    return str(replace(condition, value=words))


def submitted_conditions(
    start: datetime | None, end: datetime | None, server: ZoneInfo
) -> list[Condition]:
    """Return conditions by which the server leaves out most of what is not between two instants.

    Its clock cannot express which of the two equal hours in autumn is meant: there an hour more
    is requested, and ``frame.rows`` applies the exact bounds.
    """
    conditions = []
    for operator, moment, hours in ((">=", start, -1), ("<", end, 1)):
        if moment is not None:
            more = timedelta(hours=hours if is_ambiguous(moment, server) else 0)
            stamp = to_stamp(moment + more, server)
            conditions.append(Condition("date_submitted", operator, stamp))
    return conditions


def _split_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text with their numbers; quotes may span lines."""
    lines = text.splitlines(keepends=True)
    at = 0
    while at < len(lines):
        line, end = lines[at], at + 1
        while end < len(lines) and _find_end(line).unclosed:
            line, end = line + lines[end], end + 1
        found = _find_end(line)
        if found.unclosed or found.has_trailing_text:
            line, end = lines[at], at + 1  # the quote had no end: it is part of the line alone
        yield at + 1, line
        at = end


def _find_end(line: str) -> ValueEnd:
    text, several = text_after_operator(line) or ("", False)
    return find_value_end(text, several=several)


def _parse_line(text: str, line: int) -> Condition:
    found = _LINE.match(text)
    if found is None:
        raise ConditionError(
            f"{text.strip()[:_SHOWN]!r} is no condition; write FIELD OPERATOR VALUE, such as "
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
    _refuse_second_condition(field, found["value"], line)
    bare = found["value"][: find_value_end(found["value"], several=operator == "in").end]
    quoted = any(mark in bare for mark in QUOTES)
    try:
        if not bare.lstrip().startswith(QUOTES):
            refuse_object(bare)
        value = parse_values(bare) if operator == "in" else parse_value(bare)
    except ValueError as error:
        reason = str(error)
    else:
        if value and not (isinstance(value, tuple) and "" in value):
            return Condition(field, operator, value, line, quoted)
        reason = (
            f"the value is missing after {operator!r}; to look for no answer write "
            f"'{field[:_SHOWN]} IS NULL'"
        )
    raise ConditionError(reason, line)


def _refuse_second_condition(field: str, value: str, line: int) -> None:
    """Refuse two conditions in one line."""
    found = _SECOND.search(_QUOTED.sub('""', value))
    if found is None:
        return
    own, word = field.casefold(), found["field"].casefold()
    if found["in_words"] and word not in (own, *FIELDS):
        return  # an answer such as "back and forth in winter"
    if found["word"].casefold() in ("and", "&", "&&"):
        raise ConditionError(
            f"{found['word']!r} begins a second condition; write it in a line of its own, or in a "
            "where of its own: all of them must hold",
            line,
        )
    way = f"for one of several values write '{field[:_SHOWN]} in VALUE, VALUE'"
    if word != own and found["field"][0] not in QUOTES:
        way = "download the rows of both, and choose in the frame"
    raise ConditionError(
        f"{found['word']!r} cannot be asked, as Alchemer joins conditions by AND alone; {way}", line
    )


@dataclass(frozen=True, slots=True)
class _Resolver:
    """Translates conditions into those that the API understands, see ``resolve``."""

    survey: Definition
    tz: ZoneInfo
    server: ZoneInfo
    now: datetime | None

    def resolve(self, condition: Condition) -> Iterator[Condition]:
        field, line = condition.field.strip(), condition.line
        url_match = URL_FIELD.fullmatch(field)
        match = QUESTION_FIELD.fullmatch(field)
        if field.lower() in FIELDS:
            yield from self._resolve_field(replace(condition, field=field.lower()))
            return
        try:
            if url_match:
                if not condition.quoted:
                    refuse_missing(condition.values)
                yield _simplify(replace(condition, field=f'[url("{url_match[1]}")]'))
            else:
                name, option_id = (match[1], match[2]) if match else (field, None)
                question = find_question(self.survey, name)
                yield _resolve_answer(condition, self.survey, question, option_id)
        except ValueError as error:
            raise ConditionError(str(error), line) from None

    def _resolve_field(self, condition: Condition) -> Iterator[Condition]:
        field, value, line = condition.field, condition.value, condition.line
        if value is not None and field in DATE_FIELDS:
            if isinstance(value, tuple):
                raise ConditionError(f"{field} takes =, <, >, <= or >=, not 'in'", line)
            yield from self._resolve_date(condition, value)
        elif field != "contact_id" and condition.operator in COMPARISONS:
            raise ConditionError(f"{field} takes =, <> or in: it has no order", line)
        elif field == "status":
            fail = partial(ConditionError, line=line)
            yield _simplify(_map_values(condition, lambda name: _match_status(name, fail)))
        elif field == "is_test_data":
            yield _simplify(_map_values(condition, lambda flag: _parse_flag(flag, line)))
        else:
            for text in condition.values:
                if not has_digits_alone(text):
                    raise ConditionError(f"contact_id is a number, not {text[:40]!r}", line)
            yield _simplify(condition)

    def _resolve_date(self, condition: Condition, value: str) -> Iterator[Condition]:
        field, operator, line = condition.field, condition.operator, condition.line
        try:
            span = parse_span(value, self.tz, self.now)
        except ValueError:
            raise ConditionError(
                f"{value[:40]!r} is not a date; write {DATE_FORMS}", line
            ) from None
        start = to_stamp(span.start, self.server)
        if span.end is None:
            yield Condition(field, operator, start, line)
            return
        end = to_stamp(span.end, self.server)
        if operator == "=":  # a day, not its first second
            yield Condition(field, ">=", start, line)
            yield Condition(field, "<", end, line)
        elif operator in ("<=", ">"):  # the whole day counts
            yield Condition(field, "<" if operator == "<=" else ">=", end, line)
        elif operator == "<>":
            raise ConditionError(f"{field} <> a day cannot be asked; give two bounds instead", line)
        else:
            yield Condition(field, operator, start, line)


def _resolve_answer(
    condition: Condition, survey: Definition, question: Question, option_id: str | None
) -> Condition:
    """Return the condition on a question with the question's id and reporting values."""
    checked = check_values(
        survey,
        question,
        option_id,
        condition.operator,
        condition.values,
        quoted=condition.quoted,
    )
    value: str | tuple[str, ...] | None = checked.values
    if checked.operator != "in":
        value = checked.values[0] if checked.values else None
    option = "" if checked.option_id is None else f", option({checked.option_id})"
    return _simplify(
        replace(
            condition,
            field=f"[question({question.id}){option}]",
            operator=checked.operator,
            value=value,
            note=checked.note and f"{condition.field} {condition.operator}: {checked.note}",
        )
    )


def _map_values(condition: Condition, convert: Callable[[str], str]) -> Condition:
    """Return the condition with its values converted."""
    value = condition.value
    if isinstance(value, tuple):
        return replace(condition, value=tuple(map(convert, value)))
    return condition if value is None else replace(condition, value=convert(value))


def _simplify(condition: Condition) -> Condition:
    """Return ``in`` with a single value as ``=``, whose value may hold a comma."""
    value = condition.value
    if not isinstance(value, tuple):
        return condition
    several = tuple(dict.fromkeys(value))
    if len(several) > 1:
        return replace(condition, value=several)
    return replace(condition, operator="=", value=several[0])


def _parse_flag(text: str, line: int) -> str:
    known = {"true": "1", "yes": "1", "1": "1", "false": "0", "no": "0", "0": "0"}
    if text.lower() not in known:
        raise ConditionError("is_test_data is 1 or 0", line)
    return known[text.lower()]


def _match_status(name: str, error: Callable[[str], Exception]) -> str:
    for known in STATUSES:
        if known.casefold() == name.strip().casefold():
            return known
    hint = did_you_mean(name.strip(), STATUSES, sentence="; did you mean {}?")
    raise error(f"{name.strip()[:40]!r} is no status; there are {', '.join(STATUSES)}{hint}")
