"""Offer completions: words of the command table, names of surveys and what is in them.

A press of Tab never waits for the network, see ``lookahead``.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from IPython.core.completer import CompletionContext, SimpleCompletion, context_matcher
from IPython.core.error import UsageError

from alchemer_nb.notebook.magic.analysis_commands import DOWNLOAD
from alchemer_nb.notebook.magic.command_spec import to_list
from alchemer_nb.notebook.magic.condition_completion import complete_condition
from alchemer_nb.notebook.magic.lookahead import frame_words
from alchemer_nb.notebook.magic.parser import separate_options
from alchemer_nb.notebook.magic.tokens import (
    SourceWord,
    escape_expressions,
    quote_word,
    split_words,
)
from alchemer_nb.visible import is_visible
from alchemer_nb.wire.text import fold_title

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from alchemer_nb.notebook.magic.command_spec import Command, CommandOption, Positional
    from alchemer_nb.notebook.magic.lookahead import Lookahead, SurveyWords
    from alchemer_nb.notebook.signin.session import Session

# `%alchemer`, `df = %alchemer`, `a, b = %alchemer`; `%%alchemer` on the first line of a cell.
_CELL = re.compile(r"%%alchemer\s(.*)")
_LINE = re.compile(r"^\s*(?:%%|(?:[^%=#]+=\s*)?%)alchemer\s(.*)$", re.DOTALL)
_MARKS = "\"'\u201c\u201d\u201e\u00ab\u2018"  # that may open a word
_NEEDS_QUOTES = re.compile(rf"[\s,{_MARKS}\u00bb\u2019]")
_PATHS = ("account", "accountteams", "accountuser", "contactlist", "survey", "surveytheme")


class _Alone(list[SimpleCompletion]):
    """No completion, and none of IPython's own, which it suppresses for a matcher with some only.

    Its own read the conditions as Python, which takes seconds on the first press on a computer.
    """

    def __len__(self) -> int:
        return 1


class Completion:
    """The completions of one shell's magic.

    Args:
        commands: The commands by name.
        ahead: Surveys and what is in them.
        session: Has the names of the connections.
        shell: Has the variables that ``$…`` may name.
    """

    def __init__(
        self, commands: Mapping[str, Command], ahead: Lookahead, session: Session, shell: Any
    ) -> None:
        self._commands = commands
        self._ahead = ahead
        self._session = session
        self._shell = shell

    # The highest priority, so that IPython's own matchers are suppressed:
    # https://ipython.readthedocs.io/en/stable/api/generated/IPython.core.completer.html
    @context_matcher(identifier="alchemer_nb", priority=1000)
    def match(self, context: CompletionContext) -> dict[str, Any]:
        """Return the completions as IPython's second matcher interface expects them."""
        lines = context.full_text.split("\n")
        line, column = lines[context.cursor_line], context.cursor_position
        above = "\n".join(lines[: context.cursor_line]).lstrip()
        is_condition = False
        if header := _CELL.match(above):
            fragment, completions, is_condition = self._complete_body(header[1], line[:column])
        else:
            fragment, completions = self.find_completions(line[:column], line[column:])
        offered = [_without_rest(text, line[column:]) for text in completions]
        found = [SimpleCompletion(text=text, type="alchemer") for text in offered]
        return {
            "completions": _Alone() if is_condition and not found else found,
            "matched_fragment": fragment,
            "suppress": bool(completions) or is_condition,
            "ordered": True,
        }

    def _complete_body(self, header: str, line: str) -> tuple[str, list[str], bool]:
        """Complete a line below ``%%alchemer``, with what follows that.

        Returns:
            The end of the line that a completion replaces, the completions, and True if the line is
            a condition, which is no Python.
        """
        if _is_in_braces(line):  # Python completes inside braces
            return "", [], False
        if variable := re.search(r"(?<!\$)\$\w*$", line):
            return variable[0], self._variables(variable[0]), False
        try:
            words = _without_target(split_words(header, partial=True))
        except UsageError:
            return "", [], False
        command = self._commands.get(words[0].source) if words else None
        if command is None or not command.is_filter:
            return "", [], False
        known = self._survey_words(command, words[1:])
        return (*(complete_condition(known, line) if known else ("", [])), True)

    def find_completions(self, line: str, after: str = "") -> tuple[str, list[str]]:
        """Return the end of the line that a completion replaces, and the completions.

        Args:
            line: The line up to the cursor.
            after: The rest of it.
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
        fragment = typed[current.start :]
        if fragment.startswith("$"):
            return fragment, self._variables(fragment)
        later = set(re.findall(r"(?<=\s)-{1,2}[a-z-]+", after))
        return self._complete_word(_without_target(words), current, fragment, later)

    def _variables(self, typed: str) -> list[str]:
        names = (f"${name}" for name in self._shell.user_ns if not name.startswith("_"))
        return _filter_by_prefix(typed, names)

    def _complete_word(
        self, before: list[SourceWord], current: SourceWord, fragment: str, later: set[str]
    ) -> tuple[str, list[str]]:
        """Complete the word at the cursor.

        Args:
            before: The words before it.
            current: The word.
            fragment: The word as it is typed.
            later: The options after the cursor.
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
            known = self._survey_words(command, before[1:]) if option.completes else None
            if option.completes == "condition":
                return _complete_quoted(known, current)
            frame = self._frame(command, before[1:]) if option.completes else None
            return self._complete_value(option, value if equals else fragment, known, frame)
        try:
            positionals, given = separate_options(command, before[1:])
            count, used = len(positionals), {each.flag for each in given}
        except UsageError:  # an earlier word is wrong; which options there are is known
            count = len(command.positionals)
            used = {word.source.partition("=")[0] for word in before}
        used |= later | self._useless_flags(command, before[1:])
        unused = [o.flag for o in command.options if o.repeat or not {o.flag, o.short} & used]
        if fragment.startswith("-"):
            return fragment, _filter_by_prefix(fragment, unused)
        values: list[str] = []
        if count < len(command.positionals) and command.positionals[count].completes == "question":
            values = self._questions(command, before[1:], current.source)
        elif count < len(command.positionals):
            values = self._positional_values(command.positionals[count], current.source, fragment)
        return fragment, values or ([] if fragment else unused)

    def _complete_value(
        self,
        option: CommandOption,
        typed: str,
        known: SurveyWords | None,
        frame: pd.DataFrame | None,
    ) -> tuple[str, list[str]]:
        """Complete the value of an option; of a list, the name after the last comma."""
        given: Sequence[str] = ()
        if option.convert is to_list:
            *given, typed = re.split(r"[,\s\"']+", typed)
        values: Iterable[str] = option.choices
        if option.completes == "profile":
            values = self._ahead.profiles()
        elif option.completes == "zone":
            values = ["none", *sorted(available_timezones())]
        elif option.completes == "language":
            values = map(quote_word, known.survey.languages) if known else ()
        elif option.completes == "weights" and frame is not None:
            values = _write_in_list(map(str, frame.select_dtypes("number").columns))
        elif option.completes in ("columns", "weights"):
            values = _write_in_list(_names_in(known, frame))
        folded = typed.lstrip(_MARKS).casefold()
        offered = (value for value in values if value not in given and is_visible(value))
        return typed, [v for v in offered if v.lstrip(_MARKS).casefold().startswith(folded)]

    def _subject(self, command: Command, words: Sequence[SourceWord]) -> Any:
        """Return the survey or the frame that a line names first; None for nothing."""
        first = command.positionals[0].completes if command.positionals else ""
        if first not in ("survey", "frame or survey"):
            return None
        if words and command.find_option(words[-1].syntax):  # its value is being typed
            words = words[:-1]
        try:
            (word, *_), _ = separate_options(command, words)
        except (UsageError, ValueError):
            return None
        variables = self._shell.user_ns
        if any(part.is_expression for part in word.parts):  # a press of Tab runs nobody's code
            return variables.get(word.source.strip()) if len(word.parts) == 1 else None
        named = variables.get(word.source) if first == "frame or survey" else None
        return named if _is_frame(named) else word.source

    def _survey_words(self, command: Command, words: Sequence[SourceWord]) -> SurveyWords | None:
        """Return what is known of the survey that a line names."""
        survey = self._subject(command, words)
        return self._ahead.survey_words(str(survey)) if type(survey) in (str, int) else None

    def _frame(self, command: Command, words: Sequence[SourceWord]) -> pd.DataFrame | None:
        """Return the frame that a line names in place of a survey."""
        subject = self._subject(command, words)
        return subject if _is_frame(subject) else None

    def _useless_flags(self, command: Command, words: Sequence[SourceWord]) -> set[str]:
        """Return the options of a download, where the line names a frame."""
        if self._frame(command, words) is None:
            return set()
        return {option.flag for option in DOWNLOAD}

    def _questions(self, command: Command, words: Sequence[SourceWord], start: str) -> list[str]:
        names = _names_in(self._survey_words(command, words), self._frame(command, words))
        return [quote_word(name) for name in names if name.startswith(start) and is_visible(name)]

    def _positional_values(self, positional: Positional, start: str, fragment: str) -> list[str]:
        if positional.completes == "connection":
            return _filter_by_prefix(start, self._session.names())
        if positional.completes == "profile":
            return _filter_by_prefix(start, self._ahead.profiles())
        if positional.completes == "path":
            return _filter_by_prefix(start, _PATHS)
        if positional.completes == "frame or survey":
            variables = self._shell.user_ns.items()
            frames = [n for n, v in variables if _is_frame(v) and not n.startswith("_")]
            return [*_filter_by_prefix(start, frames), *self._surveys(start, fragment)]
        if positional.completes == "survey":
            return self._surveys(start, fragment)
        return []

    def _surveys(self, start: str, fragment: str) -> list[str]:
        """Return the titles that begin with a text, else those with a word that does; and ids."""
        surveys = self._ahead.surveys()
        # One with characters that are not shown is completed by its id alone.
        titles = [(title, fold_title(title)) for _, title in surveys if is_visible(title)]
        found: list[str] = []
        # An apostrophe in a bare word is read as a quote: Don't.
        for typed in (fold_title(start), fold_title(fragment), fold_title(fragment.lstrip(_MARKS))):
            found = found or [title for title, folded in titles if folded.startswith(typed)]
            inside = re.compile(rf"(?<!\w){re.escape(typed)}")
            found = found or [title for title, folded in titles if inside.search(folded)]
        return [*map(quote_word, found), *_filter_by_prefix(start, (i for i, _ in surveys))]


