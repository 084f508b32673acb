"""The oracle of the random histories finds faults that are put into the engine."""

from __future__ import annotations

from typing import Any

import pytest

from ops_project.model.alerting.alert import Alert
from ops_project.model.alerting.receiver import Channel
from ops_project.model.alerting.signal import Signal
from ops_project.operations.alerting.decide import grouping, levels, message
from ops_project.operations.alerting.decide.reasons import AlertReason
from ops_project.operations.alerting.decide.state import AlertConfig
from tests.operations.alerting.told_machine import run

_of_alert = message.of_alert


def _nothing(*_: object, **__: object) -> None:
    return None


def _without_ends(*args: Any, **named: Any) -> tuple[bool, AlertReason]:
    due, reason = grouping.needs_update(*args, **named)
    return due and reason not in (AlertReason.ALL_RESOLVED, AlertReason.NEW_RESOLVED), reason


def _again_and_again(*args: Any, **named: Any) -> tuple[bool, AlertReason]:
    due, reason = grouping.needs_update(*args, **named)
    return (True, AlertReason.REPEAT) if reason is AlertReason.UNCHANGED else (due, reason)


def _never_again(*args: Any, **named: Any) -> tuple[bool, AlertReason]:
    due, reason = grouping.needs_update(*args, **named)
    return due and reason is not AlertReason.REPEAT, reason


def _without_suspect(*args: Any) -> dict[str, Any]:
    return {**_of_alert(*args), "suspected_cause": ""}


def _newest_read(before: levels.Level, signal: Signal, metric_type: str) -> levels.Level:
    return levels.fold(levels.UNKNOWN, signal, metric_type)


def _to_one_team(channel: Channel, alert: Alert, _config: AlertConfig) -> list[str]:
    return ["team:ecommerce-data"]


DECIDE = "ops_project.operations.alerting.decide"
FAULTS: dict[str, tuple[str, Any]] = {
    "a silence is not heeded": (f"{DECIDE}.mute.silenced", _nothing),
    "a silence never ends": (
        "ops_project.model.alerting.silence.Silence.active",
        lambda self, now: self.starts_at <= now,
    ),
    "the end of an alert is not told": (f"{DECIDE}.notify.needs_update", _without_ends),
    "an alert is told in every flush": (f"{DECIDE}.notify.needs_update", _again_and_again),
    "an alert is never repeated": (f"{DECIDE}.notify.needs_update", _never_again),
    "an acknowledgement is not taken up": (f"{DECIDE}.decide.take_up", _nothing),
    "an acknowledged alert is repeated": (f"{DECIDE}.notify._repeated", lambda _: True),
    "a resolution by hand is not heeded": (f"{DECIDE}.decide.close_by_hand", _nothing),
    "an alert outlives its rule and its table": (f"{DECIDE}.decide.reconcile", _nothing),
    "the last signal that was read is believed": (f"{DECIDE}.evaluate.fold", _newest_read),
    "the owner of a listed symptom does not hear of it": (f"{DECIDE}.notify._listed", lambda *_, **__: {}),
    "a late symptom is hidden by an old cause": (f"{DECIDE}.mute.came_together", lambda *_: True),
    "a symptom is hidden by a cause that was silenced before anybody heard": (
        f"{DECIDE}.mute._told",
        lambda state: frozenset(state.alerts),
    ),
    "a symptom does not name the cause that is suspected": (f"{DECIDE}.message.of_alert", _without_suspect),
    "each alert is told to one team": (f"{DECIDE}.recipients._recipients", _to_one_team),
}


@pytest.mark.soak
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_engine_is_found(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """The oracle is only as good as the faults that it finds. Each of these faults is put into the engine."""
    place, broken = FAULTS[fault]
    monkeypatch.setattr(place, broken)
    with pytest.raises((AssertionError, ExceptionGroup)):
        run(examples=1000, shrink=False)
