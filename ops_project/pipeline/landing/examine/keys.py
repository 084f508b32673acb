"""Business keys that occur more than once in a file."""

from __future__ import annotations

import duckdb

from ops_project.pipeline.landing.read.sql import literal, own
from ops_project.pipeline.landing.read.stage import GOOD_STATE, MASK, REPEATED, SHOWN_VALUE, STAGED, Stage


def repeated_keys(stage: Stage, connection: duckdb.DuckDBPyConnection) -> int:
    """Fill the table of rows whose key has been there before (`_ord`, `_first` line); the number of such rows."""
    key = ", ".join(map(stage.value, stage.feed.key))
    counted = connection.execute(
        f"SELECT count(*), count(DISTINCT hash({key})) FROM {STAGED} WHERE _state = {GOOD_STATE}"
    ).fetchone()
    assert counted is not None
    if counted[0] == counted[1]:  # as many hashes as rows: no key twice. The reverse proves nothing, so:
        return 0
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


def repeated_samples(stage: Stage, connection: duckdb.DuckDBPyConnection, limit: int = 5) -> list[dict[str, object]]:
    """A few of the repeated keys with their lines; values of personal columns are masked."""
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
