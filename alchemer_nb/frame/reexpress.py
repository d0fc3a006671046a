"""To come."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from alchemer_nb.frame.description import Description
    from alchemer_nb.frame.options import FrameOptions


def reexpress(frame: pd.DataFrame, description: Description, options: FrameOptions) -> pd.DataFrame:
    """Write the values of a frame with other options."""
    raise NotImplementedError
