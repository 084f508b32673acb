"""The work of a cycle for many open alerts grows with their number and no faster."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import Any

import pytest

from ops_project import catalog
from ops_project.lineage import AssetFacts, Lineage
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.operations.alerting.decide import notify
from ops_project.operations.alerting.decide.decide import decide
from ops_project.operations.alerting.decide.memory import Memory
from ops_project.operations.alerting.decide.state import AlertConfig, Decision, State
from ops_project.operations.alerting.engine_config import alert_config
from ops_project.settings import Settings

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
FEW, MANY = 30, 120
LINEAR = 1.15
"""The work may grow by this factor more than the number of alerts does, because sorting takes a little more."""


@pytest.fixture(scope="module")
def config() -> AlertConfig:
    home = Settings.load(home="/nonexistent-home", environ={})
    graph = Lineage.of(AssetFacts(f"gold/t{n}", (), ("team:ecommerce-data",), "ecommerce") for n in range(MANY))
    return replace(alert_config(home, catalog.load(home), graph), unconfigured=frozenset())


def steps_of(work: Callable[[], Any]) -> int:
    """The number of lines that run. Each turn of a loop counts, also inside a comprehension."""
    count = 0

    def trace(_frame: FrameType, _event: str, _argument: Any) -> Any:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def steps(config: AlertConfig, alerts: int, *, told: bool) -> int:
    """The steps of a cycle with `alerts` critical alerts, each in a group of its own on every channel that pages or
    notifies.

    `told`: the cycle after the one that sends them, in which each group comes due and has no news; otherwise the cycle
    that sends all of them.
    """
    state = decide(State(), _signals(alerts), config, NOW).state
    if not told:
        return steps_of(lambda: decide(state, [], config, NOW + timedelta(seconds=3)))
    state = decide(state, [], config, NOW + timedelta(seconds=3)).state
    assert len(state.groups) >= alerts and len(state.log) > alerts
    # Without the results of an earlier look, as in a new process, each group is looked at.
    state.memory = Memory()
    quiet = []
    found = steps_of(lambda: quiet.append(decide(state, [], config, NOW + timedelta(minutes=6))))
    assert not quiet[0].notifications
    return found


def _signals(alerts: int) -> list[Signal]:
    return [
        Signal(
            kind="run.failure",
            state=FIRING,
            event_at=NOW,
            observed_at=NOW,
            occurrence=str(n),
            value=1.0,
            domain="ecommerce",
            pipeline=f"pipeline_{n}",
            assets=(f"gold/t{n}",),
            owners=("team:ecommerce-data",),
            labels={"scheduled": "true"},
        )
        for n in range(alerts)
    ]


@pytest.mark.parametrize("told", [False, True])
def test_four_times_the_open_alerts_are_four_times_the_work(config: AlertConfig, told: bool) -> None:
    assert steps(config, MANY, told=told) <= LINEAR * MANY / FEW * steps(config, FEW, told=told)


def test_a_cycle_takes_the_same_steps_however_many_alerts_are_open_that_have_not_changed(config: AlertConfig) -> None:
    """Every group comes due. A check of another domain fails, and later it passes."""
    found = {}
    for alerts in (FEW, MANY):
        state, now = State(), NOW
        for signals in (_signals(alerts), [], [], []):
            state = decide(state, signals, config, now).state
            now += timedelta(seconds=5)
        found[alerts] = []
        fails = Signal(
            "check.failure", FIRING, now, now, "a", 1.0, domain="marketing", asset="gold/other", check="volume"
        )
        passes = replace(fails, state=OK, value=0.0, event_at=now + timedelta(minutes=1))
        for signals in ([], [fails], [], [], [passes], []):
            done: list[Decision] = []
            found[alerts].append(steps_of(lambda: done.append(decide(state, signals, config, now))))  # noqa: B023
            state = done[0].state
            now += timedelta(seconds=5)
        assert [alert.status for alert in state.alerts.values()].count("firing") == alerts
    for few, many in zip(found[FEW], found[MANY], strict=True):
        assert many <= LINEAR * few, found


def test_the_work_for_many_recipients_of_one_group_does_not_grow_with_the_product_of_recipients_and_alerts(
    config: AlertConfig,
) -> None:
    """Each failed asset has an owner of its own. Every owner is told of the failure, then of its repeat, and then of
    its end.
    """
    few, many = _for_recipients(config, FEW), _for_recipients(config, MANY)
    assert [label for label, _ in few] == ["told", "repeated", "repaired"]
    for (label, before), (_, after) in zip(few, many, strict=True):
        assert after <= LINEAR * MANY / FEW * before, (label, few, many)


def _for_recipients(config: AlertConfig, recipients: int) -> list[tuple[str, int]]:
    """The steps of the cycles that send a message to each recipient."""
    graph = Lineage.of(
        AssetFacts(f"gold/t{n}", (), (f"engineer-{n}@example.com",), "ecommerce") for n in range(recipients)
    )
    config = replace(config, lineage=graph)
    failures = [
        Signal(
            "asset.failure",
            FIRING,
            NOW,
            NOW,
            str(n),
            1.0,
            domain="ecommerce",
            asset=asset,
            owners=graph.get(asset).owners,
        )
        for n, asset in enumerate(graph.assets)
    ]
    state = decide(State(), failures, config, NOW).state
    ended = NOW + timedelta(hours=5)
    repairs = [replace(failure, state=OK, value=0.0, event_at=ended, observed_at=ended) for failure in failures]
    found = []
    for label, signals, at in (
        ("told", [], NOW + timedelta(minutes=1)),
        ("repeated", [], NOW + timedelta(hours=4, minutes=10)),
        ("repaired", repairs, ended),
    ):
        done: list[Decision] = []
        found.append((label, steps_of(lambda: done.append(decide(state, signals, config, at)))))  # noqa: B023
        state = done[0].state
        told = {n.recipient for n in done[0].notifications if n.channel.startswith("owners")}
        assert len(told) == recipients, label
    return found


def test_a_flush_that_looks_through_the_whole_log_for_each_group_is_found(
    config: AlertConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The work is counted in such a way that this fault is noticed: with it, 500 open alerts took 4.5 s, and 1,000 took
    a minute.
    """
    quiet_time = notify._quiet_time

    def looks_through_all(*words: Any) -> Any:
        _ = [key for key in range(MANY if many else FEW) for _channel in range(4)]
        return quiet_time(*words)

    monkeypatch.setattr(notify, "_quiet_time", looks_through_all)
    many = False
    few = steps(config, FEW, told=True)
    many = True
    assert steps(config, MANY, told=True) > LINEAR * MANY / FEW * few
