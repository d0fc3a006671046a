"""Profiles: credentials that a user chose to store, in the system's keychain or in a file.

The keychain is used if ``keyring`` is installed and has a backend that works; otherwise a file that
is created with mode 0600 (so it is never readable for others) in a folder with mode 0700. A digest
is stored, too: if somebody edits the region, the credentials would be sent to another server.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import stat
import time
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alchemer_nb.errors import ConfigurationError, InvalidArgument
from alchemer_nb.files import write_atomically
from alchemer_nb.http.regions import Region
from alchemer_nb.http.secrets import Secret, to_secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from alchemer_nb.http.credentials import Credentials

DEFAULT = "default"
_SERVICE = "alchemer_nb"
_IN_KEYCHAIN = "in this computer's keychain"
_INDEX = "*profiles*"  # not a possible profile name
_DIGEST = "digest"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# The temporary name of ``write_atomically``; another process may be writing a young one.
_LEFTOVER = re.compile(r"\.[A-Za-z0-9][A-Za-z0-9._-]{0,39}-[0-9a-f]{12}\.json")
_LEFTOVER_SECONDS = 60.0
_CHANGED = "was changed since it was stored, so it does not say where its credentials belong"
_INCOMPLETE = "cannot be read: parts of it are missing, unknown or of the wrong type"
_BINDER_NAMES = ("BINDER_SERVICE_HOST", "BINDER_LAUNCH_HOST")
_SECRET_PARTS = {
    "api_key": ("api_token", "api_token_secret"),
    "oauth1": ("consumer_key", "consumer_secret", "token", "token_secret"),
}


@dataclass(frozen=True, slots=True)
class Profile:
    """Stored credentials and the region they belong to.

    Attributes:
        name: The profile's name.
        credentials: An ``ApiKey`` or ``OAuth1``.
        region: The only region that they are sent to.
        account: Id of the account at Alchemer, or an empty text if it is not known.
    """

    name: str
    credentials: Credentials
    region: Region
    account: str = ""


@dataclass(frozen=True, slots=True)
class ProfileEntry:
    """A line of the list of profiles.

    Attributes:
        name: The profile's name.
        place: ``"keychain"``, or the path of its file.
        profile: The profile; None if it cannot be used.
        problem: Why it cannot be used, or an empty text.
    """

    name: str
    place: str
    profile: Profile | None
    problem: str = ""


def on_binder() -> bool:
    """Return True on Binder: someone else's machine, where nothing is stored."""
    return any(map(os.environ.get, _BINDER_NAMES))


def describe_storage() -> str:
    """Return in words where a profile would be stored."""
    return _IN_KEYCHAIN if _keyring() is not None else _in_file(folder())


def describe_place(name: str) -> str:
    """Return in words where a profile is stored.

    Raises:
        ConfigurationError: The keychain does not answer.
    """
    return _IN_KEYCHAIN if _is_in_keychain(name) else _in_file(_path(name))


def folder() -> Path:
    """Return the folder of the files; it may not exist yet."""
    base = os.environ.get("XDG_CONFIG_HOME") or (os.environ.get("APPDATA") if _is_windows() else "")
    return Path(base) / _SERVICE if base else Path.home() / ".config" / _SERVICE


def save(name: str, credentials: Credentials, region: Region, account: str | None = None) -> str:
    """Store credentials under a name; replace those that were there.

    Args:
        name: Letters, digits, dots, dashes and underscores.
        credentials: What to store.
        region: Where they belong.
        account: Id of the account at Alchemer, if it is known.

    Returns:
        Where they are stored, in words.

    Raises:
        InvalidArgument: The name does not fit.
        ConfigurationError: This is Binder, or the folder cannot be written.
    """
    _check_name(name)
    if on_binder():
        raise ConfigurationError("nothing is kept on Binder: it is someone else's machine")
    where = describe_storage()
    text = _to_text(credentials, region, account or "")
    ring = _keyring()
    if ring is None:
        _write_file(name, text)
        return where
    # The name first: if this is interrupted, no profile is kept that nobody sees.
    _write_index(ring, {*_read_index(ring), name})
    _call_keychain(lambda: ring.set_password(_SERVICE, name, text.reveal()))
    _remove_file(_path(name))  # of a time without a keychain: its credentials are replaced
    return where


