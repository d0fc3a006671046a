"""Find comparisons of a query that mean something else than they seem to, by DuckDB's own parser.

A text that is no category of a column gives no row, and no error. Only what is certain is noted:
the column must be one of a table that the query names itself.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from alchemer_nb.wire.text import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Node = dict[str, Any]
    Categories = Mapping[str, Sequence[str]]  # by the name of the column, in small letters

_EQUAL = {
    "COMPARE_EQUAL", "COMPARE_NOTEQUAL", "COMPARE_IN", "COMPARE_NOT_IN", "COMPARE_DISTINCT_FROM",
    "COMPARE_NOT_DISTINCT_FROM",
}  # fmt: skip
_BY_ORDER = {
    "COMPARE_LESSTHAN": "<",
    "COMPARE_LESSTHANOREQUALTO": "<=",
    "COMPARE_GREATERTHAN": ">",
    "COMPARE_GREATERTHANOREQUALTO": ">=",
    "COMPARE_BETWEEN": "BETWEEN",
}
# Parts of a SELECT in which the name of a column is never that of an expression of the SELECT.
_PARTS = ("select_list", "from_table", "where_clause")
_MOST_LISTED = 8


def parse_select(connection: Any, query: str) -> Node:
    """Return the syntax tree of a query; ``{}`` of anything else."""
    rows = connection.sql("SELECT json_serialize_sql(?::VARCHAR)", params=[query]).fetchall()
    tree: Node = json.loads(rows[0][0])
    return {} if tree["error"] else tree


def shows_tables(tree: Node) -> bool:
    """Check whether a query is or has a SHOW TABLES."""
    return any(
        each.get("type") == "SHOW_REF" and each.get("table_name") == '"tables"'
        for each in _walk(tree)
    )


def note_comparisons(
    tree: Node,
    categories: Callable[[str], Categories | None],
    parameters: Mapping[str, Any],
) -> list[str]:
    """Return notes on texts that are no category, and on categories compared by letters.

    Args:
        tree: Of ``parse_select``.
        categories: Returns the categories of a table by column; None if it is no known table.
        parameters: Name -> value.
    """
    local = {
        entry["key"].casefold()
        for each in _walk(tree)
        for entry in (each.get("cte_map") or {}).get("map", ())
    }
    given = {name.casefold(): value for name, value in parameters.items()}
    notes: list[str] = []
    for select in _walk(tree):
        if select.get("type") != "SELECT_NODE":
            continue
        columns = _find_columns(
            select["from_table"], lambda name: None if name in local else categories(name)
        )
        for node in _walk([select[part] for part in _PARTS], within_select=True):
            operator, column, texts = _read_comparison(node, given)
            known = columns.get(tuple(map(str.casefold, column)))
            if known is None or not texts:
                continue
            own = column[-1]
            if operator in _EQUAL:
                notes += [_note_unknown(own, text, known) for text in texts if text not in known]
            elif not {*texts}.isdisjoint(known):
                notes.append(
                    f"{_BY_ORDER[operator]} compares {own} with a text by letters, not in the "
                    f"order of its categories; write {own} in ('…', '…')"
                )
    return list(dict.fromkeys(notes))


def _note_unknown(column: str, text: str, known: Sequence[str]) -> str:
    listed = f"{', '.join(known[:_MOST_LISTED])}{', …' if len(known) > _MOST_LISTED else ''}"
    hint = did_you_mean(text, known, f"; it has {listed}" if known else "")
    return f"{text[:40]!r} is no category of {column}{hint}"


def _walk(found: Any, *, within_select: bool = False) -> Iterator[Node]:
    """Yield the nodes of a tree.

    Args:
        found: A tree or a list of them.
        within_select: Leave out other SELECTs, and lambdas, whose names are their own.
    """
    if isinstance(found, list):
        for each in found:
            yield from _walk(each, within_select=within_select)
    elif isinstance(found, dict):
        if within_select and (found.get("type") == "SELECT_NODE" or found.get("class") == "LAMBDA"):
            return
        yield found
        for each in found.values():
            yield from _walk(each, within_select=within_select)


def _find_columns(
    tree: Node, categories: Callable[[str], Categories | None]
) -> dict[tuple[str, ...], Sequence[str]]:
    """Return the categories of the columns of a FROM by their names, with their table and alone.

    Alone, a name is left out that several tables have: one of ``USING`` or of a NATURAL JOIN.
    """
    found: dict[tuple[str, ...], Sequence[str]] = {}
    is_natural = False
    for each in _walk(tree, within_select=True):
        is_natural |= each.get("ref_type") == "NATURAL"
        name = str(each.get("table_name", "")).casefold()
        own = categories(name) if each.get("type") == "BASE_TABLE" else None
        if own is not None and not each["column_name_alias"]:
            table = each["alias"].casefold() or name
            found |= {(table, column): known for column, known in own.items()}
    merged = {
        name.casefold()
        for each in _walk(tree, within_select=True)
        for name in each.get("using_columns", ())
    }
    often = Counter(column for _, column in found)
    alone = {
        (column,): known
        for (_, column), known in found.items()
        if often[column] == 1 and column not in merged and not is_natural
    }
    return found | alone


def _read_comparison(node: Node, given: Mapping[str, Any]) -> tuple[str, list[str], list[str]]:
    """Return the operator of a comparison, its column, and the texts that it is compared with."""
    operator = str(node.get("type"))  # a type of DuckDB 1 is an object
    if operator == "FUNCTION" and node.get("function_name") == "contains":  # ``in $regions``
        given_to = node.get("arguments") or node["children"]  # of DuckDB 2, and of the first
        sides = [each.get("expression", each) for each in given_to]
        values = given.get(sides[0].get("identifier", "").casefold())
        values = values if isinstance(values, list) and "column_names" in sides[-1] else []
        texts = [text for text in values if isinstance(text, str)]
        return "COMPARE_IN", sides[-1].get("column_names", []), texts
    if operator not in _EQUAL and operator not in _BY_ORDER:
        return "", [], []
    names = ("left", "right", "input", "lower", "upper")
    sides = [*(node[name] for name in names if name in node), *node.get("children", ())]
    columns = [each["column_names"] for each in sides if "column_names" in each]
    found = [text for each in sides if (text := _read_text(each, given)) is not None]
    return operator, *((columns[0], found) if len(columns) == 1 else ([], []))


def _read_text(node: Node, given: Mapping[str, Any]) -> str | None:
    """Return the text of a constant or a parameter; None of anything else."""
    if node.get("class") == "PARAMETER":
        value = given.get(node["identifier"].casefold())
    elif "literal" in node:  # DuckDB 2
        value = node["literal"]["text"] if node["literal"]["kind"] == "STRING" else None
    else:
        constant = node.get("value") or {}
        is_text = node.get("class") == "CONSTANT" and constant["type"]["id"] == "VARCHAR"
        value = constant.get("value") if is_text else None
    return value if isinstance(value, str) else None
