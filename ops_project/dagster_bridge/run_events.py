"""Reads the events of a run from Dagster: the subject of each event, and the text of a failure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster import AssetKey, DagsterEvent, DagsterEventType

from ops_project.dagster_bridge.errors import innermost, log_of


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One entry of a run's log."""

    timestamp: float
    """Seconds since 1970, UTC."""
    kind: DagsterEventType | None
    """The type of the event; None for a line that a step logged."""
    step: str
    """The step of the event; empty if the event is about the run."""
    asset: AssetKey | None = None
    """The asset that is planned, built or checked."""
    check: str = ""
    """The check that is planned or was evaluated."""
    data: Any = None
    """The data that Dagster stores with an event of this kind: a materialization, an evaluation, the data of a
    failure.
    """
    message: str = ""


def events_of(
    instance: dg.DagsterInstance, run_id: str, kinds: Collection[DagsterEventType] | None = None
) -> Iterator[RunEvent]:
    """The events of a run in their order.

    `kinds`: only events of these types. None means all events, and also the lines that steps logged.
    """
    for entry in instance.all_logs(run_id, of_type=set(kinds) if kinds is not None else None):
        event = entry.dagster_event
        if event is None:
            yield RunEvent(entry.timestamp, None, entry.step_key or "")
            continue
        asset, check, data = _about(event)
        step = event.step_key or entry.step_key or ""
        yield RunEvent(
            timestamp=entry.timestamp,
            kind=event.event_type,
            step=step,
            asset=asset,
            check=check,
            data=data,
            message=event.message or "",
        )


def _about(event: DagsterEvent) -> tuple[AssetKey | None, str, Any]:
    kind = event.event_type
    if kind == DagsterEventType.ASSET_MATERIALIZATION_PLANNED:
        planned = event.asset_materialization_planned_data
        return planned.asset_key, "", planned
    if kind == DagsterEventType.ASSET_MATERIALIZATION:
        built = event.step_materialization_data.materialization
        return built.asset_key, "", built
    if kind == DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED:
        promised = event.asset_check_planned_data
        return promised.asset_key, promised.check_name, promised
    if kind == DagsterEventType.ASSET_CHECK_EVALUATION:
        evaluated = event.asset_check_evaluation_data
        return evaluated.asset_key, evaluated.check_name, evaluated
    return None, "", event.event_specific_data


def words_of(failure: object) -> str:
    """The text of a failed step or run: its own description, or else its innermost error. Empty if it has neither."""
    said, error = getattr(failure, "user_failure_data", None), getattr(failure, "error", None)
    if said is not None and said.description:
        return str(said.description)
    return str(innermost(error).message).strip() if error is not None else ""


def log_of_failure(failure: object) -> str:
    """The text of a failure for classification: its error and all causes. If Dagster recorded no error, the text is
    that of `words_of`.
    """
    error = getattr(failure, "error", None)
    return log_of(error) if error is not None else words_of(failure)


def class_of(failure: object) -> str | None:
    """The failure class with which the code raised a failure; None if the code gave no class."""
    said = getattr(failure, "user_failure_data", None)
    declared = said.metadata.get("failure_class") if said is not None and said.metadata else None
    return str(declared.value) if declared is not None else None
