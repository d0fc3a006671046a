"""The sign-in panel: region, mode, one form, and who is signed in afterwards."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import ipywidgets

from alchemer_nb.errors import AlchemerError
from alchemer_nb.http.regions import Region
from alchemer_nb.notebook.kernel.outputs import rewrite, show
from alchemer_nb.notebook.signin import form_views
from alchemer_nb.notebook.signin.browser_address import for_browser
from alchemer_nb.notebook.signin.secret_form import SecretForm
from alchemer_nb.notebook.signin.steps import PASTED, FieldError, SignIn

if TYPE_CHECKING:
    from collections.abc import Callable

    from alchemer_nb.auth.lookup import Found
    from alchemer_nb.http.secrets import Secret
    from alchemer_nb.notebook.signin.secret_form import View
    from alchemer_nb.notebook.signin.session import Session, Status


KEY, OAUTH = "api_key", "oauth1"
_LABELS = {"description_width": "132px"}


class LoginPanel(ipywidgets.VBox):
    """Signs a person in; shows who is signed in, and signs out.

    Args:
        session: The shell's session.
        region: The region to begin with; None takes the sandbox's where one runs, else US.
        mode: ``"api_key"`` or ``"oauth1"``.
        found: Credentials that were found and may be used with one click.
        notice: What to say first, and what to do about it.
        failed: Whether it tells what went wrong.
        profile: Name to remember credentials by.
        adding: Show the form although somebody is signed in.

    Attributes:
        region: The dropdown.
        mode: The two buttons.
        form: The form with the fields.
        sign_in: The steps behind it.
    """

    def __init__(
        self,
        session: Session,
        *,
        region: Region | None = None,
        mode: str = KEY,
        found: Found | None = None,
        notice: tuple[str, str] = ("", ""),
        failed: bool = False,
        profile: str | None = None,
        adding: bool = False,
    ) -> None:
        self.session = session
        self.sign_in = SignIn(session, profile)
        self.headline = Headline()
        self._found, self._notice, self._failed = found, notice, failed
        self._adding, self._given = adding, region
        self._regions = _regions(session, region)
        first = region or self._regions[-1 if session.box is not None else 0]
        self.region = ipywidgets.Dropdown(
            options=_choices(self._regions),
            value=first.api_url,
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
        self.form = SecretForm(self._guard(self._submit), self._guard(self._act))
        self.status = ipywidgets.HTML()
        self._hint = ipywidgets.HTML(form_views.REGION_HINT)
        self._out = ipywidgets.Button(description="Sign out", icon="sign-out")
        self._more = ipywidgets.Button(description="Add another account", layout={"width": "auto"})
        self._buttons = ipywidgets.HBox([self._out, self._more])
        super().__init__(layout={"width": "100%", "max_width": "640px", "padding": "4px 2px 8px"})
        for part, name in ((self, "panel"), (self._hint, "hint"), (self.status, "status")):
            part.add_class(f"alchemer-{name}")
        self.region.observe(self._guard(self._start_over), "value")
        self.mode.observe(self._guard(self._start_over), "value")
        self._out.on_click(self._guard(lambda _: session.sign_out()))
        self._more.on_click(self._guard(lambda _: self._add()))
        self._forget = session.on_change(self._guard(self._changed))
        self._show_all()

    @property
    def chosen(self) -> Region:
        """The region that is chosen."""
        return next(r for r in self._regions if r.api_url == self.region.value)

    @property
    def asks(self) -> bool:
        """Whether the form is shown, and not who is signed in."""
        return self._adding or not self.session.status().signed_in

    def say(self, notice: str) -> None:
        """Shows a line above the form."""
        self._notice, self._failed = (notice, ""), False
        self._show_all()

    def tick(self) -> None:
        """Finishes by itself once the browser has brought the verifier back."""
        self._guard(self._take_caught)()

    def close(self) -> None:
        """Takes the panel away; it is of no more use."""
        self._forget()
        self.sign_in.stop()
        self.headline.leave()
        for part in (self.region, self.mode, self.form, self.status, self._hint, self._buttons):
            part.close()
        super().close()

    def _ipython_display_(self, **_: Any) -> None:
        self.headline.publish(self.session.status(), self._repr_mimebundle_(), asks=self.asks)
        self._show_all()

    def __repr__(self) -> str:
        # Not the traits, as ipywidgets would: they are of no interest to a reader.
        if not self.asks:
            return repr(self.session.status())
        panel = "(The sign-in panel. Where it is not shown: %alchemer login --prompt)"
        return "\n".join(filter(None, (" ".join(self._notice).strip(), panel)))

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        # In full: ipywidgets would cut the text in the middle of what is to be done.
        return {**super()._repr_mimebundle_(**kwargs), "text/plain": repr(self)}

    def _guard(self, function: Callable[..., object]) -> Callable[..., None]:
        """Has every error of a callback show in the panel: elsewhere nobody would see it."""

        def guarded(*args: Any) -> None:
            try:
                function(*args)
            except AlchemerError as error:
                field = error.field if isinstance(error, FieldError) else ""
                self._fail(field, *error.lines)
            except Exception as error:  # noqa: BLE001 - the last place where it can be shown
                # Its text is not: it is not ours, and may repeat what was typed.
                self._fail("", f"This went wrong inside alchemer_nb: {type(error).__name__}.")

        return guarded

    def _fail(self, field: str, sentence: str, hint: str = "") -> None:
        """Shows what went wrong beside a field, or below the form, and what to do next."""
        view = self._view()
        view["errors"], view["hints"] = {field: sentence}, {field: hint}
        view["notice"] = view["notice_next"] = ""
        self.form.show(view)

    def _submit(self, values: dict[str, Secret], ticked: dict[str, bool]) -> None:
        remember = ticked.get(form_views.REMEMBER, False)
        if self.mode.value == KEY:
            self._done(lambda: self.sign_in.with_key(values, self.chosen, remember=remember))
        elif self.sign_in.flow is not None:
            pasted = values[PASTED]
            self._done(lambda: self.sign_in.finish(pasted, remember=remember))
        elif ticked.get(form_views.TWO_LEGGED):
            self._done(lambda: self.sign_in.as_application(values, self.chosen, remember=remember))
        else:
            self._link(self.sign_in.get_link(values, self.chosen))

    def _act(self, name: str) -> None:
        if name == form_views.NEW_LINK:
            self._link(self.sign_in.new_link())
        elif name == form_views.USE_FOUND and self._found is not None:
            found = self._found
            self._done(lambda: self.sign_in.with_credentials(found.credentials, found.region))
        elif name == form_views.BACK:
            self._adding = False
            self._show_all(clear=True)
        else:
            self._start_over()

    def _done(self, step: Callable[[], object]) -> None:
        adding, self._adding = self._adding, False  # the session's call shows who is signed in
        try:
            step()
        except BaseException:
            self._adding = adding
            raise
        self._notice = ("", "")
        self._show_all(clear=True)

    def _link(self, address: str) -> None:
        self.form.show(self._view(), clear=True)
        host = urlsplit(address).netloc
        self.form.show_link(for_browser(address), host)
        self._watch()

    def _watch(self) -> None:
        """Looks from time to time, on the kernel's own loop, whether the browser has returned."""
        from IPython import get_ipython

        from alchemer_nb.notebook.kernel.pump import call_later

        flow = self.sign_in.flow
        if flow is None or urlsplit(flow.callback).hostname not in ("127.0.0.1", "localhost"):
            return

        def look() -> None:
            if self.sign_in.flow is flow:
                self.tick()
                call_later(get_ipython(), 0.5, look)

        call_later(get_ipython(), 0.5, look)

    def _take_caught(self) -> None:
        # Callbacks may run on another thread than this: one of the two ends the attempt.
        if self.sign_in.has_caught:
            self.form.alone(self._guard(self._finish_caught))

    def _finish_caught(self) -> None:
        caught = self.sign_in.caught()
        if caught is not None:
            remember = self.form.ticked.get(form_views.REMEMBER, False)
            self._done(lambda: self.sign_in.finish(caught, remember=remember))

    def _start_over(self, _: object = None) -> None:
        self.sign_in.stop()
        self.form.show_link("", "")
        self.form.show(self._view(), clear=True)

    def _add(self) -> None:
        self._adding = True
        self._show_all(clear=True)

    def _changed(self) -> None:
        self._offer(_regions(self.session, self._given))
        self._show_all(clear=True)

    def _offer(self, regions: list[Region]) -> None:
        """Follows a sandbox that was started or stopped after the panel was made."""
        if regions == self._regions:
            return
        before, addresses = self.region.value, [r.api_url for r in regions]
        self._regions = regions
        self.region.options = _choices(regions)
        self.region.value = before if before in addresses else addresses[0]

    def _view(self) -> View:
        found = self._found  # goes to the region that it belongs to, so is offered in no other
        here = found is not None and found.region.api_url == self.region.value
        return form_views.view(
            self.mode.value,
            waiting=self.sign_in.flow is not None,
            region=self.chosen,
            found=found.source if found is not None and here else "",
            adding=self._adding and self.session.status().signed_in,
            notice=self._notice[0],
            notice_next=self._notice[1],
            failed=self._failed,
        )

    def _show_all(self, *, clear: bool = False) -> None:
        self.form.show(self._view(), clear=clear)
        status = self.session.status()
        self.headline.update(status, asks=self.asks)
        if self.asks:
            parts = [self.region, self._hint, self.mode, self.form]
        else:
            # The headline tells who is signed in; where there is none, this has to.
            told = "" if self.headline.shown else status.line
            notes = [note for note in (told, *self._notice, self.sign_in.kept, status.hint) if note]
            self.status.value = "".join(f"<div>{escape(note)}</div>" for note in notes)
            parts = [self.status, self._buttons]
        self.children = tuple(parts)


