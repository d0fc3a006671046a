"""Patterns of e-mail addresses and telephone numbers in texts.

They are used for warnings, never to decide: a pattern misses some and finds others wrongly.
"""

from __future__ import annotations

import re

# Bounded repeats: an answer of a hundred thousand letters must not take a minute.
_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.%+'-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,6}\.[A-Za-z]{2,24}"
)
_PHONE = re.compile(r"(?<![\w.@/+-])\+?\(?\d(?:[ ().\-/\u00a0]{0,3}\d){6,16}(?![\w@])")
_DATE = re.compile(
    r"(?:19|20)\d\d([-/. ])\d\d?\1\d\d?(?!\d)|\d\d?([-/. ])\d\d?\2(?:19|20)\d\d(?!\d)"
)
_YEARS = re.compile(r"(?:19|20)\d\d ?[-/] ?(?:19|20)\d\d$")
_IP_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}$")
_SHORTEST_RUN = 9  # digits in a row, after 0 or +, that make a telephone number

# Aliases and names of url variables that mean contact data for certain.
_NAMES = re.compile(
    r"(?:\w+_)?(?:e_?mail|phone|mobile|telephone|first_?name|last_?name|family_?name|given_?name"
    r"|sur_?name|full_?name)(?:_(?:address|number|\d+))?",
    re.IGNORECASE,
)

# Names that mean a person in the address of a survey, and maybe something else in a survey: the
# text of a tester (base64 of name and e-mail), the id of a contact in an invitation
# (https://help.surveygizmo.com/help/sguid-the-url-variable), the session ("save and continue").
_URL_NAMES = re.compile(
    r"__sg_tester|sguid|snc|session_?id|ip(?:_?address)?|name|fname|lname|mail|tel|login|user"
    r"|(?:user|nick|middle)_?name|(?:contact|customer|person|member|panelist|respondent|employee"
    r"|user)_?(?:id|name)",
    re.IGNORECASE,
)

# Words of a question that asks for contact data and for nothing else.
_TITLE = re.compile(
    r"(?:(?:please|enter|give|tell|us|what|is|what['’]?s|the|your|a|contact|first|last|full|given"
    r"|family|middle|home|work|business|mobile|cell|street|postal|mailing|and|or|/) )*"
    r"(?:e ?mail|(?:tele|cell)?phone|mobile|fax|(?:sur|fore)?name|address"
    r"|post ?code|zip(?: ?code)?)"
    r"(?: (?:address|number|no|please|and|or|(?:sur|last )?name|(?:tele)?phone))*",
    re.IGNORECASE,
)


def has_email(text: str) -> bool:
    """Check whether a text seems to contain an e-mail address.

    Example:
        >>> has_email("write to ann@example.org, please")
        True
    """
    return "@" in text and _EMAIL.search(text) is not None


def has_phone(text: str) -> bool:
    """Check whether a text seems to contain a telephone number; dates and IP addresses do not.

    Example:
        >>> has_phone("call +44 20 7946 0018"), has_phone("on 2026-01-15"), has_phone("order 12345")
        (True, False, False)
    """
    return any(_is_phone(match.group()) for match in _PHONE.finditer(text))


def names_contact(name: str) -> bool:
    """Check whether a name means contact data, as ``home_phone`` does."""
    return _NAMES.fullmatch(_joined(name)) is not None


def asks_for_contact(title: str) -> bool:
    """Check whether the words of a question (English) ask for contact data alone.

    Example:
        >>> asks_for_contact("What is your e-mail address?"), asks_for_contact("Name a shop")
        (True, False)
    """
    return _TITLE.fullmatch(" ".join(re.findall(r"[\w'’/]+", title[:200]))) is not None


def url_names_person(variable: str) -> bool:
    """Check whether a url variable is known to hold who a person is, as ``sguid`` does."""
    return names_contact(variable) or _URL_NAMES.fullmatch(_joined(variable)) is not None


def _joined(name: str) -> str:
    return name.strip().replace("-", "_").replace(" ", "_")


def _is_phone(found: str) -> bool:
    digits = sum(letter.isdigit() for letter in found)
    if (
        not 7 <= digits <= 15
        or _DATE.match(found)
        or _YEARS.match(found)
        or _IP_ADDRESS.match(found)
    ):
        return False
    if found.isdigit():
        return digits in (10, 11) or (found[0] == "0" and digits >= _SHORTEST_RUN)
    return True
