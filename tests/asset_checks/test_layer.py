"""The generated checks in real Dagster runs: subsets, isolation of errors, and what blocking stops."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from asset_checks.layer import build_layer_checks
from asset_checks.specs import TableSpec
from tests.asset_checks.warehouse import NOW, ZONE, Warehouse, shipped

DAY = date(2026, 3, 9)
ORDERS = TableSpec(
    schema="bronze",
    table="orders",
    feed="orders",
    tier=1,
    runbook="ecommerce-pipeline",
    key=("order_id",),
    required=("customer_id",),
    date_column="business_date",
    time_column="business_date",
)
CUSTOMERS = TableSpec(schema="bronze", table="customers", key=("customer_id",), required=("customer_id",))


class Connection(dg.ConfigurableResource[duckdb.DuckDBPyConnection]):
    path: str

    def connection(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(self.path)


def definition(tables: list[TableSpec], now: datetime = NOW) -> dg.AssetChecksDefinition:
    checks = build_layer_checks(
        domain="shop",
        layer="bronze",
        tables=tables,
        parameters=shipped(),
        connect=lambda context: context.resources.warehouse.connection(),
        clock=lambda _: now,
        timezone=ZONE,
        required_resource_keys={"warehouse"},
    )
    assert checks is not None
    return checks


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    built = Warehouse(str(tmp_path / "warehouse.duckdb"))
    built.table("bronze.customers", [{"customer_id": "c1"}, {"customer_id": "c2"}])
    yield built
    built.connection.close()


def run(
    warehouse: Warehouse, checks: dg.AssetChecksDefinition, selection: dg.AssetSelection | None = None
) -> tuple[dg.ExecuteInProcessResult, dict[str, dg.AssetCheckEvaluation], list[str]]:
    """Assets of bronze, the checks, and a silver table below them, in one job."""
    warehouse.connection.close()
    built: list[str] = []

    def asset(name: str, deps: list[dg.AssetKey]) -> dg.AssetsDefinition:
        @dg.asset(key=dg.AssetKey(name.split("/")), deps=deps)
        def body() -> None:
            built.append(name)

        return body

    keys = sorted({key.asset_key for key in checks.check_keys})
    assets = [asset(key.to_user_string(), []) for key in keys]
    assets.append(asset("silver/fact_orders", keys))
    defs = dg.Definitions(
        assets=assets,
        asset_checks=[checks],
        jobs=[dg.define_asset_job("everything", selection or dg.AssetSelection.all())],
        resources={"warehouse": Connection(path=warehouse.path)},
        executor=dg.in_process_executor,
    )
    result = defs.resolve_job_def("everything").execute_in_process(raise_on_error=False)
    evaluations = {
        f"{item.asset_key.to_user_string()}:{item.check_name}": item for item in result.get_asset_check_evaluations()
    }
    return result, evaluations, built


def orders(count: int) -> list[dict[str, object]]:
    return [{"order_id": number, "customer_id": f"c{number}"} for number in range(count)]


def test_every_check_reports_with_its_class_severity_and_evidence(warehouse: Warehouse) -> None:
    warehouse.batch("orders", DAY, orders(3), quarantined=1)
    warehouse.finding("source_late", "orders", DAY)
    result, evaluations, built = run(warehouse, definition([ORDERS, CUSTOMERS]))
    assert result.success
    assert "silver/fact_orders" in built
    assert {name.split(":")[1] for name in evaluations if name.startswith("bronze/orders")} == {
        "arrival",
        "volume",
        "quarantined_rows",
        "row_conservation",
        "duplicate_keys",
        "freshness",
        "quality_score",
        "quality_score_critical",
    }
    late = evaluations["bronze/orders:arrival"]
    assert not late.passed
    assert late.severity == dg.AssetCheckSeverity.WARN
    assert {name: late.metadata[name].value for name in ("failure_class", "severity", "runbook")} == {
        "failure_class": "source_late",
        "severity": "medium",
        "runbook": "ecommerce-pipeline",
    }
    bad = evaluations["bronze/orders:quarantined_rows"]
    assert (bad.passed, bad.severity, bad.metadata["rows_quarantined"].value) == (False, dg.AssetCheckSeverity.ERROR, 1)
    assert evaluations["bronze/orders:volume"].metadata["status"].value == "unknown"
    with duckdb.connect(warehouse.path) as connection:
        scores = connection.execute("select table_name, run_id, score from ops.quality_scores order by 1").fetchall()
    assert [row[:2] for row in scores] == [("customers", result.run_id), ("orders", result.run_id)]
    assert scores[0][2] == 100
    assert 85 < scores[1][2] < 95


def test_a_score_below_70_stops_the_next_layer(warehouse: Warehouse) -> None:
    warehouse.batch("orders", DAY, orders(1), quarantined=99)
    result, evaluations, built = run(warehouse, definition([ORDERS, CUSTOMERS]))
    assert not result.success
    assert "silver/fact_orders" not in built
    critical = evaluations["bronze/orders:quality_score_critical"]
    assert (critical.passed, critical.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert critical.metadata["severity"].value == "critical"
    assert evaluations["bronze/customers:quality_score_critical"].passed


def test_a_score_between_70_and_85_is_an_error_that_stops_nothing(warehouse: Warehouse) -> None:
    warehouse.batch("orders", DAY, orders(4), quarantined=6)
    result, evaluations, built = run(warehouse, definition([ORDERS]))
    assert result.success
    assert "silver/fact_orders" in built
    assert evaluations["bronze/orders:quality_score_critical"].passed
    high = evaluations["bronze/orders:quality_score"]
    assert (high.passed, high.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert 70 <= float(str(high.metadata["score"].value)) < 85


def test_an_unknown_score_warns_and_stops_nothing(warehouse: Warehouse) -> None:
    warehouse.connection.execute("create table bronze.empty (id integer)")
    result, evaluations, built = run(
        warehouse, definition([TableSpec(schema="bronze", table="empty", required=("id",))])
    )
    assert result.success
    assert "silver/fact_orders" in built
    for name in ("quality_score", "quality_score_critical"):
        item = evaluations[f"bronze/empty:{name}"]
        assert (item.passed, item.severity) == (False, dg.AssetCheckSeverity.WARN)
        assert item.metadata["status"].value == "unknown"
        assert "score" not in item.metadata


def test_a_broken_table_fails_alone_and_with_its_error(warehouse: Warehouse) -> None:
    broken = TableSpec(schema="bronze", table="customers", required=("no_such_column",))
    warehouse.batch("orders", DAY, orders(3))
    result, evaluations, built = run(warehouse, definition([broken, ORDERS]))
    # A score that could not be computed is unknown, and unknown stops nothing.
    assert result.success
    assert "silver/fact_orders" in built
    assert evaluations["bronze/orders:quality_score"].passed
    failed = evaluations["bronze/customers:quality_score"]
    assert failed.metadata["failure_class"].value == "code_error"
    assert "no_such_column" in str(failed.description)
    with duckdb.connect(warehouse.path) as connection:
        found = connection.execute("select score from ops.quality_scores where table_name = 'customers'").fetchall()
    assert found == [(None,)]


def test_a_table_that_does_not_exist_is_unknown(warehouse: Warehouse) -> None:
    result, evaluations, built = run(warehouse, definition([TableSpec(schema="bronze", table="nowhere")]))
    assert result.success
    assert "silver/fact_orders" in built
    assert evaluations["bronze/nowhere:quality_score"].metadata["status"].value == "unknown"


def test_a_single_check_can_be_selected(warehouse: Warehouse) -> None:
    warehouse.batch("orders", DAY, orders(3))
    key = dg.AssetCheckKey(dg.AssetKey(["bronze", "orders"]), "row_conservation")
    result, evaluations, built = run(warehouse, definition([ORDERS, CUSTOMERS]), dg.AssetSelection.checks(key))
    assert result.success
    assert list(evaluations) == ["bronze/orders:row_conservation"]
    assert built == []


def test_no_tables_make_no_checks() -> None:
    assert (
        build_layer_checks(
            domain="shop",
            layer="gold",
            tables=[],
            parameters=shipped(),
            connect=lambda _: duckdb.connect(),
            clock=lambda _: NOW,
            timezone=ZONE,
        )
        is None
    )


def test_a_table_that_a_check_made_is_there_for_the_next_one(warehouse: Warehouse) -> None:
    situation = warehouse.situation()
    assert situation.exists("ops.feeds")
    assert not situation.exists("ops.own_history")
    assert not situation.exists("gold.own_view")
    situation.connection.execute("create table ops.own_history (day date)")
    situation.connection.execute("create view gold.own_view as select * from ops.own_history")
    assert situation.exists("ops.own_history")
    assert situation.exists("gold.own_view")


def test_the_names_of_the_tables_are_read_once(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each reading costs as much as a small check, and a step has a hundred checks."""
    situation, asked = warehouse.situation(), []
    rows = type(situation).rows
    monkeypatch.setattr(type(situation), "rows", lambda self, sql, *rest: asked.append(sql) or rows(self, sql, *rest))
    assert all(situation.exists("ops.feeds") for _ in range(5))
    assert len(asked) == 1
