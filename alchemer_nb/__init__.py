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

# Names of helpers begin with an underscore, so that completion by source shows public names alone.
import typing as _typing

from alchemer_nb._version import __version__ as __version__
from alchemer_nb.accessor.registration import register as _register

if _typing.TYPE_CHECKING:
    from alchemer_nb import errors, sandbox
    from alchemer_nb.auth.oauth_flow import OAuthFlow
    from alchemer_nb.client.client import Client
    from alchemer_nb.client.connecting import connect
    from alchemer_nb.client.jobs import Job, run_sync
    from alchemer_nb.compare.waves import stack_waves
    from alchemer_nb.export.parquet import read_parquet
    from alchemer_nb.export.spss import read_spss
    from alchemer_nb.export.stata import read_stata
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
    "read_stata",
    "run_sync",
    "sandbox",
    "stack_waves",
]

_MODULES = {
    "ApiKey": "http.credentials",
    "Client": "client.client",
    "Job": "client.jobs",
    "OAuth1": "http.credentials",
    "OAuthFlow": "auth.oauth_flow",
    "Region": "http.regions",
    "Retries": "http.retries",
    "connect": "client.connecting",
    "read_parquet": "export.parquet",
    "read_spss": "export.spss",
    "read_stata": "export.stata",
    "run_sync": "client.jobs",
    "stack_waves": "compare.waves",
}

_register()  # df.alchemer; pandas itself is not imported here


def __getattr__(name: str) -> _typing.Any:
    from importlib import import_module

    if name in ("errors", "sandbox"):
        return import_module(f"{__name__}.{name}")
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(ipython: _typing.Any) -> None:
    """Register ``%alchemer`` and ``%%alchemer`` (called by ``%load_ext alchemer_nb``)."""
    from alchemer_nb.notebook.magic import magics

    magics.load(ipython)


def unload_ipython_extension(ipython: _typing.Any) -> None:
    """Remove what loading registered (called by ``%unload_ext alchemer_nb``)."""
    from alchemer_nb.notebook.magic import magics

    magics.unload(ipython)
