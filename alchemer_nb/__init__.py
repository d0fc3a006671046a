"""Survey data from Alchemer (formerly SurveyGizmo) as pandas DataFrames, inside Jupyter.

In a notebook::

    %load_ext alchemer_nb
    %alchemer login
    df = %alchemer responses "Customer satisfaction"

In Python::

    import alchemer_nb as al
    client = al.connect()
    df = client.responses("Customer satisfaction")

Public names are imported when they are first used, so that importing the package and loading the
extension cost next to nothing: pandas, requests and ipywidgets come with the first call.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from alchemer_nb._version import __version__ as __version__
from alchemer_nb.accessor import registration

if TYPE_CHECKING:
    from alchemer_nb import errors
    from alchemer_nb.auth.oauth_flow import OAuthFlow
    from alchemer_nb.client.client import Client, connect
    from alchemer_nb.client.jobs import Job, run_sync
    from alchemer_nb.compare.waves import stack_waves
    from alchemer_nb.export.parquet import read_parquet
    from alchemer_nb.export.spss import read_spss
    from alchemer_nb.http.credentials import ApiKey, OAuth1
    from alchemer_nb.http.regions import Region
    from alchemer_nb.http.retries import Retries


__all__ = [
    "ApiKey",
    "Client",
    "Job",
    "OAuth1",
    "OAuthFlow",
    "Region",
    "Retries",
    "connect",
    "errors",
    "read_parquet",
    "read_spss",
    "run_sync",
    "stack_waves",
]

_HOMES = {
    "ApiKey": "alchemer_nb.http.credentials",
    "Client": "alchemer_nb.client.client",
    "Job": "alchemer_nb.client.jobs",
    "OAuth1": "alchemer_nb.http.credentials",
    "OAuthFlow": "alchemer_nb.auth.oauth_flow",
    "Region": "alchemer_nb.http.regions",
    "Retries": "alchemer_nb.http.retries",
    "connect": "alchemer_nb.client.client",
    "read_parquet": "alchemer_nb.export.parquet",
    "read_spss": "alchemer_nb.export.spss",
    "run_sync": "alchemer_nb.client.jobs",
    "stack_waves": "alchemer_nb.compare.waves",
}


registration.register()  # of df.alchemer; pandas itself is not imported here


def __getattr__(name: str) -> Any:
    if name == "errors":
        return import_module("alchemer_nb.errors")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


def load_ipython_extension(ipython: Any) -> None:
    """Registers ``%alchemer`` and ``%%alchemer`` (called by ``%load_ext alchemer_nb``)."""
    from alchemer_nb.notebook.magic import magics

    magics.load(ipython)


def unload_ipython_extension(ipython: Any) -> None:
    """Takes everything back that loading registered (called by ``%unload_ext alchemer_nb``)."""
    from alchemer_nb.notebook.magic import magics

    magics.unload(ipython)
