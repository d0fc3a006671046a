"""Reads credentials from an ``.env`` file, which must be named: none is looked for.

Not with python-dotenv, which reads all variables of the file into plain text and fills in
references to others. Here the values of a few names are read, each at once into a ``Secret``, and
nothing is put into the environment, where every other program would see it.
"""

from __future__ import annotations

import codecs
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from alchemer_nb.errors import ConfigurationError
from alchemer_nb.http.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Collection

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=(.*)", re.A)
_QUOTED = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)')\s*(?:#.*)?""")
_LARGEST = 1_000_000  # bytes; nobody's .env file is larger
_GIT_SECONDS = 5.0


def read_env_file(path: Path, names: Collection[str]) -> dict[str, Secret]:
    """Return the values that an ``.env`` file has for these names; the last one counts.

    Args:
        path: The file, in UTF-8 or with a byte order mark.
        names: The variables to read. All others are passed over.

    Raises:
        ConfigurationError: The file cannot be read, or a line with one of the names; the message
            has the number of the line and no value.
    """
    content = _read(path)
    if isinstance(content, str):
        raise ConfigurationError(f"{path} {content}", hint="Check the path of the file")
    values = _parse(content, names)
    for name, value in values.items():
        if isinstance(value, str):
            raise ConfigurationError(f"{name} in {path} cannot be read: {value}")
    return {name: value for name, value in values.items() if isinstance(value, Secret)}


def is_tracked_by_git(path: Path) -> bool:
    """Return True if git tracks the file, so that its history may hold the credentials."""
    target, program = path.resolve(), _find_git()
    if program is None:
        return False
    # A hook of git sets variables that name another repository. git needs no credentials either,
    # which a traceback with variables would show here.
    left_out = ("GIT_", "ALCHEMER_")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(left_out)}
    # Without fsmonitor, which is a program that the repository names.
    command = [program, "-c", "core.fsmonitor=false", "ls-files", "--error-unmatch", "--"]
    try:
        done = subprocess.run(  # noqa: S603 - git; the file's name comes after --
            [*command, target.name],
            cwd=target.parent,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def is_open_to_others(path: Path) -> bool:
    """Return True if other users of the computer can read the file, as far as modes show it."""
    if os.name == "nt":  # its modes say nothing about other users
        return False
    target = path.resolve()
    try:
        file, modes = target.stat(), [folder.stat().st_mode for folder in target.parents]
    except OSError:
        return False
    in_group, others = (
        bool(file.st_mode & read) and all(mode & enter for mode in modes)
        for read, enter in ((stat.S_IRGRP, stat.S_IXGRP), (stat.S_IROTH, stat.S_IXOTH))
    )
    return others or (in_group and not _is_own_group(file.st_gid, file.st_uid))


def _is_own_group(group: int, user: int) -> bool:
    """Return True for the group of one user, which many systems make, with the user's name."""
    import grp
    import pwd

    try:
        return grp.getgrgid(group).gr_name == pwd.getpwuid(user).pw_name
    except KeyError:
        return False


def _find_git() -> str | None:
    """Return the path of git; not of one in the working folder, where Windows looks first."""
    found = shutil.which("git")
    return found if found and Path(found).resolve().parent != Path.cwd() else None


def _read(path: Path) -> Secret | str:
    """Return the content of a file, or what is wrong with it.

    Its frame has no part in an error: a traceback may be printed with all variables.
    """
    try:
        if not path.exists():
            return "does not exist"
        if not path.is_file():
            return "is not a file"
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        return f"cannot be read ({error.strerror or type(error).__name__})"
    except ValueError:  # a NUL in its name
        return "is not a file"
    if len(content) > _LARGEST:
        return "is too large to be an .env file"
    is_utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return Secret(content.decode("utf-16" if is_utf_16 else "utf-8-sig", "replace"))


def _parse(content: Secret, names: Collection[str]) -> dict[str, Secret | str]:
    """Return the value of each name, or what is wrong with its line; raises nothing, see above."""
    found: dict[str, Secret | str] = {}
    for number, line in enumerate(re.split(r"\r\n|\r|\n", content.reveal()), 1):
        match = _LINE.fullmatch(line)
        if match and match[1] in names:
            value = _parse_value(Secret(match[2]))
            found[match[1]] = f"line {number} {value}" if isinstance(value, str) else value
    return found


def _parse_value(source: Secret) -> Secret | str:
    text = source.reveal()
    if "${" in text:
        return "refers to another variable with ${…}, which is not filled in: write the value"
    if quoted := _QUOTED.fullmatch(text):
        if quoted[1] is None:
            return Secret(quoted[2])
        return Secret(re.sub(r"\\(.)", r"\1", quoted[1]))
    if text.strip()[:1] in ("'", '"'):
        return "has no closing quote, or something behind it"
    return Secret(re.split(r"\s#", text, maxsplit=1)[0].strip())
