"""Runs the steps of a runbook for an incident, and stores their output with the incident. The caller decides how a
command is run.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime

from ops_project.model.alerting.alert import Alert
from ops_project.operations.alerting.decide.message import CHAIN
from ops_project.operations.incidents.decide.incident import Incident
from ops_project.operations.incidents.decide.reasons import IncidentReason
from ops_project.operations.incidents.runbooks import Runbook, not_shown, words_of, written
from ops_project.operations.ledger import Ledger

KEPT = 20_000
DONE, FAILED, NOT_RUN = "done", "failed", "not run"

Run = Callable[[list[str]], tuple[bool, str]]
"""Takes the words after `ops`; returns whether the command succeeded, and its output."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """The result of one command of a step."""

    step: int
    command: str
    state: str
    """The outcome of the command: done, failed or not run."""
    output: str
    ran: str = ""
    """The command with its placeholders filled in, as it can be pasted into a shell. Empty if it was not run."""
    not_shown: tuple[str, ...] = ()
    """Words that the step promises and that none of its commands has printed. They are listed with the last command of
    the step, and only if all its commands were run.
    """


def places(incident: Incident, ledger: Ledger, is_meant: Callable[[Alert], bool] | None = None) -> dict[str, str]:
    """The values of {alert}, {table} and the other placeholders for this incident. They come from one alert: the first
    that names a file, otherwise the first that names a feed, otherwise the first that names an asset.

    `is_meant`: whether the runbook is the runbook of an alert. Only such alerts are considered. If there are none, for
    example because the runbook is that of a pipeline, all alerts of the incident are considered.
    """
    every = [alert for number in incident.alerts if (alert := ledger.alert(number)) is not None]
    alerts = [alert for alert in every if is_meant is not None and is_meant(alert)] or every
    first = max(alerts, key=_names, default=None)
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
            "file": first.labels.get("archived", ""),
            "chain": next((name for alert in alerts if (name := _chain(alert.labels.get("check", "")))), ""),
        }
    return {name: value for name, value in found.items() if value}


def _names(alert: Alert) -> tuple[bool, bool, bool]:
    """Whether an alert names a file, a feed and an asset. The three count in this order when the best alert is
    chosen.
    """
    return bool(alert.labels.get("archived")), bool(alert.labels.get("feed")), bool(alert.asset)


def _chain(check: str) -> str:
    """The name of the reconciliation that a check compares; empty if the check compares none."""
    return check.removeprefix(CHAIN) if check.startswith(CHAIN) else ""


def run_steps(runbook: Runbook, wanted: Collection[int], filled: dict[str, str], run: Run) -> list[StepResult]:
    """Run the commands of the steps `wanted` one after the other. If `wanted` is empty, all steps are run."""
    results = []
    for step in runbook.steps:
        told = []
        for command in step.commands if not wanted or step.number in wanted else ():
            try:
                words = words_of(command, filled)
            except ValueError as error:
                told.append(StepResult(step.number, command, NOT_RUN, f"not run: it {error}"))
                continue
            well, output = run(words)
            told.append(StepResult(step.number, command, DONE if well else FAILED, output, written(words)))
        if told and all(result.state == DONE for result in told):
            lacking = not_shown(step, filled, "\n".join(result.output for result in told))
            told[-1] = replace(told[-1], not_shown=tuple(lacking))
        results += told
    return results


def keep(
    ledger: Ledger, incident: int, runbook: Runbook, results: Collection[StepResult], *, by: str, now: datetime
) -> None:
    """Store the outputs with the incident, and record in its timeline that the runbook was run."""
    for result in results:
        title = f"runbook {runbook.slug}, step {result.step}: {result.ran or result.command}"
        ledger.keep_evidence(incident, "runbook", title=title, body=result.output[:KEPT], by=by, now=now)
    if results:
        ledger.note_incident(incident, IncidentReason.RUNBOOK_RUN, by, runbook.slug, now)
