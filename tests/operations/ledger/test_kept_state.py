"""The parts of the ledger that a process keeps between two cycles are equal to what a new process reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ops_project import catalog
from ops_project.lineage import Lineage
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.alerting.decide.decide import decide
from ops_project.operations.alerting.engine_config import alert_config
from ops_project.operations.ledger import Ledger, engine_state, open_ledger
from ops_project.settings import Settings

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def place(tmp_path):
    settings = Settings.load(home=tmp_path)
    return settings, catalog.load(settings), open_ledger(settings)


def _check(name: str, state: str, at: datetime) -> Signal:
    return Signal("check.failure", state, at, at, f"{name}{at}", asset=f"gold/{name}", check="c", owners=("team:cdp",))


def _run(name: str, state: str, at: datetime) -> Signal:
    return Signal("run.failure", state, at, at, f"{name}{at}", pipeline=name, labels={"scheduled": "true"})


def _counted(monkeypatch) -> list[int]:
    read: list[int] = []
    whole = engine_state.read_all

    def counting(connection, state):
        whole(connection, state)
        read.append(len(state.alerts))

    monkeypatch.setattr(engine_state, "read_all", counting)
    return read


def test_through_a_day_it_is_the_same_as_what_is_stored(place):
    settings, loaded, ledger = place
    config = alert_config(settings, loaded, Lineage())
    story = {
        0: [_check("a", FIRING, NOW), _run("nightly", FIRING, NOW)],
        3: [_check("b", FIRING, NOW + 3 * MINUTE), _check("c", FIRING, NOW + 3 * MINUTE)],
        9: [_check("a", OK, NOW + 9 * MINUTE)],
        10: [_check("a", FIRING, NOW + 10 * MINUTE), _run("nightly", OK, NOW + 10 * MINUTE)],
        12: [_check("a", OK, NOW + 12 * MINUTE), _check("b", OK, NOW + 12 * MINUTE)],
        13: [_check("a", FIRING, NOW + 13 * MINUTE)],
    }
    for minute in (*range(15), 20, 45, 90):
        now = NOW + minute * MINUTE
        if minute in story:
            ledger.append(story[minute])
        if minute == 5:
            ledger.acknowledge(1, "engineer-a", "", now)
        run_once(settings, loaded, now, observers=(), daemon=True)
        assert ledger.kept is not None
        with Ledger.open(settings.ledger_url) as another:
            assert another.load_state(config, now) == ledger.load_state(config, now)
    assert [a.asset for a in ledger.alerts("open")] == ["gold/c", "gold/a"]


def test_a_cycle_in_which_nothing_changed_reads_no_alert_again(place, monkeypatch):
    settings, loaded, ledger = place
    ledger.append([_check("a", FIRING, NOW)])
    read = _counted(monkeypatch)
    for minute in range(5):
        run_once(settings, loaded, NOW + minute * MINUTE, observers=(), daemon=True)
    assert len(read) == 1


def test_what_another_process_wrote_is_read(place, monkeypatch):
    settings, loaded, ledger = place
    ledger.append([_check("a", FIRING, NOW)])
    run_once(settings, loaded, NOW, observers=(), daemon=True)
    with Ledger.open(settings.ledger_url) as another, monkeypatch.context() as patch:
        patch.setattr("ops_project.operations.alerting.cycle.open_ledger", lambda *_, **__: another)
        another.append([_check("a", OK, NOW + MINUTE), _check("b", FIRING, NOW + MINUTE)])
        run_once(settings, loaded, NOW + MINUTE, observers=(), daemon=True)
    ledger.append([_check("b", OK, NOW + 2 * MINUTE)])
    run_once(settings, loaded, NOW + 2 * MINUTE, observers=(), daemon=True)
    assert ledger.alerts("open") == []
    assert [(a.asset, a.status) for a in ledger.alerts()] == [("gold/b", "resolved"), ("gold/a", "resolved")]


def test_a_decision_without_a_lease_is_not_kept(ledger, place):
    """Without a lease it is unknown whether another process wrote in between. Tested on both stores."""
    settings, loaded, _ = place
    config = alert_config(settings, loaded, Lineage())
    decision = decide(ledger.load_state(config, NOW), [_check("a", FIRING, NOW)], config, NOW)
    ledger.record(decision, {"decided": "1"}, NOW)
    assert ledger.kept is None
    assert ledger.load_state(config, NOW).alerts == decision.state.alerts
    assert ledger.kept is not None
    assert ledger.load_state(config, NOW).log == decision.state.log
