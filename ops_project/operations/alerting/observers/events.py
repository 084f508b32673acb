"""Observer of Dagster's event log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.operations.alerting.dagster import events
from ops_project.operations.alerting.observers.observer import Observation, View


def look(view: View) -> Observation:
    """Read the next page of the log. The first look begins at the start of the log, so that earlier failures are
    reported too.
    """
    cursor = int(view.cursors.get(events.CURSOR, "0"))
    log = events.Log.parse(view.cursors.get(events.LOG, ""))
    page = events.read(view.instance, cursor, view.now, view.lineage, as_of=view.settings.as_of, log=log)
    if page.cursor == cursor and page.log == log:
        return Observation()
    signals = [*page.signals, *_repaired_with(view, page.signals)]
    return Observation(signals, {events.CURSOR: str(page.cursor), events.LOG: str(page.log)}, more=page.full)


def _repaired_with(view: View, signals: Sequence[Signal]) -> list[Signal]:
    """Ok signals for failures that an event repairs without naming them.

    If a check has been evaluated, it no longer counts as crashed, whichever partition it crashed for. If a job has
    succeeded, none of its steps counts as failed, even if a step is no longer part of the job.
    """
    ran = {(s.asset, s.check): s for s in signals if s.kind == "check.crash" and s.state == OK and not s.partition}
    done = {s.pipeline: s for s in signals if s.kind == "run.failure" and s.state == OK}
    found: list[Signal] = []
    if ran:
        for before in view.ledger.latest("check.crash").values():
            by = ran.get((before.asset, before.check))
            if before.state == FIRING and before.partition and by is not None and by.event_at >= before.event_at:
                found.append(replace(by, partition=before.partition))
    if done:
        for before in view.ledger.latest("step.failure").values():
            by = done.get(before.pipeline)
            if before.state == FIRING and by is not None and by.event_at >= before.event_at:
                found.append(replace(by, kind="step.failure", check=before.check))
    return found
