"""Says when a pipeline will start by its schedule. The schedules are read from the ledger, where a process with the
definitions has stored them.
"""

from __future__ import annotations

from datetime import datetime

from ops_project.operations.ledger import Ledger

DOCUMENT = "schedules"


def next_start(ledger: Ledger, pipeline: str, now: datetime, before: datetime) -> datetime | None:
    """The next scheduled start of a job, if it lies before `before`. None if there is none, or if no schedule of the
    job is known.
    """
    kept = ledger.document(DOCUMENT) or {}
    mine = [schedule for schedule in kept.values() if schedule["job"] == pipeline]
    if not mine:
        return None
    from ops_project.dagster_bridge.ticks import next_due

    upcoming = [next_due(schedule, now) for schedule in mine]
    return min((moment for moment in upcoming if moment < before), default=None)
