"""Runs as bars on a time line, with one line for each job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ops_project.dagster_bridge import runs_file
from ops_project.dagster_bridge.runs_file import INTERRUPTED, RecentRun
from ops_project.dagster_bridge.storage_damage import damaged, lost_storage
from ops_project.settings import Settings

LEAST_PERCENT = 0.35
"""The smallest width of a bar. Without it, a run of a few seconds would be invisible beside a whole day."""
WORD = {"success": "well", "failure": "wrong", INTERRUPTED: "wrong"}


@dataclass(frozen=True, slots=True)
class Bar:
    """One run: where it begins and how wide it is, in percent of the line."""

    run: RecentRun
    left: float
    width: float
    state: str
    """The state of the run: well, wrong, runs or unknown."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Lane:
    """The runs of one job, the oldest first."""

    job: str
    domain: str
    bars: tuple[Bar, ...]

    @property
    def failed(self) -> int:
        return sum(bar.state == "wrong" for bar in self.bars)


def recent_runs(settings: Settings, since: datetime, limit: int = 500) -> list[RecentRun] | None:
    """The runs since `since`, the newest first, at most `limit`. None if this process cannot read the place where
    Dagster keeps its runs.
    """
    return runs_file.recent(settings, since, limit)


def unreadable(settings: Settings) -> str:
    """A sentence if the runs are kept in this home but cannot be read; otherwise an empty text."""
    found = lost_storage(settings) or damaged(settings.dagster_home)
    if not found and runs_file.kept_here(settings) and runs_file.read(settings, ()) is None:
        found = f"the table of runs in {settings.dagster_home}"
    return f"Dagster's runs cannot be read: {found}" if found else ""


def lanes(runs: Sequence[RecentRun], start: datetime, end: datetime) -> list[Lane]:
    """One lane for each job that ran between `start` and `end`, in the order of their first runs."""
    span = (end - start).total_seconds()
    by_job: dict[str, list[Bar]] = {}
    domains: dict[str, str] = {}
    for run in sorted(runs, key=lambda item: item.started_at or end):
        began = run.started_at or end
        # When the process of an interrupted run ended is not known.
        finished = run.ended_at or (began if run.state == INTERRUPTED else end)
        if finished < start or began > end:
            continue
        left = max(0.0, (began - start).total_seconds() / span * 100)
        width = max(LEAST_PERCENT, (min(finished, end) - max(began, start)).total_seconds() / span * 100)
        state = WORD.get(run.state, "unknown" if run.ended_at else "runs")
        bar = Bar(run, min(left, 100 - width), width, state, (finished - began).total_seconds())
        by_job.setdefault(run.job, []).append(bar)
        domains[run.job] = run.domain or domains.get(run.job, "")
    return [Lane(job, domains[job], tuple(bars)) for job, bars in by_job.items()]
