"""The sign-in panel: region, mode and one form; after a sign-in, who is signed in."""

from __future__ import annotations

import sys
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets

from alchemer_nb.auth import profiles
from alchemer_nb.auth.oauth_flow import LISTENER
from alchemer_nb.errors import AlchemerError, ConfigurationError
from alchemer_nb.http.regions import Region
from alchemer_nb.notebook.kernel.outputs import add_output, line_bundle, replace_outputs
from alchemer_nb.notebook.signin import form
from alchemer_nb.notebook.signin.form import FormView, SignInForm
from alchemer_nb.notebook.signin.session import KEY, OAUTH, Session, Status
from alchemer_nb.notebook.signin.steps import PASTED, FieldError, SignIn, SignInLink

if TYPE_CHECKING:
    from collections.abc import Callable

    from alchemer_nb.auth.lookup import FoundCredentials
    from alchemer_nb.http.secrets import Secret

_LABELS = {"description_width": "132px"}
_REGION_HINT = "Your region is in the address bar when you are logged in."
_VARIABLES = "ALCHEMER_API_TOKEN, ALCHEMER_API_TOKEN_SECRET and ALCHEMER_REGION"
_IF_NO_PANEL = (
    "If no panel is shown here, run the cell again; %alchemer login --prompt needs no panel."
)
_CHECK_INTERVAL = 0.5  # seconds between two checks whether the browser has returned


