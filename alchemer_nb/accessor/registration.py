"""Register ``df.alchemer`` as soon as pandas and this package are both imported.

Importing pandas here would make ``%load_ext`` slow. Waiting for the first call of this package
would leave a frame that pandas read from a file without its accessor. So an import hook registers
the accessor right after pandas was imported.
"""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    import pandas as pd

    from alchemer_nb.accessor.accessor import AlchemerAccessor

NAME = "alchemer"


def register() -> None:
    """Register the accessor with pandas, now or when pandas is imported; once is enough."""
    if "pandas" in sys.modules:
        _register_now()
    elif not any(isinstance(finder, _PandasWatch) for finder in sys.meta_path):
        sys.meta_path.insert(0, _PandasWatch())


def _register_now() -> None:
    import pandas as pd

    if getattr(pd.DataFrame, NAME, None) is not _accessor:
        pd.api.extensions.register_dataframe_accessor(NAME)(_accessor)  # type: ignore[type-var]  # typed for classes; a function makes one as well


def _accessor(frame: pd.DataFrame) -> AlchemerAccessor:
    """Build the accessor; its class is imported at the first ``df.alchemer``."""
    from alchemer_nb.accessor.accessor import AlchemerAccessor

    return AlchemerAccessor(frame)


class _PandasWatch:
    """An import hook that registers the accessor after pandas was imported."""

    def find_spec(self, name: str, *_path_and_target: object) -> ModuleSpec | None:
        """Find pandas by the other finders, and have the accessor registered once it has run."""
        if name != "pandas":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        loader = spec.loader if spec is not None else None
        if loader is not None:
            run = loader.exec_module

            def exec_module(module: ModuleType) -> None:
                run(module)
                _register_now()

            loader.exec_module = exec_module  # type: ignore[method-assign]  # of this loader alone
        return spec
