"""Register ``df.alchemer`` as soon as pandas and this package are both imported.

Importing pandas here would make ``%load_ext`` slow. Waiting for the first call of this package
would leave a frame that pandas read from a file without its accessor. So an import hook registers
the accessor right after pandas was imported.

It delays interrupts, too, while compiled packages are imported: the first command imports them,
and an import that is cut off leaves a package broken until the kernel is restarted.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    import pandas as pd

    from alchemer_nb.accessor.accessor import AlchemerAccessor

NAME = "alchemer"
_COMPILED = ("numpy", "pandas", "pyarrow")  # and what of pyarrow is imported later


def register() -> None:
    """Register the accessor with pandas, now or when pandas is imported; once is enough."""
    if "pandas" in sys.modules:
        _register_now()
    if not any(isinstance(finder, _ImportWatch) for finder in sys.meta_path):
        sys.meta_path.insert(0, _ImportWatch())


def _register_now() -> None:
    import pandas as pd

    if getattr(pd.DataFrame, NAME, None) is not _accessor:
        pd.api.extensions.register_dataframe_accessor(NAME)(_accessor)  # type: ignore[type-var]  # typed for classes; a function makes one as well


def _accessor(frame: pd.DataFrame) -> AlchemerAccessor:
    """Build the accessor; its class is imported at the first ``df.alchemer``."""
    from alchemer_nb.accessor.accessor import AlchemerAccessor

    return AlchemerAccessor(frame)


class _ImportWatch:
    """An import hook that delays interrupts, and registers the accessor after pandas has run."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a compiled package by the other finders, and have its code run completely."""
        if name not in _COMPILED and not name.startswith("pyarrow."):
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        found = (finder.find_spec(name, path, target) for finder in others)
        spec = next(filter(None, found), None)
        loader = spec.loader if spec is not None else None
        if loader is not None:
            run = loader.exec_module

            def exec_module(module: ModuleType) -> None:
                from alchemer_nb.interrupts import HeldInterrupts

                interrupts = HeldInterrupts()
                interrupts.begin()
                try:
                    run(module)
                    if name == "pandas":
                        _register_now()
                finally:
                    interrupts.end_import()

            loader.exec_module = exec_module  # type: ignore[method-assign]  # of this loader alone
        return spec
