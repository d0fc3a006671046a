"""The session, the settings and the shell that a command may use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alchemer_nb.client.client import Client
    from alchemer_nb.notebook.magic.completion import KnownSurveys
    from alchemer_nb.notebook.running.background import Downloads
    from alchemer_nb.notebook.signin.session import Session

# Returned by a command without a result, or with one that comes later: no variable is assigned.
NO_RESULT: Final = object()


@dataclass(frozen=True, slots=True)
class Context:
    """What a command may use during one call of the magic.

    Attributes:
        session: The connections.
        known: Surveys that Tab offers.
        downloads: The downloads in the background.
        variables: The notebook's variables, and those of a function that calls the magic.
        region: The region that ``login`` starts with, or an empty text.
        progress: How a download shows its progress.
        echo: Whether a download prints what it was asked for.
        target: The name of the variable for the result, or None.
        shell: The IPython shell.
    """

    session: Session
    known: KnownSurveys
    downloads: Downloads
    variables: Mapping[str, Any]
    region: str
    progress: str
    echo: bool
    target: str | None
    shell: Any

    @property
    def client(self) -> Client:
        """The current client; raises ``ConfigurationError`` if nobody is signed in."""
        return self.session.require().client
