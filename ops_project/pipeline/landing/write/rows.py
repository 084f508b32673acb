"""Writes the bronze rows and the quarantine of a file. Everything here runs within the transaction of the file."""

from __future__ import annotations

from datetime import date

import duckdb

from ops_project.pipeline.landing.context import Context
from ops_project.pipeline.landing.decide.taken import Taken
from ops_project.pipeline.landing.examine.examination import Examination
from ops_project.pipeline.landing.read.stage import GOOD_STATE, REPEATED, STAGED
from ops_project.pipeline.landing.result import Batch
from ops_project.pipeline.landing.write import journal, quarantine
from ops_project.pipeline.landing.write.handed_over import readable
from ops_project.sql_text import identifier, literal


def take_back(context: Context, batch: Batch, replaced: list[Taken]) -> set[date]:
    """Remove the rows and the quarantine of replaced batches. Returns the business dates that these rows had."""
    table, touched = f"bronze.{identifier(batch.feed)}", set()
    for old in replaced:
        # The dates are read first, because DELETE … RETURNING would bring every row of the batch into memory.
        touched |= {
            row[0]
            for row in context.rows(f"SELECT DISTINCT business_date FROM {table} WHERE _batch_id = ?", [old.batch_id])
        }
        context.overruled.remember(f"{table} WHERE _batch_id = ?", [old.batch_id])
        context.connection.execute(f"DELETE FROM {table} WHERE _batch_id = ?", [old.batch_id])
        context.connection.execute("UPDATE ops.batches SET status = 'replaced' WHERE batch_id = ?", [old.batch_id])
        context.connection.execute("DELETE FROM ops.quarantine WHERE batch_id = ?", [old.batch_id])
    return touched


def write(
    context: Context, engine: duckdb.DuckDBPyConnection, found: Examination, batch: Batch, replaced: list[Taken]
) -> list[date]:
    """Write the bronze rows and the quarantine of a file, in place of those of the replaced batches. Returns the
    business dates that changed.
    """
    stage, connection, table = found.stage, context.connection, f"bronze.{identifier(context.feed.name)}"
    assert stage is not None
    touched = take_back(context, batch, replaced)
    good = f"_state = {GOOD_STATE}"
    if found.rows_repeated:
        good += f" AND {stage.ordinal} NOT IN (SELECT _ord FROM {REPEATED})"
    names = [name for name in found.contract.columns if name != "business_date"]
    columns = "".join(f"{identifier(name)}, " for name in names)
    values = "".join(f"{stage.value(name)}, " for name in names)
    rows = (
        f"SELECT {values}{stage.business_date}, {literal(batch.batch_id)}, {stage.line}, {batch.load_seq}::BIGINT, "
        f"TIMESTAMP '{journal.naive(context.now)}' FROM {STAGED} WHERE {good}"
    )
    with readable(connection, engine, rows) as source:
        connection.execute(
            f"INSERT INTO {table} ({columns}business_date, _batch_id, _line, _load_seq, ingestion_timestamp) {source}"
        )
    # The date of the file counts as touched even if no row has it, because a file has now been delivered for it.
    touched.add(found.file_date)
    if stage.date_column is not None:
        days = engine.execute(f"SELECT DISTINCT {stage.business_date} FROM {STAGED} WHERE {good}").fetchall()
        touched |= {row[0] for row in days}
    context.overruled.remember(f"{table} WHERE _batch_id = ?", [batch.batch_id])
    touched |= context.overruled.dates()
    if found.rows_refused:
        quarantine.quarantine_rows(connection, engine, batch)
    return sorted(touched)
