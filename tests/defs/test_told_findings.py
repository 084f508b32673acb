"""Which findings of its run a person sees. Every event about a file is shown."""

from __future__ import annotations

import duckdb
import pytest

from ops_project.defs.shared.run_session import FINDINGS


@pytest.mark.parametrize(
    ("kind", "state", "status", "seen"),
    [
        ("source_partial", "open", "rejected", True),
        ("source_partial", "resolved", "rejected", False),
        ("source_duplicate", "resolved", "duplicate", True),
        ("data_invalid", "resolved", "loaded", True),
        ("data_invalid", "resolved", "replaced", False),
    ],
)
def test_a_file_that_was_left_out_is_told_although_nothing_is_open(
    kind: str, state: str, status: str, seen: bool
) -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA ops")
        connection.execute("CREATE TABLE ops.batches AS SELECT 'b' AS batch_id, ? AS status", [status])
        connection.execute(
            "CREATE TABLE ops.findings AS SELECT 'r' AS run_id, ? AS kind, ? AS state, 'b' AS batch_id, "
            "'orders' AS feed, DATE '2026-03-03' AS business_date",
            [kind, state],
        )
        assert bool(connection.execute(FINDINGS, ["r"]).fetchall()) is seen
        assert connection.execute(FINDINGS, ["another"]).fetchall() == []
