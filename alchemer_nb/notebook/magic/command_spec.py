"""A command of the magic, its positionals and options, and the help texts written from them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from alchemer_nb.http.regions import Region, suggest_region
from alchemer_nb.notebook.magic.interpolation import interpolate_word
from alchemer_nb.wire.quoting import QUOTES, parse_values, quote

if TYPE_CHECKING:
    from alchemer_nb.notebook.magic.tokens import EvaluatedWord, WordPart

_WIDEST_LEFT_COLUMN = 30
_ON, _OFF = ("true", "yes", "on", "1"), ("false", "no", "off", "0", "none")
_SYNTAX = """\
Results
  df = %alchemer COMMAND …     or   %alchemer df << COMMAND …   or   -o df
  %%alchemer df << responses SURVEY …   with conditions in the lines below

Values
  {expression} and $name stand for Python values, inside quotes too; {{ }} $$ for the characters.
  An option whose value is None is as if it were not there; switches take --complete={flag}.
  Quotes keep blanks together: "Customer satisfaction". A backslash is a plain character.
  A word that begins with # starts a comment.
"""

# Raises ValueError with what it expects, such as "expected a whole number".
Convert = Callable[["EvaluatedWord"], Any]


def to_text(word: EvaluatedWord) -> str:
    """Return the word as text."""
    return word.text


def to_whole_number(word: EvaluatedWord) -> int:
    """Parse a whole number."""
    try:
        return operator.index(word.value) if not isinstance(word.value, str) else int(word.value)
    except (TypeError, ValueError):
        raise ValueError("expected a whole number") from None


def to_flag(word: EvaluatedWord) -> bool:
    """Parse the value of a switch, which a parameter may hold; None is off."""
    text = word.text.strip().casefold()
    if text not in (*_ON, *_OFF):
        raise ValueError("expected True or False")
    return text in _ON


def one_of(*choices: str) -> Callable[[EvaluatedWord], str]:
    """Build a converter that takes one of some words, in upper or lower case."""

    def convert(word: EvaluatedWord) -> str:
        if word.text.casefold() not in choices:
            raise ValueError(f"expected {' or '.join(choices)}")
        return word.text.casefold()

    return convert


def to_date(word: EvaluatedWord) -> Any:
    """Return a date as text, or the date object of a variable."""
    return word.value if isinstance(word.value, date) else word.text


def to_list(word: EvaluatedWord) -> list[str]:
    """Parse names with commas between them, or return those in the list of a variable."""
    if isinstance(word.value, str):
        word = _with_quotes(word)
        return [*parse_values(interpolate_word(word, lambda before: (before, True)))]
    try:
        return [str(part) for part in word.value]
    except TypeError:
        return [word.text]


def _with_quotes(word: EvaluatedWord) -> EvaluatedWord:
    """Return a list with the quotes of its items, which the line's own rules have removed.

    Only where a comma is outside of quotes, too: quotes around all of it belong to the line.
    """
    literals = [part for part, _ in word.parts if not part.is_expression]
    if not any("," in part.text and not part.quoted for part in literals):
        return word
    parts: list[tuple[WordPart, Any]] = []
    for part, value in word.parts:
        is_item = part.quoted and not part.is_expression and "," in part.text
        if is_item and not part.text.startswith(QUOTES):
            text = quote(part.text)
            parts.append((replace(part, text=text), text))
        else:
            parts.append((part, value))
    return replace(word, parts=tuple(parts))


def to_region(word: EvaluatedWord) -> Region | str:
    """Parse a region's name, or return the ``Region`` of a variable."""
    if isinstance(word.value, Region):
        return word.value
    try:
        return one_of(*Region.names())(word)
    except ValueError as error:
        meant = suggest_region(word.text)
        raise ValueError(f"{error}, or a Region as {{variable}}{meant}") from None


def to_time_zone(word: EvaluatedWord) -> str | None:
    """Return a time zone's name; None for the region's wall-clock time without a zone."""
    return None if word.value is None or word.text.casefold() == "none" else word.text


def to_object(word: EvaluatedWord) -> Any:
    """Return the Python object if the word is one expression, else its text."""
    return word.value


@dataclass(frozen=True, slots=True)
class CommandOption:
    """An option of a command.

    Attributes:
        flag: Its long name with the dashes.
        help: One line.
        convert: Makes the value of a word; None for a switch, which needs no value.
        metavar: Name of the value in the help; without it the choices, or the option's name.
        choices: Values that Tab offers.
        repeat: Whether it may be given several times; its value is then a list.
        short: A short name, or an empty text.
        completes: What else Tab offers: ``"columns"``, ``"weights"``, ``"language"`` or
            ``"condition"`` of the survey or frame, ``"zone"``, ``"profile"`` or nothing.
    """

    flag: str
    help: str
    convert: Convert | None = None
    metavar: str = ""
    choices: tuple[str, ...] = ()
    repeat: bool = False
    short: str = ""
    completes: str = ""

    @property
    def name(self) -> str:
        """The argument's name in Python."""
        return self.flag.lstrip("-").replace("-", "_")

    @property
    def usage(self) -> str:
        """Its names and its value, as the help lists them."""
        flags = [flag for flag in (self.short, self.flag) if flag]
        return ", ".join(f"{flag} {self.value}" if self.convert else flag for flag in flags)

    @property
    def value(self) -> str:
        """The name of its value, or the words that it takes."""
        return self.metavar or "|".join(self.choices) or self.name.upper()


