"""Converts survey texts: remove HTML, choose a language, build column names, read flags.

Titles, questions, labels and answers contain HTML and no-break spaces; an empty map may arrive as
``[]`` (facts: https://apihelp.alchemer.com/help/surveyquestion-returned-fields-v5).
"""

from __future__ import annotations

import difflib
import html
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# Only what looks like a tag: "a < b and c > d" is an answer, not HTML.
_TAG = re.compile(r"<!--.*?-->|</?[A-Za-z][^<>]*>", re.S)
# Tags that an escaped text may have. Without one that closes it is a word: "press &lt;Tab&gt;".
_HTML = (
    "a|abbr|b|big|blockquote|center|code|div|em|font|h[1-6]|i|label|li|ol|p|pre|s|script|small"
    "|span|strike|strong|style|sub|sup|table|tbody|td|th|thead|tr|u|ul"
)
_ESCAPED_END = re.compile(rf"</(?:{_HTML})\s*>|<(?:br|hr|img|input)\b[^<>]*>", re.I)
_ESCAPED_TAG = re.compile(rf"</?(?:{_HTML}|br|hr|img|input)(?:[\s/][^<>]*)?>", re.I)
_HIDDEN = re.compile(r"<(script|style)\b[^<>]*>.*?</\1\s*>", re.S | re.I)
ENGLISH = "English"
_LONGEST_SLUG = 40
# Quotes, dashes and dots of books, as keyboards have them.
_TYPED = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4\u02bc`", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        "\u2026": "...",
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    }
)
_WORD = re.compile(r"\w+(?:['\u2019-]\w+)*")
_NEAR = 0.75  # of 1, for single words: shorter texts are alike sooner


def strip_html(text: Any) -> str:
    """Return a text without HTML, entities and runs of white space.

    Example:
        >>> strip_html("How&nbsp;<b>satisfied</b> are you?")
        'How satisfied are you?'
    """
    if text is None:
        return ""
    plain = str(text)
    has_tags = "<" in plain
    if has_tags:
        plain = _TAG.sub(" ", _HIDDEN.sub(" ", plain))
    while "&" in plain:
        plain = html.unescape(plain)
        if not _ESCAPED_END.search(plain):
            break
        has_tags = True  # some texts, such as those of second languages, arrive escaped as a whole
        plain = _ESCAPED_TAG.sub(" ", _HIDDEN.sub(" ", plain))
    plain = " ".join(plain.split())
    return re.sub(r" ([?!.,;:])(?=\s|$)", r"\1", plain) if has_tags else plain


def by_language(value: Any, fallback: str = ENGLISH) -> dict[str, str]:
    """Return texts by language from a map, a single text, ``[]`` or null."""
    if isinstance(value, Mapping):
        return {str(k): str(v) for k, v in value.items() if v is not None and v != []}
    if isinstance(value, (str, int, float)) and not isinstance(value, bool) and value != "":
        return {fallback: str(value)}
    return {}


def pick_language(texts: Mapping[str, str], *languages: str | None) -> str:
    """Return the text in the first of the languages that has one, else in any."""
    for language in (*languages, ENGLISH):
        if language and texts.get(language):
            return texts[language]
    return next((text for text in texts.values() if text), "")


def slug(text: Any) -> str:
    """Return a short part of a column name: ``"E-mail / phone"`` becomes ``"e_mail_phone"``."""
    return re.sub(r"[\W_]+", "_", strip_html(text)).strip("_").lower()[:_LONGEST_SLUG].rstrip("_")


def alias_to_name(alias: Any) -> str:
    """Return an alias as a column name: letters, digits and underscores only."""
    return re.sub(r"\W+", "_", strip_html(alias)).strip("_")


def comparable_words(text: Any) -> str:
    """Return the words of a text to compare by, without HTML, case and punctuation.

    Example:
        >>> comparable_words("How <b>satisfied</b> are you?")
        'how satisfied are you'
    """
    return " ".join(re.findall(r"\w+", strip_html(text).casefold()))


def fold_title(text: Any) -> str:
    """Return a title to compare by: any case, quotes and dashes of any kind, single blanks.

    Example:
        >>> fold_title("Guests\u2019 \u2013  VISIT")
        "guests' - visit"
    """
    plain = unicodedata.normalize("NFC", strip_html(text)).translate(_TYPED)
    shown = "".join(char for char in plain if unicodedata.category(char) != "Cf")
    return " ".join(unicodedata.normalize("NFC", shown.casefold()).split())


def nearest_words(wanted: str, texts: Iterable[str]) -> str:
    """Return the words in a row of some text that are nearest to the wanted ones, else ``""``.

    Example:
        >>> nearest_words("recomend", ["How likely are you to recommend us?"])
        'recommend'
    """
    count = len(_WORD.findall(wanted)) or 1
    runs = (
        " ".join(words[at : at + count])
        for words in map(_WORD.findall, texts)
        for at in range(len(words) - count + 1)
    )
    folded = {run.casefold(): run for run in runs}
    found = difflib.get_close_matches(wanted.casefold(), folded, 1, _NEAR)
    return folded[found[0]] if found else ""


def did_you_mean(
    wanted: str, known: Iterable[str], otherwise: str = "", sentence: str = "; did you mean {!r}?"
) -> str:
    """Return a sentence with the known name that is nearest to the wanted one, in any case.

    Args:
        wanted: What was written.
        known: What could have been meant.
        otherwise: What to return where no name is near.
        sentence: Template of the sentence, with the name at ``{!r}``.

    Example:
        >>> did_you_mean("lable", ["label", "code"])
        "; did you mean 'label'?"
    """
    folded = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(wanted.casefold(), folded, 1)
    return sentence.format(folded[found[0]]) if found else otherwise


def counted(count: int, noun: str, plural: str = "", *, of: int | None = None) -> str:
    """Return a count with its noun.

    Args:
        count: How many.
        noun: In the singular.
        plural: Left out, the noun with an s.
        of: Of how many; None leaves it out.

    Example:
        >>> counted(1, "response"), counted(1000, "entry", "entries"), counted(1, "row", of=2)
        ('1 response', '1,000 entries', '1 of 2 rows')
    """
    number = f"{count:,}" if of is None else f"{count:,} of {of:,}"
    return f"{number} {noun if (count if of is None else of) == 1 else plural or noun + 's'}"


def read_flag(value: Any) -> bool:
    """Read a flag, which comes as true, 1, ``"1"``, ``"true"`` or ``"True"``."""
    if isinstance(value, str):
        return value.strip().lower() in ("1", "true", "yes")
    return bool(value)


def is_flag(value: Any) -> bool:
    """Check whether a value is a flag in one of its spellings, or empty."""
    return value is None or str(value).strip().lower() in ("", "0", "1", "true", "false")


def read_flags(values: Sequence[Any]) -> list[bool]:
    """Read many flags, most of which are the same few texts."""
    if set(map(type, values)) <= {str}:
        return list(map({text: read_flag(text) for text in set(values)}.__getitem__, values))
    return [read_flag(value) for value in values]
