"""Which survey a title means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alchemer_nb.errors import InvalidArgument, SurveyNotFound
from alchemer_nb.wire.ids import given_id, has_digits_alone, sent_id
from alchemer_nb.wire.text import did_you_mean, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_NAMED_IN_ERRORS = 8


def survey_id(id_or_title: int | str, surveys: Callable[[], Iterable[dict[str, Any]]]) -> str:
    """Finds the id of a survey.

    Args:
        id_or_title: As given; digits alone are an id.
        surveys: Gives the account's surveys; asked only about a title.

    Raises:
        InvalidArgument: Nothing was given, or a number that is no id.
        SurveyNotFound: No survey or several fit the title.
        TransportError: The id of the one that fits is none.
    """
    if not isinstance(id_or_title, str):
        return given_id(id_or_title, "a survey")
    wanted = id_or_title.strip()
    if not plain(wanted) or "\0" in wanted:
        raise InvalidArgument("give a survey's id, its title, or a piece of its title")
    if has_digits_alone(wanted):
        return given_id(wanted, "a survey")
    titles = [(row.get("id"), plain(row.get("title"))) for row in surveys()]
    fitting = _fitting(wanted, titles)
    if len(fitting) == 1:
        return sent_id(fitting[0][0], f"the survey {fitting[0][1][:60]!r}")
    if not fitting and wanted.isdigit():  # such as "²", or digits of other scripts
        return given_id(wanted, "a survey")
    if fitting:
        some = "; ".join(f"{title!r} ({i})" for i, title in fitting[:_NAMED_IN_ERRORS])
        more = f" and {len(fitting) - _NAMED_IN_ERRORS} more" * (len(fitting) > _NAMED_IN_ERRORS)
        raise SurveyNotFound(
            f"{len(fitting)} surveys fit {wanted!r}: {some}{more}; give the id or more of the title"
        )
    hint = did_you_mean(wanted, [title for _, title in titles], "; client.surveys() lists them")
    raise SurveyNotFound(f"no survey of {len(titles)} in this account fits {wanted!r}{hint}")


def _fitting(wanted: str, titles: list[tuple[Any, str]]) -> list[tuple[Any, str]]:
    """Surveys with just this title; else with it in another case; else with it as a piece."""
    title = plain(wanted)
    folded = title.casefold()
    for fits in (
        lambda t: t == title,
        lambda t: t.casefold() == folded,
        lambda t: folded in t.casefold(),
    ):
        found = [each for each in titles if fits(each[1])]
        if found:
            return found
    return []
