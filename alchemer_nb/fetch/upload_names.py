"""Names for the files that respondents sent, on this computer.

A respondent chooses the name of a file. Here it can neither lead out of the folder nor be one that
some system refuses: ``12_photo_cat.png`` is the file ``cat.png`` of response 12 and question
``photo``. What is changed in a name is replaced by ``_``, and eight digits of a hash follow; so do
they where two names of a response differ only in case.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alchemer_nb.visible import replace_lone_surrogates

if TYPE_CHECKING:
    from collections.abc import Iterable

_STORED = re.compile(r"\d+-[0-9a-f]{32}_(?=.)", re.DOTALL)  # what Alchemer puts before the name
_REFUSED = re.compile(r'[<>:"/\\|?*]')  # by Windows; / by all
_MOST_BYTES = 140  # encrypted folders of Linux allow 143, others 255
_MOST_OF_QUESTION = 40
_MOST_OF_SUFFIX = 12


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that a respondent sent.

    Attributes:
        response_id: Of the response.
        question: Name of the question's column.
        stored: Name by which Alchemer knows the file: the answer.
    """

    response_id: int
    question: str
    stored: str

    @property
    def name(self) -> str:
        """The name that the respondent's file had."""
        return _STORED.sub("", self.stored, count=1) if _STORED.match(self.stored) else self.stored


def name_files(uploads: Iterable[Upload]) -> dict[Upload, str]:
    """Return a file name for each upload, all different on every system."""
    names = {upload: _file_name(upload) for upload in uploads}
    alike: dict[str, list[Upload]] = defaultdict(list)
    for upload, name in names.items():
        alike[_fold(name)].append(upload)
    for group in alike.values():
        if len(group) > 1:
            names |= {upload: _file_name(upload, hashed=True) for upload in group}
    return names


def _fold(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _file_name(upload: Upload, *, hashed: bool = False) -> str:
    question = re.sub(r"\W+", "_", upload.question)[:_MOST_OF_QUESTION]
    given = unicodedata.normalize("NFC", replace_lone_surrogates(upload.name))
    cleaned = "".join(
        "_" if unicodedata.category(letter)[0] == "C" or _REFUSED.match(letter) else letter
        for letter in given
    ).strip(". \u00a0\u3000")
    stem, dot, suffix = cleaned.rpartition(".")
    if not stem or not suffix.isalnum() or len(suffix) > _MOST_OF_SUFFIX:
        stem, dot, suffix = cleaned or "file", "", ""
    before, after = f"{upload.response_id}_{question}_", f"{dot}{suffix}"
    most = _MOST_BYTES - len((before + after).encode()) - 9
    short = stem.encode()[:most].decode(errors="ignore").rstrip(". ")
    if hashed or f"{short}{after}" != unicodedata.normalize("NFC", upload.name):
        text = f"{upload.question}\0{upload.stored}".encode("utf-8", "surrogatepass")
        short = f"{short}-{hashlib.sha256(text).hexdigest()[:8]}"
    return f"{before}{short}{after}"
