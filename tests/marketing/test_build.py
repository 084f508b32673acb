"""dbt itself builds the same as the shortcut of the other tests, and stops before a canonical table that must not be
written.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from ops_project.model.feed.feed import Feed
from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from ops_project.pipeline.dbt_engine import runner as dbt_runner
from ops_project.pipeline.landing.write.tables import ensure_tables
from ops_project.settings import Settings
from tests.marketing.vault import Extract, Warehouse, extracts

LAYERS = ("marketing.staging", "marketing.raw_vault", "marketing.interface")


def build(settings: Settings, *layers: str, with_tests: bool = False) -> dbt_runner.DbtResult:
    invocation = dbt_runner.build(
        dbt_manifest.load(), settings, select=layers, as_of=datetime(2026, 2, 1, tzinfo=UTC), with_tests=with_tests
    )
    for _event in invocation:
        pass
    return invocation.result


def test_dbt_builds_the_same_and_a_broken_mapping_stops_it(
    warehouse: Callable[[], Warehouse], feeds: list[Feed], tmp_path: Path
) -> None:
    settings = Settings.load(home=tmp_path / "home")
    settings.warehouse.parent.mkdir(parents=True)
    offer = {"offer_id": "O7", "offer_name": "Tea", "offer_type": "gift", "op": "I"}
    first, second = extracts(5)[:12], [*extracts(5)[12:], Extract("mart_offers", date(2026, 1, 20), (offer,))]
    expected = warehouse()
    for part in (first, second):
        for extract in part:
            expected.deliver(extract)
        expected.build()
        # The same bronze tables and journal, in the file that dbt opens.
        with duckdb.connect(str(settings.warehouse)) as target:
            target.execute("CREATE SCHEMA IF NOT EXISTS bronze; CREATE SCHEMA IF NOT EXISTS silver")
            ensure_tables(target, feeds)
            for schema, table in [("bronze", feed.name) for feed in feeds] + [("ops", "batches")]:
                frame = expected.connection.execute(f"SELECT * FROM {schema}.{table}").arrow()
                target.register("frame", frame)
                target.execute(f"CREATE OR REPLACE TABLE {schema}.{table} AS SELECT * FROM frame")
            target.execute(
                "CREATE OR REPLACE TABLE ops.touched_dates AS SELECT feed, business_date, load_seq FROM ops.batches"
            )
        result = build(settings, *LAYERS)
        assert not result.errors, result
    with duckdb.connect(str(settings.warehouse)) as real:
        for name, rows in expected.checksums().items():
            described = real.execute(f"DESCRIBE silver.{name}").fetchall()
            prefix = name.partition("_")[0]
            ignored = {"load_datetime", "record_source", "load_seq"} if prefix in ("hub", "link") else {"load_seq"}
            names = ", ".join(row[0] for row in described if row[0] not in ignored)
            assert real.execute(f"SELECT DISTINCT {names} FROM silver.{name} ORDER BY ALL").fetchall() == rows, name
        before = real.execute("SELECT * FROM silver.uds_offer ORDER BY ALL").fetchall()
        assert before
        real.execute("UPDATE silver.sat_offer_details SET offer_name = NULL")
    result = build(settings, LAYERS[-1], with_tests=True)
    assert any("accepted_share" in name and "offer" in name for name in result.failed_tests), result
    assert "uds_offer" in result.skipped
    with duckdb.connect(str(settings.warehouse), read_only=True) as real:
        assert real.execute("SELECT * FROM silver.uds_offer ORDER BY ALL").fetchall() == before
