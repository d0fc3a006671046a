"""``connect``: a client from credentials that are found."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from alchemer_nb.auth import lookup
from alchemer_nb.client.client import Client
from alchemer_nb.http.regions import Region

if TYPE_CHECKING:
    import os


def connect(
    region: str | Region | None = None,
    profile: str | None = None,
    *,
    mode: str | None = None,
    env_file: str | os.PathLike[str] | None = None,
) -> Client:
    """Return a client with credentials from the place where they are kept.

    That is the environment; else, in Google Colab, the notebook's secrets; else the profile
    ``"default"``. Credentials go to the region that they belong to and to no other: a profile's to
    the one it was stored for, the others to ``ALCHEMER_REGION`` of the same place.

    Args:
        region: Where the credentials belong, where ``ALCHEMER_REGION`` does not say it (then
            ``"us"`` if this is left out, too). Else it has to be the region that they belong to.
        profile: Name of a profile, which is then the only place.
        mode: ``"key"`` or ``"oauth"``, for a place that has an API key and a consumer pair. Left
            out, the API key is used.
        env_file: An ``.env`` file, which is then the only place. Only the credentials and the
            region are read from it, and nothing is put into the environment.

    Raises:
        ConfigurationError: There are no credentials; it says what was looked for. Or they belong
            to another region or mode than the one asked for.
        InvalidArgument: There is no such mode; or a profile and a file are given.

    Example:
        >>> connect(profile="a-name-nobody-used")
        Traceback (most recent call last):
        alchemer_nb.errors.ConfigurationError: no credentials were found: ...
    """
    asked = None if region is None else Region.get(region)
    found = lookup.find_credentials(profile, mode=mode, env_file=env_file)
    if found is None:
        raise lookup.no_credentials_error(
            profile, "Sign in with %alchemer login, or give Client(ApiKey(…), region=…)"
        )
    found.check_mode(mode)
    found = found.for_region(asked)
    if found.warning:
        warnings.warn(found.warning, stacklevel=2)
    return Client(found.credentials, found.region)
