"""dbt puts what a unit test is given before the query of its model. To find the word WITH it parses the whole query,
which takes a quarter of the processor time of the unit tests. The word is nearly always the first one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

# Spaces and comments, then WITH or SELECT, then a space.
_BEGINNING = re.compile(r"((?:\s+|--[^\n]*\n|/\*(?:(?!\*/).)*\*/)*)(with|select)\s+", re.IGNORECASE | re.DOTALL)
_RECURSIVE = re.compile(r"recursive\b", re.IGNORECASE)


@cache
def take() -> None:
    """From now on dbt parses only the queries that begin otherwise."""
    from dbt import compilation

    parse: Any = compilation.inject_ctes_into_sql

    def inject(sql: str, ctes: Sequence[Any]) -> str:
        found = quick(sql, [cte.sql for cte in ctes])
        return str(parse(sql, ctes)) if found is None else found

    inject.replaced = parse  # type: ignore[attr-defined]  # the test compares the two
    compilation.inject_ctes_into_sql = inject


def quick(sql: str, ctes: Sequence[str]) -> str | None:
    """The query with these common table expressions before its own, as dbt writes it. None: only a parse can tell."""
    begun = _BEGINNING.match(sql)
    # After a semicolon there may be a second statement.
    if not ctes or begun is None or ";" in sql:
        return None
    injected = ", ".join(ctes)
    if begun[2].lower() == "with":
        rest = sql[begun.end() :]
        return None if _RECURSIVE.match(rest) else f"{sql[: begun.end()]}{injected}, {rest}"
    before = len(sql) - len(sql.lstrip())
    return f"{sql[:before]}with{injected} {sql[before:]}"
