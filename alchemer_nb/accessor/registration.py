"""Makes ``df.alchemer`` exist as soon as pandas and this package are both imported.

Importing pandas here would make ``%load_ext`` slow, and waiting for the first call of ours would
leave a frame read back from a file without its accessor. So where pandas is not yet there, a
finder waits for it, lets it load as ever, and registers the accessor afterwards.
"""

from __future__ import annotations

import importlib.util
import sys
from importlib.abc import Loader, MetaPathFinder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    import pandas as pd

    from alchemer_nb.accessor.accessor import AlchemerAccessor

NAME = "alchemer"


def register() -> None:
    """Registers the accessor with pandas, now or when pandas is imported; once is enough."""
    if "pandas" in sys.modules:
        _register_now()
    elif not any(isinstance(finder, _PandasWatch) for finder in sys.meta_path):
        sys.meta_path.insert(0, _PandasWatch())


def _register_now() -> None:
    import pandas as pd

    if getattr(pd.DataFrame, NAME, None) is not _accessor:
        pd.api.extensions.register_dataframe_accessor(NAME)(_accessor)  # type: ignore[type-var]  # typed for classes; a function makes one as well


def _accessor(frame: pd.DataFrame) -> AlchemerAccessor:
    """Stands in for the class, which is imported when somebody writes ``df.alchemer``."""
    from alchemer_nb.accessor.accessor import AlchemerAccessor

    return AlchemerAccessor(frame)


class _PandasWatch(MetaPathFinder):
    """Finds nothing by itself; wraps the loader of pandas that the others find."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the signature of a finder
        target: ModuleType | None = None,  # noqa: ARG002 - the same
    ) -> ModuleSpec | None:
        if fullname != "pandas":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _ThenRegister(spec.loader)
        return spec


class _ThenRegister(Loader):
    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        _register_now()
