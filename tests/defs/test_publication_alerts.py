"""A run that reaches no consumer has failed, whatever Dagster calls it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from ops_project import catalog
from ops_project.dagster_bridge.run_tags import AS_OF_TAG, PROCESS_TAG
from ops_project.defs.operations import publication_observer
from ops_project.defs.shared import run_session
from ops_project.lineage import AssetFacts, Lineage
from ops_project.model.alerting.signal import OK, Signal
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.alerting.observers.observer import Observation, Observer
from ops_project.operations.alerting.service_levels import standing
from ops_project.operations.ledger import open_ledger
from ops_project.pipeline.warehouse import closings, publishing, snapshots
from ops_project.pipeline.warehouse.closings import Closing
from ops_project.process import locks
from ops_project.process.processes import current
from tests.empty_home import NOW, platform, settings, warehouse

__all__ = ["platform", "settings", "warehouse"]
MINUTE = timedelta(minutes=1)
GRAPH = Lineage.of(
    [AssetFacts(f"gold/{name}", owners=("team:ecommerce-data",), domain="ecommerce") for name in ("sales", "stock")]
)
WELL = Closing("master_pipeline", "run-1", "ecommerce", closings.CLOSED, NOW.isoformat(), scheduled=True)


class Night:
    def __init__(self, settings, monkeypatch) -> None:
        monkeypatch.setenv("OPS_SMTP_HOST", "127.0.0.1")
        self.settings, self.catalog, self.ledger = settings, catalog.load(settings), open_ledger(settings)
        self.n = 0

    def cycle(self, *signals: Signal):
        self.n += 1
        facts = Observer("events", lambda _view: Observation(list(signals)))
        watched = [facts, Observer("publication", publication_observer.look)]
        report = run_once(
            self.settings, self.catalog, NOW + self.n * MINUTE, lineage=GRAPH, observers=watched, flush_now=True
        )
        assert report.observer_errors == {}
        return report

    def rules(self) -> set[str]:
        return {alert.rule for alert in self.ledger.alerts("open")}

    def notices(self) -> list[str]:
        return [m["kind"] for m in self.ledger.outbox_list(None, 99) if m["kind"] == "success"]


@pytest.fixture
def night(settings, monkeypatch) -> Night:
    return Night(settings, monkeypatch)


def succeeded(run: str) -> Signal:
    return Signal("run.failure", OK, NOW, NOW, run, 0.0, pipeline="master_pipeline", domain="ecommerce", run_id=run)


def test_a_run_without_its_publication_is_an_alert_and_no_success(night):
    closings.note(night.settings, replace(WELL, state=closings.FAILED, error="No space left on device"))
    night.cycle(succeeded("run-1"))
    assert night.rules() == {"publication_failed"} and night.notices() == []
    [alert] = night.ledger.alerts("open")
    assert alert.failure_class == "storage_full" and alert.owners == ("team:ecommerce-data",)
    closings.note(night.settings, replace(WELL, run_id="run-2"))
    night.cycle(succeeded("run-2"))
    assert night.rules() == set() and night.notices()


@pytest.mark.parametrize("closed", [closings.CLOSED, closings.FAILED])
def test_the_success_notice_waits_for_the_publication_of_its_run(night, closed):
    """For Dagster the run has succeeded before it publishes, and a daemon looks twice a second."""
    closings.note(night.settings, replace(WELL, run_id="run-0"))
    night.cycle()
    closings.note(night.settings, replace(WELL, state=closings.CLOSING))
    with locks.hold(night.settings.lock, owner="job", now=NOW, run="run-1"):
        night.cycle(succeeded("run-1"))
    assert night.notices() == []
    closings.note(night.settings, replace(WELL, state=closed, error="full" if closed == closings.FAILED else ""))
    night.cycle()
    assert bool(night.notices()) is (closed == closings.CLOSED)


def test_a_table_that_is_held_back_keeps_the_notice_back_although_it_was_seen_earlier(night, warehouse):
    closings.note(night.settings, replace(WELL, run_id="run-0"))
    night.cycle()
    _publish(warehouse, 1, sales=publishing.PublishDecision(False, "blocking checks failed: unique_id"))
    night.cycle(succeeded("run-1"))
    assert night.rules() == {"publication_held"}
    closings.note(night.settings, WELL)
    night.cycle()
    assert night.notices() == []


def test_a_run_that_was_killed_while_it_closed_is_one_too(night):
    closings.note(night.settings, replace(WELL, state=closings.CLOSING))
    with locks.hold(night.settings.lock, owner="job", now=NOW, run="run-1"):
        night.cycle()
        assert night.rules() == set(), "it is still at it"
    night.cycle()
    assert night.rules() == {"publication_failed"}


def _publish(warehouse, number: int, **verdicts):
    taken = snapshots.take(warehouse, run_id=f"run-{number}", as_of=NOW + number * MINUTE, commit="")
    return publishing.publish(
        warehouse,
        domain="ecommerce",
        verdicts=verdicts,
        fingerprints=taken.tables,
        run_id=f"run-{number}",
        as_of=NOW + number * MINUTE,
        commit="",
    )


def test_gold_that_is_held_back_is_an_alert_and_is_not_delivered(night, warehouse):
    passed = publishing.PublishDecision(True, "", ({"name": "Board"},))
    held = publishing.PublishDecision(False, "blocking checks failed: unique_id", ({"name": "Board"},))
    idle = publishing.PublishDecision(False, publication_observer.NOT_ORDERED)
    _publish(warehouse, 1, sales=passed, stock=passed)
    night.cycle()
    first = standing.known(night.ledger, NOW).built
    assert night.rules() == set() and first["gold/sales"] == NOW + MINUTE
    _publish(warehouse, 2, sales=held, stock=idle)
    built = Signal("asset.failure", OK, NOW + 2 * MINUTE, NOW + 2 * MINUTE, "run-2", 0.0, asset="gold/sales")
    night.cycle(built, succeeded("run-2"))
    assert night.rules() == {"publication_held"} and night.notices() == []
    [alert] = night.ledger.alerts("open")
    assert alert.asset == "gold/sales" and "Board" in alert.message and "unique_id" in alert.message
    assert standing.known(night.ledger, NOW).built == first, "consumers read what they read before"
    [age] = night.ledger.latest("publication.held_seconds").values()
    assert age.asset == "gold/sales" and age.value >= 0
    _publish(warehouse, 3, sales=passed, stock=passed)
    night.cycle(succeeded("run-3"))
    assert night.rules() == set() and night.notices()
    assert next(iter(night.ledger.latest("publication.held_seconds").values())).value == 0


@pytest.mark.parametrize("error", [None, OSError("No space left on device")])
def test_a_run_notes_how_it_closed(night, monkeypatch, error):
    tags = {PROCESS_TAG: str(current()), AS_OF_TAG: NOW.isoformat(), "dagster/schedule_name": "nightly"}
    run = SimpleNamespace(tags=tags, run_id="run-9", job_name="master pipeline/1")
    instance = SimpleNamespace(report_engine_event=lambda *_: None)
    site = SimpleNamespace(settings=night.settings, catalog=night.catalog)
    seen = []

    def close(*_):
        seen.append(closings.noted(night.settings)[0].state)
        if error is not None:
            raise error

    monkeypatch.setattr(run_session, "_close", close)
    session = run_session._session(site, run, instance, SimpleNamespace(info=lambda _: None))
    next(session)
    if error is None:
        with pytest.raises(StopIteration):
            next(session)
    else:
        with pytest.raises(OSError, match="No space"):
            next(session)
    [ends] = closings.noted(night.settings)
    assert seen == [closings.CLOSING]
    assert (ends.job, ends.run_id, ends.scheduled) == ("master pipeline/1", "run-9", True)
    assert (ends.state, ends.error) == (("closed", "") if error is None else ("failed", str(error)))
    assert datetime.fromisoformat(ends.at).tzinfo is UTC or datetime.fromisoformat(ends.at).utcoffset() == timedelta()
