"""``survey/{id}/surveyresponse/{id}/file``: a signed address of a file that a respondent sent.

The address expires, and has the parameters that the vendor's example shows. invented: how it is
signed, and the contents of the files, which come from their names.
"""

from __future__ import annotations

import calendar
import hashlib
import hmac
import struct
import time
import zlib
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from alchemer_nb.sandbox.api.call import Call, Resource, missing
from alchemer_nb.sandbox.wire import replies
from alchemer_nb.sandbox.wire.replies import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

PATH = "uploads"
_EXPIRES = 300  # seconds, where a call says nothing
_LONGEST = 604_800  # what the storage that the vendor uses allows
_DATE = "%Y%m%dT%H%M%SZ"


def signed_address(call: Call) -> str:
    """Answer ``GET survey/{id}/surveyresponse/{id}/file?filename=…&expires=300``."""
    survey = call.survey()
    number = call.number("surveyresponse")
    record = call.state.library.response(survey.id, number)
    name = call.params.get("filename", "")
    if not name:
        raise Refusal(400, "filename is required")
    if record is None or not _has_file(record.get("survey_data"), name):
        raise missing("file")
    asked = call.params.get("expires", "")
    seconds = int(asked) if asked.isascii() and asked.isdigit() and asked != "0" else _EXPIRES
    expires = str(min(seconds, _LONGEST))
    date = time.strftime(_DATE, time.gmtime())
    query = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Date": date,
        "X-Amz-Expires": expires,
        "X-Amz-SignedHeaders": "host",
        "X-Amz-Signature": sign(call.state.cookie_secret, name, date, expires),
    }
    data = {
        "survey_id": str(survey.id),
        "response_id": str(number),
        "filename": name,
        "download_url": f"{call.origin}/{PATH}/{quote(name, safe='')}?{urlencode(query)}",
    }
    return replies.single_object(data, call.settings)


def _has_file(part: Any, name: str) -> bool:
    """Check whether a file question in an answer, or in a part of one, has this name."""
    if not isinstance(part, dict):
        return False
    if part.get("type") == "FILE" and part.get("answer") == name:
        return True
    return any(_has_file(inner, name) for inner in part.values())


def sign(secret: str, name: str, date: str, expires: str) -> str:
    """Return the signature of an address."""
    text = "\n".join((name, date, expires))
    return hmac.new(secret.encode(), text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def find_refusal(secret: str, name: str, query: Mapping[str, str]) -> tuple[str, str] | None:
    """Return code and words of the refusal of an address, or None if it may be read."""
    date, expires = query.get("X-Amz-Date", ""), query.get("X-Amz-Expires", "")
    good = sign(secret, name, date, expires)
    if not hmac.compare_digest(good.encode(), query.get("X-Amz-Signature", "").encode()):
        return "SignatureDoesNotMatch", "The request signature we calculated does not match"
    begun = calendar.timegm(time.strptime(date, _DATE))
    return ("AccessDenied", "Request has expired") if time.time() > begun + int(expires) else None


def file_content(name: str) -> bytes:
    """Return the content of a file: a small picture, or a text."""
    digest = hashlib.sha256(name.encode("utf-8", "replace")).digest()
    if name.lower().endswith(".png"):
        return _picture(digest)
    line = f"A file of the sandbox, whose contents are invented: {digest.hex()}\n"
    return (line * (1 + digest[0])).encode()


def _picture(digest: bytes) -> bytes:
    """Return a PNG of bands whose colours come from a digest."""
    side = 48
    rows = b"".join(
        b"\0" + digest[3 * (row // 6) : 3 * (row // 6) + 3] * side for row in range(side)
    )
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )  # fmt: skip


RESOURCES: dict[tuple[str, ...], Resource] = {
    ("survey", "surveyresponse", "file"): Resource(list=signed_address),
}
