"""A magic line as a command with its arguments.

argparse finds out which word is what and writes the help; choices and types are checked here,
because its own messages are worded for a command line and cannot say "did you mean".
Everything wrong with a line is a plain ``UsageError``: IPython shows that, and no subclass of it,
as one line, and the cell fails.
"""

from __future__ import annotations

import argparse
import keyword
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NoReturn

from IPython.core.error import UsageError

from alchemer_nb.notebook.magic.secret_guard import SIGN_IN, is_secret, refuse_secrets
from alchemer_nb.notebook.magic.tokens import Piece, RawWord, Word, fill, near, split

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from alchemer_nb.notebook.magic.command_spec import Command

HELP = ("-h", "--help")
_PLACE = "\0"


@dataclass(frozen=True, slots=True)
class Call:
    """What a line asks for.

    Attributes:
        command: The command; None where only help was asked for.
        values: The arguments that were given, by their Python names.
        target: The name to keep the result under, or None.
        help_for: The command whose help is asked for; an empty text for all of them; else None.
    """

    command: Command | None
    values: dict[str, Any] = field(default_factory=dict)
    target: str | None = None
    help_for: str | None = None


class LineParser(argparse.ArgumentParser):
    """An argparse parser that raises instead of printing and leaving."""

    def __init__(self, command: Command) -> None:
        super().__init__(
            prog=f"%alchemer {command.name}",
            usage=_usage(command),
            description=command.summary,
            allow_abbrev=False,
            add_help=False,
            formatter_class=_formatter,
        )
        self.color = False  # Python 3.14 colours help by itself; a notebook may show the codes
        self.command = command
        for positional in command.positionals:
            extra: dict[str, Any] = {"nargs": positional.nargs} if positional.nargs else {}
            self.add_argument(
                positional.name.lower(), metavar=positional.name, help=positional.help, **extra
            )
        for option in command.options:
            flags = [flag for flag in (option.short, option.flag) if flag]
            if option.convert is None:
                self.add_argument(
                    *flags, help=option.help, action="store_true", default=argparse.SUPPRESS
                )
            else:
                self.add_argument(
                    *flags,
                    help=option.help,
                    metavar=option.shown,
                    action="append",
                    default=argparse.SUPPRESS,
                )
        self.add_argument(*HELP, action="store_true", help="show this help", default=False)

    def error(self, message: str) -> NoReturn:
        """Raises what argparse found wrong, with where to look."""
        told = _reworded(message, self.command)
        raise UsageError(f"{self.prog}: {told} (%alchemer help {self.command.name})")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:  # noqa: ARG002 - argparse's signature
        """Raises: nothing in a kernel may call ``sys.exit``."""
        raise UsageError(message or self.prog)


def parse_line(
    line: str,
    commands: Mapping[str, Command],
    variables: Mapping[str, Any],
    local: Mapping[str, Any] | None = None,
) -> Call:
    """Reads a magic line.

    Args:
        line: All that follows ``%alchemer``.
        commands: The commands by name.
        variables: What names in ``{…}`` and ``$…`` mean.
        local: What they mean first, inside a function.

    Raises:
        UsageError: The line cannot be read; the message says what would fit.
    """
    raw = split(line.rstrip().removesuffix(";"))
    refuse_secrets(raw)
    target, raw = _target(raw)
    if not raw or (raw[0].plain in HELP and not raw[0].shielded):
        return Call(None, help_for="")
    words = (
        [fill(word, variables, local).text for word in raw[:2]] if raw[0].plain == "help" else []
    )
    if words:
        return Call(None, help_for=_known(words[1], commands) if len(words) > 1 else "")
    name = _known(fill(raw[0], variables, local).text, commands)
    command = commands[name]
    values, wants_help = _arguments(command, raw[1:], variables, local)
    if wants_help:
        return Call(None, help_for=name)
    named = values.pop("out", None)
    if target and named:
        raise UsageError(f"two names for the result: `{target}` before << and `{named}` after -o")
    target = target or named
    if target:
        check_name(target)
        if not command.gives:
            raise UsageError(f"`{name}` gives nothing to keep under a name")
    return Call(command, values, target)


def check_name(name: str) -> None:
    """Refuses a name that cannot hold a result.

    Raises:
        UsageError: It is no Python name.
    """
    if not name.isidentifier() or keyword.iskeyword(name):
        raise UsageError(f"{_shown(name)} cannot be a variable's name")


def _arguments(
    command: Command,
    raw: Sequence[RawWord],
    variables: Mapping[str, Any],
    local: Mapping[str, Any] | None,
) -> tuple[dict[str, Any], bool]:
    parser = LineParser(command)
    for word in raw:
        _check_option(parser, word)
    if any(word.plain in HELP and not word.shielded for word in raw):
        return {}, True
    table: list[Word] = []
    given = vars(_parse(parser, _for_argparse(raw, table, variables, local)))
    given.pop("help")
    return _converted(command, given, table), False


def _check_option(parser: LineParser, word: RawWord) -> None:
    """Refuses an option that the command does not have."""
    flag = word.plain.partition("=")[0]
    if not flag.startswith("-") or word.shielded or not flag.strip("-") or _is_number(flag):
        return
    options = parser.command.options
    shorts = tuple(option.short for option in options if option.short)
    longs = [option.flag for option in options]
    if flag in longs or flag in HELP or (shorts and flag.startswith(shorts)):
        return
    parser.error(f"no option is called {_shown(flag)}.{near(flag, longs)}")


