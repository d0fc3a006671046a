"""What the files of a survey's store are called: the one list of what is ours in its folder.

Whatever has another name was put there by somebody else and is let be, and so are folders and
links, whatever their names: the store makes neither.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from alchemer_nb.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Set
    from pathlib import Path

MANIFEST = "manifest.json"
EXPUNGED = "expunged.json"
LOCK = "lock"
_SIX = "(?:[0-9]{6}|[1-9][0-9]{6,11})"
_FOUR = "(?:[0-9]{4}|[1-9][0-9]{4,11})"
RESPONSES = re.compile(rf"responses-{_SIX}\.parquet")
DEFINITION = re.compile(rf"definition-{_FOUR}\.json")
TABLE = re.compile(rf"table-{_SIX}-[0-9a-f]{{12}}\.parquet")
_WHOLE = "|".join(
    [
        *map(re.escape, (MANIFEST, EXPUNGED, LOCK)),
        *(each.pattern for each in (RESPONSES, DEFINITION, TABLE)),
    ]
)
_OURS = re.compile(rf"{_WHOLE}|\.(?:{_WHOLE})\.[0-9a-f]+\.part")


def responses(number: int) -> str:
    """Name of a file of responses."""
    return f"responses-{number:06}.parquet"


def definition(number: int) -> str:
    """Name of the file with a definition."""
    return f"definition-{number:04}.json"


def table(number: int, digest: str) -> str:
    """Name of the file with a part's columns."""
    return f"table-{number:06}-{digest}.parquet"


def unfinished(name: str) -> str:
    """What a file is called until it is whole."""
    return f".{name}.{secrets.token_hex(6)}.part"


def ours(folder: Path, kind: re.Pattern[str] = _OURS) -> Iterator[Path]:
    """Yields the files of the store in a folder, by name.

    Args:
        folder: The survey's.
        kind: Only those: ``RESPONSES``, ``DEFINITION`` or ``TABLE``.
    """
    for path in inside(folder):
        if kind.fullmatch(path.name) and is_plain(path):
            yield path


def inside(folder: Path) -> list[Path]:
    """All there is in a folder, by name.

    Raises:
        StoreError: It may not be looked into.
    """
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise StoreError(f"cannot look into {folder}: {error.strerror or error}") from None


def number_of(path: Path) -> int:
    """The number in the name of a file of responses or a definition."""
    return int(path.stem.rpartition("-")[2])


def is_plain(path: Path) -> bool:
    """Whether a file is there, and not a link to one."""
    return path.is_file() and not path.is_symlink()


def remove(path: Path) -> None:
    """Removes a file of the store, if that is what is there.

    Raises:
        StoreError: It may not be removed.
    """
    try:
        if is_plain(path):
            path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"cannot remove {path}: {error.strerror or error}") from None


def sweep(folder: Path, keep: Set[str], kind: re.Pattern[str] = _OURS) -> None:
    """Removes the files of the store that are not to be kept."""
    for path in ours(folder, kind):
        if path.name not in keep:
            remove(path)
