"""How long a run took for each step and each table. The times are read from the run's event file without importing
Dagster. A dbt model reports its own time. The other tables of a step share the rest of the step's time in equal parts:
if a step builds three of them, each gets a third.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from ops_project.settings import Settings

DURATION, LOADED, COUNT = "Execution Duration", "rows loaded", "dagster/row_count"
WANTED = ("ASSET_MATERIALIZATION", "STEP_SUCCESS", "STEP_FAILURE")


@dataclass(frozen=True, slots=True)
class Build:
    """One table in one run.

    `seconds`: None if unknown.

    `rows`: for a landed table, the rows that landing loaded. For another table, the rows that the table has afterwards.
    None if unknown.
    """

    asset: str
    seconds: float | None
    rows: int | None


@dataclass(frozen=True, slots=True)
class RunTimes:
    """Seconds of each step that ended, and of each table that was built."""

    steps: tuple[tuple[str, float], ...]
    builds: tuple[Build, ...]


def of_run(settings: Settings, run_id: str) -> RunTimes | None:
    """The times of a run. None if the home has no event file of the run, or cannot read it."""
    file = settings.dagster_home / "history" / "runs" / f"{run_id}.db"
    if not file.is_file():
        return None
    marks = ", ".join("?" * len(WANTED))
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10)) as connection:
            rows = connection.execute(
                f"SELECT dagster_event_type, step_key, event FROM event_logs WHERE dagster_event_type IN ({marks})",
                WANTED,
            ).fetchall()
    except sqlite3.Error:  # Another version of Dagster wrote the file, with other tables.
        return None
    return times((kind, step or "", json.loads(event)) for kind, step, event in rows)


def times(events: Any) -> RunTimes:
    """The times of a run. `events`: for each event its type, its step key, and the event as Dagster stores it."""
    steps: dict[str, float] = defaultdict(float)
    own: dict[str, float] = defaultdict(float)
    loaded: dict[str, int] = defaultdict(int)
    counted: dict[str, int] = {}
    made_by: dict[str, str] = {}
    for kind, step, event in events:
        data = (event.get("dagster_event") or {}).get("event_specific_data") or {}
        if kind != "ASSET_MATERIALIZATION":
            steps[step] += float(data.get("duration_ms") or 0.0) / 1000
            continue
        made = data.get("materialization") or {}
        asset = "/".join((made.get("asset_key") or {}).get("path") or ())
        facts = {entry.get("label"): entry.get("entry_data") or {} for entry in made.get("metadata_entries") or ()}
        made_by[asset] = step
        took, came, there = (facts.get(name, {}).get("value") for name in (DURATION, LOADED, COUNT))
        # If one step builds several dates, the event of each date has the total of all of them.
        if isinstance(took, int | float):
            own[asset] = max(own[asset], float(took))
        if isinstance(came, int):
            loaded[asset] = max(loaded[asset], came)
        elif isinstance(there, int):
            counted[asset] = there
    shares: dict[str, list[str]] = defaultdict(list)
    for asset, step in made_by.items():
        if asset not in own:
            shares[step].append(asset)
    seconds = dict(own)
    for step, assets in shares.items():
        if step in steps:
            left = steps[step] - sum(own[asset] for asset, by in made_by.items() if by == step and asset in own)
            seconds |= dict.fromkeys(assets, max(0.0, left) / len(assets))
    builds = (Build(asset, seconds.get(asset), loaded.get(asset, counted.get(asset))) for asset in sorted(made_by))
    return RunTimes(tuple(sorted(steps.items())), tuple(builds))
