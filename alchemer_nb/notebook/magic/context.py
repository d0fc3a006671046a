"""What a command may use of the shell it runs in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alchemer_nb.client.client import Client
    from alchemer_nb.notebook.magic.completion import KnownSurveys
    from alchemer_nb.notebook.running.background import Downloads
    from alchemer_nb.notebook.signin.session import Session

# What a command gives whose result comes later or not at all: no name is given a value.
LATER: Final = object()


@dataclass(frozen=True, slots=True)
class Context:
    """The session and the settings of one call of the magic.

    Attributes:
        session: Who is signed in.
        known: Surveys for Tab.
        downloads: Those that run beside the cells.
        variables: The notebook's names, for ``switch NAME`` of a client made in Python.
        region: The region that ``login`` starts with, or an empty text.
        progress: How a download shows its progress.
        echo: Whether a download is told in words.
        target: The name that the result is kept under, or None.
        shell: The shell itself.
    """

    session: Session
    known: KnownSurveys
    downloads: Downloads
    variables: Mapping[str, Any] = field(default_factory=dict)
    region: str = ""
    progress: str = "auto"
    echo: bool = True
    target: str | None = None
    shell: Any = None

    @property
    def client(self) -> Client:
        """The current client.

        Raises:
            ConfigurationError: Nobody is signed in.
        """
        return self.session.require().client
