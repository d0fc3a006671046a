"""Parse a magic line into a command, its arguments and the name for its result.

Everything wrong with a line is a plain ``UsageError``: IPython shows that, and no subclass of it,
as one line, and the cell fails.
"""

from __future__ import annotations

import itertools
import keyword
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from alchemer_nb.notebook.magic import command_spec as spec
from alchemer_nb.notebook.magic import secret_guard
from alchemer_nb.notebook.magic.secret_guard import format_word
from alchemer_nb.notebook.magic.tokens import (
    SourceWord,
    WordPart,
    evaluate_word,
    split_words,
    suggest,
)
from alchemer_nb.visible import replace_lone_surrogates

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from alchemer_nb.notebook.magic.command_spec import Command, CommandOption, Convert
    from alchemer_nb.notebook.magic.tokens import EvaluatedWord

_HELP_FLAGS = ("-h", "--help")
_OPTION = re.compile(r"-+[^-\d]")  # `-5` is a value


@dataclass(frozen=True, slots=True)
class ParsedCommand:
    """The content of a magic line.

    Attributes:
        command: The command; None if only help is asked for.
        arguments: The arguments on the line, by their Python names.
        target: The name of the variable for the result, or None.
        help_for: The command whose help is asked for; an empty text for all of them; else None.
    """

    command: Command | None
    arguments: dict[str, Any] = field(default_factory=dict)
    target: str | None = None
    help_for: str | None = None


def parse_line(
    line: str, commands: Mapping[str, Command], variables: Mapping[str, Any]
) -> ParsedCommand:
    """Parse a magic line.

    Args:
        line: All that follows ``%alchemer``.
        commands: The commands by name.
        variables: The values of names in ``{…}`` and ``$…``.

    Raises:
        UsageError: The line is not valid; the message says what would be.
    """
    line = replace_lone_surrogates(line).rstrip().removesuffix(";")
    words = split_words(line)
    _refuse_secrets(words)
    target, words = _split_target(words)
    if not words or words[0].syntax in _HELP_FLAGS:
        return ParsedCommand(None, help_for="")
    if words[0].source == "help":
        topic = evaluate_word(words[1], variables).text if len(words) > 1 else ""
        return ParsedCommand(None, help_for=topic and _find_command(topic, commands).name)
    command = _find_command(evaluate_word(words[0], variables).text, commands)
    options = itertools.takewhile(lambda word: word.syntax != "--", words)
    if any(word.syntax in _HELP_FLAGS for word in options):
        return ParsedCommand(None, help_for=command.name)
    arguments = _parse_arguments(command, line, words[1:], variables)
    out = arguments.pop("out", None)
    if target and out:
        raise UsageError(f"two names for the result: `{target}` before << and `{out}` after -o")
    target = target or out
    if target:
        _check_variable_name(target)
        if not command.has_result:
            raise UsageError(f"`{command.name}` gives nothing to keep under a name")
    return ParsedCommand(command, arguments, target)


def _refuse_secrets(words: Sequence[SourceWord]) -> None:
    """Refuse a line with a secret, before a word is evaluated or repeated in a message."""
    is_login = any(word.source == "login" for word in words[:3])
    previous = "--"  # the first word is the command
    for word in words:
        source = word.source
        flag = source.partition("=")[0]
        name = flag.lstrip("-").replace("-", "_")
        is_option = flag.startswith("-") and secret_guard.is_secret_name(name)
        is_value = secret_guard.is_secret(source) or (
            # A profile may have such a name: `--profile marketresearch2026`.
            is_login and not previous.startswith("--") and secret_guard.looks_random(source)
        )
        # The source of an expression is Python, and no value.
        is_expression = len(word.parts) == 1 and word.parts[0].is_expression
        if is_option or (is_value and not is_expression):
            raise UsageError(secret_guard.REFUSAL)
        previous = source


def _find_command(name: str, commands: Mapping[str, Command]) -> Command:
    if name not in commands:
        hint = _suggest_option(name, commands) or suggest(name, (*commands, "help"))
        raise UsageError(f"no command is called {format_word(name)}.{hint} (%alchemer help)")
    return commands[name]


def _suggest_option(name: str, commands: Mapping[str, Command]) -> str:
    """Suggest the command that has an option of this name: ``sync SURVEY --verify``."""
    for command in commands.values():
        option = command.find_option(f"--{name.lstrip('-').casefold()}")
        if option and option.name != "out":
            value = f" {option.value}" if option.convert else ""
            return f" Did you mean `{command.usage} {option.flag}{value}`?"
    return ""


def _split_target(words: list[SourceWord]) -> tuple[str | None, list[SourceWord]]:
    """Split ``NAME <<`` or ``NAME<<`` off the beginning."""
    first, second = [*(word.syntax for word in words), "", ""][:2]
    if second == "<<":
        name, rest = words[0].source, words[2:]
    elif first.endswith("<<"):
        name, rest = first.removesuffix("<<"), words[1:]
    elif second.startswith(("=", "<<")):
        name = words[0].source
        raise UsageError(f"write `{name} = %alchemer …` or `%alchemer {name} << …`, with blanks")
    else:
        return None, words
    _check_variable_name(name)
    if not rest:
        raise UsageError(f"`{name} <<` needs a command after it (%alchemer help)")
    return name, rest


def _check_variable_name(name: str) -> None:
    if not name.isidentifier() or keyword.iskeyword(name):
        raise UsageError(f"{format_word(name)} cannot be a variable's name")


