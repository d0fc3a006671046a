"""Atomic writes, checks of file names, and imports of optional packages."""

from __future__ import annotations

import os
import re
import secrets
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alchemer_nb.errors import ConfigurationError, InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def output_path(path: str | os.PathLike[str], suffixes: Sequence[str]) -> Path:
    """Return the absolute path of a file to write.

    Args:
        path: As given; ``~`` is the home folder.
        suffixes: Allowed extensions, the usual one first.

    Raises:
        InvalidArgument: The folder does not exist, or the extension is another one.
    """
    given = expand_path(path)
    if "\0" in str(given) or not given.name:
        raise InvalidArgument(f"{str(path)[:80]!r} is no file name")
    _check_suffix(given, suffixes)
    try:
        resolved = given.resolve()  # the target of a link is replaced, not the link
        is_folder, has_folder = resolved.is_dir(), resolved.parent.is_dir()
    except (OSError, RuntimeError) as error:  # a name that is too long, a circle of links
        reason = getattr(error, "strerror", None) or str(error)
        raise InvalidArgument(f"could not write {given}: {reason}") from None
    if is_folder:
        raise InvalidArgument(f"{given} is a folder; give the name of a file in it")
    if not has_folder:
        raise InvalidArgument(f"the folder {given.parent} does not exist; make it first")
    return resolved


def input_path(path: str | os.PathLike[str], suffixes: Sequence[str] = ()) -> Path:
    """Return the path of a file to read.

    Raises:
        InvalidArgument: There is no such file, or the extension is another one.
    """
    given = expand_path(path)
    if not given.is_file():
        raise InvalidArgument(f"there is no file {str(given)!r}")
    if suffixes:
        _check_suffix(given, suffixes)
    return given


def expand_path(path: str | os.PathLike[str]) -> Path:
    """Return the path of a name that a user gave, which may begin with ``~``.

    Raises:
        InvalidArgument: It is no name of a file, or there is no such home folder.
    """
    if not isinstance(path, str | os.PathLike):
        raise InvalidArgument(f"path is a file name, not {type(path).__name__}")
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise InvalidArgument(f"{str(path)[:80]!r} begins with no known home folder") from None


def _check_suffix(path: Path, suffixes: Sequence[str]) -> None:
    if path.suffix.lower() not in suffixes:
        allowed = " or ".join(suffixes)
        raise InvalidArgument(f"the name ends in {allowed}, not {path.suffix or path.name!r}")


@contextmanager
def write_atomically(
    path: Path, *, mode: int = 0o666, temporary: Path | None = None, durable: bool = False
) -> Iterator[Path]:
    """Yield a temporary file that replaces ``path`` if the block ends without an error.

    Until then ``path`` stays as it was; nothing half-written is left behind.

    Args:
        path: What to replace.
        mode: Permissions of the file, from its creation on; the umask applies.
        temporary: Path of the temporary file, in the same folder; left out, a hidden random name.
        durable: Flush to the disk, so that after a power cut the old or the new file is there.

    Raises:
        OSError: The file system does not allow it.
    """
    if temporary is None:
        name = f".{path.stem[:40]}-{secrets.token_hex(6)}{path.suffix}"
        temporary = path.with_name(name)
    try:
        # O_EXCL fails if the name exists, so a link that somebody else made is not followed.
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
        yield temporary
        if durable:  # before the rename, or it could survive a power cut without the content
            _flush(temporary, os.O_RDWR)
        temporary.replace(path)
        if durable and os.name != "nt":  # the rename itself; Windows cannot open a folder
            _flush(path.parent, os.O_RDONLY)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _flush(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def replace_atomically(path: Path) -> Iterator[Path]:
    """Write a file that a user asked for with ``write_atomically``.

    Raises:
        InvalidArgument: The file system does not allow it.
    """
    try:
        with write_atomically(path) as temporary:
            yield temporary
    except OSError as error:
        reason = error.strerror or str(error)
        raise InvalidArgument(f"could not write {path}: {reason}") from None


def import_optional(module: str, extra: str) -> Any:
    """Import a package that only an extra installs.

    Raises:
        ConfigurationError: It is not installed; the message says how to install it.
    """
    try:
        return import_module(module)
    except ImportError:
        name = module.partition(".")[0]
        words = " ".join(f'"{each}"' for each in _requirements(extra)) or name
        raise ConfigurationError(
            f"this needs {name}, which is not installed here",
            hint=f"In a notebook run %pip install {words}, in a terminal pip install {words}",
        ) from None


def _requirements(extra: str) -> list[str]:
    """Return what an extra asks for.

    The packages themselves, as the name of this one means nothing to pip where it was installed
    from a folder or a file.
    """
    with suppress(PackageNotFoundError):
        lines = [line.partition(";") for line in requires("alchemer_nb") or ()]
        wanted = re.compile(rf"\bextra == ['\"]{extra}['\"]")
        return [name.strip() for name, _, condition in lines if wanted.search(condition)]
    return []