@dataclass(frozen=True, slots=True)
class Positional:
    """An argument of a command that is recognised by its position.

    Attributes:
        name: Its name in the help; in lower case, the argument's name in Python.
        help: One line.
        nargs: Empty for one word, ``"?"`` for one or none, ``"*"`` for any number; ``"text"`` for
            one text or none, which needs no quotes; ``"verbatim"`` for one that keeps its own.
        completes: What Tab completes: ``"survey"``, ``"frame or survey"``, ``"question"`` of it,
            ``"connection"``, ``"profile"``, ``"path"`` or nothing.
        convert: Makes the value of a word, by default its text.
    """

    name: str
    help: str
    nargs: str = ""
    completes: str = ""
    convert: Convert = to_text

    @property
    def usage(self) -> str:
        """Its name, as a usage line shows it."""
        if self.nargs == "*":
            return f"[{self.name} …]"
        return f"[{self.name}]" if self.nargs else self.name


@dataclass(frozen=True, slots=True)
class Command:
    """A command of the magic.

    Attributes:
        name: The first word of the line.
        summary: One line.
        run: Is called with the context and the arguments that are on the line.
        positionals: Its positionals, in order.
        options: Its options.
        example: A line that works after ``%alchemer demo``, without ``%alchemer``.
        has_result: Whether it has a result that a variable can hold.
        displays: Whether the result is displayed at once, so that it is seen in the middle of a
            cell too. A result that a variable can hold is the cell's value as well.
        body_help: Help about the lines below ``%%alchemer``; an empty text if it takes none.
        evaluates_body: Whether expressions in those lines are evaluated, as in conditions.
        is_filter: Whether those lines are conditions on the answers to a survey.
        surplus_hint: Hint for a line with more words than the command takes.
        group: Heading under which the help lists it.
    """

    name: str
    summary: str
    run: Callable[..., Any]
    positionals: tuple[Positional, ...] = ()
    options: tuple[CommandOption, ...] = ()
    example: str = ""
    has_result: bool = True
    displays: bool = False
    body_help: str = ""
    evaluates_body: bool = True
    is_filter: bool = False
    surplus_hint: str = 'a value with blanks in it needs quotes: "Customer satisfaction"'
    group: str = "Data"

    @property
    def usage(self) -> str:
        """Its name and its positionals, as a usage line shows them."""
        return " ".join([self.name, *(positional.usage for positional in self.positionals)])

    @property
    def takes_free_text(self) -> bool:
        """Whether all words that belong to no option are one text."""
        return any(each.nargs in ("text", "verbatim") for each in self.positionals)

    @property
    def is_verbatim(self) -> bool:
        """Whether that text keeps its quotes, as SQL does."""
        return any(each.nargs == "verbatim" for each in self.positionals)

    def find_option(self, flag: str) -> CommandOption | None:
        """Return the option with that long or short name."""
        return next((o for o in self.options if flag and flag in (o.flag, o.short)), None)


def overview(commands: Mapping[str, Command]) -> str:
    """Return the general help: one line per command, and the syntax."""
    groups: dict[str, list[str]] = {}
    for command in commands.values():
        line = f"  {command.usage:<28} {command.summary}"
        groups.setdefault(command.group, []).append(line)
    groups["Help"] = [f"  {'help [COMMAND]':<28} this page, or the options of a command"]
    listed = "\n\n".join("\n".join([name, *lines]) for name, lines in groups.items())
    return f"%alchemer COMMAND …\n\n{listed}\n\n{_SYNTAX}"


def command_help(command: Command) -> str:
    """Return the help of one command."""
    positionals = [(positional.name, positional.help) for positional in command.positionals]
    options = [(option.usage, option.help) for option in command.options]
    options.append(("-h, --help", "show this help"))
    longest = max(len(usage) for usage, _ in positionals + options)
    column = min(longest + 4, _WIDEST_LEFT_COLUMN)
    parts = [
        f"usage: %alchemer {command.usage}" + " [options]" * bool(command.options),
        command.summary,
    ]
    if positionals:
        parts.append(_two_columns("positional arguments:", positionals, column))
    parts.append(_two_columns("options:", options, column))
    if command.body_help:
        parts.append(f"lines below %%alchemer {command.name} …:\n{command.body_help}")
    if command.example:
        parts.append(f"example:\n  {command.example}")
    return "\n\n".join(parts) + "\n"


def full_help(commands: Mapping[str, Command]) -> str:
    """Return the text of ``%alchemer?``: the overview and the help of each command with options."""
    own = [c for c in commands.values() if any(option.flag != "--out" for option in c.options)]
    pages = "\n\n".join(command_help(command).rstrip() for command in own)
    return f"Survey data from Alchemer as pandas DataFrames.\n\n{overview(commands)}\n{pages}\n"


def _two_columns(title: str, rows: Sequence[tuple[str, str]], column: int) -> str:
    lines = [title]
    for left, right in rows:
        if len(left) + 4 > column:  # too wide: the right column begins on the next line
            lines += [f"  {left}", " " * column + right]
        else:
            lines.append(f"  {left}".ljust(column) + right)
    return "\n".join(lines)