class LoginPanel(ipywidgets.VBox):
    """A panel in which a person signs in, sees who is signed in, and signs out.

    Args:
        session: The shell's session.
        region: The region that is chosen at first; None takes the sandbox's if it runs, else US.
        mode: ``"api_key"`` or ``"oauth1"``.
        found: Credentials that one click signs in with.
        notice: A line above the form, and what to do next.
        failed: Whether that line describes an error.
        profile: Name of the profile that credentials are saved under.
        adding: Show the form although somebody is signed in.

    Attributes:
        region: The dropdown.
        mode: The two buttons.
        form: The form with the fields.
        sign_in: The steps that the form runs.
        outputs: The outputs in which the panel is shown.
    """

    def __init__(
        self,
        session: Session,
        *,
        region: Region | None = None,
        mode: str = KEY,
        found: FoundCredentials | None = None,
        notice: tuple[str, str] = ("", ""),
        failed: bool = False,
        profile: str | None = None,
        adding: bool = False,
    ) -> None:
        self.session = session
        self.sign_in = SignIn(session, profile)
        self.outputs = PanelOutputs()
        self._found, self._notice, self._failed = found, notice, failed
        self._adding, self._asked_region = adding, region
        options = _region_options(session, region)
        first = region or options[-1 if session.box is not None else 0][1]
        self.region = ipywidgets.Dropdown(
            options=options,
            value=next(each for _, each in options if each.api_url == first.api_url),
            description="Region",
            style=_LABELS,
            layout={"width": "auto", "max_width": "100%"},
        )
        self.mode = ipywidgets.ToggleButtons(
            options=[("API key", KEY), ("OAuth", OAUTH)],
            value=mode,
            description="Sign in with",
            style={**_LABELS, "button_width": "auto"},
        )
        self.form = SignInForm(
            self._with_errors_shown(self._submit), self._with_errors_shown(self._press)
        )
        self.status = ipywidgets.HTML()
        self._hint = ipywidgets.HTML(_REGION_HINT)
        self._sign_out_button = ipywidgets.Button(description="Sign out", icon="sign-out")
        self._add_button = ipywidgets.Button(
            description="Add another account", layout={"width": "auto"}
        )
        self._buttons = ipywidgets.HBox([self._sign_out_button, self._add_button])
        super().__init__(layout={"width": "100%", "max_width": "640px", "padding": "4px 2px 8px"})
        for part, name in ((self, "panel"), (self._hint, "hint"), (self.status, "status")):
            part.add_class(f"alchemer-{name}")
        for choice in (self.region, self.mode):
            choice.observe(self._with_errors_shown(lambda _: self._start_over()), "value")
        self._sign_out_button.on_click(self._with_errors_shown(lambda _: session.sign_out()))
        self._add_button.on_click(self._with_errors_shown(lambda _: self._show(adding=True)))
        self._stop_listening = session.on_change(self._with_errors_shown(self._follow_session))
        self._refresh()

    @property
    def shows_form(self) -> bool:
        """Whether the form is shown, in place of who is signed in."""
        return self._adding or not self.session.status().signed_in

    def show_notice(self, notice: str) -> None:
        """Show a line above the form."""
        self._notice, self._failed = (notice, ""), False
        self._refresh()

    def finish_if_returned(self) -> None:
        """Finish the sign-in if the browser has returned to the loopback listener."""
        # Callbacks may run on two threads: `run_alone` lets one of them end the attempt.
        if self.sign_in.callback is not None:
            self.form.run_alone(self._with_errors_shown(self._finish_callback))

    def close(self) -> None:
        """Remove the panel from the page; it cannot be used afterwards."""
        if sys.is_finalizing():  # `Widget.__del__` calls this, and nothing can be imported any more
            return
        self._stop_listening()
        self.sign_in.cancel()
        self.outputs.clear()
        # ipywidgets holds each widget that is not closed, and its callbacks hold this panel:
        # https://ipywidgets.readthedocs.io/en/stable/examples/Widget%20Basics.html#closing-widgets
        inputs = (self.region, self.mode, self.form, self._sign_out_button, self._add_button)
        for part in (*inputs, self._buttons, self.status, self._hint):
            part.close()
        super().close()

    def _ipython_display_(self, **_: Any) -> None:
        line = _headline(self.session.status(), shows_form=self.shows_form)
        self.outputs.publish(line, self._repr_mimebundle_())
        self._refresh()

    def __repr__(self) -> str:
        # ipywidgets would show all traits, which are of no interest to a reader.
        if not self.shows_form:
            return repr(self.session.status())
        panel = (
            "(The sign-in panel. Where it is not shown: %alchemer login --prompt, or set "
            f"{_VARIABLES} in the environment.)"
        )
        return "\n".join(filter(None, (" ".join(self._notice).strip(), panel)))

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        # ipywidgets cuts the plain text after 110 characters, in the middle of what to do next:
        # https://github.com/jupyter-widgets/ipywidgets/blob/main/python/ipywidgets/ipywidgets/widgets/widget.py
        return {**super()._repr_mimebundle_(**kwargs), "text/plain": repr(self)}

    def _with_errors_shown(self, function: Callable[..., object]) -> Callable[..., None]:
        """Wrap a callback so that its errors show in the panel: nobody would see them elsewhere."""

        def wrapped(*args: Any) -> None:
            try:
                function(*args)
            except AlchemerError as error:
                field = error.field if isinstance(error, FieldError) else ""
                self._show_error(field, *error.lines)
            except Exception as error:  # noqa: BLE001 - the last place where it can be shown
                # Without its text, which may repeat what was typed.
                self._show_error("", f"This went wrong inside alchemer_nb: {type(error).__name__}.")

        return wrapped

    def _show_error(self, field: str, sentence: str, hint: str = "") -> None:
        view = self._view()
        view["errors"], view["hints"] = {field: sentence}, {field: hint}
        view["notice"] = view["notice_next"] = ""
        self.form.show(view)

    def _submit(self, values: dict[str, Secret], ticked: dict[str, bool]) -> None:
        if not values:
            raise ConfigurationError(
                "what was typed did not reach the kernel: this notebook program passes no binary "
                "messages on",
                hint="Run %alchemer login --prompt, which asks without a panel",
            )
        try:
            self._use_values(values, ticked)
        except FieldError:
            raise
        except AlchemerError as error:
            if all(each.reveal().strip() for each in values.values()):  # then the page emptied them
                again = "What you typed was not kept: paste it again when you try once more"
                error.hint = ". ".join(filter(None, (error.hint, again)))
            raise

    def _use_values(self, values: dict[str, Secret], ticked: dict[str, bool]) -> None:
        remember = ticked.get(form.REMEMBER, False)
        if self.mode.value == KEY:
            self.sign_in.use_key(values, self.region.value, remember=remember)
        elif self.sign_in.flow is not None:
            self.sign_in.finish(values[PASTED], remember=remember)
        elif ticked.get(form.TWO_LEGGED):
            self.sign_in.use_consumer_pair(values, self.region.value, remember=remember)
        else:
            self._show_link(self.sign_in.request_link(values, self.region.value))
            return
        self._show(adding=False)

    def _press(self, button: str) -> None:
        if button == form.NEW_LINK:
            self._show_link(self.sign_in.renew_link())
        elif button == form.CODE_LINK:
            self._show_link(self.sign_in.request_code_link())
        elif button == form.USE_FOUND and self._found is not None:
            self.sign_in.use_credentials(self._found.credentials, self._found.region)
            self._show(adding=False)
        elif button == form.BACK:
            self._show(adding=False)
        else:
            self._start_over()

    def _finish_callback(self) -> None:
        callback = self.sign_in.take_callback()
        if callback is not None:
            self.sign_in.finish(callback, remember=self.form.ticked.get(form.REMEMBER, False))
            self._show(adding=False)

    def _show_link(self, link: SignInLink) -> None:
        self.form.show(self._view(), clear=True)
        self.form.show_link(link.url, link.host)
        self._watch_listener()

    def _watch_listener(self) -> None:
        """Check twice a second, on the kernel's event loop, whether the browser has returned."""
        from IPython import get_ipython

        from alchemer_nb.notebook.kernel.pump import call_later

        flow = self.sign_in.flow
        if flow is None or flow.ends_at != LISTENER:
            return

        def check() -> None:
            if self.sign_in.flow is flow:
                self.finish_if_returned()
                call_later(get_ipython(), _CHECK_INTERVAL, check)

        call_later(get_ipython(), _CHECK_INTERVAL, check)

    def _start_over(self) -> None:
        self.sign_in.cancel()
        self.form.show_link("", "")
        self.form.show(self._view())  # what is in boxes that stay is not lost

    def _follow_session(self) -> None:
        """Show the new status, and the new list of regions if a sandbox was started or stopped."""
        options, before = _region_options(self.session, self._asked_region), self.region.value
        if options != self.region.options:
            regions = [region for _, region in options]
            self.region.options = options
            self.region.value = before if before in regions else regions[0]
        self._show(adding=False)

    def _view(self) -> FormView:
        region, flow = self.region.value, self.sign_in.flow
        waiting = flow is not None
        if self.mode.value == KEY:
            view = form.key_view(region)
        else:
            view = form.paste_view(region, flow.ends_at) if flow else form.pair_view(region)
        actions, options = view.setdefault("actions", []), view.setdefault("options", [])
        found = self._found  # belongs to one region, so offer it in no other
        if found is not None and found.region.api_url == region.api_url and not waiting:
            label = f"Use the credentials from {found.source}{' again' if self._failed else ''}"
            actions.append({"name": form.USE_FOUND, "label": label})
        if self._adding and self.session.status().signed_in:
            actions.append({"name": form.BACK, "label": "Back"})
        notices = [self._notice[0]]
        if profiles.on_binder():
            notices.append(form.BINDER_NOTICE)
        else:
            keeps, label = f"Kept {profiles.describe_storage()}.", "Remember on this computer"
            options.append({"name": form.REMEMBER, "label": label, "help": keeps})
        notice = "\n".join(filter(None, notices))
        return {**view, "notice": notice, "notice_next": self._notice[1], "failed": self._failed}

    def _show(self, *, adding: bool) -> None:
        """Show the form for another account, or else who is signed in; remove the notice."""
        self._adding, self._notice = adding, ("", "")
        if self.sign_in.flow is None:
            self.form.show_link("", "")
        self._refresh(clear=True)

    def _refresh(self, *, clear: bool = False) -> None:
        self.form.show(self._view(), clear=clear)
        status = self.session.status()
        self.outputs.update(_headline(status, shows_form=self.shows_form))
        if self.shows_form:
            parts = [self.region, self._hint, self.mode, self.form]
        else:
            # The line above the panel names who is signed in, but not every output has one.
            line = "" if self.outputs.are_shown else status.line
            lines = filter(None, (line, *self._notice, self.sign_in.saved_note, status.hint))
            self.status.value = "".join(f"<div>{escape(line)}</div>" for line in lines)
            parts = [self.status, self._buttons]
        self.children = tuple(parts)


