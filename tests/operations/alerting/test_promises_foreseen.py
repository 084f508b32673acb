"""A deadline is predicted from the real durations of real runs, and `ops sla` and `ops status` show the prediction."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from click.testing import CliRunner

from ops_project import catalog
from ops_project.cli import cli
from ops_project.dagster_bridge import home as dagster_home
from ops_project.dagster_bridge.asset_graph import lineage_of
from ops_project.lineage import Lineage
from ops_project.model.alerting.signal import FIRING, OK
from ops_project.model.alerting.sla import Sla, Slas
from ops_project.operations.alerting.observers import events as observe_events
from ops_project.operations.alerting.observers import running as observe_running
from ops_project.operations.alerting.observers import service_levels as observe_expected
from ops_project.operations.alerting.observers.observer import View
from ops_project.operations.alerting.service_levels import standing as service_levels
from ops_project.operations.alerting.service_levels.expected import day_start
from ops_project.operations.ledger import lineage_document as lineage_kept
from ops_project.operations.ledger import open_ledger
from ops_project.settings import Settings

STEP_SECONDS = 0.1
CHAIN = ("bronze/orders", "silver/fact_orders", "gold/daily_revenue")


def _definitions(broken: set[str], step_seconds: float) -> dg.Definitions:
    def asset(key: str, before: str | None) -> dg.AssetsDefinition:
        @dg.asset(
            key=key.split("/"),
            deps=[dg.AssetKey(before.split("/"))] if before else [],
            owners=["team:ecommerce-data"],
            tags={"domain": "ecommerce"},
            retry_policy=dg.RetryPolicy(max_retries=1),
        )
        def build() -> None:
            time.sleep(step_seconds)
            if key in broken:
                broken.discard(key)
                raise ConnectionError("the source does not answer")

        return build

    assets = [asset(key, before) for key, before in zip(CHAIN, (None, *CHAIN), strict=False)]
    return dg.Definitions(
        assets=assets, jobs=[dg.define_asset_job("master_pipeline", assets)], executor=dg.in_process_executor
    )


class Site:
    def __init__(self, home, step_seconds: float) -> None:
        self.settings = Settings.load(home=home)
        dagster_home.ensure(self.settings)
        with self.settings.exported():
            self.instance = dg.DagsterInstance.from_config(str(self.settings.dagster_home))
        self.broken: set[str] = set()
        definitions = _definitions(self.broken, step_seconds)
        self.job = definitions.resolve_job_def("master_pipeline")
        self.lineage: Lineage = lineage_of(definitions)
        self.ledger = open_ledger(self.settings)
        lineage_kept.remember(self.ledger, self.lineage, datetime.now(UTC))
        shipped = catalog.load(self.settings)
        promise = Sla(
            title="Revenue by 04:00",
            domain="ecommerce",
            pipeline="master_pipeline",
            deadline="04:00",
            assets=("gold/daily_revenue",),
            uptime_target=99.5,
        )
        self.catalog = replace(shipped, slas=Slas(slas={"revenue": promise}))

    def run(self) -> None:
        self.job.execute_in_process(instance=self.instance, raise_on_error=False)

    def look(self, observer, now):
        view = View(self.settings, self.catalog, self.ledger, self.lineage, self.ledger.cursors(), now, self.instance)
        seen = observer.look(view)
        self.ledger.append(seen.signals, seen.cursors, now)
        return seen.signals


@pytest.fixture
def step_seconds() -> float:
    return 0.0


@pytest.fixture
def site(tmp_path, step_seconds):
    made = Site(tmp_path / "home", step_seconds)
    yield made
    made.instance.dispose()


def _told(signals):
    return [(s.kind, s.state) for s in signals if s.kind.startswith("sla.")]


@pytest.mark.parametrize("step_seconds", [STEP_SECONDS])
def test_a_deadline_is_foreseen_from_what_the_runs_really_took(site):
    for _ in range(5):
        site.run()
    now = datetime.now(UTC)
    site.look(observe_events, now)
    site.look(observe_running, now)
    baseline = service_levels.baselines(site.ledger)["master_pipeline"]
    assert len(baseline.runs) == 5 and set(baseline.assets) == set(CHAIN)
    # The chain has three steps of 0.1 s, and Dagster needs time for each of them.
    tomorrow = now.astimezone(site.catalog.platform.zone).date() + timedelta(days=1)
    deadline = day_start(tomorrow, site.catalog.platform.zone) + timedelta(hours=4)
    facts = service_levels.known(site.ledger, deadline)
    standing = service_levels.standing(
        site.catalog.slas.slas["revenue"],
        site.catalog,
        site.ledger,
        lineage=site.lineage,
        facts=facts,
        baseline=baseline,
        now=deadline - timedelta(hours=2),
    )
    assert standing.outlook.expected_at is not None
    path = (standing.outlook.expected_at - (deadline - timedelta(hours=2))).total_seconds()
    assert 3 * STEP_SECONDS <= path < 6 * STEP_SECONDS + 3

    latest = deadline - timedelta(minutes=30, seconds=path)
    assert _told(site.look(observe_expected, latest - timedelta(seconds=0.3))) == []
    foreseen = site.look(observe_expected, latest + timedelta(seconds=0.3))
    assert _told(foreseen) == [("sla.at_risk", FIRING)]
    assert deadline - foreseen[0].event_at >= timedelta(minutes=30)
    assert _told(site.look(observe_expected, deadline)) == [("sla.at_risk", OK), ("sla.breach", FIRING)]


def test_a_run_that_came_through_at_the_second_attempt_is_told_from_one_that_did_at_the_first(site):
    site.run()
    site.broken.add("silver/fact_orders")
    site.run()
    found = site.look(observe_events, datetime.now(UTC))
    by_kind = {kind: [s.value for s in found if s.kind == kind] for kind in ("run.first_attempt", "run.outcome")}
    assert by_kind == {"run.first_attempt": [0.0, 1.0], "run.outcome": [0.0, 0.0]}
    assert [(s.value, s.total) for s in found if s.kind == "step.outcome"] == [(0.0, 3.0), (0.0, 3.0)]
    assert [s.check for s in found if s.kind == "step.retry"] == ["silver__fact_orders"]


def test_ops_sla_says_where_it_stands_and_unknown_where_nobody_looked(site, monkeypatch):
    monkeypatch.setattr(os, "environ", os.environ.copy())

    def ops(*words):
        done = CliRunner().invoke(cli, ["--home", str(site.settings.home), *words, "--json"])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    before = {item["sla"]: item for item in ops("sla")}
    assert before["ecommerce-daily"]["state"] == "unknown" and before["ecommerce-daily"]["uptime"] is None
    status = ops("status")["resources"]
    assert status["resource.disk_percent"] == {} and status["tables"] == {}, "no reading is unknown, and no zero"
    site.run()
    site.look(observe_events, datetime.now(UTC))
    assert {item["sla"]: item for item in ops("sla")}["investor-metrics"]["state"] == "unknown"
