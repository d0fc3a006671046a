"""A calm line, in place of an error in red, where the user stopped a download or a sync.

The cell fails all the same, so that *Run All* stops there and the name stays unassigned. In a run
without a person it is an error like any other: papermill finds failed cells by such outputs.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from alchemer_nb.errors import DownloadIncomplete
from alchemer_nb.interrupts import delay_interrupts
from alchemer_nb.notebook.kernel.outputs import show_line
from alchemer_nb.notebook.kernel.pump import is_unattended

if TYPE_CHECKING:
    from types import TracebackType

_KINDS = (DownloadIncomplete,)


def show_stops_calmly(shell: Any) -> None:
    """Register the handler, unless the shell has one of somebody else.

    Source: https://ipython.readthedocs.io/en/stable/api/generated/IPython.core.interactiveshell.html#IPython.core.interactiveshell.InteractiveShell.set_custom_exc
    """
    if not shell.custom_exceptions:
        shell.set_custom_exc(_KINDS, _show)


def show_stops_as_errors(shell: Any) -> None:
    """Remove the handler, if it is still the one of the shell."""
    if shell.custom_exceptions == _KINDS:
        shell.set_custom_exc((), None)


def _show(
    shell: Any,
    kind: type[BaseException],
    error: DownloadIncomplete,
    traceback: TracebackType | None,
    tb_offset: int | None = None,  # noqa: ARG001 - IPython passes it by name
) -> list[str]:
    if not (error.stopped and error.short) or is_unattended(shell):
        shell.showtraceback((kind, error, traceback))
        return []
    line = " ".join(error.lines).strip()
    with delay_interrupts():  # IPython removes a handler that fails
        # As IPython does for every other error: the message names `sys.last_value`.
        sys.last_type, sys.last_value, sys.last_traceback = kind, error, traceback
        show_line(line)
        if hasattr(shell, "_last_traceback"):  # what ipykernel replies; else that of an older error
            shell._last_traceback = [line]
    return [line]
