"""The hourly reconciliation as its schedule starts it: on the newest snapshot, without the lock; the owner is told of
breaks.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from ops_project import catalog
from ops_project.dagster_bridge import runs as bridge
from ops_project.operations.ledger import Ledger
from ops_project.pipeline.warehouse import connection as warehouse
from ops_project.pipeline.warehouse import snapshots
from ops_project.process import locks
from ops_project.settings import Settings
from tests.scenarios import homes
from tests.scenarios.verdicts import failures, last_checks

pytestmark = pytest.mark.xdist_group("domain_runs")

JOB = "insurance_reconciliation_hourly"


@pytest.fixture
def home(policies_done: Settings, tmp_path: Path) -> Settings:
    return homes.copy(policies_done, tmp_path / "home")


def tick(settings: Settings, log: Path) -> homes.Ended:
    """The daemon's work at a quarter past: evaluate the schedule, and launch what it requests."""

    def work() -> int:
        from ops_project.defs.compose import compose
        from ops_project.defs.shared.site import Site

        settings.export()
        definitions = compose(Site.load(settings))
        repository = definitions.get_repository_def()
        with bridge.open_instance(settings) as instance:
            context = dg.build_schedule_context(
                instance=instance, repository_def=repository, scheduled_execution_time=datetime.now().astimezone()
            )
            requested = repository.get_schedule_def(f"{JOB}_schedule").evaluate_tick(context).run_requests
            assert requested is not None and len(requested) == 1
            result = definitions.resolve_job_def(JOB).execute_in_process(instance=instance, tags=requested[0].tags)
            return 0 if result.success else 1

    return homes.fork(work, log).wait()


def test_it_agrees_then_finds_what_changed_and_the_alert_names_the_hop(home: Settings, tmp_path: Path) -> None:
    with locks.hold(home.lock, owner="a run that takes all night", now=homes.NOW):
        ended = tick(home, tmp_path / "first.log")
    assert ended.code == 0, ended.output + ended.errors
    assert failures(home) == {}
    hops = {asset for asset, check in last_checks(home) if check == "reconciliation_policies"}
    assert hops == {"bronze/policies", "silver/ods_policies", "silver/fact_policies", "gold/kpi_policies"}

    assert homes.ops(home, "simulate", "--domain", "insurance", "--fault", "offsetting_errors").wait().code == 0
    later = Settings(home=home.home, as_of=homes.NOW + timedelta(hours=1))
    with warehouse.writer(later, catalog.load(later).platform, owner="another domain's run", now=later.now()) as held:
        snapshots.take(held, domain="ecommerce", window=None, run_id="other", as_of=later.now(), commit="")
    ended = tick(later, tmp_path / "second.log")
    assert ended.code == 0, "a break is a failed check, and the job has done its work"
    assert failures(later) == {("silver/fact_policies", "reconciliation_policies"): "reconciliation_break"}
    assert homes.ops(later, "cycle").wait().code == 0
    told = {(alert.rule, alert.asset, alert.owners) for alert in Ledger.open(later.ledger_url).alerts()}
    assert ("reconciliation_broken", "silver/fact_policies", ("team:insurance-data",)) in told
