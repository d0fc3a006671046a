"""Finds credentials where people keep them, and says where it looked.

The places, in order: the environment, the secrets of Google Colab, the default profile. A profile
that is named, or an ``.env`` file, is the only place then. In all places but profiles the variables
have the same names.

Credentials are found with their region and are sent to no other. A profile is stored with its
region. For the others it is the ``ALCHEMER_REGION`` of the same place; if that is not set, the
region that the caller asks for, or else US.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from alchemer_nb.auth import profiles
from alchemer_nb.auth.env_file import is_open_to_others, is_tracked_by_git, read_env_file
from alchemer_nb.errors import ConfigurationError, InvalidArgument
from alchemer_nb.files import expand_path
from alchemer_nb.http.regions import Region, quote_region, suggest_region
from alchemer_nb.http.secrets import Secret, to_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from alchemer_nb.http.credentials import Credentials

REGION_NAME = "ALCHEMER_REGION"
MODES = {"key": "api_key", "oauth": "oauth1"}  # what people type, and the `mode` of credentials
_KEY_NAMES = ("ALCHEMER_API_TOKEN", "ALCHEMER_API_TOKEN_SECRET")
_CONSUMER_NAMES = ("ALCHEMER_CONSUMER_KEY", "ALCHEMER_CONSUMER_SECRET")
_TOKEN_NAMES = ("ALCHEMER_OAUTH_TOKEN", "ALCHEMER_OAUTH_TOKEN_SECRET")
_OLD_SECRET_NAME = "ALCHEMER_API_SECRET"  # noqa: S105 - the name of a variable, not a secret
_NAMES = (*_KEY_NAMES, *_CONSUMER_NAMES, *_TOKEN_NAMES)
_ARGUMENTS = {  # of ApiKey and OAuth1, for errors about one of them
    **{name.removeprefix("ALCHEMER_").lower(): name for name in (*_KEY_NAMES, *_CONSUMER_NAMES)},
    **{name.removeprefix("ALCHEMER_OAUTH_").lower(): name for name in _TOKEN_NAMES},
}
VARIABLES = (REGION_NAME, *_KEY_NAMES, _OLD_SECRET_NAME, *_CONSUMER_NAMES, *_TOKEN_NAMES)


@dataclass(frozen=True, slots=True)
class FoundCredentials:
    """Credentials and their region, with the source of both.

    Attributes:
        credentials: What was found.
        region: The region that they belong to.
        source: Where, such as ``"the environment"`` or ``"profile “…”"``.
        region_source: What names the region; empty if nothing does and another is assumed.
        profile: Name of the profile, empty for all other places.
        reason: Why these and not others, where the place has both kinds; or an empty text.
        looked_at: The places in order, each with what was there; no value of any.
        warning: What is not safe about the place, or an empty text.
    """

    credentials: Credentials
    region: Region
    source: str
    region_source: str
    profile: str = ""
    reason: str = ""
    looked_at: tuple[str, ...] = ()
    warning: str = ""

    @property
    def kind(self) -> str:
        """What they are, in words."""
        return describe_kind(self.credentials)

    @property
    def receipt(self) -> str:
        """What was used, and why; a sentence."""
        if self.profile:
            where = profiles.describe_place(self.profile)
            return (
                f"With {self.source}, remembered {where}; %alchemer forget {self.profile} removes "
                "it there."
            )
        reason = f", {self.reason}" if self.reason else ""
        return f"With the {self.kind} from {self.source}{reason}."

    def for_region(self, region: Region | None) -> FoundCredentials:
        """Return these credentials for the region that the caller asks for.

        Args:
            region: Compared by its address, as a name may stand for several addresses; None for
                any region.

        Raises:
            ConfigurationError: The credentials belong to another region.
        """
        if region is None:
            return self
        if self.region_source and region.api_url != self.region.api_url:
            raise ConfigurationError(
                f"the credentials from {self.source} belong to region {_describe(self.region)}, as "
                f"{self.region_source} says, and are sent nowhere else; region {_describe(region)} "
                "was asked for",
                hint="Leave the region out, choose a profile that belongs there, or sign in there "
                "anew",
            )
        return replace(self, region=region)

    def check_mode(self, mode: str | None) -> None:
        """Raise ``ConfigurationError`` if another mode, ``"key"`` or ``"oauth"``, is asked for."""
        if mode is not None and MODES[mode] != self.credentials.mode:
            raise ConfigurationError(
                f"{self.source} holds credentials of the other mode (the {self.kind}); leave the "
                f"mode {mode!r} out to use them"
            )


@dataclass(frozen=True, slots=True)
class _Variables:
    """A place in which credentials have the names of the environment's variables.

    Attributes:
        source: Its name.
        where: The same with its preposition.
        read: Returns the value of a name, or None.
        hint: What to do next where one half of a pair is missing.
        warning: What is not safe about the place.
    """

    source: str
    where: str
    read: Callable[[str], Secret | None]
    hint: str = ""
    warning: str = ""

    def read_pair(self, names: tuple[str, str]) -> tuple[Secret, Secret] | None:
        """Return both values; None if neither is there. Raise if one of them is missing."""
        first, second = map(self.read, names)
        if names == _KEY_NAMES and not second:
            old = self.read(_OLD_SECRET_NAME)
            names, second = ((names[0], _OLD_SECRET_NAME), old) if old else (names, second)
        if first and second:
            return first, second
        if not (first or second):
            return None
        present, missing = names if first else reversed(names)
        lacks = "is not" if (second if first else first) is None else "is empty"
        raise ConfigurationError(
            f"{present} is set {self.where} but {missing} {lacks}; set both", hint=self.hint
        )

    def read_key(self) -> Credentials | None:
        """Read the API key."""
        pair = self.read_pair(_KEY_NAMES)
        return self._build("api_key", *pair) if pair else None

    def read_oauth(self) -> Credentials | None:
        """Read the consumer pair, and the access token if there is one."""
        consumer, token = self.read_pair(_CONSUMER_NAMES), self.read_pair(_TOKEN_NAMES)
        if consumer:
            return self._build("oauth1", *consumer, *(token or ()))
        if token:
            raise ConfigurationError(
                f"{_TOKEN_NAMES[0]} is set {self.where} but {_CONSUMER_NAMES[0]} is not: an access "
                "token is of use only with its consumer pair"
            )
        return None

    def _build(self, mode: str, *parts: Secret) -> Credentials:
        from alchemer_nb.http.credentials import ApiKey, OAuth1  # `%alchemer status` stays light

        try:
            return ApiKey(*parts) if mode == "api_key" else OAuth1(*parts)
        except ConfigurationError as error:
            sentence, name = error.sentence, _ARGUMENTS.get(error.argument, "")
        raise ConfigurationError(f"{name} {self.where} cannot be used: {sentence}")

    def find(self, mode: str | None) -> FoundCredentials | None:
        """Return the credentials of a mode, or those of the other if there are no others.

        Raises:
            ConfigurationError: Half of a pair is there, or a value that cannot be used.
        """
        if mode == "oauth":
            chosen = self.read_oauth() or self.read_key()
        elif mode == "key":
            chosen = self.read_key() or self.read_oauth()
        else:
            chosen = self._read_first()
        if chosen is None:
            return None
        named = self.read_region()
        region, region_source = named or environment_region() or Region.get("us"), ""
        if named:
            region_source = REGION_NAME
        return FoundCredentials(
            chosen,
            region,
            self.source,
            region_source,
            reason=self._explain(chosen, mode),
            warning=self.warning,
        )

    def _read_first(self) -> Credentials | None:
        try:
            key = self.read_key()
        except ConfigurationError as error:
            if self._holds(_CONSUMER_NAMES):
                error.hint = "Or give the mode 'oauth', which uses the consumer pair"
            raise
        return key or self.read_oauth()

    def _holds(self, names: tuple[str, str]) -> bool:
        return all(map(self.read, names))

    def _explain(self, chosen: Credentials, mode: str | None) -> str:
        has_key = self._holds(_KEY_NAMES) or bool(
            self.read(_KEY_NAMES[0]) and self.read(_OLD_SECRET_NAME)
        )
        if not (has_key and self._holds(_CONSUMER_NAMES)):
            return ""
        is_key = chosen.mode == "api_key"
        other = f"the {'consumer pair' if is_key else 'API key'} that is there, too"
        if mode is None:
            return f"which comes before {other}: --mode {'oauth' if is_key else 'key'} uses that"
        return f"and not {other}, as --mode {mode} asks"

    def read_region(self) -> Region | None:
        """Return the region that this place names, or None.

        Raises:
            ConfigurationError: There is no such region.
        """
        value = self.read(REGION_NAME)
        name = value.reveal().strip() if value else ""
        if not name:
            return None
        if name.lower() not in Region.names():
            meant, known = suggest_region(name), ", ".join(Region.names())
            name = quote_region(name)
            raise ConfigurationError(
                f"{REGION_NAME} {self.where} is {name}, which is no region{meant}; set it to one "
                f"of {known}"
            )
        return Region.get(name)


def find_credentials(
    profile: str | None = None,
    *,
    mode: str | None = None,
    env_file: str | os.PathLike[str] | None = None,
) -> FoundCredentials | None:
    """Find credentials in the places of this module, or in the one that is named.

    Args:
        profile: Look in this profile only.
        mode: ``"key"`` or ``"oauth"``: which to take where there are both. Where there are only
            those of the other mode, they are returned: see ``FoundCredentials.check_mode``.
        env_file: Look in this file only.

    Returns:
        None if there are none.

    Raises:
        InvalidArgument: No profile can have that name; no such mode; profile and file are named.
        ConfigurationError: They cannot be used: half of a pair, an unknown region, a profile or a
            file that cannot be read.
    """
    if mode not in (None, *MODES):
        raise InvalidArgument(f"the mode is 'key' or 'oauth', not {str(mode)[:40]!r}")
    if env_file is not None:
        if profile is not None:
            raise InvalidArgument("give a profile or an .env file, not both")
        return _find_in_file(expand_path(env_file), mode)
    looked_at: list[str] = []
    other_mode: FoundCredentials | None = None
    for name, find in _places(profile, mode):
        found = find()
        if found is None:
            looked_at.append(f"{name} (nothing there)")
        elif mode is None or MODES[mode] == found.credentials.mode:
            return replace(found, looked_at=(*looked_at, f"{name} (used)"))
        else:
            looked_at.append(f"{name} (the {found.kind}, which is of the other mode)")
            other_mode = other_mode or found
    return other_mode and replace(other_mode, looked_at=tuple(looked_at))


def _places(
    profile: str | None, mode: str | None
) -> Iterator[tuple[str, Callable[[], FoundCredentials | None]]]:
    """Yield the name of each place, and what looks there."""
    if profile is None:
        for place in _variable_places():
            yield place.source, lambda place=place: place.find(mode)  # type: ignore[misc]  # mypy cannot infer it
        if profiles.on_binder():
            return
    name = profiles.DEFAULT if profile is None else profile
    yield f"profile “{name}”", lambda: _find_profile(name)


def _variable_places() -> Iterator[_Variables]:
    yield _ENVIRONMENT
    colab = _colab_secrets()
    if colab is not None:
        yield colab


def find_without_profiles() -> FoundCredentials | None:
    """Find credentials in the environment or in Colab's secrets: for commands other than login.

    Raises:
        ConfigurationError: As ``find_credentials``.
    """
    for place in _variable_places():
        found = place.find(None)
        if found is not None:
            return replace(found, looked_at=(f"{place.source} (used)",))
    return None


def describe_places() -> str:
    """Return in one line what each place holds, without any value and without a call."""
    parts: list[str] = []
    for place in _variable_places():
        try:
            found = place.find(None)
            parts.append(f"{place.source} ({f'the {found.kind}' if found else 'nothing there'})")
        except ConfigurationError as error:
            parts.append(f"{place.source} ({error.sentence})")
    try:
        names = ", ".join(profiles.names())
        parts.append(f"profiles ({names or 'none is remembered'})")
    except ConfigurationError as error:
        parts.append(f"profiles ({error.sentence})")
    return f"Looked at: {'; '.join(parts)}."


def environment_region() -> Region | None:
    """Return the region that the environment names, or None.

    Raises:
        ConfigurationError: There is no such region.
    """
    return _ENVIRONMENT.read_region()


def no_credentials_error(profile: str | None, hint: str) -> ConfigurationError:
    """Build the error that no credentials were found; it lists where they were looked for.

    Args:
        profile: The profile that the caller asked for, or None.
        hint: The hint.
    """
    name = profiles.DEFAULT if profile is None else profile
    missing = f"no profile is called {name!r}"
    if profile is None:
        *others, last = [place.where for place in _variable_places()]
        where = f"{', '.join(others)} or {last}" if others else last
        missing = (
            f"none of these is set {where}: {', '.join(_NAMES)}; and no sign-in is remembered as "
            f"profile {name!r}"
        )
    existing = ", ".join(profiles.names())
    there = f" (there is: {existing})" if existing else ""
    return ConfigurationError(f"no credentials were found: {missing}{there}", hint=hint)


def _find_profile(name: str) -> FoundCredentials | None:
    stored = profiles.load(name)
    if stored is None:
        return None
    stored.credentials.known_regions.add(stored.region.api_url)  # they were saved once they worked
    source = f"profile “{stored.name}”"
    return FoundCredentials(stored.credentials, stored.region, source, "the profile", stored.name)


def _find_in_file(path: Path, mode: str | None) -> FoundCredentials:
    values = read_env_file(path, VARIABLES)
    warnings = []
    if is_tracked_by_git(path):
        warnings.append(
            f"git tracks {path}, so everybody with a copy of the repository may have these "
            f"credentials. Stop that with `git rm --cached {path.name}`, add the file to "
            ".gitignore, and have the key regenerated"
        )
    if is_open_to_others(path):
        warnings.append(
            f"other users of this computer can read {path}. Stop that with `chmod 600 {path.name}` "
            "in its folder, and think about a new key"
        )
    source, warning = f"the file {path}", ". Also, ".join(warnings)
    found = _Variables(source, f"in {source}", values.get, warning=warning).find(mode)
    if found is None:
        raise ConfigurationError(
            f"no credentials were found in {source}: none of these is set there: "
            f"{', '.join(_NAMES)}"
        )
    return replace(found, looked_at=(f"{found.source} (used)",))


def _describe(region: Region) -> str:
    return f"{region.name} ({region.host})"


def describe_kind(credentials: Credentials) -> str:
    """Return in words what credentials are."""
    if credentials.mode == "api_key":
        return "API key"
    three_legged = getattr(credentials, "three_legged", False)
    return "OAuth access token" if three_legged else "OAuth consumer pair"


def _read_variable(name: str) -> Secret | None:
    return Secret(os.environ[name].strip()) if name in os.environ else None


_ENVIRONMENT = _Variables("the environment", "in the environment", _read_variable)


def _colab_secrets() -> _Variables | None:
    """Return the secrets of Google Colab, or None where this is not Colab.

    https://github.com/googlecolab/colabtools/blob/main/google/colab/userdata.py
    """
    try:
        from google.colab import userdata
    except Exception:  # noqa: BLE001 - of a module that is not ours; without it, this is not Colab
        return None
    known: dict[str, Secret | None] = {}
    silent = False

    def read(name: str) -> Secret | None:
        nonlocal silent
        if name not in known:
            known[name] = None
            try:
                # Alone in its line: nothing plain stays in this frame.
                known[name] = None if silent else to_secret(userdata.get(name))
            except Exception as error:  # noqa: BLE001 - not there, or this notebook may not read it
                # Where the page does not answer at all, each further secret would wait as long.
                silent = "Timeout" in type(error).__name__
        value = known[name]
        return Secret(value.reveal().strip()) if value is not None else None

    hint = "Each secret of Colab has a switch that lets this notebook read it"
    return _Variables("the Colab secrets", "among the Colab secrets", read, hint)
