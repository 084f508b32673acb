"""The SQL that a contract holds, each fragment parsed by itself before it becomes part of a statement.

A fragment is one expression over the fields or columns of its row. Anything else, such as a second statement, a
subquery or a table function, could read files or write them, and is refused with the place where it stands.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import duckdb

from ops_project.model.feed.feed import Feed

SHOWN = 60
# Parts of a SELECT that an expression alone does not have, with the value that says so.
_EMPTY: dict[str, Any] = {
    "modifiers": [],
    "where_clause": None,
    "group_expressions": [],
    "having": None,
    "qualify": None,
    "sample": None,
}
_REFUSED = {
    "SUBQUERY": "it holds a subquery",
    "STAR": "it holds *, which stands for many columns",
    "PARAMETER": "it holds a parameter",
}


class FragmentError(ValueError):
    """SQL of a contract that is not one expression; the message names the feed, the key and what is wrong."""


def check_fragments(feed: Feed) -> None:
    """Raises FragmentError on the first fragment of any version of the contract that is not one expression."""
    for where, sql in fragments(feed):
        if (problem := problem_with(sql)) is not None:
            shown = " ".join(sql.split())
            shown = shown if len(shown) <= SHOWN else shown[: SHOWN - 1] + "…"
            raise FragmentError(
                f"feed {feed.name}: {where}: {shown!r} is not one SQL expression: {problem}; write one expression over "
                "the fields of the row"
            )


def fragments(feed: Feed) -> Iterator[tuple[str, str]]:
    """Every piece of SQL in the contract, with the key under which it stands."""
    if feed.filter is not None:
        yield "filter", feed.filter
    for name, sql in feed.rules.items():
        yield f"rules.{name}", sql
    for contract in feed.contracts():
        for name, column in contract.columns.items():
            if column.expression is not None:
                yield f"columns.{name}.expression", column.expression
    for term in feed.keep_first.order if feed.keep_first is not None else ():
        yield "keep_first.order", _without_direction(term)


def _without_direction(term: str) -> str:
    """An order term without ASC, DESC and NULLS FIRST or LAST."""
    words = term.split()
    while words and words[-1].upper() in ("ASC", "DESC", "FIRST", "LAST", "NULLS"):
        words.pop()
    return " ".join(words)


@lru_cache(maxsize=4096)
def problem_with(sql: str) -> str | None:
    """Why `sql` is not one expression, None where it is."""
    with duckdb.connect() as connection:
        [(text,)] = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [f"SELECT {sql}\n"]).fetchall()
    parsed: dict[str, Any] = json.loads(text)
    if parsed["error"]:
        said = str(parsed.get("error_message", "it cannot be read")).splitlines()[0]
        return "it holds several statements" if "Only SELECT statements" in said else said
    if len(parsed["statements"]) != 1:
        return "it holds several statements"
    node = parsed["statements"][0]["node"]
    if node["type"] != "SELECT_NODE" or node["from_table"]["type"] != "EMPTY":
        return "it reads a table"
    if len(node["select_list"]) != 1:
        return "it is a list of several"
    if node["select_list"][0].get("alias"):
        return f"it gives itself the name {node['select_list'][0]['alias']!r}"
    if any(node.get(part) != empty for part, empty in _EMPTY.items()) or node["cte_map"].get("map"):
        return "it holds a clause of a query (WHERE, ORDER BY, LIMIT …)"
    found = {item["class"] for item in _expressions(node["select_list"])}
    return next((words for kind, words in _REFUSED.items() if kind in found), None)


def _expressions(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "class" in value:
            yield value
        for item in value.values():
            yield from _expressions(item)
    elif isinstance(value, list):
        for item in value:
            yield from _expressions(item)
