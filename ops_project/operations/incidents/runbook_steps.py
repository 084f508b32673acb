"""Runs steps of a runbook for an incident, and keeps what they printed with it. The caller says how a command runs."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from ops_project.operations.incidents.decide.incident import Incident
from ops_project.operations.incidents.decide.reasons import IncidentReason
from ops_project.operations.incidents.runbooks import Runbook, words_of, written
from ops_project.operations.ledger import Ledger

KEPT = 20_000
# A check of this prefix compares the reconciliation that the rest of its name names.
CHAIN = "reconciliation_"
DONE, FAILED, NOT_RUN = "done", "failed", "not run"

Run = Callable[[list[str]], tuple[bool, str]]
"""The words after `ops` → whether the command has answered, and what it printed."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """One command of one step."""

    step: int
    command: str
    state: str
    """done, failed or not run."""
    output: str
    ran: str = ""
    """The command with its places filled in, as it can be pasted into a shell; empty where it was not run."""


def places(incident: Incident, ledger: Ledger) -> dict[str, str]:
    """What {alert}, {table} and the like stand for in this incident."""
    alerts = [alert for number in incident.alerts if (alert := ledger.alert(number)) is not None]
    first = next((a for a in alerts if a.asset), alerts[0] if alerts else None)
    found = {"incident": str(incident.number), "pipeline": incident.pipeline, "domain": incident.domain}
    if first is not None:
        asset = first.asset or next(iter(first.assets), "")
        schema, _, name = asset.partition("/")
        found |= {
            "alert": str(first.number),
            "asset": asset,
            "table": asset.replace("/", "."),
            "feed": first.labels.get("feed", "") or (name if schema == "bronze" else ""),
            "date": first.labels.get("partition", ""),
            "file": next((path for alert in alerts if (path := alert.labels.get("archived"))), ""),
            "chain": next((name for alert in alerts if (name := _chain(alert.labels.get("check", "")))), ""),
        }
    return {name: value for name, value in found.items() if value}


def _chain(check: str) -> str:
    """The reconciliation that a check compares; empty where it is another check."""
    return check.removeprefix(CHAIN) if check.startswith(CHAIN) else ""


def run_steps(runbook: Runbook, wanted: Collection[int], filled: dict[str, str], run: Run) -> list[StepResult]:
    """The commands of the wanted steps (none named: all), one after the other."""
    results = []
    for step in runbook.steps:
        for command in step.commands if not wanted or step.number in wanted else ():
            try:
                words = words_of(command, filled)
            except ValueError as error:
                results.append(StepResult(step.number, command, NOT_RUN, f"not run: it {error}"))
                continue
            well, output = run(words)
            results.append(StepResult(step.number, command, DONE if well else FAILED, output, written(words)))
    return results


def keep(
    ledger: Ledger, incident: int, runbook: Runbook, results: Collection[StepResult], by: str, now: datetime
) -> None:
    """Keep the outputs with the incident, and note the run in its timeline."""
    for result in results:
        title = f"runbook {runbook.slug}, step {result.step}: {result.command}"
        ledger.keep_evidence(incident, "runbook", title, result.output[:KEPT], by, now)
    if results:
        ledger.note_incident(incident, IncidentReason.RUNBOOK_RUN, by, runbook.slug, now)