def _parse_arguments(
    command: Command, line: str, words: Sequence[SourceWord], variables: Mapping[str, Any]
) -> dict[str, Any]:
    remaining, given = separate_options(command, words)
    remaining = _join_text(command, line, remaining)
    arguments: dict[str, Any] = {}
    for positional in command.positionals:
        count = len(remaining) if positional.nargs == "*" else 1
        label = positional.name
        given_words = (evaluate_word(word, variables) for word in remaining[:count])
        may_be_none = positional.nargs in ("?", "text", "verbatim")
        values = [
            _convert(label, positional.convert, word)
            for word in given_words
            if not (may_be_none and _is_none(word))
        ]
        remaining = remaining[count:]
        if positional.nargs == "*":
            arguments[label.lower()] = values
        elif values:
            arguments[label.lower()] = values[0]
        elif not positional.nargs:
            raise _usage_error(command, f"{label} is missing")
    if remaining:
        raise _usage_error(command, f"too many words; {_surplus_hint(command, given)}")
    for option, sources in given.items():
        if len(sources) > 1 and not option.repeat:
            raise UsageError(f"{option.flag} is given {len(sources)} times; once is enough")
        values = _convert_option(option, [evaluate_word(each, variables) for each in sources])
        if values:
            arguments[option.name] = values if option.repeat else values[0]
    return arguments


def _join_text(command: Command, line: str, words: list[SourceWord]) -> list[SourceWord]:
    """Return the words of a free text as one, as if quotes stood around all of it."""
    if not command.takes_free_text or len(words) < 2:
        return words
    verbatim = command.is_verbatim
    parts: list[WordPart] = []
    for previous, word in zip([None, *words], words, strict=False):
        if previous is not None:
            between = line[previous.end : word.start]
            parts.append(WordPart(between if between.isspace() and verbatim else " "))
        parts += [WordPart(line[word.start : word.end])] if verbatim else word.parts
    return [SourceWord(words[0].start, words[-1].end, tuple(parts))]


def _surplus_hint(command: Command, given: Iterable[CommandOption]) -> str:
    if any(option.flag == "--where" for option in given):
        return """a condition needs quotes around it: --where 'region in "North", "South"'"""
    return command.surplus_hint


def _convert_option(option: CommandOption, words: Sequence[EvaluatedWord]) -> list[Any]:
    """Return the values of an option; none where a parameter says that it is not given."""
    if option.convert is None:
        is_on = all(_convert(option.flag, spec.to_flag, word) for word in words)
        return [True] if is_on else []
    return [
        _convert(option.flag, option.convert, word, option.choices)
        for word in words
        if not _is_none(word)
    ]


def _is_none(word: EvaluatedWord) -> bool:
    """Check whether a word is one expression whose value is None, in quotes or not."""
    parts = [(part, value) for part, value in word.parts if part.text]
    return len(parts) == 1 and parts[0][0].is_expression and parts[0][1] is None


def separate_options(
    command: Command, words: Sequence[SourceWord]
) -> tuple[list[SourceWord], dict[CommandOption, list[SourceWord]]]:
    """Return the words of the positionals, and the options with the words of their values.

    After ``--`` all words are positionals.

    Raises:
        UsageError: An option does not exist, lacks its value, or has one that it does not take.
    """
    positionals: list[SourceWord] = []
    given: dict[CommandOption, list[SourceWord]] = {}
    rest = iter(words)
    for word in rest:
        if word.syntax == "--":
            positionals += rest
            break
        if not _OPTION.match(word.syntax) or (command.is_verbatim and _is_sql(command, word)):
            positionals.append(word)
            continue
        option, value = _parse_option(command, word)
        values = given.setdefault(option, [])
        if option.convert is None:
            if value is not None:
                if not any(part.is_expression for part in value.parts):
                    raise _usage_error(command, f"{option.flag} takes no value but {{True}}")
                values.append(value)
            continue
        value = value or next(rest, None)
        if value is None or _OPTION.match(value.syntax):
            raise _usage_error(command, f"{option.flag} needs a value after it")
        values.append(value)
    return positionals, given


def _is_sql(command: Command, word: SourceWord) -> bool:
    """Check whether a word after a single dash is a part of a query, such as ``-x``."""
    return not word.source.startswith("--") and command.find_option(word.source[:2]) is None


def _parse_option(command: Command, word: SourceWord) -> tuple[CommandOption, SourceWord | None]:
    """Return the option that a word names, and the value in the same word, if any."""
    first, *others = word.parts
    flag, equals, value = first.text.partition("=")
    if not equals:
        flag = word.source
    option = command.find_option(flag)
    if option is None and (option := command.find_option(flag[:2])):  # `-oNAME`
        equals, value = "=", first.text[2:]
    if option is None:
        hint = suggest(flag, [each.flag for each in command.options])
        raise _usage_error(command, f"no option is called {format_word(flag)}.{hint}")
    if not equals:
        return option, None
    # The quotes of nothing: a value after `=` is no option, whatever it begins with.
    rest = [WordPart("", quoted=True), WordPart(value)] if value or not others else []
    return option, replace(word, parts=(*rest, *others))


def _convert(
    label: str,
    convert: Convert,
    word: EvaluatedWord,
    choices: Sequence[str] = (),
) -> Any:
    if secret_guard.is_secret(
        word.text
    ):  # the value of a variable: the message below would repeat it
        raise UsageError(f"{label}: that value looks like a key. {secret_guard.SIGN_IN_HINT}")
    try:
        return convert(word)
    except ValueError as error:
        hint = suggest(word.text, choices)
        raise UsageError(f"{label}: {error}, got {format_word(word.text)}.{hint}") from None


def _usage_error(command: Command, message: str) -> UsageError:
    return UsageError(f"%alchemer {command.name}: {message} (%alchemer help {command.name})")
