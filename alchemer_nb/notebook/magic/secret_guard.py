"""Secrets on a magic line: refused with the reason, and never repeated."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from IPython.core.error import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alchemer_nb.notebook.magic.tokens import RawWord

SECRET_OPTIONS = frozenset(
    {
        "api_key",
        "api_secret",
        "api_token",
        "api_token_secret",
        "consumer_key",
        "consumer_secret",
        "key",
        "oauth_token",
        "oauth_token_secret",
        "oauth_verifier",
        "password",
        "secret",
        "secret_key",
        "token",
        "token_secret",
        "verifier",
    }
)
# Tokens are 32 to 50 hexadecimal digits; the secrets beside them begin with A9.
_KEY = re.compile(r"[0-9a-f]{24,}|A9[0-9A-Za-z]{8,}", re.IGNORECASE)
_SECRET_PAIR = re.compile(r"(?:^|[?&\s])(\w+)=[^\s&]", re.IGNORECASE)
SIGN_IN = (
    "Sign in with %alchemer login, which asks for it, or with the ALCHEMER_… environment variables"
)
_REFUSED = (
    "a secret does not belong on the magic line: it is kept in the notebook and in the history. "
    f"Clear this cell, and regenerate the key: it is already in the history. {SIGN_IN}"
)


def is_secret(word: str) -> bool:
    """Tells whether a word looks like a key, or holds one as ``api_token=…``."""
    if _KEY.fullmatch(word):
        return True
    names = (match[1].lower() for match in _SECRET_PAIR.finditer(word))
    # Not the shorter names: a question may have the alias `token`.
    return any(name in SECRET_OPTIONS and "_" in name for name in names)


def refuse_secrets(raw: Sequence[RawWord]) -> None:
    """Refuses a line with a secret, before anything is filled in or repeated in a message.

    Raises:
        UsageError: There is one; the message does not repeat it.
    """
    logging_in = any(word.plain == "login" for word in raw[:3])
    for number, word in enumerate(raw):
        plain = word.plain
        flag = plain.partition("=")[0]
        named = (
            flag.startswith("-") and flag.lstrip("-").replace("-", "_").lower() in SECRET_OPTIONS
        )
        only_source = len(word.pieces) == 1 and word.pieces[0].expression
        if named or (is_secret(plain) and not only_source):
            raise UsageError(_REFUSED)
        alone = number > 0 and not raw[number - 1].plain.startswith("--")
        if logging_in and alone and len(plain) >= 16 and _mixed(plain) and not only_source:
            raise UsageError(_REFUSED)


def _mixed(text: str) -> bool:
    """Letters and digits in one run, as keys have and profile names of that length hardly do."""
    return text.isalnum() and any(c.isdigit() for c in text) and any(c.isalpha() for c in text)
