"""The plan of a backfill: which dates are built in which runs, how long the runs take, which tables downstream are
built, and what is not built. The module is pure.

A plan has a hash over its content and over the state for which it was made. Applying a plan does exactly what the plan
says. If the state has changed, applying stops.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from statistics import median
from typing import Any

from ops_project.counted import counted

DAYS_IN_A_RUN = 31
"""The largest number of dates in one run. If a run is killed, all its dates are built again. So a run over years would
lose too much work.
"""
Window = tuple[date, date]


@dataclass(frozen=True)
class PastRun:
    """A run of the job that has ended: its business dates, and how long it took."""

    first: date
    last: date
    succeeded: bool
    seconds: float
    built: frozenset[str] = frozenset()
    """The tables that the run built, as `schema.table`."""

    @property
    def days(self) -> int:
        """The number of business dates of the run."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True)
class Plan:
    """What a backfill will do."""

    target: str
    domain: str
    job: str
    windows: tuple[Window, ...]
    """The first and the last date of each run, oldest run first."""
    assets: tuple[str, ...]
    """The tables that are built, as `schema.table`."""
    downstream: tuple[str, ...]
    """The tables of `assets` that are built because they depend on the target."""
    left_out: tuple[tuple[str, str], ...]
    """(what, why) for each table or date that is not built although a person might expect it."""
    rows: int | None
    """The number of landed rows of these dates; None if there is no snapshot."""
    seconds: float | None
    """The estimated time; None if no run of the job has succeeded yet."""
    basis: str
    """The basis of the estimate, in words."""
    state: str
    """Digest of code, SQL, contracts and holds. A hold makes runs skip everything that is built from a table."""
    waiting: tuple[str, ...]
    """Files in the inbound folder that runs of the domain would land."""
    snapshot: str | None
    """The newest snapshot when the plan was made."""

    @property
    def days(self) -> int:
        """The number of business dates that are built."""
        return sum((last - first).days + 1 for first, last in self.windows)

    @property
    def hash(self) -> str:
        """Hash of the whole content of the plan."""
        return hashlib.sha256(json.dumps(self.dump(), sort_keys=True).encode()).hexdigest()[:12]

    def dump(self) -> dict[str, Any]:
        """The plan as JSON."""
        return {**asdict(self), "windows": [[str(first), str(last)] for first, last in self.windows]}

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> Plan:
        """The inverse of `dump`."""
        windows = tuple((date.fromisoformat(first), date.fromisoformat(last)) for first, last in data["windows"])
        lists = {name: tuple(data[name]) for name in ("assets", "downstream", "waiting")}
        left_out = tuple((what, why) for what, why in data["left_out"])
        return cls(**{**data, **lists, "windows": windows, "left_out": left_out})


def windows_of(days: Collection[date], most: int = DAYS_IN_A_RUN) -> tuple[Window, ...]:
    """Ranges without gaps that contain exactly `days`, oldest first. Each range has at most `most` dates."""
    found: list[Window] = []
    for day in sorted(set(days)):
        if found and day - found[-1][1] == timedelta(days=1) and (day - found[-1][0]).days < most:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return tuple(found)


def failed_days(runs: Iterable[PastRun], days: Iterable[date]) -> list[date]:
    """The days among `days` whose last run failed, sorted."""
    last: dict[date, bool] = {}
    wanted = set(days)
    for run in runs:
        for day in wanted:
            if run.first <= day <= run.last:
                last[day] = run.succeeded
    return sorted(day for day, succeeded in last.items() if not succeeded)


def estimated(windows: Sequence[Window], runs: Iterable[PastRun]) -> tuple[float | None, str]:
    """The estimated seconds for the windows, and the basis of the estimate.

    A run has a fixed cost and a cost for each date. Both come from a straight line through the past runs that
    succeeded. The median of these runs is used instead in three cases: there are fewer than three runs, all had the
    same number of dates, or the line gives a negative cost.
    """
    past = [run for run in runs if run.succeeded and run.seconds > 0]
    if not past:
        return None, "no run of this job has succeeded yet, so its duration is unknown"
    sizes = [(last - first).days + 1 for first, last in windows]
    basis = counted(len(past), "successful run of this job", "successful runs of this job")
    mean_days = sum(run.days for run in past) / len(past)
    mean_seconds = sum(run.seconds for run in past) / len(past)
    spread = sum((run.days - mean_days) ** 2 for run in past)
    if len(past) >= 3 and spread > 0:
        slope = sum((run.days - mean_days) * (run.seconds - mean_seconds) for run in past) / spread
        fixed = mean_seconds - slope * mean_days
        if slope >= 0 and fixed >= 0:
            return sum(fixed + slope * size for size in sizes), basis
    usual, usual_days = median(run.seconds for run in past), median(run.days for run in past)
    return sum(usual * max(1.0, size / usual_days) for size in sizes), f"{basis}, by their median"


@dataclass(frozen=True)
class Now:
    """The present state, with which a plan is compared."""

    state: str
    waiting: frozenset[str]
    snapshot: str | None
    ours: frozenset[str] = frozenset()
    """Snapshots that runs of this plan have made."""
    begun: bool = False
    """Whether a run of this plan has begun."""


def stale(plan: Plan, now: Now) -> str | None:
    """Why the plan may no longer be applied; None if the plan may be applied. Changes by runs of the plan itself do not
    count.
    """
    if now.state != plan.state:
        return "code, SQL, contracts or holds have changed since the plan was made"
    planned = set(plan.waiting)
    if not now.waiting <= planned or (now.waiting != planned and not now.begun):
        return "the files that wait in the inbound folder have changed since the plan was made"
    if now.snapshot != plan.snapshot and now.snapshot not in now.ours:
        return (
            f"the warehouse has changed since the plan was made: the newest snapshot is {now.snapshot}, and it was "
            f"{plan.snapshot}"
        )
    return None
