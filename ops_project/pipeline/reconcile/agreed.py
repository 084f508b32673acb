"""Decides in which type two columns are compared: numbers, instants or texts. A text column counts as numbers only if
every value is written as a number. 007 is not written as a number, so it does not equal 7. Nothing is rounded: two
values are equal only if all their digits are.
"""

from __future__ import annotations

import duckdb

from ops_project.pipeline.reconcile.sides import (
    DECIMAL,
    FLOAT_SCALE,
    FLOATS,
    INTEGERS,
    TIMES,
    WIDE_INTEGERS,
    ZONED,
    Side,
    as_instant,
    key_type,
)
from ops_project.sql_text import identifier

NUMBER = r"-?(0|[1-9]\d*)(\.\d+)?"
BEGINS_WITH_A_LETTER = "lower({text}[1]) <> upper({text}[1])"
"""SQL that is true for a text that begins with a letter of two cases. Such a text is neither a number nor an ISO date.
A pattern for every letter takes 1.9 ms to compile.
"""
INSTANT = "an instant"
MOST_DIGITS = 38


def agreed_type(connection: duckdb.DuckDBPyConnection, source: Side, target: Side, column: str) -> str:
    """The common type of a key or of a compared column. If neither column is text, this type holds the values of both
    sides exactly.
    """
    types = {source.type_of(column), target.type_of(column)}
    if "VARCHAR" not in types and not types & FLOATS and ZONED not in types:
        return key_type(source, target, column)
    if len(types) == 1 and "VARCHAR" not in types:
        return types.pop()
    if types == {"VARCHAR"} and not (source.is_file or target.is_file):
        return "VARCHAR"
    parts = []
    for side in (source, target):
        parts.append(_nature(connection, side, column))
        if parts[-1][0] == "text":
            return "VARCHAR"
    natures = {nature for nature, _, _ in parts} - {"empty"}
    if natures == {"number"}:
        digits, places = max(part[1] for part in parts), max(part[2] for part in parts)
        return f"DECIMAL({MOST_DIGITS},{places})" if digits + places <= MOST_DIGITS else "VARCHAR"
    if natures and natures <= {"date", INSTANT}:
        return "DATE" if natures == {"date"} else "TIMESTAMP"
    return "VARCHAR"


def _nature(connection: duckdb.DuckDBPyConnection, side: Side, column: str) -> tuple[str, int, int]:
    """What a column contains (number, date, instant, text or empty), and two numbers. For numbers, these are the most
    digits before and after the point. For anything else, both are 0.
    """
    kind, name = side.type_of(column), identifier(column)
    if match := DECIMAL.fullmatch(kind):
        return "number", int(match[1]) - int(match[2]), int(match[2])
    if kind in INTEGERS | WIDE_INTEGERS:
        return "number", 20 if kind in INTEGERS else MOST_DIGITS, 0
    if kind in FLOATS:
        return "number", 20, FLOAT_SCALE
    if kind == "DATE":
        return "date", 0, 0
    if kind in TIMES or kind == ZONED:
        return INSTANT, 0, 0
    if kind != "VARCHAR":
        return "text", 0, 0
    text = f"trim({name})"
    given = f"{name} is not null and {text} <> ''"
    # Most texts begin with a letter, so this question comes first. The next one takes several times as long, whatever
    # the number of rows.
    letter = BEGINS_WITH_A_LETTER.format(text=text)
    if connection.execute(f"select 1 from {side.relation} where {given} and {letter} limit 1").fetchone():
        return "text", 0, 0
    row = connection.execute(
        f"""
        select count(*), count(*) filter (regexp_full_match({text}, '{NUMBER}')),
            count(*) filter (({as_instant(text, "DATE")}) is not null),
            count(*) filter (({as_instant(text, "TIMESTAMP")}) is not null),
            coalesce(max(length(ltrim(split_part({text}, '.', 1), '-'))), 0),
            coalesce(max(length(rtrim(split_part({text}, '.', 2), '0'))), 0)
        from {side.relation} where {given}
        """
    ).fetchall()[0]
    if not row[0]:
        return "empty", 0, 0
    if row[1] == row[0]:
        return "number", row[4], row[5]
    if row[2] == row[0]:
        return "date", 0, 0
    return (INSTANT, 0, 0) if row[3] == row[0] else ("text", 0, 0)
