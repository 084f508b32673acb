"""An observer that hangs is reported within two minutes, and neither the other observers nor the heartbeat wait for
it.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ops_project import catalog
from ops_project.defs.operations import snapshot_observer
from ops_project.model.alerting.metric import Metric
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.operations.alerting import lease_keeper, looks
from ops_project.operations.alerting.cycle import DAEMON_BEAT, DOWN, LEASE, run_once
from ops_project.operations.alerting.observers.observer import Observation, Observer
from ops_project.operations.alerting.stages import observe
from ops_project.operations.alerting.watch import Watch
from ops_project.operations.ledger import open_ledger
from ops_project.operations.ledger.leases import LeaseLost
from ops_project.pipeline.landing import ensure_tables
from ops_project.pipeline.warehouse import snapshots
from ops_project.pipeline.warehouse.connection import writer
from ops_project.settings import Settings
from tests.operations.alerting.deciding import FAILED

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def place(tmp_path):
    settings = Settings.load(home=tmp_path)
    return settings, catalog.load(settings)


@pytest.fixture
def hangs(monkeypatch):
    """An observer that hangs until the test lets it go. Ten seconds are shortened to a moment."""
    monkeypatch.setattr(observe, "PATIENCE_SECONDS", 0.02)
    free = threading.Event()

    def look(_view):
        free.wait(20)
        return Observation([Signal("resource.disk_percent", OK, NOW, NOW, "late", 50.0, check="home")])

    yield Observer("warehouse", look, hung_after=timedelta(seconds=0.05)), free
    free.set()


def test_the_others_are_told_and_the_hung_one_too(place, hangs):
    hung, free = hangs
    others = Observer("events", lambda _view: Observation([FAILED]))
    ledger = open_ledger(place[0])
    for second in (0, 5, 60, 65):
        run_once(*place, NOW + second * SECOND, observers=[hung, others], daemon=True)
        threading.Event().wait(0.06 if second == 0 else 0)
    assert {"job_failure", "observer_failing"} <= {alert.rule for alert in ledger.alerts("open")}
    assert ledger.cursor(DAEMON_BEAT) >= (NOW + 65 * SECOND).isoformat()
    free.set()
    threading.Event().wait(0.05)
    run_once(*place, NOW + 70 * SECOND, observers=[hung, others], daemon=True)
    assert ledger.latest("resource.disk_percent"), "what it saw late is not lost"
    assert "observer_failing" not in {alert.rule for alert in ledger.alerts("open")}


def test_a_look_that_never_comes_back_is_not_begun_again(place, hangs):
    hung, _ = hangs
    before = threading.active_count()
    for second in range(0, 50, 5):
        run_once(*place, NOW + second * SECOND, observers=[hung])
    assert threading.active_count() - before <= 1


def test_parts_that_cannot_be_read_are_told_and_mended_one_by_one(place):
    seen = [Observation(failed={"metric a": "TimeoutError"}, well=frozenset({"metric b"}))]
    observer = Observer("snapshot", lambda _view: seen[0])
    ledger = open_ledger(place[0])
    assert run_once(*place, NOW, observers=[observer]).observer_errors == {"snapshot: metric a": "TimeoutError"}
    seen[0] = Observation()
    run_once(*place, NOW + SECOND, observers=[observer])
    states = {s.check: s.state for s in ledger.latest("observer.failure").values()}
    assert states == {"snapshot: metric a": FIRING}
    seen[0] = Observation(well=frozenset({"metric a"}))
    run_once(*place, NOW + 2 * SECOND, observers=[observer])
    assert next(iter(ledger.latest("observer.failure").values())).state == OK


def test_the_heartbeat_means_that_a_cycle_ended(place):
    def broken(_cycle):
        raise RuntimeError("the ledger is away")

    with pytest.raises(RuntimeError):
        run_once(*place, NOW, daemon=True, observers=(), stages=(broken,))
    assert open_ledger(place[0]).cursor(DAEMON_BEAT) is None


def test_a_slow_cycle_is_not_a_dead_one(place):
    """Such a cycle used to lose its lease, and a false orchestrator_down was sent."""
    ledger, clock, watched = open_ledger(place[0]), [NOW], []
    run_once(*place, NOW, daemon=True, observers=())

    def slow(_view):
        clock[0] += 50 * SECOND
        watched.append(Watch(*place, NOW, observers=()).look(clock[0]))
        return Observation()

    slow_ones = [Observer(str(n), slow) for n in range(5)]
    run_once(*place, NOW, daemon=True, observers=slow_ones, clock=lambda: clock[0])
    assert watched == [None] * 5 and ledger.latest(DOWN) == {}


def test_a_cycle_that_hangs_loses_its_lease_and_is_refused_when_it_wakes_up(place, monkeypatch):
    monkeypatch.setattr(lease_keeper, "STALLED_SECONDS", -1.0)
    ledger, clock = open_ledger(place[0]), [NOW]

    def hang(_cycle):
        clock[0] += timedelta(minutes=10)
        assert Watch(*place, NOW, observers=()).look(clock[0]).skipped, "this process is in a cycle"
        taken = ledger.acquire(LEASE, "another", clock[0], 60 * SECOND)
        assert taken is not None, "a hung cycle's lease is free"

    def after(_cycle):
        raise AssertionError("nothing may be decided any more")

    with pytest.raises(LeaseLost):
        run_once(*place, NOW, daemon=True, observers=(), stages=(hang, after), clock=lambda: clock[0])
    assert ledger.lease(LEASE).holder == "another"
    assert {s.state for s in ledger.latest(DOWN).values()} == {FIRING}


def test_a_lease_is_kept_while_a_stage_gets_on_and_no_longer(place, monkeypatch):
    """The thread that renews the lease asks whether there was progress."""
    ledger, clock = open_ledger(place[0]), [NOW]
    lease = ledger.acquire(LEASE, "this", NOW, 60 * SECOND)
    with lease_keeper.LeaseKeeper(ledger, lease, 60 * SECOND, lambda: clock[0]) as keeper:
        clock[0] = NOW + 40 * SECOND
        keeper.keep()
        assert ledger.lease(LEASE).expires_at == NOW + 100 * SECOND
        monkeypatch.setattr(lease_keeper, "STALLED_SECONDS", -1.0)
        clock[0] = NOW + 80 * SECOND
        keeper.keep()
        assert ledger.lease(LEASE).expires_at == NOW + 100 * SECOND, "nothing has moved since"
    assert ledger.acquire(LEASE, "another", NOW + 101 * SECOND, 60 * SECOND) is not None


def test_the_daemon_itself_says_that_it_is_up_again(place):
    """The watcher has stopped meanwhile, so no other process would ever report it."""
    ledger = open_ledger(place[0])
    Watch(*place, NOW - 300 * SECOND, observers=()).look(NOW)
    assert "orchestrator_down" in {alert.rule for alert in ledger.alerts("open")}
    run_once(*place, NOW + 60 * SECOND, daemon=True, observers=())
    run_once(*place, NOW + 65 * SECOND, daemon=True, observers=())
    assert "orchestrator_down" not in {alert.rule for alert in ledger.alerts("open")}


def test_a_look_is_done_in_its_own_thread_and_its_error_is_the_cycles(place):
    def look(_view):
        raise ValueError(threading.current_thread().name)

    report = run_once(*place, NOW, observers=[Observer("broken", look)])
    assert report.observer_errors == {"broken": "ValueError: observer"}
    assert not looks.is_late(place[0].ledger_url, Observer("broken", look))


def test_a_metric_that_never_ends_and_one_that_is_wrong_leave_the_others_alone(tmp_path, monkeypatch):
    settings = Settings.load(home=tmp_path)
    loaded = catalog.load(settings)
    metrics = {
        "endless": "SELECT count(*) AS value FROM range(10000000) a, range(10000000) b WHERE a.range * b.range = -1",
        "wrong": "SELECT nothing AS value FROM ops.findings",
        "good": "SELECT 7 AS value",
    }
    made = {
        name: Metric(title=name, type="gauge", producer="snapshot", tables=("ops.findings",), sql=sql)
        for name, sql in metrics.items()
    }
    watched = replace(loaded, metrics=loaded.metrics.model_copy(update={"metrics": {**loaded.metrics.metrics, **made}}))
    monkeypatch.setattr(snapshot_observer, "QUERY_SECONDS", 0.3)
    with writer(settings, loaded.platform, owner="test", now=NOW) as held:
        ensure_tables(held.connection(), loaded.feeds.values())
        snapshots.take(held, run_id="r1", as_of=NOW, commit="")
    report = run_once(settings, watched, NOW, observers=[Observer("snapshot", snapshot_observer.look)])
    assert set(report.observer_errors) == {"snapshot: metric endless", "snapshot: metric wrong"}
    assert "longer than" in report.observer_errors["snapshot: metric endless"]
    ledger = open_ledger(settings)
    assert [s.value for s in ledger.latest("good").values()] == [7.0]
    assert {s.check for s in ledger.latest("observer.failure").values()} == set(report.observer_errors)
