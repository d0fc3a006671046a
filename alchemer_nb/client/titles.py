"""Finds a survey by its title, or by a part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alchemer_nb.errors import InvalidArgument, SurveyNotFound
from alchemer_nb.wire.ids import check_given_id, check_received_id, has_digits_alone
from alchemer_nb.wire.text import did_you_mean, strip_html

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_TITLES_IN_ERROR = 8


def find_survey_id(title: str, list_rows: Callable[[], Iterable[dict[str, Any]]]) -> str:
    """Return the id of the one survey that a text fits: its id, its title, or a part of one.

    Args:
        title: The text.
        list_rows: Returns the rows of all surveys; called only if the text is no id.

    Raises:
        InvalidArgument: It is empty, or a number that is no id.
        SurveyNotFound: No survey or several fit the title.
        TransportError: Alchemer sends no valid id for the one that fits.
    """
    wanted = title.strip()
    if not strip_html(wanted) or "\0" in wanted:
        raise InvalidArgument("give a survey's id, its title, or a piece of its title")
    if has_digits_alone(wanted):
        return check_given_id(wanted, "a survey")
    titles = [(row.get("id"), strip_html(row.get("title"))) for row in list_rows()]
    matches = _match_titles(wanted, titles)
    if len(matches) == 1:
        return check_received_id(matches[0][0], f"the survey {matches[0][1][:60]!r}")
    if not matches and wanted.isdigit():  # such as "²", or digits of other scripts
        return check_given_id(wanted, "a survey")
    if matches:
        some = "; ".join(f"{title!r} ({i})" for i, title in matches[:_TITLES_IN_ERROR])
        rest = len(matches) - _TITLES_IN_ERROR
        more = f" and {rest} more" if rest > 0 else ""
        raise SurveyNotFound(
            f"{len(matches)} surveys fit {wanted!r}: {some}{more}; give the id or more of the title"
        )
    hint = did_you_mean(wanted, [title for _, title in titles], "; client.surveys() lists them")
    raise SurveyNotFound(f"no survey of {len(titles)} in this account fits {wanted!r}{hint}")


def _match_titles(wanted: str, titles: list[tuple[Any, str]]) -> list[tuple[Any, str]]:
    """Return the surveys with this title, else in another case, else with it as a part."""
    title = strip_html(wanted)
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
