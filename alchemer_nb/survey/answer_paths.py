"""Where in a response an answer stands: paths of ids."""

from __future__ import annotations

Path = tuple[str, ...]


COMMENT = "comment"


AGAIN = "again"


MEMBER = "member"  # below it stands what an entry has beside what is documented
