"""The five investor pipelines in whole runs. Each risk that their document names is found at the data that causes
it.
"""

from __future__ import annotations

import duckdb
import pytest

from ops_project.defs.investor.automation import pipelines
from ops_project.defs.shared.site import Site
from ops_project.pipeline.warehouse import snapshots
from ops_project.settings import Settings
from tests.scenarios import homes, runbooks
from tests.scenarios.verdicts import failures

pytestmark = pytest.mark.xdist_group("domain_runs")

# Pipeline → primary, secondary owner, as the document lists them.
OWNERS = {
    "profit_unit_experiments": ["engineer-a", "engineer-c"],
    "profit_aggregate_investors": ["engineer-b", "engineer-a"],
    "growth_aggregate_investors": ["engineer-c", "engineer-d"],
    "growth_daily_experiments": ["engineer-d", "engineer-b"],
    "engagement_aggregate_investors": ["engineer-a", "engineer-d"],
}


def simulate(settings: Settings, *words: str) -> None:
    ended = homes.ops(settings, "simulate", "--domain", "investor", "--scale", "0.2", *words).wait()
    assert ended.code == 0, ended.output + ended.errors


def run(settings: Settings) -> None:
    homes.ops(settings, "run", "--domain", "investor").wait()


@pytest.fixture(scope="module")
def done(investor_done: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    homes.warm()
    return homes.copy(investor_done, tmp_path_factory.mktemp("investor") / "home")


def test_profit_is_that_of_the_files_and_nothing_is_found(done: Settings) -> None:
    assert failures(done) == {}
    sales = sorted(str(path) for path in done.archive.rglob("*transactions_*.csv"))
    spend = sorted(str(path) for path in done.archive.rglob("*marketing_spend_*.csv"))
    known = duckdb.execute(
        "select (select sum(case when status = 'refunded' then 0 else quantity * unit_revenue end - quantity * unit_cost)"
        " from read_csv(?, types = {'unit_revenue': 'decimal(12,2)', 'unit_cost': 'decimal(12,2)'}))"
        " - (select sum(spend_amount) from read_csv(?, types = {'spend_amount': 'decimal(14,2)'}))",
        [sales, spend],
    ).fetchall()
    with snapshots.open(snapshots.newest(done)) as warehouse:
        shown = warehouse.execute(
            "select sum(profit) from gold.kpi_aggregate_profit where period_type = 'month'"
        ).fetchall()
        reported = warehouse.execute(
            "select (select count(*) from gold.rec_restatements), bool_or(is_complete) from gold.kpi_aggregate_profit"
        ).fetchall()
    assert shown == known
    assert reported == [(0, False)], "half a month is told to nobody as a month"


def test_each_pipeline_has_its_tables_owners_and_runbook() -> None:
    site = Site.load(Settings.load())
    found = pipelines(site)
    assert set(found) == set(OWNERS)
    nodes = {node["name"]: node for node in site.dbt.json["nodes"].values() if node["resource_type"] == "model"}
    for pipeline, keys in found.items():
        for key in keys:
            meta = nodes[key.path[-1]]["config"]["meta"]
            assert meta["dagster"] == {"owners": OWNERS[pipeline], "group": pipeline}
            assert site.catalog.runbook_file(meta["runbook"]) is not None


@pytest.fixture(scope="module")
def broken(done: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The home a day later, with three faults. Each fault is in the files of another risk."""
    home = homes.copy(done, tmp_path_factory.mktemp("investor-broken") / "home")
    faults = ("sample_ratio_mismatch", "negative_profit", "missing:marketing_spend")
    simulate(home, "--days", "1", "--end", "2026-03-04", *(word for fault in faults for word in ("--fault", fault)))
    later = Settings(home=home.home, as_of=homes.NOW.replace(day=5))
    run(later)
    return later


@pytest.mark.parametrize(
    ("fault", "asset"),
    [("sample_ratio_mismatch", "bronze/experiment_assignments"), ("negative_profit", "bronze/transactions")],
)
def test_each_risk_is_found_where_it_comes_from(broken: Settings, fault: str, asset: str) -> None:
    found = {key: failure_class for key, failure_class in failures(broken).items() if key[1] == fault}
    assert found == {(asset, fault): "value_anomaly"}
    runbooks.follow(broken, fault, asset)
