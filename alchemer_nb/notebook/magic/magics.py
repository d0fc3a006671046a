"""``%alchemer`` and ``%%alchemer``.

The magics object owns the session of its shell. Loading registers it, its completion and its
settings, and does nothing else: no call, no output, no patching.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import (
    Magics,
    line_cell_magic,
    magics_class,
    needs_local_scope,
    no_var_expand,
)
from IPython.display import display
from traitlets import Bool, CaselessStrEnum, Enum
from traitlets.config import Configurable

from alchemer_nb.errors import AlchemerError
from alchemer_nb.http.regions import Region
from alchemer_nb.notebook.kernel.outputs import say
from alchemer_nb.notebook.magic import help_text
from alchemer_nb.notebook.magic.command_table import COMMANDS
from alchemer_nb.notebook.magic.completion import Completion, KnownSurveys
from alchemer_nb.notebook.magic.context import LATER, Context
from alchemer_nb.notebook.magic.interpolation import fill_lines
from alchemer_nb.notebook.magic.parser import Call, parse_line
from alchemer_nb.notebook.magic.response_options import PROGRESS
from alchemer_nb.notebook.running.background import Downloads
from alchemer_nb.notebook.signin.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NAME = "AlchemerMagics"


def _documented(function: Callable[..., Any]) -> Callable[..., Any]:
    """Gives the magic what ``%alchemer?`` shows, written from the table of commands."""
    function.__doc__ = help_text.docstring(COMMANDS)
    return function


@magics_class
class AlchemerMagics(Magics, Configurable):
    """The commands of ``%alchemer`` and the session of one shell."""

    shell: Any  # for the type checker: IPython declares it as possibly None

    region = CaselessStrEnum(
        ["", *Region.names()], "", help="Region that `login` starts with."
    ).tag(config=True)
    progress = Enum(PROGRESS, "auto", help="How a download shows its progress.").tag(config=True)
    echo = Bool(True, help="Say in words what a download was asked for.").tag(config=True)
    short_errors = Bool(True, help="Show errors as one line; False shows the whole traceback.").tag(
        config=True
    )

    def __init__(self, shell: Any, **kwargs: Any) -> None:
        super().__init__(shell, **kwargs)
        self.session = Session()
        self.known = KnownSurveys()
        self.completion = Completion(COMMANDS, self.known, self.session, shell)
        self.downloads = Downloads(shell)
        self._forget = self.session.on_change(self.known.clear)

    @line_cell_magic
    @no_var_expand
    @needs_local_scope
    @_documented
    def alchemer(  # noqa: D102 - `_documented` writes it
        self, line: str, cell: str | None = None, local_ns: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            return self._run(line, cell, local_ns)
        except AlchemerError as error:
            error.short = self.short_errors
            raise

    def close(self) -> None:
        """Ends what this object holds: downloads, sign-ins, and the sandbox if one runs."""
        self._forget()
        self.downloads.close()
        for name in self.session.names():
            self.session.sign_out(name)

    def _run(self, line: str, cell: str | None, local: Mapping[str, Any] | None) -> Any:
        variables = self.shell.user_ns
        call = parse_line(line, COMMANDS, variables, local)
        if call.command is None:
            say(
                help_text.of_command(COMMANDS[call.help_for])
                if call.help_for
                else help_text.overview(COMMANDS)
            )
            return None
        body = self._body(call, cell, local)
        context = Context(
            session=self.session,
            known=self.known,
            variables={**variables, **(local or {})},
            region=self.region,
            progress=self.progress,
            echo=self.echo,
            downloads=self.downloads,
            target=call.target,
            shell=self.shell,
        )
        result = call.command.run(context, **call.values, **body)
        if result is LATER:
            return None
        if call.target is not None:
            self.shell.push({call.target: result})
            return None
        if not call.command.shown:
            return result
        if result is not None:
            display(result)  # type: ignore[no-untyped-call]  # IPython has no hints
        if not call.command.gives:
            return None
        if hasattr(result, "shown_by"):
            result.shown_by(self.shell)
        return result

    def _body(
        self, call: Call, cell: str | None, local: Mapping[str, Any] | None
    ) -> dict[str, str]:
        """The lines below a cell magic, as an argument of the command."""
        if call.command is None or cell is None or not cell.strip():
            return {}
        if not call.command.body:
            warning = ""
            if call.command.name == "login":
                warning = (
                    ". If they hold a key: clear this cell, and regenerate the key, which is "
                    "already in the history"
                )
            raise UsageError(
                f"%%alchemer {call.command.name} takes no lines below it; use "
                f"%alchemer {call.command.name}{warning}"
            )
        if not call.command.filled:
            return {"body": cell}
        return {"body": fill_lines(cell, self.shell.user_ns, local)}


def load(ipython: Any) -> None:
    """Registers the magics, their completion and their settings; twice is as good as once."""
    if _NAME in ipython.magics_manager.registry:
        return
    magics = AlchemerMagics(ipython)
    ipython.register_magics(magics)
    ipython.Completer.custom_matchers.append(magics.completion.match)


def unload(ipython: Any) -> None:
    """Takes back what ``load`` registered, signs out and stops the sandbox."""
    magics = ipython.magics_manager.registry.pop(_NAME, None)
    if magics is None:
        return
    for kind in ("line", "cell"):
        ipython.magics_manager.magics[kind].pop("alchemer", None)
    if magics in ipython.configurables:
        ipython.configurables.remove(magics)
    matchers = ipython.Completer.custom_matchers
    if magics.completion.match in matchers:
        matchers.remove(magics.completion.match)
    magics.close()