def load(name: str = DEFAULT) -> Profile | None:
    """Read a profile; return None if there is none of that name.

    Raises:
        InvalidArgument: The name does not fit.
        ConfigurationError: It is there but cannot be read, was changed since it was stored, or
            others can read its file.
    """
    _check_name(name)
    ring = _keyring()
    text = to_secret(
        _call_keychain(lambda: ring.get_password(_SERVICE, name)) if ring is not None else None
    )
    text = text or _read_file(name)
    if not text:
        return None
    profile = _from_text(name, text)
    if isinstance(profile, str):
        raise ConfigurationError(
            f"profile {name!r}, {describe_place(name)}, {profile}",
            hint=f"Nothing was sent or changed. To replace it, sign in with %alchemer login "
            f"--profile {name} and choose to remember; %alchemer forget {name} removes it",
        )
    return profile


def list_profiles() -> tuple[ProfileEntry, ...]:
    """Return all profiles, in alphabetical order; those that cannot be used, too.

    Raises:
        ConfigurationError: The keychain does not answer.
    """
    entries = []
    for name in names():
        profile, problem = None, ""
        try:
            profile = load(name)
        except ConfigurationError as error:
            problem = error.sentence
        if profile is None and not problem:
            problem = "it is empty"
        place = "keychain" if _is_in_keychain(name) else _with_tilde(_path(name))
        entries.append(ProfileEntry(name, place, profile, problem))
    return tuple(entries)


def find_same(credentials: Credentials, region: Region) -> tuple[str, ...]:
    """Return the names of the profiles that hold these credentials for this region.

    Raises:
        ConfigurationError: The keychain does not answer.
    """
    return tuple(
        entry.name
        for entry in list_profiles()
        if entry.profile is not None and _is_same(entry.profile, credentials, region)
    )


def choose_name(credentials: Credentials, region: Region, account: str | None) -> str:
    """Return a name under which saving replaces no sign-in of another account.

    It is the default, unless another account has it: then the region's name, with a number if
    that is taken, too.

    Raises:
        ConfigurationError: The keychain does not answer.
    """
    entries = {entry.name: entry.profile for entry in list_profiles()}

    def is_free(name: str) -> bool:
        stored = entries.get(name)
        if stored is None:  # there is none, or it cannot be used
            return True
        same_account = account and stored.account == account
        same_region = stored.region.api_url == region.api_url
        return _is_same(stored, credentials, region) or bool(same_account and same_region)

    base = region.name if _NAME.fullmatch(region.name) else "sandbox"
    candidates = (f"{base}-{number}" for number in itertools.count(2))
    return next(filter(is_free, itertools.chain((DEFAULT, base), candidates)))


def names() -> tuple[str, ...]:
    """Return the names of all profiles, in alphabetical order."""
    ring = _keyring()
    in_keychain = _read_index(ring) if ring is not None else set()
    in_files = {path.stem for path in folder().glob("*.json") if _NAME.fullmatch(path.stem)}
    return tuple(sorted(in_keychain | in_files))


def delete(name: str) -> bool:
    """Delete a profile, wherever it is stored; return False if there was none.

    Raises:
        InvalidArgument: The name does not fit.
        ConfigurationError: It cannot be deleted.
    """
    _check_name(name)
    _remove_leftovers()
    ring, gone = _keyring(), False
    if ring is not None and _call_keychain(lambda: ring.get_password(_SERVICE, name)) is not None:
        _call_keychain(lambda: ring.delete_password(_SERVICE, name))
        gone = True
    if ring is not None and name in (index := _read_index(ring)):
        _write_index(ring, index - {name})
        gone = True
    return _remove_file(_path(name)) or gone


def _is_same(stored: Profile, credentials: Credentials, region: Region) -> bool:
    return stored.credentials == credentials and stored.region.api_url == region.api_url


def _is_in_keychain(name: str) -> bool:
    ring = _keyring()
    return ring is not None and name in _read_index(ring)


def _in_file(path: Path) -> str:
    return f"in a file that only you can read ({_with_tilde(path)})"


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(str(name)):
        raise InvalidArgument(
            "a profile's name has letters, digits, dots, dashes and underscores, at most 64 of them"
        )


def _to_text(credentials: Credentials, region: Region, account: str) -> Secret:
    parts = {name: getattr(credentials, name) for name in _SECRET_PARTS[credentials.mode]}
    plain = {
        "mode": credentials.mode,
        "credentials": {name: part.reveal() for name, part in parts.items() if part is not None},
        "region": {field.name: getattr(region, field.name) for field in fields(region)},
        **({"account": account} if account else {}),
    }
    return Secret(json.dumps({**plain, _DIGEST: _digest(plain)}))


