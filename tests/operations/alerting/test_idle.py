"""A cycle with nothing to do costs little however long the past, and still misses nothing."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteInstigatorOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
    SensorInstigatorData,
    TickData,
    TickStatus,
)
from dagster._utils.error import SerializableErrorInfo
from sqlalchemy import text

from ops_project import catalog
from ops_project.dagster_bridge import ticks
from ops_project.lineage import AssetFacts, Lineage
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.operations.alerting import engine_config as configuration
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.alerting.observers.observer import Observation, Observer
from ops_project.operations.ledger import Ledger, newest
from ops_project.operations.ledger import lineage_document as lineage_kept
from ops_project.settings import Settings

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
HALF_A_MINUTE = timedelta(seconds=30)


@pytest.fixture
def settings(tmp_path):
    return Settings.load(home=tmp_path / "home")


def _some(dice: random.Random, number: int) -> list[Signal]:
    return [
        Signal(
            dice.choice(["asset.failure", "run.failure"]),
            dice.choice([OK, FIRING]),
            NOW + timedelta(seconds=dice.randint(-500, 500)),
            NOW,
            f"{dice.random()}",
            asset=dice.choice(["", "gold/a", "gold/b"]),
            pipeline=dice.choice(["p", "q"]),
            partition=dice.choice(["", "2026-03-04"]),
        )
        for _ in range(number)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_what_is_kept_in_memory_is_what_the_table_says_also_of_what_others_wrote(settings, monkeypatch, seed):
    monkeypatch.setattr(newest, "FORGET_BEYOND", 20)
    dice = random.Random(seed)
    with Ledger.open(settings.ledger_url) as kept, Ledger.open(settings.ledger_url) as other:
        for _ in range(12):
            dice.choice([kept, other]).append(_some(dice, dice.choice([0, 1, 5, 40])))
            with Ledger.open(settings.ledger_url) as fresh:
                for kind in ("asset.failure", "run.failure"):
                    assert kept.latest(kind) == fresh.latest(kind)
                    assert kept.last_ok(kind) == fresh.last_ok(kind)
                    assert kept.first_seen(kind) == fresh.first_seen(kind)


def test_observers_take_turns_and_none_waits_long(settings):
    looks: dict[str, list[int]] = {"a": [], "b": [], "c": []}
    second = 0

    def observer(name: str) -> Observer:
        return Observer(name, lambda _view: looks[name].append(second) or Observation(), HALF_A_MINUTE)

    mine, loaded = [observer(name) for name in looks], catalog.load(settings)
    for second in range(0, 600, 5):
        run_once(settings, loaded, NOW + timedelta(seconds=second), observers=mine)
    later = {name: [s for s in seen if s > 60] for name, seen in looks.items()}
    assert not set(later["a"]) & set(later["b"]) and not set(later["b"]) & set(later["c"])
    for seen in looks.values():
        assert max(b - a for a, b in itertools.pairwise(seen)) <= 45
        assert len(seen) >= 600 // 30 - 2


@pytest.mark.parametrize(
    ("flush_now", "later", "looked"), [(False, 31, 1), (True, 31, 3), (False, 46, 3), (False, 29, 0)]
)
def test_all_look_where_nobody_comes_back_and_where_they_are_late(settings, flush_now, later, looked):
    seen: list[str] = []
    mine = [Observer(name, lambda _v, n=name: seen.append(n) or Observation(), HALF_A_MINUTE) for name in "abc"]
    loaded = catalog.load(settings)
    run_once(settings, loaded, NOW, observers=mine)
    assert seen == ["a", "b", "c"]
    run_once(settings, loaded, NOW + timedelta(seconds=later), observers=mine, flush_now=flush_now)
    assert len(seen) == 3 + looked


def test_an_observer_that_looked_under_a_later_clock_looks_again(settings):
    seen: list[datetime] = []
    mine = [Observer("a", lambda view: seen.append(view.now) or Observation(), HALF_A_MINUTE)]
    loaded = catalog.load(settings)
    for at in (NOW, NOW - timedelta(days=30)):
        run_once(settings, loaded, at, observers=mine)
    assert seen == [NOW, NOW - timedelta(days=30)]


def test_an_alert_that_counts_events_ends_by_itself_though_nothing_new_is_seen(settings):
    loaded = catalog.load(settings)
    with Ledger.open(settings.ledger_url) as ledger:
        ledger.append([Signal("step.retry", FIRING, NOW, NOW, str(n), 1.0, pipeline="master") for n in range(5)])
        run_once(settings, loaded, NOW, observers=())
        assert [a.rule for a in ledger.alerts("open")] == ["repeated_retries"]
        run_once(settings, loaded, NOW + timedelta(minutes=59), observers=())
        assert [a.rule for a in ledger.alerts("open")] == ["repeated_retries"]
        run_once(settings, loaded, NOW + timedelta(minutes=61), observers=())
        assert ledger.alerts("open") == []


def test_a_batch_that_became_visible_late_is_counted_with_the_one_before_it(settings):
    loaded = catalog.load(settings)
    minute = timedelta(minutes=1)
    with Ledger.open(settings.ledger_url) as ledger:
        for n, (loaded_at, seen_at) in enumerate([(NOW, NOW + 40 * minute), (NOW + 10 * minute, NOW + 50 * minute)]):
            ledger.append(
                [Signal("reference.violations", FIRING, loaded_at, seen_at, str(n), 6.0, asset="silver/streams")]
            )
            run_once(settings, loaded, seen_at + 50 * minute, observers=())
        assert [a.rule for a in ledger.alerts("open")] == ["data_quality"], "6 and 6 were loaded within the hour"


def test_a_window_reaches_back_over_cycles_without_news(settings):
    loaded = catalog.load(settings)
    with Ledger.open(settings.ledger_url) as ledger:
        for minute, broken in ((0, 6), (5, 0), (10, 6)):
            at = NOW + timedelta(minutes=minute)
            if broken:
                ledger.append(
                    [Signal("reference.violations", FIRING, at, at, str(minute), float(broken), asset="silver/streams")]
                )
            run_once(settings, loaded, at, observers=())
        assert [a.rule for a in ledger.alerts("open")] == ["data_quality"], "6 and 6 within the hour are more than 10"


def test_what_every_cycle_and_delivery_asks_is_answered_from_an_index(settings):
    asked = {
        "SELECT key FROM alerts WHERE active = 0 AND fired_at IS NOT NULL AND resolved_at > 5": "alerts_active (active=? AND",
        "SELECT count(*) FROM outbox WHERE channel = 'c' AND recipient = 'r' AND delivered_at > 5": "outbox_endpoint (channel=? AND recipient=? AND",
        "SELECT id FROM outbox WHERE state = 'pending' AND next_attempt_at <= 5": "outbox_due (state=? AND",
    }
    with Ledger.open(settings.ledger_url) as ledger, ledger.read() as connection:
        for statement, index in asked.items():
            plan = connection.execute(text(f"EXPLAIN QUERY PLAN {statement}")).all()
            assert index in str(plan), plan


def test_the_graph_and_the_configuration_are_derived_once_and_again_when_they_change(settings, monkeypatch):
    loaded = catalog.load(settings)
    first, second = Lineage.of([AssetFacts("gold/a")]), Lineage.of([AssetFacts("gold/b")])
    with Ledger.open(settings.ledger_url) as ledger:
        for graph in (first, second, first):
            lineage_kept.remember(ledger, graph, NOW)
            assert lineage_kept.recall(ledger).assets == graph.assets
            assert lineage_kept.recall(ledger) is lineage_kept.recall(ledger)
    config = configuration.alert_config(settings, loaded, first)
    assert configuration.alert_config(settings, loaded, first) is config
    assert configuration.alert_config(settings, loaded, first, flush_now=True).flush_now
    monkeypatch.setenv("OPS_WEBHOOK_URL", "http://x")
    assert configuration.alert_config(settings, loaded, first).unconfigured < config.unconfigured


def test_the_last_ended_tick_of_each_is_what_dagster_itself_says(tmp_path):
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as other:
        assert ticks.running(other) == []
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        states = _instigators(instance)
        found = {state.selector_id: tick for state, tick in ticks.running(instance)}
        assert found.keys() == {state.selector_id for state in states}
        for state in states:
            theirs = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1, statuses=ticks.ENDED)
            mine = found[state.selector_id]
            assert [mine] == [tick.tick_data for tick in theirs] if mine else theirs == []
        assert {tick.status.value for tick in found.values() if tick} == {"FAILURE", "SKIPPED"}
        assert list(found.values()).count(None) == 1
        assert [i.failed for i in ticks.instigators(instance)].count(True) == 1


def _instigators(instance: dg.DagsterInstance) -> list[InstigatorState]:
    """Three sensors: the last tick of one failed, one runs after a skipped tick, and one has never ticked."""
    repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("site"), "repository")
    for name in ("failed", "skipped", "new"):
        origin = RemoteInstigatorOrigin(repository, name)
        state = InstigatorState(
            origin, InstigatorType.SENSOR, InstigatorStatus.RUNNING, SensorInstigatorData(min_interval=1)
        )
        instance.add_instigator_state(state)
        statuses = {
            "failed": [TickStatus.SUCCESS, TickStatus.FAILURE],
            "skipped": [TickStatus.SKIPPED, TickStatus.STARTED],
        }
        for second, status in enumerate(statuses.get(name, [])):
            error = SerializableErrorInfo("boom", [], None) if status == TickStatus.FAILURE else None
            run_ids = ["r"] if status == TickStatus.SUCCESS else None
            instance.create_tick(
                TickData(
                    instigator_origin_id=state.instigator_origin_id,
                    instigator_name=name,
                    status=status,
                    instigator_type=InstigatorType.SENSOR,
                    timestamp=NOW.timestamp() + second,
                    selector_id=state.selector_id,
                    error=error,
                    run_ids=run_ids,
                )
            )
    return list(instance.all_instigator_state())
