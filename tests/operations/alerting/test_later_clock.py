"""A rehearsal with tomorrow's clock does not mute today."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ops_project import catalog
from ops_project.model.alerting.signal import FIRING, Signal
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.ledger import open_ledger
from ops_project.settings import Settings

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
TOMORROW = NOW + timedelta(days=1)
MINUTE = timedelta(minutes=1)


def _failed(at, occurrence, pipeline="master_pipeline", state=FIRING):
    return Signal(
        "run.failure",
        state,
        at,
        at,
        occurrence,
        float(state == FIRING),
        pipeline=pipeline,
        labels={"scheduled": "true"},
        owners=("team:ecommerce-data",),
    )


@pytest.fixture
def place(tmp_path):
    settings = Settings.load(home=tmp_path)
    return settings, catalog.load(settings), open_ledger(settings)


def _pages(ledger):
    return [m for m in ledger.outbox_list(None, 99) if m["channel"] == "on-call/0-file"]


def test_a_group_that_was_flushed_tomorrow_tells_todays_news_today(place):
    settings, loaded, ledger = place
    ledger.append([_failed(TOMORROW, "r1")])
    run_once(settings, loaded, TOMORROW, observers=(), flush_now=True)
    assert len(_pages(ledger)) == 1
    # The same alert, today: it is told within its route's time, not after tomorrow.
    ledger.append([_failed(NOW, "r2", "other_pipeline")])
    for minute in range(0, 12):
        run_once(settings, loaded, NOW + minute * MINUTE, observers=(), daemon=True)
    told = {n for m in ledger.messages_about(2) for n in [m["channel"]]}
    assert "on-call/0-file" in told
    assert all(datetime.fromisoformat(m["created_at"]) < TOMORROW for m in _pages(ledger) if m["id"] > 2)


def test_no_time_lies_further_ahead_than_its_interval(place):
    settings, loaded, ledger = place
    ledger.append([_failed(TOMORROW, "r1")])
    run_once(settings, loaded, TOMORROW, observers=(), flush_now=True)
    run_once(settings, loaded, NOW, observers=(), daemon=True)
    from ops_project.lineage import Lineage
    from ops_project.operations.alerting.engine_config import alert_config

    state = ledger.load_state(alert_config(settings, loaded, Lineage()), NOW)
    assert state.alerts and all(alert.starts_at <= NOW for alert in state.alerts.values())
    assert all(group.next_flush <= NOW + timedelta(hours=24) for group in state.groups.values())
    assert all(entry.at <= NOW for entry in state.log.values())
