"""Parses each fragment of SQL in a contract by itself, before the fragment becomes part of a statement.

A fragment must be one expression over the fields or columns of its row. Anything else, such as a second statement, a
subquery or a table function, could read or write files. It is refused, and the message names its place in the contract.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import duckdb

from ops_project.model.feed.column import Column
from ops_project.model.feed.feed import Feed
from ops_project.sql_text import literal

SHOWN = 60
# The parts of a SELECT that a single expression does not have. The parser gives an absent part this value.
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
    """SQL of a contract that is not one expression. The message names the feed, the key and the problem."""


@dataclass(frozen=True)
class Fragment:
    """A piece of SQL in a contract."""

    place: tuple[str | int, ...]
    """The keys under which the fragment stands, from the feed downwards."""
    sql: str

    @property
    def words(self) -> str:
        """The place of the fragment as text, such as `columns.total.expression`."""
        return ".".join(part for part in self.place if isinstance(part, str))


def check_fragments(feed: Feed) -> None:
    """Raises FragmentError on the first fragment of any version of the contract that is not one expression."""
    for fragment in fragments(feed):
        if (words := refusal(fragment)) is not None:
            raise FragmentError(f"feed {feed.name}: {words}")


def refusal(fragment: Fragment) -> str | None:
    """Why a fragment is not one expression, with its place and what to write instead. None if it is one expression."""
    problem = problem_with(fragment.sql)
    if problem is None:
        return None
    shown = " ".join(fragment.sql.split())
    shown = shown if len(shown) <= SHOWN else shown[: SHOWN - 1] + "…"
    return (
        f"{fragment.words}: {shown!r} is not one SQL expression: {problem}; "
        "write one expression over the fields of the row"
    )


def fragments(feed: Feed) -> Iterator[Fragment]:
    """Every piece of SQL in the contract and in its versions."""
    if feed.filter is not None:
        yield Fragment(("filter",), feed.filter)
    for name, sql in feed.rules.items():
        yield Fragment(("rules", name), sql)
    yield from _expressions_of(("columns",), feed.columns)
    for nth, version in enumerate(feed.versions):
        yield from _expressions_of(("versions", nth, "columns"), version.columns or {})
        yield from _expressions_of(("versions", nth, "add"), version.add)
    for nth, term in enumerate(feed.keep_first.order if feed.keep_first is not None else ()):
        yield Fragment(("keep_first", "order", nth), _without_direction(term))


def _expressions_of(place: tuple[str | int, ...], columns: Mapping[str, Column]) -> Iterator[Fragment]:
    for name, column in columns.items():
        if column.expression is not None:
            yield Fragment((*place, name, "expression"), column.expression)


def _without_direction(term: str) -> str:
    """An ORDER BY term without ASC, DESC, NULLS FIRST and NULLS LAST."""
    words = term.split()
    while words and words[-1].upper() in ("ASC", "DESC", "FIRST", "LAST", "NULLS"):
        words.pop()
    return " ".join(words)


@lru_cache(maxsize=1)
def _parser() -> duckdb.DuckDBPyConnection:
    """An empty engine that only parses. It is opened once, because opening it costs more than parsing every fragment of
    a contract.
    """
    return duckdb.connect()


@lru_cache(maxsize=4096)
def problem_with(sql: str) -> str | None:
    """Why `sql` is not one expression; None if it is one."""
    # The text is passed as a literal. For a bound parameter, DuckDB imports pandas, which costs every command a second.
    question = f"SELECT json_serialize_sql({literal(f'SELECT {sql}{chr(10)}')}::VARCHAR)"
    [(text,)] = _parser().cursor().execute(question).fetchall()
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
