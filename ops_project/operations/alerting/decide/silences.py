"""Decides whether a silence covers an alert, and when the owner of a silence is reminded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ops_project.model.alerting.calendar import Maintenance, TimeInterval
from ops_project.model.alerting.matcher import all_match
from ops_project.model.alerting.silence import NOTICE_BEFORE, Silence
from ops_project.operations.alerting.decide.intervals import any_holds
from ops_project.operations.alerting.decide.reasons import AlertReason


@dataclass(frozen=True, slots=True)
class Quiet:
    """Why an alert is silent, and who is responsible for the silence."""

    reason: AlertReason
    name: str


def silenced(
    labels: Mapping[str, str],
    silences: Sequence[Silence],
    maintenance: Mapping[str, Maintenance],
    intervals: Mapping[str, Sequence[TimeInterval]],
    now: datetime,
) -> Quiet | None:
    """The silence or maintenance window that covers an alert with these labels at `now`; None if there is none."""
    if (silence := covering(labels, silences, now)) is not None:
        return Quiet(AlertReason.SILENCED, f"silence {silence.number} of {silence.owner}: {silence.reason}")
    for name, window in maintenance.items():
        if all_match(window.matchers, labels) and any_holds(window.intervals, intervals, now):
            return Quiet(AlertReason.MAINTENANCE, f"{name} of {window.owner}: {window.reason}")
    return None


def covering(labels: Mapping[str, str], silences: Sequence[Silence], now: datetime) -> Silence | None:
    """The first silence that covers an alert with these labels at `now`; None if there is none."""
    return next((s for s in silences if s.active(now) and all_match(s.matchers, labels)), None)


def due_for_notice(silences: Sequence[Silence], now: datetime) -> list[Silence]:
    """The silences that end soon and whose owner has not been reminded. For a short silence, the reminder is due when
    half of its time has passed.
    """
    return [
        silence
        for silence in silences
        if silence.notice_sent_at is None
        and silence.active(now)
        and now >= silence.ends_at - min(NOTICE_BEFORE, (silence.ends_at - silence.starts_at) / 2)
    ]
