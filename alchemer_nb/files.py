"""Files written whole or not at all, with errors an analyst can act on."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alchemer_nb.errors import ConfigurationError, InvalidArgument

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence


def target(path: str | os.PathLike[str], suffixes: Sequence[str]) -> Path:
    """Where to write.

    Args:
        path: As given; ``~`` stands for the home folder.
        suffixes: Extensions that fit, the usual one first.

    Raises:
        InvalidArgument: The folder does not exist, or the extension says something else.
    """
    if not isinstance(path, str) and not hasattr(path, "__fspath__"):
        raise InvalidArgument(f"path is a file name, not {type(path).__name__}")
    given = Path(path).expanduser()
    if "\0" in str(given) or not given.name:
        raise InvalidArgument(f"{str(path)[:80]!r} is no file name")
    if given.suffix.lower() not in suffixes:
        wanted = " or ".join(suffixes)
        raise InvalidArgument(f"the name ends in {wanted}, not {given.suffix or given.name!r}")
    place = given.resolve()  # through a link, so that the link stays
    if place.is_dir():
        raise InvalidArgument(f"{given} is a folder; give the name of a file in it")
    if not place.parent.is_dir():
        raise InvalidArgument(f"the folder {given.parent} does not exist; make it first")
    return place


def source(path: str | os.PathLike[str], suffixes: Sequence[str] = ()) -> Path:
    """What to read.

    Raises:
        InvalidArgument: There is no such file, or the extension says something else.
    """
    if not isinstance(path, str) and not hasattr(path, "__fspath__"):
        raise InvalidArgument(f"path is a file name, not {type(path).__name__}")
    given = Path(path).expanduser()
    if "\0" in str(given) or not given.is_file():
        raise InvalidArgument(f"there is no file {str(given)!r}")
    if suffixes and given.suffix.lower() not in suffixes:
        wanted = " or ".join(suffixes)
        raise InvalidArgument(f"the name ends in {wanted}, not {given.suffix or given.name!r}")
    return given


@contextmanager
def replacing(place: Path) -> Iterator[Path]:
    """A temporary name in the same folder, which becomes ``place`` if all goes well.

    Whatever was there before stays as it was until then; nothing half-written is left behind.

    Raises:
        InvalidArgument: The file system does not allow it.
    """
    temporary = place.with_name(f".{place.stem[:40]}-{secrets.token_hex(6)}{place.suffix}")
    try:
        temporary.touch()  # a writer's own words for a folder that it may not use are no help
        yield temporary
        temporary.replace(place)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InvalidArgument(f"could not write {place}: {reason}") from None
    finally:
        temporary.unlink(missing_ok=True)


def needed(module: str, extra: str) -> Any:
    """Imports a package that only an extra brings.

    Raises:
        ConfigurationError: It is not installed; says how to install it.
    """
    try:
        return import_module(module)
    except ImportError:
        raise ConfigurationError(
            f'this needs {module}: pip install "alchemer_nb[{extra}]"'
        ) from None
