"""Finds a survey by its id, its title, or a piece of its title."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alchemer_nb.errors import InvalidArgument, SurveyNotFound
from alchemer_nb.wire.ids import check_given_id, check_received_id, has_digits_alone
from alchemer_nb.wire.text import did_you_mean, fold_title, nearest_words, strip_html

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Titles = list[tuple[Any, str]]  # id as received, and title

_TITLES_IN_ERROR = 8


def find_survey_id(
    id_or_title: int | str, fetch_rows: Callable[[], Iterable[Mapping[str, Any]]]
) -> str:
    """Return the id of a survey.

    Args:
        id_or_title: As the user gives it.
        fetch_rows: Fetches all surveys; called only for a title.

    Raises:
        InvalidArgument: It is empty, or a number that is no id.
        SurveyNotFound: No survey or several fit the title.
        TransportError: Alchemer sends no valid id for the one that fits.
    """
    if not isinstance(id_or_title, str):
        return check_given_id(id_or_title, "a survey")
    wanted = id_or_title.strip()
    if not strip_html(wanted) or "\0" in wanted:
        raise InvalidArgument("give a survey's id, its title, or a piece of its title")
    if has_digits_alone(wanted):
        return check_given_id(wanted, "a survey")
    titles = [(row.get("id"), strip_html(row.get("title"))) for row in fetch_rows()]
    matches = _match_titles(wanted, titles)
    if len(matches) == 1:
        return check_received_id(matches[0][0], f"the survey {matches[0][1][:60]!r}")
    if not matches and wanted.isdigit():  # such as "²", or digits of other scripts
        return check_given_id(wanted, "a survey")
    if matches:
        raise SurveyNotFound(
            f"{len(matches)} surveys fit {wanted!r}: {_list_titles(matches)}; give the id or more "
            "of the title"
        )
    raise SurveyNotFound(
        f"no survey of {len(titles)} in this account fits {wanted!r}{_hint(wanted, titles)}"
    )


def filter_surveys(
    rows: list[dict[str, Any]], text: str | None, status: str | None
) -> list[dict[str, Any]]:
    """Return the surveys with a piece in their title, and with a status, in any case."""
    if text:
        piece = fold_title(text)
        rows = [row for row in rows if piece in fold_title(row.get("title"))]
    if status:
        wanted = str(status).casefold()
        rows = [row for row in rows if str(row.get("status")).casefold() == wanted]
    return rows


def _match_titles(wanted: str, titles: Titles) -> Titles:
    """Return the surveys with this title, else spelled alike, else with it as a part."""
    title, folded = strip_html(wanted), fold_title(wanted)
    for fits in (
        lambda t: t == title,
        lambda t: fold_title(t) == folded,
        lambda t: folded in fold_title(t),
    ):
        found = [each for each in titles if fits(each[1])]
        if found:
            return found
    return []


def _list_titles(titles: Titles, separator: str = "; ") -> str:
    some = separator.join(f"{title!r} ({i})" for i, title in titles[:_TITLES_IN_ERROR])
    rest = len(titles) - _TITLES_IN_ERROR
    return f"{some} and {rest} more" if rest > 0 else some


def _hint(wanted: str, titles: Titles) -> str:
    """Return the end of a message: a title that is near, or with words that are."""
    near = did_you_mean(wanted, [title for _, title in titles])
    if near:
        return near
    words = fold_title(nearest_words(wanted, [title for _, title in titles]))
    found = [each for each in titles if words and words in fold_title(each[1])]
    if not found:
        return "; %alchemer surveys or client.surveys() lists them"
    return f"; did you mean {_list_titles(found, ' or ')}?"
