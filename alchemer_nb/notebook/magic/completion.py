"""What Tab offers on a line of the magic: words of the table, and surveys already seen.

A press of Tab never makes a call.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from IPython.core.completer import CompletionContext, SimpleCompletion, context_matcher
from IPython.core.error import UsageError

from alchemer_nb.notebook.magic.tokens import RawWord, quote_word, split
from alchemer_nb.wire.ids import id_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pandas as pd

    from alchemer_nb.notebook.magic.command_spec import Command, Positional
    from alchemer_nb.notebook.signin.session import Session


# `%alchemer`, `df = %alchemer`, `a, b = %alchemer`; `%%alchemer` on the first line of a cell.
_LINE = re.compile(r"^\s*(?:%%|(?:[^%=#]+=\s*)?%)alchemer\s(.*)$", re.DOTALL)
_PATHS = ("account", "accountteams", "accountuser", "contactlist", "survey", "surveytheme")


class Completion:
    """Offers completions of one shell's magic.

    Args:
        commands: The table of commands.
        known: Surveys already seen.
        session: Names of the connections.
        shell: Whose variables ``$…`` stands for.
    """

    def __init__(
        self, commands: Mapping[str, Command], known: KnownSurveys, session: Session, shell: Any
    ) -> None:
        self._commands = commands
        self._known = known
        self._session = session
        self._shell = shell

    @context_matcher(
        identifier="alchemer_nb", priority=1000
    )  # before IPython's own, to suppress them
    def match(self, context: CompletionContext) -> dict[str, Any]:
        """A matcher of IPython's second interface."""
        line = context.full_text.split("\n")[context.cursor_line][: context.cursor_position]
        fragment, offers = self.offers(line)
        return {
            "completions": [SimpleCompletion(text=text, type="alchemer") for text in offers],
            "matched_fragment": fragment,
            "suppress": bool(offers),
            "ordered": True,
        }

    def offers(self, line: str) -> tuple[str, list[str]]:
        """What fits a line up to the cursor.

        Args:
            line: The line up to the cursor.

        Returns:
            The piece of the line that an offer replaces, and the offers.
        """
        found = _LINE.match(line)
        if not found:
            return "", []
        typed = found[1]
        try:
            words = split(typed, partial=True)
        except UsageError:
            return "", []
        current = words.pop() if words and words[-1].end == len(typed) else RawWord(len(typed))
        if current.open_with == "{" or any(word.open_with for word in words):
            return "", []
        if len(words) > 1 and words[1].plain == "<<":
            words = words[2:]
        elif words and words[0].plain.endswith("<<"):
            words = words[1:]
        fragment = typed[current.start :]
        if fragment.startswith("$"):
            names = (f"${name}" for name in self._shell.user_ns if not name.startswith("_"))
            return fragment, _starting(fragment, names)
        return self._word(words, current.plain, fragment)

    def _word(self, words: list[RawWord], plain: str, fragment: str) -> tuple[str, list[str]]:
        """Offers for the word at the cursor, after the words before it."""
        if not words:
            return fragment, _starting(fragment, [*self._commands, "help"])
        if words[0].plain == "help":
            return fragment, _starting(fragment, self._commands if len(words) == 1 else [])
        command = self._commands.get(words[0].plain)
        if command is None:
            return fragment, []
        before = [word.plain for word in words[1:]]
        flag, equals, value = fragment.partition("=")
        option = command.option(flag if equals else before[-1] if before else "")
        if option and option.convert:
            return (value if equals else fragment), _starting(
                value if equals else fragment, option.choices
            )
        if fragment.startswith("-"):
            return fragment, _starting(fragment, _unused(command, before))
        positional = _place(command, before)
        offers = self._values(positional, plain) if positional else []
        if not offers and not fragment:
            offers = _unused(command, before)
        return fragment, offers

    def _values(self, positional: Positional, plain: str) -> list[str]:
        if positional.offers == "connection":
            return _starting(plain, self._session.names())
        if positional.offers == "path":
            return _starting(plain, _PATHS)
        if positional.offers == "survey":
            folded = plain.casefold()
            titles = [t for _, t in self._known if t.casefold().startswith(folded)]
            ids = [i for i, _ in self._known if i.startswith(plain)]
            return [*map(quote_word, titles), *ids]
        return []


def _place(command: Command, before: list[str]) -> Positional | None:
    """The positional whose turn it is."""
    taken, expects_value = 0, False
    for word in before:
        option = command.option(word.partition("=")[0])
        if expects_value:
            expects_value = False
        elif option:
            expects_value = option.convert is not None and "=" not in word
        else:
            taken += 1
    if taken < len(command.positionals):
        return command.positionals[taken]
    return None


def _unused(command: Command, before: list[str]) -> list[str]:
    """Options that may still be given."""
    used = {word.partition("=")[0] for word in before}
    return [
        option.flag
        for option in command.options
        if option.repeat or not {option.flag, option.short} & used
    ]


def _starting(start: str, offers: Iterable[str]) -> list[str]:
    return [offer for offer in offers if offer.startswith(start)]


class KnownSurveys:
    """Ids and titles, the latest seen last.

    Example:
        >>> from alchemer_nb.notebook.magic.completion import KnownSurveys
        >>> known = KnownSurveys()
        >>> known.add("9000001", "Customer satisfaction")
        >>> list(known)
        [('9000001', 'Customer satisfaction')]
    """

    def __init__(self) -> None:
        self._titles: dict[str, str] = {}

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(list(self._titles.items()))

    def __len__(self) -> int:
        return len(self._titles)

    def add(self, survey_id: object, title: str) -> None:
        """Remembers one survey; what has no id that is one cannot be asked for."""
        own = id_number(survey_id)
        if own is not None:
            self._titles[str(own)] = " ".join(title.split())

    def add_frame(self, surveys: pd.DataFrame) -> None:
        """Remembers the surveys of a frame that ``Client.surveys`` gave."""
        if {"id", "title"} <= set(surveys.columns):
            for survey_id, title in zip(surveys["id"], surveys["title"], strict=True):
                if isinstance(title, str):
                    self.add(survey_id, title)

    def clear(self) -> None:
        """Forgets all: another account has other surveys."""
        self._titles.clear()
