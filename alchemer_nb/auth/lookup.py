"""Finds stored credentials: in the environment, or in a profile.

Credentials are found with their region and are sent to no other. A profile is stored with its
region. For credentials of the environment it is ``ALCHEMER_REGION``; if that is not set, the region
that the caller asks for, or else US.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from alchemer_nb.auth import profiles
from alchemer_nb.errors import ConfigurationError
from alchemer_nb.http.credentials import ApiKey, OAuth1
from alchemer_nb.http.regions import Region
from alchemer_nb.http.secrets import Secret

if TYPE_CHECKING:
    from alchemer_nb.http.credentials import Credentials

REGION_NAME = "ALCHEMER_REGION"
_KEY_NAMES = ("ALCHEMER_API_TOKEN", "ALCHEMER_API_TOKEN_SECRET")
_CONSUMER_NAMES = ("ALCHEMER_CONSUMER_KEY", "ALCHEMER_CONSUMER_SECRET")
_TOKEN_NAMES = ("ALCHEMER_OAUTH_TOKEN", "ALCHEMER_OAUTH_TOKEN_SECRET")
_OLD_SECRET_NAME = "ALCHEMER_API_SECRET"  # noqa: S105 - the name of a variable, not a secret
VARIABLES = (REGION_NAME, *_KEY_NAMES, _OLD_SECRET_NAME, *_CONSUMER_NAMES, *_TOKEN_NAMES)


@dataclass(frozen=True, slots=True)
class FoundCredentials:
    """Credentials and their region, with the source of both.

    Attributes:
        credentials: What was found.
        region: The region that they belong to.
        source: ``"the environment"`` or ``"profile “…”"``.
        region_source: What names the region; empty if nothing does and US is assumed.
        profile: Name of the profile, empty for the environment.
    """

    credentials: Credentials
    region: Region
    source: str
    region_source: str
    profile: str = ""

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


def find_credentials(profile: str | None = None) -> FoundCredentials | None:
    """Find credentials in the environment, then in the default profile; or in one profile.

    Args:
        profile: Look in this profile only.

    Returns:
        None if there are none.

    Raises:
        InvalidArgument: No profile can have that name.
        ConfigurationError: They cannot be used: half of a pair, an unknown region, a profile that
            cannot be read.
    """
    if profile is None:
        credentials = from_environment()
        if credentials is not None:
            named, source = environment_region(), "the environment"
            region_source = REGION_NAME if named else ""
            return FoundCredentials(credentials, named or Region.get("us"), source, region_source)
        if profiles.on_binder():
            return None
    stored = profiles.load(profiles.DEFAULT if profile is None else profile)
    if stored is None:
        return None
    source = f"profile “{stored.name}”"
    return FoundCredentials(stored.credentials, stored.region, source, "the profile", stored.name)


def from_environment() -> Credentials | None:
    """Read credentials from the environment; return None if there are none.

    ``ALCHEMER_API_TOKEN`` with ``ALCHEMER_API_TOKEN_SECRET`` (or ``ALCHEMER_API_SECRET``), or
    ``ALCHEMER_CONSUMER_KEY`` with ``ALCHEMER_CONSUMER_SECRET`` and, for calls in a user's name,
    ``ALCHEMER_OAUTH_TOKEN`` with ``ALCHEMER_OAUTH_TOKEN_SECRET``. If both are set, the API key is
    used.

    Raises:
        ConfigurationError: Half of a pair is set; the message names the missing variable.
    """
    key = _read_pair(_KEY_NAMES)
    if key:
        return ApiKey(*key)
    consumer, token = _read_pair(_CONSUMER_NAMES), _read_pair(_TOKEN_NAMES)
    if consumer:
        return OAuth1(*consumer, *(token or ()))
    if token:
        raise ConfigurationError(
            f"{_TOKEN_NAMES[0]} is set in the environment but {_CONSUMER_NAMES[0]} is not: an "
            "access token is of use only with its consumer pair"
        )
    return None


def environment_region() -> Region | None:
    """Return the region that the environment names, or None.

    Raises:
        ConfigurationError: There is no such region.
    """
    name = os.environ.get(REGION_NAME, "").strip()
    if not name:
        return None
    if name.lower() not in Region.names():
        known = ", ".join(Region.names())
        raise ConfigurationError(
            f"{REGION_NAME} in the environment is {name[:40]!r}, which is no region; set it to one "
            f"of {known}"
        )
    return Region.get(name)


def no_credentials_error(profile: str | None, hint: str) -> ConfigurationError:
    """Build the error that no credentials were found; it lists where they were looked for.

    Args:
        profile: The profile that the caller asked for, or None.
        hint: The hint.
    """
    name = profiles.DEFAULT if profile is None else profile
    missing_text = f"no profile is called {name!r}"
    existing = ", ".join(profiles.names())
    if existing:
        missing_text += f" (there is: {existing})"
    if profile is None:
        variables = ", ".join((*_KEY_NAMES, *_CONSUMER_NAMES, *_TOKEN_NAMES))
        missing_text += f", and none of these is set: {variables}"
    return ConfigurationError(f"no credentials were found: {missing_text}", hint=hint)


def _describe(region: Region) -> str:
    return f"{region.name} ({region.host})"


def _read_pair(names: tuple[str, str]) -> tuple[Secret, Secret] | None:
    first, second = map(_read_variable, names)
    if names is _KEY_NAMES and not second:
        second = _read_variable(_OLD_SECRET_NAME)
        names = (names[0], _OLD_SECRET_NAME) if second else names
    if not (first or second):
        return None
    if not (first and second):
        present, missing = names if first else reversed(names)
        raise ConfigurationError(
            f"{present} is set in the environment but {missing} is not; set both"
        )
    return first, second


def _read_variable(name: str) -> Secret:
    return Secret(os.environ.get(name, "").strip())