def _from_text(name: str, text: Secret) -> Profile | str:
    """Parse a stored profile, or return what is wrong with it.

    Raises nothing: text, parts and the errors of whatever fails on them (JSONDecodeError.doc) hold
    secrets, and a traceback may be printed with all variables.
    """
    from alchemer_nb.http.credentials import ApiKey, OAuth1

    try:
        plain = json.loads(text.reveal())
    except (ValueError, RecursionError):
        return "cannot be read: it is not valid JSON"
    try:
        digest = plain.pop(_DIGEST, None)
        if digest is not None and digest != _digest(plain):
            return _CHANGED
        kind = {"api_key": ApiKey, "oauth1": OAuth1}[plain["mode"]]
        account, given = plain.get("account", ""), dict(plain["region"])
        texts = [given[key] for key in given if key != "zone_documented"]
        if not all(isinstance(text, str) for text in (account, *texts)):
            return _INCOMPLETE
        region = Region(**given)
        if digest is None and not _has_known_addresses(region):
            return _CHANGED
        return Profile(name, kind(**plain["credentials"]), region, account)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return _INCOMPLETE


def _has_known_addresses(region: Region) -> bool:
    # Early profiles have no digest; a known region's addresses can be checked all the same.
    if region.name not in Region.names():
        return True
    known = Region.get(region.name)
    addresses = [field.name for field in fields(region) if field.name.endswith("_url")]
    return all(getattr(region, name) == getattr(known, name) for name in addresses)


def _digest(plain: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _keyring() -> Any:
    """Return the keyring module if it has a backend that can store something."""
    try:
        import keyring
        from keyring.backends import fail, null
    except ImportError:
        return None
    try:
        backend = keyring.get_keyring()
        usable = not isinstance(backend, fail.Keyring | null.Keyring) and backend.priority > 0
    except Exception:  # noqa: BLE001 - a backend of any maker: none that fails here is of use
        return None
    return keyring if usable else None


def _call_keychain(call: Callable[[], Any]) -> Any:
    """Call the keychain; its errors may be of any class, and may repeat the secret."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - see above
        kind = type(error).__name__
    # Outside the ``except``, so that the first error is not part of this one.
    raise ConfigurationError(f"the keychain did not answer ({kind}): is it locked?")


def _read_index(ring: Any) -> set[str]:
    text = _call_keychain(lambda: ring.get_password(_SERVICE, _INDEX))
    try:
        return {str(name) for name in json.loads(text or "[]")}
    except ValueError:
        return set()


def _write_index(ring: Any, profiles: set[str]) -> None:
    _call_keychain(lambda: ring.set_password(_SERVICE, _INDEX, json.dumps(sorted(profiles))))


def _path(name: str) -> Path:
    return folder() / f"{name}.json"


def _remove_file(path: Path) -> bool:
    """Remove a file; return False if there was none."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigurationError(f"{_with_tilde(path)} cannot be removed: {reason}") from None
    return True


def _remove_leftovers() -> None:
    """Remove what processes left that were killed while they wrote: it may hold a whole profile."""
    with suppress(OSError):
        for path in folder().iterdir():
            age = time.time() - path.lstat().st_mtime
            if _LEFTOVER.fullmatch(path.name) and age > _LEFTOVER_SECONDS:
                path.unlink(missing_ok=True)


def _write_file(name: str, text: Secret) -> None:
    home = folder()
    _remove_leftovers()
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        home.mkdir(mode=0o700, exist_ok=True)
        if not _is_windows() and stat.S_IMODE(home.stat().st_mode) & 0o077:
            home.chmod(0o700)
        with (
            write_atomically(_path(name), mode=0o600) as temporary,
            temporary.open("w", encoding="utf-8") as file,
        ):
            file.write(text.reveal())  # not ``write_text``, whose frame would hold the text
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigurationError(
            f"the profile could not be kept in {_with_tilde(home)}: {reason}"
        ) from None


def _read_file(name: str) -> Secret:
    """Return the text of a profile's file; an empty one if there is no file."""
    path = _path(name)
    try:
        if path.exists() and not path.is_file():  # opening a pipe would wait for ever
            raise ConfigurationError(f"{_with_tilde(path)} is not a file")
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not _is_windows() and stat.S_IMODE(mode) & 0o077:
                raise ConfigurationError(
                    f"{_with_tilde(path)} can be read by others: chmod 600 it (and think about a "
                    "new key), then try again"
                )
            # "replace", as a UnicodeDecodeError would hold the whole content.
            return Secret(file.read().decode("utf-8", "replace"))
    except FileNotFoundError:
        return Secret("")
    except OSError as error:
        kind = type(error).__name__
        raise ConfigurationError(f"{_with_tilde(path)} cannot be read ({kind})") from None


def _is_windows() -> bool:
    return os.name == "nt"


def _with_tilde(path: Path) -> str:
    try:
        return str(Path("~") / path.relative_to(Path.home()))
    except ValueError:
        return str(path)
