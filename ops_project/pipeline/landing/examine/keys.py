"""Finds business keys that occur more than once in a file."""

from __future__ import annotations

import duckdb

from ops_project.pipeline.landing.read import moments
from ops_project.pipeline.landing.read.own_columns import own
from ops_project.pipeline.landing.read.stage import GOOD_STATE, MASK, REPEATED, SHOWN_VALUE, STAGED, Stage
from ops_project.sql_text import literal


def repeated_keys(stage: Stage, connection: duckdb.DuckDBPyConnection) -> int:
    """Fill the table of rows that repeat a key. The table contains the number of the row (`_ord`) and the line of the
    first row with this key (`_first`). If the contract refuses all rows with the same key, the table contains the first
    row too. Returns the number of rows in the table.
    """
    if not _may_repeat(stage, connection):
        return 0
    if stage.clock_keys:
        _tell_hours_apart(stage, connection)
    key = ", ".join(map(stage.value, stage.feed.key))
    keep = stage.feed.keep_first
    wanted = keep.order if keep is not None else ()
    named = f"{stage.by_name}, " if wanted else ""
    ordinal, line, values = own("_o"), own("_l"), own("_k")
    order = ", ".join([*wanted, ordinal])
    all_of_them = keep is None and stage.feed.duplicate_keys == "all"
    extra = f"OR count(*) OVER (PARTITION BY {values}) > 1" if all_of_them else ""
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {REPEATED} AS
        SELECT {ordinal} AS _ord, first_value({line}) OVER (PARTITION BY {values} ORDER BY {order}) AS _first
        FROM (
            SELECT {named}{stage.ordinal} AS {ordinal}, {stage.line} AS {line}, row({key}) AS {values}
            FROM {STAGED} WHERE _state = {GOOD_STATE}
        )
        QUALIFY row_number() OVER (PARTITION BY {values} ORDER BY {order}) > 1 {extra}
        """
    )
    found = connection.execute(f"SELECT count(*) FROM {REPEATED}").fetchone()
    assert found is not None
    return int(found[0])


def _may_repeat(stage: Stage, connection: duckdb.DuckDBPyConnection) -> bool:
    """False if there are as many different hashes of keys as rows, because no key is then repeated. If there are fewer
    hashes, a key may be repeated, or two keys may have the same hash.
    """
    if stage.distinct_keys is not None:
        return stage.distinct_keys != stage.good_rows
    key = ", ".join(map(stage.value, stage.feed.key))
    counted = connection.execute(
        f"SELECT count(*), count(DISTINCT hash({key})) FROM {STAGED} WHERE _state = {GOOD_STATE}"
    ).fetchone()
    return counted is None or counted[0] != counted[1]


def _tell_hours_apart(stage: Stage, connection: duckdb.DuckDBPyConnection) -> None:
    """Give two rows with the same local time the two different hours that it can mean. When clocks are set back, a
    local time occurs twice. So two rows can have the same key although each means another hour. The row that comes
    first in the file gets the first hour, and the next row gets the second. So neither row repeats the other. The
    contract's rule for an ambiguous time applies only to a single row.
    """
    key = ", ".join(map(stage.value, stage.feed.key))
    for name in stage.clock_keys:
        column, value = stage.contract.columns[name], stage.value(name)
        assert column.timezone is not None
        other = moments.other_moment(value, moments.local_time(value, column.timezone), column.timezone)
        moved = 2 if column.ambiguous == "first" else 1
        connection.execute(
            f"""
            UPDATE {STAGED} SET {value} = {other}
            WHERE {stage.ordinal} IN (
                SELECT o FROM (
                    SELECT {stage.ordinal} AS o, _twice_{stage.nth(name)} AS twice, count(*) OVER same AS rows,
                           row_number() OVER (PARTITION BY {key} ORDER BY {stage.ordinal}) AS nth
                    FROM {STAGED} WHERE _state = {GOOD_STATE} WINDOW same AS (PARTITION BY {key})
                ) WHERE twice AND rows > 1 AND nth = {moved}
            )
            """
        )


def repeated_samples(stage: Stage, connection: duckdb.DuckDBPyConnection, limit: int = 5) -> list[dict[str, object]]:
    """A few of the repeated keys with their lines. Values of personal columns are masked."""
    personal = stage.feed.personal_columns()
    shown = ", ".join(
        literal(MASK) if name in personal else f"left({stage.value(name)}::VARCHAR, {SHOWN_VALUE})"
        for name in stage.feed.key
    )
    rows = connection.execute(
        f"""
        SELECT line, _first, * EXCLUDE (nth, line, _ord, _first)
        FROM (SELECT {stage.ordinal} AS nth, {stage.line} AS line, {shown} FROM {STAGED})
        JOIN (SELECT * FROM {REPEATED} ORDER BY _ord LIMIT {limit}) ON _ord = nth ORDER BY line
        """
    ).fetchall()
    return [
        {"line": row[0], "first_line": row[1], "key": dict(zip(stage.feed.key, row[2:], strict=True))} for row in rows
    ]