def _regions(session: Session, given: Region | None) -> list[Region]:
    """The known regions, one that was given, and last the sandbox's where it runs."""
    regions = [Region.get(name) for name in Region.names()]
    own = [given, session.box.region if session.box is not None else None]
    known = {region.api_url for region in regions}
    for region in own:
        if region is not None and region.api_url not in known:
            known.add(region.api_url)
            regions.append(region)
    return regions


def _choices(regions: list[Region]) -> list[tuple[str, str]]:
    return [(f"{region.label} — {region.app_host}", region.api_url) for region in regions]


class Headline:
    """The line and the place of the panel below; it knows the outputs in which they stand."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._panels: list[str] = []
        self._shown = ""

    @property
    def shown(self) -> bool:
        """Whether it was put into any output."""
        return bool(self._ids)

    def publish(self, status: Status, panel: dict[str, Any], *, asks: bool) -> None:
        """Shows line and panel as two more outputs of the running cell."""
        self._shown = _text(status, asks=asks)
        self._ids.append(show(_bundle(self._shown)))
        self._panels.append(show(panel))

    def update(self, status: Status, *, asks: bool) -> None:
        """Rewrites the line wherever it was shown."""
        text = _text(status, asks=asks)
        if text != self._shown:
            self._shown = text
            rewrite(self._ids, _bundle(text))

    def leave(self) -> None:
        """Empties the panel's place, so that no dead widget is saved there."""
        rewrite(self._panels, {"text/plain": ""})
        self._panels = []


def _text(status: Status, *, asks: bool) -> str:
    if not status.signed_in:
        return "Sign in to Alchemer"
    if not asks:
        return status.line
    account = f"{status.who} ({status.region})"
    if status.refused:
        return f"Sign in again · the {status.mode} {status.key} of {account} was refused"
    return f"Sign in to another account · besides {account}"


def _bundle(text: str) -> dict[str, Any]:
    head, dot, rest = text.partition(" · ")
    html = f"<div><b>{escape(head)}</b>{escape(dot + rest)}</div>"
    return {"text/plain": text, "text/html": html}
