"""What a person may see of a connection: text and static HTML, never a secret."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape

MODES = {"api_key": "API key", "oauth1": "OAuth"}


@dataclass(frozen=True, slots=True, repr=False)
class Status:
    """Who is signed in to what; shown by ``%alchemer status`` and by the panel.

    Attributes:
        name: Name of the current connection, or None.
        region: The region's label.
        host: Host of the API.
        organisation: The account's name as Alchemer tells it.
        mode: ``"API key"`` or ``"OAuth"``.
        key: The masked key, at most its last four characters.
        refused: Whether the credentials were refused the last time.
        others: Names of the other connections.
        note: A line of its own below the rest.
    """

    name: str | None = None
    region: str = ""
    host: str = ""
    organisation: str = ""
    mode: str = ""
    key: str = ""
    refused: bool = False
    others: tuple[str, ...] = ()
    note: str = ""

    @property
    def signed_in(self) -> bool:
        """Whether there is a current connection."""
        return self.name is not None

    @property
    def who(self) -> str:
        """The account in words."""
        return self.organisation or "an account without a name"

    @property
    def line(self) -> str:
        """One line of plain text."""
        if not self.signed_in:
            return "Not signed in."
        return f"Signed in to {self.who} · {self.region} ({self.host}) · {self.mode} {self.key}"

    def facts(self) -> list[tuple[str, str]]:
        """Labels and values for a table."""
        if not self.signed_in:
            return []
        return [
            ("Account", self.organisation or "(no name)"),
            ("Region", f"{self.region} ({self.host})"),
            ("Signed in with", f"{self.mode} {self.key}"),
            ("Connection", self.name or ""),
        ]

    def also(self, note: str) -> Status:
        """The same with a line below."""
        return replace(self, note=note)

    @property
    def hint(self) -> str:
        """What to do next, where there is something to do."""
        if self.refused:
            return f"The {self.mode} {self.key} was refused: sign in again with %alchemer login."
        if self.others:
            return f"Other connections: {', '.join(self.others)} (%alchemer switch NAME)"
        return "" if self.signed_in else "Sign in with %alchemer login, or try %alchemer demo."

    def __repr__(self) -> str:
        return "\n".join(part for part in (self.line, self.note, self.hint) if part)

    def _repr_html_(self) -> str:
        # No colours of its own: it has to be readable in a light and in a dark theme.
        rows = "".join(
            f'<tr><th style="text-align:left;font-weight:600;padding:1px 12px 1px 0">{escape(k)}'
            f'</th><td style="text-align:left;padding:1px 0">{escape(v)}</td></tr>'
            for k, v in self.facts()
        )
        table = f'<table style="border:none;margin:0">{rows}</table>' if rows else ""
        top = "" if rows else f"<div>{escape(self.line)}</div>"
        below = "".join(
            f'<div style="opacity:.8">{escape(text)}</div>'
            for text in (self.note, self.hint)
            if text
        )
        return f"<div>{top}{table}{below}</div>"