def _is_number(text: str) -> bool:
    return text.lstrip("-")[:1].isdigit()


def _parse(parser: LineParser, arguments: list[str]) -> argparse.Namespace:
    # Intermixed, so that a word may follow an option: `surveys --status Closed pulse`.
    parsed, left = parser.parse_known_intermixed_args(arguments)
    if left:
        parser.error(f"unrecognized arguments: {len(left)}")
    return parsed


def _for_argparse(
    raw: Iterable[RawWord],
    table: list[Word],
    variables: Mapping[str, Any],
    local: Mapping[str, Any] | None,
) -> list[str]:
    """The words for argparse: values by their number, so that none looks like an option."""
    arguments = []
    for word in raw:
        head, value = _parted(word)
        if value is None:
            arguments.append(head)
            continue
        arguments.append(f"{head}{_PLACE}{len(table)}")
        table.append(fill(value, variables, local))
    return arguments


def _parted(word: RawWord) -> tuple[str, RawWord | None]:
    """An option's name with its ``=``, and the value that follows or stands alone."""
    first = word.pieces[0]
    if word.shielded or not first.text.startswith("-") or _is_number(first.text):
        return "", word
    flag, equals, rest = first.text.partition("=")
    if not equals:
        # `-oNAME` and `--opt{x}` are left to argparse, which names the option it cannot place.
        return word.plain, None
    left = [Piece(rest)] if rest or len(word.pieces) == 1 else []
    return f"{flag}=", replace(word, pieces=[*left, *word.pieces[1:]])


def _converted(command: Command, given: dict[str, Any], table: list[Word]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for positional in command.positionals:
        got = given.get(positional.name.lower())
        if isinstance(got, list):
            values[positional.name.lower()] = [
                _convert(positional.name, positional.convert, w, table) for w in got
            ]
        elif got is not None:
            values[positional.name.lower()] = _convert(
                positional.name, positional.convert, got, table
            )
    for option in command.options:
        if option.name not in given:
            continue
        got = given[option.name]
        if option.convert is None:
            values[option.name] = True
        elif option.repeat:
            values[option.name] = [
                _convert(option.flag, option.convert, w, table, option.choices) for w in got
            ]
        elif len(got) > 1:
            raise UsageError(f"{option.flag} is given {len(got)} times; once is enough")
        else:
            values[option.name] = _convert(
                option.flag, option.convert, got[0], table, option.choices
            )
    return values


def _convert(
    what: str, convert: Any, argument: str, table: list[Word], choices: Sequence[str] = ()
) -> Any:
    start, _, number = argument.partition(_PLACE)
    word = table[int(number)] if number and not start else Word(argument, argument)
    if is_secret(word.text):  # out of a variable: an error further down would repeat it
        raise UsageError(f"{what}: that value looks like a key. {SIGN_IN}")
    try:
        return convert(word)
    except ValueError as error:
        hint = near(word.text, choices)
        raise UsageError(f"{what}: {error}, got {_shown(word.text)}.{hint}") from None


def _known(name: str, commands: Mapping[str, Command]) -> str:
    if name in commands:
        return name
    hint = near(name, (*commands, "help"))
    raise UsageError(f"no command is called {_shown(name)}.{hint} (%alchemer help)")


def _target(raw: list[RawWord]) -> tuple[str | None, list[RawWord]]:
    """``NAME <<`` as the first two words, or ``NAME<<`` as the first."""
    if len(raw) > 1 and raw[1].plain == "<<" and not raw[1].shielded:
        name, rest = raw[0].plain, raw[2:]
    elif raw and raw[0].plain.endswith("<<") and not raw[0].shielded:
        name, rest = raw[0].plain.removesuffix("<<"), raw[1:]
    elif len(raw) > 1 and raw[1].plain.startswith(("=", "<<")) and not raw[1].shielded:
        name = raw[0].plain
        raise UsageError(f"write `{name} = %alchemer …` or `%alchemer {name} << …`, with blanks")
    else:
        return None, raw
    check_name(name)
    if not rest:
        raise UsageError(f"`{name} <<` needs a command after it (%alchemer help)")
    return name, rest


def _reworded(message: str, command: Command) -> str:
    missing = re.match(r"the following arguments are required: (.*)", message)
    if missing:
        return f"{missing[1]} is missing"
    if message.startswith("unrecognized arguments"):
        return f"too many words; {command.surplus}"
    if "ignored explicit argument" in message:
        return f"{message.split()[1].rstrip(':')} takes no value"
    found = re.match(r"argument (\S+?)(?:/(\S+))?: expected one argument", message)
    if found:
        return f"{found[2] or found[1]} needs a value after it"
    return message


def _shown(text: str) -> str:
    """A word as a message repeats it: never a key, and not at any length."""
    if is_secret(text):
        return "that word"
    return f"`{text if len(text) <= 60 else text[:57] + '…'}`"


def _usage(command: Command) -> str:
    places = " ".join(place.shown for place in command.positionals)
    options = " [options]" if command.options else ""
    return f"%%alchemer {command.name} {places}".rstrip() + options


def _formatter(prog: str) -> argparse.HelpFormatter:
    return argparse.HelpFormatter(prog, max_help_position=30, width=96)
