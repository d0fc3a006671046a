"""The summary of a download: what was asked for, received and left out."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from alchemer_nb.wire.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


ZONE_NOTE = (
    "dates without a time zone were read as UTC, as the zone of this region is not known "
    "(timezone= of Region.get and Region.custom sets it)"
)
_MOST_FIELDS, _MOST_COLUMNS = 20, 5  # named in a note


@dataclass(frozen=True, slots=True)
class Summary:
    """The result of a download in words.

    Attributes:
        line: What came.
        notes: What to know about it, one clause each.
    """

    line: str
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "; ".join([self.line, *self.notes])


def as_keyword(name: str, value: str) -> str:
    """Write an option as Python takes it."""
    return f'{name}="{value}"'


def summary(
    facts: Mapping[str, Any], write_option: Callable[[str, str], str] = as_keyword
) -> Summary:
    """Sum up a download.

    Args:
        facts: What was asked and received, as ``df.alchemer.facts`` has it.
        write_option: Writes the name and value of an option as the reader would give it; ``""``
            for a reader who cannot download again.
    """
    told = facts["rows_told"]
    received = facts["rows_received"]
    came = counted(received, "response", of=None if told == received else told)
    rows = _of_rows(facts, write_option)
    parts = (
        _of_earlier(facts),
        rows,
        _of_answers(facts),
        _of_hidden(facts, write_option),
        _of_store(facts),
    )
    return Summary(f"{facts['title']}: {came} received", tuple(chain.from_iterable(parts)))


def _of_earlier(facts: Mapping[str, Any]) -> Iterator[str]:
    if facts.get("begun_anew"):
        yield f"begun anew, as {facts['begun_anew']}"
    if facts.get("rows_at_hand"):
        page = facts.get("went_on_at_page")
        where = f" at page {page:,}" if page else ""
        had = counted(facts["rows_at_hand"], "response")
        yield f"went on{where} with the {had} at hand"


def _of_store(facts: Mapping[str, Any]) -> Iterator[str]:
    if facts.get("from_store"):
        when = str(facts["utc"])[:16].replace("T", " ")
        yield f"from the local store, as of {when} UTC"
        yield from facts.get("mended", ())


def _of_rows(facts: Mapping[str, Any], write_option: Callable[[str, str], str]) -> Iterator[str]:
    # First, as "them" are the rows that the line before it counts.
    if facts["partial_rows"]:
        yield f"{counted(facts['partial_rows'], 'partial')} among them"
    yield from facts.get("condition_notes", ())
    if facts.get("chosen_here"):
        yield "those that fit were chosen here: Alchemer splits the values of `in` at commas"
    if facts["test_rows_left_out"]:
        left_out = counted(facts["test_rows_left_out"], "test row")
        yield f"{left_out} left out{_way(write_option('test_rows', 'include'), 'brings them back')}"
    if not facts["complete"]:
        yield "fewer than Alchemer announced"
    if facts["repeated_rows"]:
        again = facts["repeated_rows"]
        yield f"{again:,} came twice and {'counts' if again == 1 else 'count'} once"
    if facts["changed_rows"]:
        count = facts["changed_rows"]
        yield f"{count:,} came or changed meanwhile and {'is' if count == 1 else 'are'} up to date"


def _of_hidden(facts: Mapping[str, Any], write_option: Callable[[str, str], str]) -> Iterator[str]:
    """Yield what the frame does not show."""
    if facts.get("dates_in_other_order"):
        is_day_first = bool(facts["asked"].get("day_first"))
        yield note_other_order(facts["dates_in_other_order"], day_first=is_day_first)
    if facts.get("without_id"):
        found = counted(facts["without_id"], "response")
        got = "a negative one" if facts["without_id"] == 1 else "negative ones"
        yield f"{found} came without a valid id and got {got}"
    if facts.get("without_survey_data"):
        found = counted(facts["without_survey_data"], "response")
        yield f"{found} came without survey_data, so without answers"
    if facts.get("edited_answers"):
        found = counted(facts["edited_answers"], "answer")
        yield f"{found} had an earlier value{_way(write_option('metadata', 'all'), 'shows it')}"
    if facts.get("hidden_fields"):
        yield _of_hidden_fields(facts["hidden_fields"], write_option)


def _way(option: str, effect: str) -> str:
    return f" ({option} {effect})" if option else ""


def note_other_order(count: int, *, day_first: bool) -> str:
    """Return the note on dates that only the other order of day and month can read."""
    found, other = counted(count, "date"), "month" if day_first else "day"
    return f"{found} among them would be read with the {other} first (see day_first)"


def _of_unparsed(count: int, at_hand: Mapping[str, int] | None) -> Iterator[str]:
    """Yield where the answers are that did not parse; nothing if the frame has none of them."""
    if at_hand is None:  # the long shape, or written by an earlier version
        verb = "is" if count == 1 else "are"
        yield f"{counted(count, 'answer')} did not parse and {verb} as received"
    elif at_hand:
        found, names = counted(sum(at_hand.values()), "answer"), list(filter(None, at_hand))
        rest = len(names) - _MOST_COLUMNS
        more = f" and {rest:,} more" if rest > 0 else ""
        where = f" (in {', '.join(names[:_MOST_COLUMNS])}{more})" if names else ""
        yield f"{found} did not parse{where}"


def _of_hidden_fields(fields: Mapping[str, int], write_option: Callable[[str, str], str]) -> str:
    some = list(fields.items())[:_MOST_FIELDS]
    names = ", ".join(f"{name[:40]} ({count:,})" for name, count in some)
    rest = len(fields) - len(some)
    more = f" and {rest:,} more" if rest else ""
    way = _way(write_option("metadata", "all"), "shows them")
    return f"undocumented fields of responses not shown: {names}{more}{way}"


def _of_answers(facts: Mapping[str, Any]) -> Iterator[str]:
    if facts["misfits"]:
        found = counted(facts["misfits"], "entry", "entries")
        was = "was" if facts["misfits"] == 1 else "were"
        yield f"{found} had an undocumented form and {was} kept"
    if facts.get("options_not_chosen"):  # earlier versions did not write it
        found = counted(facts["options_not_chosen"], "option")
        count = "counts" if facts["options_not_chosen"] == 1 else "count"
        yield f"{found} came without a value (null) and {count} as not chosen"
    if facts["unparsed_values"]:
        yield from _of_unparsed(facts["unparsed_values"], facts.get("unparsed_at_hand"))
    if facts["unknown_types"]:
        unknown = facts["unknown_types"]
        found = counted(len(unknown), "question type")
        yield f"{found} not known, kept as received: {', '.join(unknown)}"
    if facts["removed_questions"]:
        found = counted(len(facts["removed_questions"]), "question")
        yield f"{found} not in the definition any more"
    if facts.get("piped_rows"):  # earlier versions did not write it
        found = counted(facts["piped_rows"], "piped row")
        yield f"{found}, whose columns come from the answers"
    if facts.get("empty_urls"):
        yield f"no response has the url variable {', '.join(map(repr, facts['empty_urls']))}"
    if not facts["zone_documented"]:
        yield ZONE_NOTE
