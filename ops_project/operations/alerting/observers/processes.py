"""Observer of the CPU and memory that the building processes use, by run and by asset. A value that cannot be read is
unknown, not zero.

A process builds one step at a time, so its usage counts for all assets of the step that are not built yet. If dbt
builds several tables at once, it is not known which of them needs the memory.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psutil

from ops_project.dagster_bridge import active_runs as bridge
from ops_project.model.alerting.signal import Signal
from ops_project.operations.alerting.observers.observer import Observation, View
from ops_project.process.processes import Process

# CPU usage is the difference between two looks. At the first look of a process, the observer waits this long to get a
# number.
SAMPLE_SECONDS = 0.1
CPU, MEMORY = "resource.cpu_percent", "resource.memory_percent"
_cores = os.cpu_count() or 1


def look(view: View) -> Observation:
    """Readings of this moment, and a zero for each process that has ended and each asset that is built.

    An asset has the same series in every pipeline that builds it, but an alert belongs to one pipeline. So if another
    pipeline now builds the asset, a zero for the earlier pipeline comes first.
    """
    found = [signal for run in bridge.active_runs(view.instance) if not run.waiting for signal in _of_run(view, run)]
    goes_on = {signal.fingerprint: signal.pipeline for signal in found}
    ended = [
        before
        for kind in (CPU, MEMORY)
        for fingerprint, before in view.ledger.latest(kind).items()
        if goes_on.get(fingerprint) != before.pipeline and (before.value or before.value is None)
    ]
    zeros = [
        replace(
            _reading(view, before.kind, 0.0, pipeline=before.pipeline, domain=before.domain, asset=before.asset),
            # The series may also have a reading of this moment. Its occurrence differs from this one, so both are
            # stored.
            occurrence=f"{view.now.isoformat()} after {before.pipeline}",
        )
        for before in ended
    ]
    return Observation([*zeros, *found])


def _of_run(view: View, run: bridge.ActiveRun) -> Iterator[Signal]:
    cpu, memory = _measured(Process.parse(run.process))
    step = next(iter(run.steps), "")
    labels = {"step": step} if step else {}
    building = tuple(sorted(run.building.get(step, ())))
    for kind, value in ((CPU, cpu), (MEMORY, memory)):
        common = {"pipeline": run.job, "run_id": run.run_id, "labels": labels}
        yield _reading(view, kind, value, domain=run.domain, assets=building, message=_words(step, building), **common)
        for asset in building:
            facts = view.lineage.get(asset)
            # The series belongs to the asset, so its signal names the asset's owners.
            yield _reading(
                view,
                kind,
                value,
                domain=facts.domain or run.domain,
                asset=asset,
                owners=facts.owners,
                assets=building,
                message=_words(step, building),
                **common,
            )


def _words(step: str, building: tuple[str, ...]) -> str:
    if not step:
        return ""
    shown = ", ".join(building[:5]) + (f" and {len(building) - 5} more" if len(building) > 5 else "")
    return f"in step {step}" + (f", which builds {shown}" if building else "")


def _measured(process: Process | None) -> tuple[float | None, float | None]:
    """CPU and memory, each in percent of what the machine has; None if it cannot be read."""
    if process is None or not process.alive():
        return None, None
    try:
        handle = psutil.Process(process.pid)
        return handle.cpu_percent(SAMPLE_SECONDS) / _cores, handle.memory_percent()
    except psutil.Error:
        return None, None


def _reading(view: View, kind: str, value: float | None, **fields: Any) -> Signal:
    labels = {**fields.pop("labels", {}), **({} if value is not None else {"unknown": "true"})}
    return view.reading(kind, value, labels=labels, **fields)
