"""Runs one query of a page on a connection, with its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import duckdb

from ops_project import sql_text


def execute(cursor: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, Any]) -> duckdb.DuckDBPyConnection:
    """Run the query with its parameters written into the SQL text. Parameters that are passed as Python values make the
    engine import pandas, which would cost the server 50 MB.
    """
    if not parameters:
        return cursor.execute(sql)
    cursor.execute(f"prepare asked as {sql}")
    values = ", ".join(f"{sql_text.identifier(name)} := {literal(value)}" for name, value in parameters.items())
    return cursor.execute(f"execute asked({values})")


def literal(value: Any) -> str:
    """A value as SQL. Raises TypeError for a type that no page uses."""
    if isinstance(value, datetime):
        return f"timestamp '{value:%Y-%m-%d %H:%M:%S.%f}'"
    if isinstance(value, date):
        return f"date '{value:%Y-%m-%d}'"
    if isinstance(value, str):
        return sql_text.literal(value.replace("\0", ""))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value)
    raise TypeError(f"a query of a page has no parameter of type {type(value).__name__}")
