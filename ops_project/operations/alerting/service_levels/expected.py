"""What should have happened by now: the successes that are expected each day, and the deadlines of service levels with
a prediction for each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ops_project.model.alerting.sla import Sla

SATURDAY = 5
SUNDAY = 6


def applies(days: str, day: date) -> bool:
    """Whether `day` is one of `days`, which is daily, weekdays or sunday."""
    weekday = day.weekday()
    return days == "daily" or (days == "weekdays" and weekday < SATURDAY) or (days == "sunday" and weekday == SUNDAY)


def at_clock(day: date, clock: str, zone: ZoneInfo) -> datetime:
    """The moment (UTC) at which the wall clock of `zone` shows `clock` on `day`."""
    return datetime.combine(day, time.fromisoformat(clock), zone).astimezone(UTC)


def due_at(sla: Sla, day: date, zone: ZoneInfo) -> datetime:
    """The moment (UTC) at which `sla` is due on `day`."""
    if sla.deadline is not None:
        return at_clock(day, sla.deadline, zone)
    assert sla.start is not None and sla.within is not None
    return at_clock(day, sla.start, zone) + sla.within


def last_due(sla: Sla, now: datetime, zone: ZoneInfo) -> date | None:
    """The newest day whose deadline has passed; None if no deadline has passed in the past week."""
    today = now.astimezone(zone).date()
    days = (today - timedelta(days=back) for back in range(8))
    return next((day for day in days if applies(sla.days, day) and due_at(sla, day, zone) <= now), None)


def day_start(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


@dataclass(frozen=True)
class Outlook:
    """The state of an SLA for one day."""

    missing: tuple[str, ...]
    """Assets that have not been built for the day yet."""
    expected_at: datetime | None
    """When the last asset is expected; None if this cannot be predicted."""
    at_risk: bool
    breached: bool
    why: str


def outlook(
    wanted: Sequence[str],
    built_at: Mapping[str, datetime],
    *,
    day: date,
    deadline: datetime,
    warn_before: timedelta,
    remaining_seconds: float,
    starts_at: datetime | None,
    zone: ZoneInfo,
    now: datetime,
    step: str = "",
) -> Outlook:
    """Predict whether the assets will be ready in time.

    `remaining_seconds`: the critical path of the assets that are not built. `starts_at`: when their work can start;
    None means now. `step`: the step with the most time left. The service level is at risk if the assets are expected
    after the deadline, or less than `warn_before` ahead of it.
    """
    begin = day_start(day, zone)
    missing = tuple(asset for asset in wanted if built_at.get(asset, datetime.min.replace(tzinfo=UTC)) < begin)
    if not missing:
        return Outlook((), None, False, False, "")
    expected = max(now, starts_at or now) + timedelta(seconds=remaining_seconds)
    breached = now >= deadline
    at_risk = not breached and expected > deadline - warn_before
    held = f", most of it in step {step}" if step else ""
    why = ""
    if breached:
        why = f"{len(missing)} of {len(wanted)} not ready at the deadline: {', '.join(missing[:5])}"
    elif at_risk:
        why = (
            f"expected at {expected.astimezone(zone):%H:%M}, due at {deadline.astimezone(zone):%H:%M} "
            f"({remaining_seconds / 60:.0f} min of work left{held}; not ready: {', '.join(missing[:5])})"
        )
    return Outlook(missing, expected, at_risk, breached, why)
