"""Which survey a title means."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from alchemer_nb.errors import InvalidArgument, SurveyNotFound
from alchemer_nb.words import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_NAMED_IN_ERRORS = 8


def survey_id(id_or_title: int | str, surveys: Callable[[], Iterable[dict[str, Any]]]) -> str:
    """Finds the id of a survey.

    Args:
        id_or_title: As given; an id is taken as it is.
        surveys: Gives the account's surveys; asked only about a title.

    Raises:
        InvalidArgument: Nothing was given.
        SurveyNotFound: No survey or several fit the title.
    """
    wanted = "" if isinstance(id_or_title, bool) else str(id_or_title).strip()
    if not wanted:
        raise InvalidArgument("give a survey's id, its title, or a piece of its title")
    if wanted.isdigit():
        return wanted
    titles = [(str(row.get("id")), plain(row.get("title"))) for row in surveys()]
    fitting = _fitting(wanted, titles)
    if len(fitting) == 1:
        return fitting[0][0]
    if fitting:
        some = "; ".join(f"{title!r} ({i})" for i, title in fitting[:_NAMED_IN_ERRORS])
        more = f" and {len(fitting) - _NAMED_IN_ERRORS} more" * (len(fitting) > _NAMED_IN_ERRORS)
        raise SurveyNotFound(
            f"{len(fitting)} surveys fit {wanted!r}: {some}{more}; give the id or more of the title"
        )
    near = difflib.get_close_matches(wanted, [title for _, title in titles], 1)
    hint = f"; did you mean {near[0]!r}?" if near else "; client.surveys() lists them"
    raise SurveyNotFound(f"no survey of {len(titles)} in this account fits {wanted!r}{hint}")


def _fitting(wanted: str, titles: list[tuple[str, str]]) -> list[tuple[str, str]]:
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