def _region_options(session: Session, asked: Region | None) -> tuple[tuple[str, Region], ...]:
    """Label the known regions, the one that was asked for, and last the sandbox's if it runs."""
    regions: dict[str, Region] = {}
    known = map(Region.get, Region.names())
    for region in (*known, asked, session.box.region if session.box is not None else None):
        if region is not None:
            regions.setdefault(region.api_url, region)
    return tuple((f"{each.label} — {each.shown_host}", each) for each in regions.values())


class PanelOutputs:
    """The outputs of cells that show a panel: a line of text, the widget, and another line.

    A notebook that is opened again without its kernel shows these lines alone.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._panels: list[str] = []
        self._line: tuple[str, ...] = ()

    @property
    def are_shown(self) -> bool:
        """Whether there is any."""
        return bool(self._lines)

    def publish(self, line: tuple[str, ...], panel: dict[str, Any]) -> None:
        """Show line and panel as two more outputs of the running cell."""
        self._line = line
        self._lines.append(add_output(_headline_bundle(line)))
        self._panels.append(add_output(panel))
        self._panels.append(add_output(line_bundle(_IF_NO_PANEL, dim=True)))

    def update(self, line: tuple[str, ...]) -> None:
        """Rewrite the line in all outputs."""
        if line != self._line:
            self._line = line
            replace_outputs(self._lines, _headline_bundle(line))

    def clear(self) -> None:
        """Empty the panel's outputs, so that no dead widget is saved with the notebook."""
        panels, self._panels = self._panels, []
        replace_outputs(panels, {"text/plain": ""})


def _headline(status: Status, *, shows_form: bool) -> tuple[str, ...]:
    """Return the parts of the line above the panel; the first is shown in bold."""
    if not status.signed_in:
        return ("Sign in to Alchemer",)
    if not shows_form:
        return status.parts
    account = f"{status.who} ({status.region})"
    if status.refused:
        return "Sign in again", f"the {status.mode} {status.key} of {account} was refused"
    return "Sign in to another account", f"besides {account}"


def _headline_bundle(parts: tuple[str, ...]) -> dict[str, Any]:
    html = " · ".join([f"<b>{escape(parts[0])}</b>", *map(escape, parts[1:])])
    return {"text/plain": " · ".join(parts), "text/html": f"<div>{html}</div>"}
