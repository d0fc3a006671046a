"""Offer completions on a line of the magic: words of the command table, and surveys already seen.

A press of Tab never makes a call.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from IPython.core.completer import CompletionContext, SimpleCompletion, context_matcher
from IPython.core.error import UsageError

from alchemer_nb.errors import ConfigurationError
from alchemer_nb.notebook.magic.parser import separate_options
from alchemer_nb.notebook.magic.tokens import SourceWord, quote_word, split_words
from alchemer_nb.visible import is_visible
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
    """The completions of one shell's magic.

    Args:
        commands: The commands by name.
        known: Surveys already seen.
        session: Has the names of the connections.
        shell: Has the variables that ``$…`` may name.
    """

    def __init__(
        self, commands: Mapping[str, Command], known: KnownSurveys, session: Session, shell: Any
    ) -> None:
        self._commands = commands
        self._known = known
        self._session = session
        self._shell = shell

    # The highest priority, so that IPython's own matchers are suppressed:
    # https://ipython.readthedocs.io/en/stable/api/generated/IPython.core.completer.html
    @context_matcher(identifier="alchemer_nb", priority=1000)
    def match(self, context: CompletionContext) -> dict[str, Any]:
        """Return the completions as IPython's second matcher interface expects them."""
        line = context.full_text.split("\n")[context.cursor_line][: context.cursor_position]
        fragment, completions = self.find_completions(line)
        return {
            "completions": [SimpleCompletion(text=text, type="alchemer") for text in completions],
            "matched_fragment": fragment,
            "suppress": bool(completions),
            "ordered": True,
        }

    def find_completions(self, line: str) -> tuple[str, list[str]]:
        """Return the end of the line that a completion replaces, and the completions.

        Args:
            line: The line up to the cursor.
        """
        found = _LINE.match(line)
        if not found:
            return "", []
        typed = found[1]
        try:
            words = split_words(typed, partial=True)
        except UsageError:
            return "", []
        current = SourceWord(len(typed), len(typed))
        if words and words[-1].end == len(typed):
            current = words.pop()
        if current.unclosed == "{":  # Python completes inside braces
            return "", []
        if len(words) > 1 and words[1].source == "<<":
            words = words[2:]
        elif words and words[0].source.endswith("<<"):
            words = words[1:]
        fragment = typed[current.start :]
        if fragment.startswith("$"):
            names = (f"${name}" for name in self._shell.user_ns if not name.startswith("_"))
            return fragment, _filter_by_prefix(fragment, names)
        return self._complete_word(words, current.source, fragment)

    def _complete_word(
        self, before: list[SourceWord], current: str, fragment: str
    ) -> tuple[str, list[str]]:
        """Complete the word at the cursor.

        Args:
            before: The words before it.
            current: The word without quotes.
            fragment: The word as it is typed.
        """
        if not before:
            return fragment, _filter_by_prefix(fragment, [*self._commands, "help"])
        if before[0].source == "help":
            return fragment, _filter_by_prefix(fragment, self._commands if len(before) == 1 else [])
        command = self._commands.get(before[0].source)
        if command is None:
            return fragment, []
        flag, equals, value = fragment.partition("=")
        option = command.find_option(flag if equals else before[-1].source)
        if option and option.convert:
            value = value if equals else fragment
            return value, _filter_by_prefix(value, option.choices)
        try:
            positionals, given = separate_options(command, before[1:])
            count, used = len(positionals), {each.flag for each in given}
        except UsageError:  # an earlier word is wrong; which options there are is known
            count = len(command.positionals)
            used = {word.source.partition("=")[0] for word in before}
        unused = [o.flag for o in command.options if o.repeat or not {o.flag, o.short} & used]
        if fragment.startswith("-"):
            return fragment, _filter_by_prefix(fragment, unused)
        values: list[str] = []
        if count < len(command.positionals):
            values = self._positional_values(command.positionals[count], current)
        return fragment, values or ([] if fragment else unused)

    def _positional_values(self, positional: Positional, start: str) -> list[str]:
        if positional.completes == "connection":
            return _filter_by_prefix(start, self._session.names())
        if positional.completes == "profile":
            return _filter_by_prefix(start, _profile_names())
        if positional.completes == "path":
            return _filter_by_prefix(start, _PATHS)
        if positional.completes == "survey":
            folded = start.casefold()
            # One with characters that are not shown is completed by its id alone.
            known = [title for _, title in self._known if is_visible(title)]
            titles = [title for title in known if title.casefold().startswith(folded)]
            return [
                *map(quote_word, titles),
                *_filter_by_prefix(start, (i for i, _ in self._known)),
            ]
        return []


def _profile_names() -> tuple[str, ...]:
    from alchemer_nb.auth import profiles

    try:
        return profiles.names()
    except ConfigurationError:  # the keychain is locked
        return ()


def _filter_by_prefix(prefix: str, texts: Iterable[str]) -> list[str]:
    return [text for text in texts if text.startswith(prefix)]


class KnownSurveys:
    """Ids and titles of surveys, the latest seen last.

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

    def add(self, survey_id: object, title: str) -> None:
        """Add one survey, unless its id is not valid: a command could not ask for it."""
        number = id_number(survey_id)
        if number is not None:
            self._titles[str(number)] = " ".join(title.split())

    def add_frame(self, surveys: pd.DataFrame) -> None:
        """Add the surveys in a result of ``Client.surveys``."""
        if {"id", "title"} <= set(surveys.columns):
            for survey_id, title in zip(surveys["id"], surveys["title"], strict=True):
                if isinstance(title, str):
                    self.add(survey_id, title)

    def clear(self) -> None:
        """Remove all surveys, as another account has others."""
        self._titles.clear()
