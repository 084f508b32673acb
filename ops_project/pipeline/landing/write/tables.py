"""Creates the tables that landing fills: its journal in schema `ops`, and one bronze table for each feed. If a contract
version adds a column, the bronze table gets this column too. A column that a source no longer sends stays. No data is
ever dropped here, and a change of type that would lose a value is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from operator import itemgetter

import duckdb

from ops_project.counted import counted
from ops_project.model.feed.feed import Feed
from ops_project.sql_text import identifier

OPS_TABLES = {
    "batches": """
        batch_id VARCHAR NOT NULL, feed VARCHAR NOT NULL, domain VARCHAR NOT NULL, file_name VARCHAR NOT NULL,
        part VARCHAR, archive_path VARCHAR, sha256 VARCHAR NOT NULL, size_bytes BIGINT NOT NULL,
        arrived_at TIMESTAMP NOT NULL, business_date DATE NOT NULL, load_seq BIGINT NOT NULL, status VARCHAR NOT NULL,
        contract_version INTEGER, rows_in BIGINT NOT NULL, rows_loaded BIGINT NOT NULL, rows_quarantined BIGINT NOT
        NULL,
        rows_filtered BIGINT NOT NULL, rows_collapsed BIGINT NOT NULL, control_rows BIGINT, finding VARCHAR,
        message VARCHAR, loaded_at TIMESTAMP NOT NULL, run_id VARCHAR, replaces_batch_id VARCHAR,
        contract_hash VARCHAR,
        CHECK (rows_in = rows_loaded + rows_quarantined + rows_filtered + rows_collapsed)""",
    "quarantine": """
        batch_id VARCHAR NOT NULL, feed VARCHAR NOT NULL, file_name VARCHAR NOT NULL, line BIGINT NOT NULL,
        raw_text VARCHAR, column_name VARCHAR, reason VARCHAR NOT NULL, reasons JSON, rows BIGINT NOT NULL,
        kind VARCHAR""",
    "replay_attempts": """
        feed VARCHAR NOT NULL, sha256 VARCHAR NOT NULL, line BIGINT NOT NULL, attempts INTEGER NOT NULL,
        last_at TIMESTAMP NOT NULL, reason VARCHAR, rows BIGINT NOT NULL, parked_at TIMESTAMP""",
    "findings": """
        finding_id VARCHAR NOT NULL, kind VARCHAR NOT NULL, feed VARCHAR, asset VARCHAR, business_date DATE,
        batch_id VARCHAR, file_name VARCHAR, message VARCHAR NOT NULL, evidence JSON, state VARCHAR NOT NULL,
        observed_at TIMESTAMP NOT NULL, resolved_at TIMESTAMP, run_id VARCHAR""",
    "confirmations": """
        feed VARCHAR NOT NULL, business_date DATE NOT NULL, batch_id VARCHAR NOT NULL, sha256 VARCHAR NOT NULL,
        confirmed_by VARCHAR NOT NULL, why VARCHAR NOT NULL, confirmed_at TIMESTAMP NOT NULL""",
    "touched_dates": "feed VARCHAR NOT NULL, business_date DATE NOT NULL, load_seq BIGINT NOT NULL",
    "expected_dates": "feed VARCHAR NOT NULL, business_date DATE NOT NULL",
    "feeds": """
        feed VARCHAR NOT NULL, domain VARCHAR NOT NULL, inbound JSON NOT NULL, enabled BOOLEAN NOT NULL,
        replaces_by VARCHAR, absent_keys VARCHAR, latest_by VARCHAR, dated_by VARCHAR""",
    "valid_days": "feed VARCHAR NOT NULL, days INTEGER NOT NULL",
    "builds": "model VARCHAR NOT NULL, load_seq BIGINT NOT NULL, built_at TIMESTAMP NOT NULL",
    "whole_builds": "model VARCHAR NOT NULL, times BIGINT NOT NULL",
    "build_currencies": "model VARCHAR NOT NULL, reporting_currency VARCHAR NOT NULL",
    "tested": "test VARCHAR NOT NULL, model VARCHAR NOT NULL, tested_at TIMESTAMP NOT NULL",
    "quality_scores": """
        table_schema VARCHAR NOT NULL, table_name VARCHAR NOT NULL, domain VARCHAR, as_of TIMESTAMP NOT NULL,
        run_id VARCHAR, completeness DOUBLE, validity DOUBLE, uniqueness DOUBLE, consistency DOUBLE, timeliness DOUBLE,
        score DOUBLE, row_count BIGINT""",
    "excluded_points": "asset VARCHAR NOT NULL, business_date DATE NOT NULL, alert INTEGER NOT NULL",
}
LATER_COLUMNS = {
    "feeds": ("replaces_by", "absent_keys", "latest_by", "dated_by"),
    "batches": ("contract_hash",),
    "quarantine": ("kind",),
}
# SQL of the value that a column gets in rows that are older than the column. A column that is not listed here gets
# NULL.
FILLED_BY = {
    "kind": "CASE WHEN line = 0 THEN 'the whole file' ELSE "
    "regexp_replace(json_extract_string(reasons, '$[0].reason'), ' line [0-9]+$', ' another line') END"
}
META_COLUMNS = {
    "_batch_id": "VARCHAR",
    "_line": "BIGINT",
    "_load_seq": "BIGINT",
    "ingestion_timestamp": "TIMESTAMP",
}


_AGREED: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
"""Statements of bronze tables, each with the columns of the contract that it agrees with. A process looks at the same
tables again for each feed of a domain, and asking for the columns of one table takes half a millisecond.
"""


class BronzeError(ValueError):
    """A bronze table cannot take the columns of its contract without losing data."""


def ensure_tables(connection: duckdb.DuckDBPyConnection, feeds: Iterable[Feed]) -> None:
    """Create or extend the schemas `ops` and `bronze` for `feeds`, and store the list of feeds of their domains.

    Raises BronzeError if a contract changes a type in a way that would lose values.
    """
    feeds = list(feeds)
    create_tables(connection, feeds)
    domains = sorted({feed.domain for feed in feeds})
    rows = [
        (
            feed.name,
            feed.domain,
            json.dumps(list(feed.inbound)),
            feed.enabled,
            ",".join(feed.replaces_by),
            feed.absent_keys,
            ",".join(feed.latest_by),
            feed.dated_by.model_dump_json() if feed.dated_by else None,
        )
        for feed in feeds
    ]
    listed = "feed, domain, inbound, enabled, replaces_by, absent_keys, latest_by, dated_by"
    known = connection.execute(
        f"SELECT {listed.replace('inbound', 'inbound::VARCHAR')} FROM ops.feeds WHERE list_contains(?, domain)",
        [domains],
    ).fetchall()
    if sorted(known, key=itemgetter(0)) != sorted(rows, key=itemgetter(0)):
        connection.execute("DELETE FROM ops.feeds WHERE list_contains(?, domain)", [domains])
        connection.executemany(f"INSERT INTO ops.feeds ({listed}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)

    _note_valid_days(connection, feeds)


def _note_valid_days(connection: duckdb.DuckDBPyConnection, feeds: list[Feed]) -> None:
    """Record for each feed on how many further days its rows count (`valid_days`). Models read this number."""
    wanted = {feed.name: feed.valid_days for feed in feeds if feed.valid_days}
    known = dict(
        connection.execute(
            "SELECT feed, days FROM ops.valid_days WHERE list_contains(?, feed)", [[feed.name for feed in feeds]]
        ).fetchall()
    )
    if known == wanted:
        return
    connection.execute("DELETE FROM ops.valid_days WHERE list_contains(?, feed)", [[feed.name for feed in feeds]])
    for name, days in wanted.items():
        connection.execute("INSERT INTO ops.valid_days VALUES (?, ?)", [name, days])


def create_tables(connection: duckdb.DuckDBPyConnection, feeds: Iterable[Feed]) -> None:
    """Create or extend the tables, without storing the list of feeds."""
    known = _tables(connection)
    if {schema for schema, _ in known} != {"ops", "bronze"}:
        connection.execute("CREATE SCHEMA IF NOT EXISTS ops; CREATE SCHEMA IF NOT EXISTS bronze")
    absent = {table: columns for table, columns in OPS_TABLES.items() if ("ops", table) not in known}
    if absent:  # in one call, because each call takes a fifth of the time of its table
        connection.execute("; ".join(f"CREATE TABLE IF NOT EXISTS ops.{name} ({absent[name]})" for name in absent))
    for table, later in LATER_COLUMNS.items():
        # The home folder may be older than this column.
        created = known.get(("ops", table))
        for column in later:
            if created is not None and f" {column} VARCHAR" not in created:
                connection.execute(f"ALTER TABLE ops.{table} ADD COLUMN {column} VARCHAR")
                if column in FILLED_BY:
                    connection.execute(f"UPDATE ops.{table} SET {column} = {FILLED_BY[column]}")
    for feed in feeds:
        _ensure_bronze(connection, feed, known.get(("bronze", feed.name)))


def bronze_types(feed: Feed) -> dict[str, str]:
    """Column → DuckDB type of the feed's bronze table, in order."""
    types = {name: column.sql_type for name, column in feed.bronze_columns().items()}
    return {**types, "business_date": "DATE", **META_COLUMNS}


