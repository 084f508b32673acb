"""Corrects the times of an incident that lie in the future. A rehearsal with a later clock (`--as-of` tomorrow) opens
incidents with times of tomorrow. Without a correction, no step of their ladders would be taken today, although their
alerts fire today.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from ops_project.operations.incidents.decide.incident import Incident

# The clocks of two machines may differ by some seconds.
SKEW = timedelta(minutes=1)
_MOMENTS = ("opened_at", "triggered_at", "acknowledged_at", "first_acknowledged_at", "unacknowledged_at", "resolved_at")


def bounded(incident: Incident, now: datetime) -> Incident:
    """The incident with each time after `now` replaced by `now`. If no time is after `now`, the same object is
    returned.
    """
    ahead = now + SKEW
    changes: dict[str, datetime | tuple[datetime, ...]] = {
        name: now for name in _MOMENTS if (at := getattr(incident, name)) is not None and at > ahead
    }
    if any(at > ahead for at in incident.times):
        changes["times"] = tuple(min(at, now) for at in incident.times)
    return replace(incident, **changes) if changes else incident  # type: ignore[arg-type]  # times of an incident
