"""The words of `ops status` about a run and about the backups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ops_project.dagster_bridge.run_words import ending, words_of
from ops_project.dagster_bridge.runs_file import INTERRUPTED

if TYPE_CHECKING:
    from ops_project.pipeline.warehouse.closings import Closing


def judged(run: dict[str, Any] | None, closed: Mapping[str, Closing], wrong: bool) -> dict[str, Any] | None:
    """The run with the state and the number of failed checks that `ops run` gave it. For Dagster, a run whose checks
    failed is a success.

    `closed`: the id of a run → the note about its end. `wrong`: whether the newest snapshot says that the last run of
    this domain found something that forbids publishing a table. It is used only if the note does not give the number of
    failed checks.
    """
    from ops_project.pipeline.warehouse.closings import FAILED

    if run is None:
        return None
    note = closed.get(run["run_id"])
    failed = note.failed_checks if note is not None else None
    state = ending(
        run["state"],
        checks_failed=wrong if failed is None else failed > 0,
        published=note is None or note.state != FAILED,
    )
    return {**run, "state": state, "failed_checks": failed}


def run_in_words(run: dict[str, Any] | None) -> str:
    if run is None:
        return "never ran"
    at = run["ended_at"] or run["started_at"]
    when = f" {at:%Y-%m-%d %H:%M}" if at else ""
    if run["state"] == INTERRUPTED:
        return f"{INTERRUPTED}, began{when}" if when else INTERRUPTED
    return f"{words_of(run['state'], run.get('failed_checks'))}{when}"


def backup_line(found: dict[str, Any]) -> str:
    newest = "none is proved"
    if found["newest_proved"] is not None:
        newest = f"{found['newest_proved']} is proved, {found['age_hours']:,.1f} h old"
    return f"{newest}; the last outcome was {found['last_outcome'] or 'unknown'}; {found['destination']}"