def _tables(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], str]:
    """(schema, table) → the statement that creates it, for every table of landing. The query takes 3 ms on a new
    connection. `duckdb_columns()` takes 13 ms, because it resolves the views of DuckDB's own catalog.
    """
    rows = connection.execute(
        """
        SELECT schema_name, table_name, sql FROM duckdb_tables()
        WHERE database_name = current_database() AND schema_name IN ('ops', 'bronze')
        """
    ).fetchall()
    return {(schema, table): created for schema, table, created in rows}


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Column → DuckDB type of `schema.table`."""
    return {row[0]: row[1] for row in connection.execute(f"DESCRIBE {table}").fetchall()}


def _ensure_bronze(connection: duckdb.DuckDBPyConnection, feed: Feed, created: str | None) -> None:
    """`created`: the statement that creates the table as it is; None if there is no table."""
    wanted, table = bronze_types(feed), f"bronze.{identifier(feed.name)}"
    if created is None:
        columns = ", ".join(f"{identifier(name)} {data_type}" for name, data_type in wanted.items())
        connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns})")
        return
    agreed = created, tuple(wanted.items())
    if agreed in _AGREED:
        return
    existing = _columns(connection, table)
    if existing == wanted:
        _AGREED.add(agreed)
        return
    for name, data_type in wanted.items():
        column = identifier(name)
        if name not in existing:
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} {data_type}")
        elif existing[name] != data_type:
            found = connection.execute(
                f"""
                SELECT count(*), min({column}::VARCHAR) FROM {table}
                WHERE {column} IS NOT NULL
                  AND TRY_CAST(TRY_CAST({column} AS {data_type}) AS {existing[name]}) IS DISTINCT FROM {column}
                """
            ).fetchone()
            assert found is not None
            if found[0]:
                raise BronzeError(
                    f"{table}.{name}: the contract changes {existing[name]} to {data_type}, which would change "
                    f"{counted(found[0], 'value')} (for example {found[1]!r}); give the new content a column of its own"
                )
            connection.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET DATA TYPE {data_type}")
