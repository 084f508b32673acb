"""Observer: CPU and memory of the processes that build, disk and storage. What cannot be read is unknown, not zero."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from ops_project.model.signal import OK, Signal
from ops_project.runtime.observing import Observation, View
from ops_project.runtime.processes import Process, current

# CPU is a difference between two looks; the first one gives a number after this long.
SAMPLE_SECONDS = 0.1
PARTS = ("warehouse", "archive", "snapshots", "published", "ledger", "dagster")
_cores = os.cpu_count() or 1


def look(view: View) -> Observation:
    """Readings of this moment, and a zero for processes that ended."""
    found = [_disk(view.settings.home, view), *_storage(view)]
    if view.instance is not None:
        from ops_project.runtime.dagster_bridge_running import active_runs

        for run in active_runs(view.instance):
            if not run.waiting:
                found += list(_process(view, run))
    seen = {signal.fingerprint for signal in found}
    for kind in ("resource.cpu_percent", "resource.memory_percent"):
        for fingerprint, before in view.ledger.latest(kind).items():
            if fingerprint not in seen and before.value:
                found.append(
                    _reading(view, kind, 0.0, pipeline=before.pipeline, domain=before.domain, asset=before.asset)
                )
    return Observation(found)


def _process(view: View, run: Any) -> Iterator[Signal]:
    process = Process.parse(run.process)
    # One step at a time runs in a process: what it uses is used for the assets of that step.
    labels = {"step": step} if (step := next(iter(run.steps), "")) else {}
    common = {"pipeline": run.job, "domain": run.domain, "run_id": run.run_id, "labels": labels}
    cpu: float | None = None
    memory: float | None = None
    if process is not None and process.boot == current().boot and process.alive():
        try:
            handle = psutil.Process(process.pid)
            cpu = handle.cpu_percent(SAMPLE_SECONDS) / _cores
            memory = handle.memory_percent()
        except psutil.Error:
            cpu = memory = None
    yield _reading(view, "resource.cpu_percent", cpu, **common)
    yield _reading(view, "resource.memory_percent", memory, **common)


def _disk(home: Path, view: View) -> Signal:
    try:
        value: float | None = psutil.disk_usage(str(home)).percent
    except OSError:
        value = None
    return _reading(view, "resource.disk_percent", value, check="home")


def _storage(view: View) -> Iterator[Signal]:
    for part in PARTS:
        folder = view.settings.home / part
        if folder.is_dir():
            yield _reading(view, "storage.bytes", _size(folder), check=part)


def _size(folder: Path) -> float | None:
    try:
        return float(sum(entry.stat().st_size for entry in folder.rglob("*") if entry.is_file()))
    except OSError:  # a file went while we looked
        return None


def _reading(view: View, kind: str, value: float | None, **fields: Any) -> Signal:
    labels = {**fields.pop("labels", {}), **({} if value is not None else {"unknown": "true"})}
    return Signal(
        kind=kind, state=OK, value=value, event_at=view.now, observed_at=view.now, occurrence=view.now.isoformat(),
        labels=labels, **fields,
    )  # fmt: skip
