"""Keyed hashes, which distinguish people without naming them."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any

import numpy as np
import pandas as pd

from alchemer_nb.errors import InvalidArgument
from alchemer_nb.frame.read_cells import read_texts
from alchemer_nb.frame.text_dtype import text_dtype
from alchemer_nb.wire.ids import id_text

_SHORTEST_SALT = 8
_DIGITS = 16  # 64 bits: among a million people, two share a hash once in 37 million data sets


class Hasher:
    """HMAC-SHA256 of texts, short enough for a table.

    Args:
        salt: The key; None for a random one that is not stored.

    Raises:
        InvalidArgument: The salt is so short that the hashes could be reversed by trial.
    """

    def __init__(self, salt: str | bytes | None = None) -> None:
        self.is_random = salt is None
        key = secrets.token_bytes(32) if salt is None else salt
        if not isinstance(key, str | bytes) or len(key) < _SHORTEST_SALT:
            raise InvalidArgument(
                f"a salt is a text of {_SHORTEST_SALT} letters or more; whoever knows it can find "
                "out whose hash is whose, so treat it as a password"
            )
        self._key = key.encode() if isinstance(key, str) else key

    def __call__(self, value: Any) -> str | None:
        """Return the hash of a value; missing and empty ones stay as they are.

        White space around it is ignored, and the case of an e-mail address. The first letter
        prevents spreadsheets from reading a hash as a number.
        """
        if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
            return None
        text = id_text(value).strip()
        if not text:
            return text
        if "@" in text:
            text = text.casefold()
        digest = hmac.new(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256)
        return f"h{digest.hexdigest()[:_DIGITS]}"

    def series(self, values: pd.Series[Any]) -> pd.Series[Any]:
        """Return the hashes of a column, as text."""
        texts = read_texts(values).tolist()
        known = {text: self(text) for text in set(texts)}
        hashed = [known[text] for text in texts]
        return pd.Series(pd.array(hashed, dtype=text_dtype()), index=values.index)

    @property
    def description(self) -> str:
        """The method of hashing, for the report."""
        salt = "a random salt, for this call alone" if self.is_random else "the salt given"
        return f"hashed with {salt}"
