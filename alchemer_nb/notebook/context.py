"""What a command may use of the shell it runs in."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alchemer_nb.client import Client
    from alchemer_nb.notebook.known import KnownSurveys
    from alchemer_nb.notebook.session import Session


@dataclass(frozen=True, slots=True)
class Context:
    """The session and the settings of one call of the magic.

    Attributes:
        session: Who is signed in.
        known: Surveys for Tab.
        variables: The notebook's names, for ``switch NAME`` of a client made in Python.
        region: The region that ``login`` starts with, or an empty text.
        progress: How a download shows its progress.
        echo: Whether a download is told in words.
    """

    session: Session
    known: KnownSurveys
    variables: Mapping[str, Any] = field(default_factory=dict)
    region: str = ""
    progress: str = "auto"
    echo: bool = True

    @property
    def client(self) -> Client:
        """The current client.

        Raises:
            ConfigurationError: Nobody is signed in.
        """
        return self.session.require_client()


def say(text: str) -> None:
    """Prints a line into the cell's output, for what is told beside a result."""
    sys.stdout.write(f"{text}\n")
