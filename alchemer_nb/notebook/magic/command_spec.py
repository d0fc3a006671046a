"""What a command, a positional and an option are: one description for parser, help and Tab."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from alchemer_nb.http.regions import Region
from alchemer_nb.notebook.magic.interpolation import compose
from alchemer_nb.wire.quoting import read_values

if TYPE_CHECKING:
    from alchemer_nb.notebook.magic.tokens import Word

Convert = Callable[["Word"], Any]


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a command.

    Attributes:
        flag: Its long name with the dashes.
        help: One line.
        convert: Makes the value of a word; None for a switch, which takes no word. Raises
            ``ValueError`` with what it expects.
        metavar: What help calls the value.
        choices: What Tab offers and help lists.
        repeat: Whether it may be given several times; its value is then a list.
        short: A short name, or an empty text.
        echo: How a receipt repeats the value, with ``{}`` for it; empty where it does not.
    """

    flag: str
    help: str
    convert: Convert | None = None
    metavar: str = ""
    choices: tuple[str, ...] = ()
    repeat: bool = False
    short: str = ""
    echo: str = ""

    @property
    def name(self) -> str:
        """The argument's name in Python."""
        return self.flag.lstrip("-").replace("-", "_")

    @property
    def shown(self) -> str:
        """What stands for the value in help."""
        if self.metavar or not self.choices:
            return self.metavar or self.name.upper()
        return "|".join(self.choices)


@dataclass(frozen=True, slots=True)
class Positional:
    """A word that a command takes by its place.

    Attributes:
        name: What help calls it; lower-cased, the argument's name.
        help: One line.
        convert: Makes the value of a word.
        nargs: As in argparse: empty (one word), ``"?"`` or ``"*"``.
        offers: What Tab offers: ``"survey"``, ``"connection"``, ``"path"`` or nothing.
    """

    name: str
    help: str
    convert: Convert
    nargs: str = ""
    offers: str = ""

    @property
    def shown(self) -> str:
        """How a usage line writes it."""
        return {"?": f"[{self.name}]", "*": f"[{self.name} …]"}.get(self.nargs, self.name)


@dataclass(frozen=True, slots=True)
class Command:
    """A command of the magic.

    Attributes:
        name: The word.
        summary: One line.
        run: Does it: called with the context and the arguments that were given.
        positionals: Words it takes by their place.
        options: Its options.
        example: A line that works after ``%alchemer demo``, without ``%alchemer``.
        gives: Whether there is a value to keep under a name.
        shown: Whether the value is shown at once, so that it is seen in the middle of a cell too.
            Where there is something to keep, it is the cell's value as well.
        body: What the lines below ``%%alchemer`` are, or an empty text where none may follow.
        filled: Whether names in braces in those lines are filled in, as conditions need it.
        surplus: What to do about more words than it takes.
        group: Under which heading help lists it.
    """

    name: str
    summary: str
    run: Callable[..., Any]
    positionals: tuple[Positional, ...] = ()
    options: tuple[Option, ...] = ()
    example: str = ""
    gives: bool = True
    shown: bool = False
    body: str = ""
    filled: bool = True
    surplus: str = 'a value with blanks in it needs quotes: "Customer satisfaction"'
    group: str = "Data"

    def option(self, flag: str) -> Option | None:
        """The option of that long or short name."""
        return next((o for o in self.options if flag and flag in (o.flag, o.short)), None)


def text(word: Word) -> str:
    """The word itself."""
    return word.text


def whole_number(word: Word) -> int:
    """A whole number."""
    try:
        return operator.index(word.value) if not isinstance(word.value, str) else int(word.value)
    except (TypeError, ValueError):
        raise ValueError("expected a whole number") from None


def one_of(*choices: str) -> Callable[[Word], str]:
    """One of some words, in any case."""

    def convert(word: Word) -> str:
        if word.text.casefold() not in choices:
            raise ValueError(f"expected {' or '.join(choices)}")
        return word.text.casefold()

    return convert


def moment(word: Word) -> Any:
    """A date, as text or as the object a variable holds."""
    return word.value if isinstance(word.value, date) else word.text


def several(word: Word) -> list[str]:
    """Names with commas between them, or the list a variable holds."""
    if isinstance(word.value, str):
        return [*read_values(compose(word, lambda before: (before, True)))]
    try:
        return [str(part) for part in word.value]
    except TypeError:
        return [word.text]


def survey(word: Word) -> Any:
    """A survey's id or title, as the word or the variable has it; the client judges it."""
    return word.text if isinstance(word.value, str) else word.value


def region(word: Word) -> Region | str:
    """A region's name, or the ``Region`` a variable holds."""
    if isinstance(word.value, Region):
        return word.value
    try:
        return one_of(*Region.names())(word)
    except ValueError as error:
        raise ValueError(f"{error}, or a Region as {{variable}}") from None


def zone(word: Word) -> str | None:
    """A time zone's name; ``none`` for the region's wall-clock time without a zone."""
    return None if word.value is None or word.text.casefold() == "none" else word.text


def whatever(word: Word) -> Any:
    """The Python object where the word is one expression, else its text."""
    return word.value
