"""Explains why rows were refused. The explanation contains the line, the raw text and every reason.

The refused rows are read again from the file, and the checks that refused them run again on these rows only.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import duckdb
import pyarrow as pa

from ops_project.pipeline.landing.read.source import PORTION, append, problem_of
from ops_project.pipeline.landing.read.stage import (
    BAD,
    BAD_STATE,
    FILTERED_STATE,
    MASK,
    REFUSED,
    REPEATED,
    SHOWN_VALUE,
    STAGED,
    Stage,
)
from ops_project.sql_text import literal


def explain(stage: Stage, connection: duckdb.DuckDBPyConnection, repeated: bool) -> None:
    """Fill the table of refused rows: `_ord`, line, raw_text, column_name, reason, reasons (JSON), kind.

    `kind` is the first reason without the values of the row, so that rows with the same reason can be counted together.
    """
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {REFUSED} "
        "(_ord BIGINT, line BIGINT, raw_text VARCHAR, column_name VARCHAR, reason VARCHAR, reasons JSON, kind VARCHAR)"
    )
    ordinals = _refused_ordinals(stage, connection, repeated)
    width = len(stage.source.fields)
    portion: list[tuple[int, int, str, str | None, Sequence[str | None]]] = []
    for ordinal, record in stage.source.picked(connection, ordinals):
        problem = problem_of(record, width)
        fields = stage.source.raw_values(record, problem)
        portion.append((ordinal, record.line, record.text, problem, fields))
        if len(portion) == PORTION:
            _explain(stage, connection, portion)
            portion = []
    if portion:
        _explain(stage, connection, portion)
    if repeated:
        key = ", ".join(stage.feed.key)
        says = "repeats the key of" if stage.feed.duplicate_keys == "later" else "shares its key with"
        entry = f"json_object('column', {literal(key)}, 'reason', '{says} line ' || _first)"
        connection.execute(
            f"""
            UPDATE {REFUSED} SET column_name = {literal(key)}, reasons = json_array({entry}),
                reason = {literal(key + ": ")} || json_extract_string({entry}, '$.reason'), kind = '{says} another line'
            FROM {REPEATED} WHERE {REPEATED}._ord = {REFUSED}._ord
            """
        )


def _refused_ordinals(stage: Stage, connection: duckdb.DuckDBPyConnection, repeated: bool) -> list[int]:
    parts = [f"SELECT {stage.ordinal} AS o FROM {STAGED} WHERE _state = {BAD_STATE}"]
    if repeated:
        parts.append(f"SELECT _ord FROM {REPEATED}")
    if stage.source.problems:
        parts.append("SELECT _ord FROM landing_raw WHERE _problem IS NOT NULL")
    return [row[0] for row in connection.execute(f"{' UNION '.join(parts)} ORDER BY 1").fetchall()]


def _explain(
    stage: Stage,
    connection: duckdb.DuckDBPyConnection,
    portion: list[tuple[int, int, str, str | None, Sequence[str | None]]],
) -> None:
    names = stage.source.raw_columns
    data = {
        "_ord": pa.array([item[0] for item in portion], pa.int64()),
        "_line": pa.array([item[1] for item in portion], pa.int64()),
        "_text": pa.array([item[2] for item in portion], pa.string()),
        "_problem": pa.array([item[3] for item in portion], pa.string()),
    }
    for index, name in enumerate(names):
        data[name] = pa.array([item[4][index] for item in portion], pa.string())
    columns = ", ".join(f"{name} VARCHAR" for name in names)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {BAD} (_ord BIGINT, _line BIGINT, _text VARCHAR, _problem VARCHAR, {columns})"
    )
    append(connection, BAD, pa.table(data), empty_is_null=stage.source.format.kind == "csv")
    with stage.guard(connection):
        _write_reasons(stage, connection)


def _write_reasons(stage: Stage, connection: duckdb.DuckDBPyConnection) -> None:
    personal = stage.feed.personal_columns()
    cases = []
    for item in stage.checks:
        shown = "NULL"
        if item.column is not None:
            shown = f"left(_t{stage.nth(item.column)}, {SHOWN_VALUE})"
            if item.column in personal:
                shown = f"CASE WHEN _t{stage.nth(item.column)} IS NOT NULL THEN '{MASK}' END"
        name = "NULL" if item.column is None else literal(item.column)
        cases.append(
            f"CASE WHEN _problem IS NULL AND ({item.check.predicate}) THEN "
            f"{{'column': {name}::VARCHAR, 'reason': {literal(item.check.reason)}, 'value': {shown}::VARCHAR}} END"
        )
    nothing = "{'column': NULL::VARCHAR, 'reason': _problem, 'value': NULL::VARCHAR}"
    problem = f"CASE WHEN _problem IS NOT NULL THEN {nothing} END"
    carried = ["_ord", "_line", "_text", "_problem"]
    listed = f"list_filter([{', '.join([problem, *cases])}], item -> item IS NOT NULL)"
    connection.execute(
        f"""
        INSERT INTO {REFUSED}
        SELECT _ord, _line, _text, _why[1].column,
               concat_ws(' ', _why[1].column || ':', '''' || _why[1].value || '''', _why[1].reason), to_json(_why),
               CASE WHEN _problem IS NULL THEN _why[1].reason ELSE regexp_replace(_problem, '[0-9]+', 'N', 'g') END
        FROM (SELECT _ord, _line, _text, _problem, {listed} AS _why FROM ({stage.typed(BAD, carried)}))
        """
    )


def explained_cast_failures(stage: Stage, connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[int, int]]:
    """Column → (number of values that fail their cast, number of all values). The failures are counted from the
    explained rows.
    """
    reasons = {
        item.column: item.check.reason for item in stage.checks if item.check.is_cast and item.column is not None
    }
    failed = connection.execute(
        f"""
        SELECT json_extract_string(item, '$.column') AS name, json_extract_string(item, '$.reason'), count(*)
        FROM (SELECT unnest(json_extract(reasons, '$[*]')) AS item FROM {REFUSED}) GROUP BY ALL
        """
    ).fetchall()
    counts = {name: count for name, reason, count in failed if reasons.get(name) == reason}
    if not counts:
        return {}
    listed = ", ".join(f"count({stage.value(name)})" for name in counts)
    values = connection.execute(f"SELECT {listed} FROM {STAGED} WHERE _state <> {FILTERED_STATE}").fetchone()
    assert values is not None
    return {name: (count, count + good) for (name, count), good in zip(counts.items(), values, strict=True)}


def reasons_summary(connection: duckdb.DuckDBPyConnection, limit: int = 20) -> list[dict[str, object]]:
    """The number of refused rows for each reason, most frequent first."""
    rows = connection.execute(
        f"""
        SELECT json_extract_string(item, '$.column'), json_extract_string(item, '$.reason') AS why, count(*), min(line)
        FROM (SELECT unnest(json_extract(reasons, '$[*]')) AS item, line FROM {REFUSED})
        GROUP BY ALL ORDER BY 3 DESC, 1, 2 LIMIT {limit}
        """
    ).fetchall()
    return [{"column": row[0], "reason": row[1], "rows": row[2], "first_line": row[3]} for row in rows]


def masked_samples(connection: duckdb.DuckDBPyConnection, limit: int = 5) -> list[dict[str, object]]:
    """A few refused rows with their reasons. Values of personal columns are already masked."""
    rows = connection.execute(f"SELECT line, reasons FROM {REFUSED} ORDER BY line LIMIT {limit}").fetchall()
    return [{"line": row[0], "reasons": json.loads(row[1])} for row in rows]
