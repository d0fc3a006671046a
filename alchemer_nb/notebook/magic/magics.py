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

from alchemer_nb.errors import AlchemerError, InvalidArgument, SurveyNotFound
from alchemer_nb.http.regions import Region
from alchemer_nb.notebook.kernel.outputs import print_text
from alchemer_nb.notebook.kernel.stopped import show_stops_as_errors, show_stops_calmly
from alchemer_nb.notebook.magic.command_spec import Command, command_help, full_help, overview
from alchemer_nb.notebook.magic.command_table import COMMANDS, LISTS
from alchemer_nb.notebook.magic.commands import Context, name_variable
from alchemer_nb.notebook.magic.completion import Completion
from alchemer_nb.notebook.magic.interpolation import interpolate_lines
from alchemer_nb.notebook.magic.lookahead import KnownSurveys, Lookahead
from alchemer_nb.notebook.magic.parser import parse_line
from alchemer_nb.notebook.magic.response_options import PROGRESS
from alchemer_nb.notebook.running.background import Downloads
from alchemer_nb.notebook.running.preview import Previews
from alchemer_nb.notebook.signin.session import Session

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = "AlchemerMagics"
_PREVIEWED = frozenset(
    {"account", "surveys", "questions", "responses", "partial", "stores", "profiles", *LISTS}
)
_JOB = "alchemer_nb.client.jobs", "Job"  # by name: without importing it


@magics_class
class AlchemerMagics(Magics, Configurable):
    """The commands of ``%alchemer`` and the session of one shell."""

    shell: Any  # for the type checker: IPython declares it as possibly None

    region = CaselessStrEnum(
        ["", *Region.names()], "", help="Region that `login` starts with."
    ).tag(config=True)
    progress = Enum(PROGRESS, "auto", help="How a download shows its progress.").tag(config=True)
    day_first = Bool(False, help="Whether typed dates have the day before the month.").tag(
        config=True
    )
    echo = Bool(True, help="Say in words what a download was asked for.").tag(config=True)
    short_errors = Bool(True, help="Show errors as one line; False shows the whole traceback.").tag(
        config=True
    )

    def __init__(self, shell: Any, **kwargs: Any) -> None:
        super().__init__(shell, **kwargs)
        self.session = Session()
        self.known_surveys = KnownSurveys()
        self.lookahead = Lookahead(self.session, self.known_surveys)
        self.completion = Completion(COMMANDS, self.lookahead, self.session, shell)
        self.downloads = Downloads(shell)
        self.previews = Previews(shell)
        self._stop_listening = self.session.on_change(self._forget_surveys)

    @line_cell_magic
    @no_var_expand
    @needs_local_scope
    def alchemer(  # noqa: D102 - written from the command table, below
        self, line: str, cell: str | None = None, local_ns: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            return self._run(line, cell, local_ns)
        except AlchemerError as error:
            error.short = self.short_errors
            raise
        except KeyboardInterrupt as interrupt:
            if self.short_errors:  # in place of a traceback through this package
                vars(interrupt)["_render_traceback_"] = _show_interrupt
            raise

    alchemer.__doc__ = full_help(COMMANDS)  # what `%alchemer?` shows

    def _forget_surveys(self) -> None:
        self.known_surveys.clear()
        self.lookahead.clear()

    def close(self) -> None:
        """End the downloads and sign-ins, and the sandbox if one runs."""
        self._stop_listening()
        self.downloads.close()
        for name in self.session.names():
            self.session.sign_out(name)

    def _run(self, line: str, cell: str | None, local: Mapping[str, Any] | None) -> Any:
        variables = {**self.shell.user_ns, **(local or {})}
        parsed = parse_line(line, COMMANDS, variables)
        command = parsed.command
        if command is None:
            topic = COMMANDS.get(parsed.help_for or "")
            print_text(command_help(topic) if topic else overview(COMMANDS))
            return None
        arguments = dict(parsed.arguments)
        if cell and cell.strip():
            arguments["body"] = _read_body(command, cell, variables)
        context = Context(
            session=self.session,
            known_surveys=self.known_surveys,
            downloads=self.downloads,
            variables=variables,
            region=self.region,
            progress=self.progress,
            echo=self.echo,
            day_first=self.day_first,
            target=parsed.target,
            shell=self.shell,
        )
        try:
            result = command.run(context, **arguments)
        except (SurveyNotFound, InvalidArgument) as error:
            name_variable(error, arguments.get("survey"), variables)
            raise
        if result is None:  # there is none, or it comes later
            return None
        if parsed.target is not None:
            self.shell.push({parsed.target: result})
            return None
        if not command.displays:
            self.previews.offer(result, whole=command.name not in _PREVIEWED)
            return result
        display(result)  # type: ignore[no-untyped-call]  # IPython has no hints
        if not command.has_result:
            return None
        if hasattr(result, "mark_displayed"):
            result.mark_displayed(self.shell)
        return result


def _show_interrupt(*_: Any, **__: Any) -> list[str]:
    return ["\x1b[31mKeyboardInterrupt\x1b[0m: you stopped this command"]


def _read_body(command: Command, cell: str, variables: Mapping[str, Any]) -> str:
    """Return the lines below a cell magic, or raise if the command takes none."""
    if command.body_help:
        return interpolate_lines(cell, variables) if command.evaluates_body else cell
    warning = ""
    if command.name == "login":
        warning = (
            ". If they hold a key: clear this cell, and regenerate the key, which is already in "
            "the history"
        )
    raise UsageError(
        f"%%alchemer {command.name} takes no lines below it; use %alchemer {command.name}{warning}"
    )


def load(ipython: Any) -> None:
    """Register the magics, their completion and their settings, unless they are registered."""
    if _NAME in ipython.magics_manager.registry:
        return
    magics = AlchemerMagics(ipython)
    ipython.register_magics(magics)
    ipython.Completer.custom_matchers.append(magics.completion.match)
    ipython.display_formatter.ipython_display_formatter.for_type_by_name(
        *_JOB, magics.downloads.show_job
    )
    magics.previews.begin()
    show_stops_calmly(ipython)


def unload(ipython: Any) -> None:
    """Remove what ``load`` registered, sign out and stop the sandbox."""
    magics = ipython.magics_manager.registry.pop(_NAME, None)
    if magics is None:
        return
    show_stops_as_errors(ipython)
    magics.previews.end()
    ipython.display_formatter.ipython_display_formatter.pop(".".join(_JOB), None)
    for kind in ("line", "cell"):
        ipython.magics_manager.magics[kind].pop("alchemer", None)
    if magics in ipython.configurables:
        ipython.configurables.remove(magics)
    matchers = ipython.Completer.custom_matchers
    if magics.completion.match in matchers:
        matchers.remove(magics.completion.match)
    magics.close()
