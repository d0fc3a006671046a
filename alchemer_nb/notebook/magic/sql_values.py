"""Bind Python values to a query: below ``%%alchemer sql``, and behind ``%alchemer sql``.

A value is never written into the query: ``$name``, ``$name.attribute`` and ``{expression}`` become
parameters. Between quotes SQL takes them as text, so they are refused there. Braces that
hold something else than an expression are SQL's: ``{'key': value}``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from alchemer_nb.notebook.magic.secret_guard import holds_secret
from alchemer_nb.notebook.magic.tokens import evaluate_expression, find_closing_brace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alchemer_nb.notebook.magic.tokens import EvaluatedWord

_TOKEN = re.compile(
    r"""
      (?P<comment> --[^\n]* | /\*.*?(?:\*/|\Z) )
    | (?P<escaped> (?<!\w)[eE]'(?:[^'\\]|\\.|'')*(?:'|\Z) )
    | (?P<quoted> '(?:[^']|'')*(?:'|\Z) | "(?:[^"]|"")*(?:"|\Z) )
    | (?P<dollars> \$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z) )
    | \$(?P<name> [^\W\d]\w*(?:\.[^\W\d]\w*)* )
    | (?P<brace> \{ )
    """,
    re.VERBOSE | re.DOTALL,
)
_NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
# As in '{name}', '$name' and '{name[0]}'; not as in '{2,3}', '{"a": 1}' or '{{name}}'.
_PLACEHOLDER = re.compile(
    r"(?<!\{)\{\s*(?P<braced>[^\W\d]\w*)(?P<rest>[^{}]*)\}|\$(?P<dollar>[^\W\d]\w*)"
)
_ONE_PLACEHOLDER = re.compile(r"['\"]%?(?:\$\w+|\{[^{}]*\})%?['\"]")


def to_query(word: EvaluatedWord) -> str:
    """Return the query in a word with its expressions as they were written."""
    texts = []
    for part, _ in word.parts:
        if not part.is_expression:
            texts.append(part.text)
        elif _NAME.fullmatch(part.text.strip()):
            texts.append(f"${part.text.strip()}")
        else:
            texts.append(f"{{{part.text}}}")
    return "".join(texts)


def bind_values(query: str, variables: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return a query whose expressions are parameters, and the values of these.

    Raises:
        UsageError: An expression is between quotes, or cannot be evaluated.
    """
    text, position = "", 0
    names: dict[str, str] = {}  # expression -> its parameter
    while found := _TOKEN.search(query, position):
        text += query[position : found.start()]
        position = found.end()
        if found["quoted"] or found["escaped"]:
            _check_quoted(found[0], variables)
        source = found["name"]
        if found["brace"]:
            end = find_closing_brace(query, found.start())
            if end is not None and _is_expression(query[position:end]):
                source, position = query[position:end].strip(), end + 1
        if source is None:
            text += found[0]
            continue
        if source not in names:
            names[source] = _parameter_name(source, names.values())
        text += f"${names[source]}"
    values = {
        name: evaluate_expression(source, variables, escape="") for source, name in names.items()
    }
    return text + query[position:], values


def _parameter_name(source: str, taken: Any) -> str:
    """Return the name of a variable, or another one where SQL does not know that."""
    used = {name.casefold() for name in taken}
    if source.isascii() and source.isidentifier() and source.casefold() not in used:
        return source
    number = 1
    while f"value_{number}" in used:
        number += 1
    return f"value_{number}"


def _is_expression(source: str) -> bool:
    """Check whether braces hold a Python expression: a struct of SQL has a colon."""
    try:
        compile(source.strip(), "<alchemer>", "eval")
    except (SyntaxError, ValueError):
        return False
    return True


def _check_quoted(token: str, variables: Mapping[str, Any]) -> None:
    for found in _PLACEHOLDER.finditer(token):
        name = found["braced"] or found["dollar"]
        is_whole = _ONE_PLACEHOLDER.fullmatch(token) is not None
        if not is_whole and name not in variables:
            continue
        source = f"{name}{(found['rest'] or '').rstrip()}"
        shown = "…" if holds_secret(source) else found[0]
        if token.startswith('"'):
            raise UsageError(
                f"`{shown}` cannot be the name of a table or column: values are bound, never "
                "written into the query"
            )
        plain = f"${source}" if _NAME.fullmatch(source) else f"{{{source}}}"
        plain = "…" if holds_secret(source) else plain
        raise UsageError(
            f"`{shown}` stands between quotes, where SQL takes it as text: write {plain} without "
            f"quotes, or '%' || {plain} || '%' for a part of a text"
        )
