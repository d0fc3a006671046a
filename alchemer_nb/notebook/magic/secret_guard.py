"""Recognise secrets on a magic line, so that they are refused and never repeated."""

from __future__ import annotations

import re

# Tokens are 32 to 50 hexadecimal digits; the secrets that belong to them begin with A9.
_KEY = re.compile(r"[0-9a-f]{24,}|A9[0-9A-Za-z]{8,}", re.IGNORECASE)
_SECRET_NAME = re.compile(
    r"((api|consumer|oauth|secret)_)?(key|password|secret|token|token_secret|verifier)"
)
_PAIR_NAME = re.compile(r"(?:^|[?&\s])(\w+)=[^\s&]")
SIGN_IN_HINT = (
    "Sign in with %alchemer login, which asks for it, or with the ALCHEMER_… environment variables"
)
REFUSAL = (
    "a secret does not belong on the magic line: it is kept in the notebook and in the history. "
    f"Clear this cell, and regenerate the key: it is already in the history. {SIGN_IN_HINT}"
)


def is_secret(text: str) -> bool:
    """Check whether a text looks like a key, or holds one as ``api_token=…``."""
    if _KEY.fullmatch(text):
        return True
    # Not the names without `_`: a question may have the alias `token`.
    return any(is_secret_name(name) and "_" in name for name in _PAIR_NAME.findall(text))


def holds_secret(text: str) -> bool:
    """Check whether anything in a text looks like a key."""
    return is_secret(text) or bool(_KEY.search(text))


def format_word(text: str) -> str:
    """Format a word for a message: at most 60 characters, and never a key."""
    if holds_secret(text):
        return "that word"
    return f"`{text if len(text) <= 60 else text[:57] + '…'}`"


def is_secret_name(name: str) -> bool:
    """Check whether an option or parameter of this name takes a secret."""
    return bool(_SECRET_NAME.fullmatch(name.lower()))


def looks_random(text: str) -> bool:
    """Check for one long run of letters and digits, as in a key."""
    has_both = any(c.isdigit() for c in text) and any(c.isalpha() for c in text)
    return len(text) >= 16 and text.isalnum() and has_both