def _write_in_list(names: Iterable[str]) -> list[str]:
    """Return the names that need no quotes in a list, written so that no part of them is evaluated.

    Who opens the link of a survey chooses the names of url variables: ``{…}`` would be run.
    """
    return [escape_expressions(name) for name in names if not _NEEDS_QUOTES.search(name)]


def _is_frame(value: Any) -> bool:
    """Check for a frame of pandas, which may not be imported yet, or only in part."""
    kind = getattr(sys.modules.get("pandas"), "DataFrame", None)
    return kind is not None and isinstance(value, kind)


def _names_in(known: SurveyWords | None, frame: pd.DataFrame | None) -> list[str]:
    """Return the questions and columns of a frame, else of a survey."""
    if frame is not None:
        return frame_words(frame)
    return known.columns() if known else []


def _complete_quoted(known: SurveyWords | None, word: SourceWord) -> tuple[str, list[str]]:
    """Complete a condition in a word of the line, whose quotes stay open."""
    fragment, completions = complete_condition(known, word.source) if known else ("", [])
    wrong = re.compile(re.escape(word.unclosed) if word.unclosed else r"[\s\"']")
    return fragment, [text for text in completions if not wrong.search(text)]


def _without_target(words: list[SourceWord]) -> list[SourceWord]:
    """Return the words without ``NAME <<`` before them."""
    if len(words) > 1 and words[1].source == "<<":
        return words[2:]
    return words[1:] if words and words[0].source.endswith("<<") else words


def _without_rest(text: str, after: str) -> str:
    """Return a completion without its end, if that already follows the cursor."""
    word = re.match(r"\S*", after)
    rest = word[0] if word else ""
    for length in range(min(len(rest), len(text) - 1), 0, -1):
        if text.endswith(rest[:length]):
            return text[:-length]
    return text


def _is_in_braces(line: str) -> bool:
    plain = line.replace("{{", "").replace("}}", "")
    return plain.rfind("{") > plain.rfind("}")


def _filter_by_prefix(prefix: str, texts: Iterable[str]) -> list[str]:
    return [text for text in texts if text.startswith(prefix)]
