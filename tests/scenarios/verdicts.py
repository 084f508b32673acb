"""The results of a home's last run for its assets."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import dagster as dg

from ops_project.settings import Settings


@dataclass(frozen=True)
class Said:
    """One evaluated check."""

    passed: bool
    severity: str
    failure_class: str
    message: str
    metadata: dict[str, Any]


def last_checks(settings: Settings) -> dict[tuple[str, str], Said]:
    """(asset, check) → the verdict, of every check that the newest run evaluated."""
    before = os.environ.get("DAGSTER_HOME")
    os.environ["DAGSTER_HOME"] = str(settings.dagster_home)
    try:
        with dg.DagsterInstance.from_config(str(settings.dagster_home)) as instance:
            run = instance.get_runs(limit=1)[0]
            records = instance.get_records_for_run(
                run.run_id, of_type={dg.DagsterEventType.ASSET_CHECK_EVALUATION}, limit=2_000
            ).records
    finally:
        if before is None:
            os.environ.pop("DAGSTER_HOME", None)
        else:
            os.environ["DAGSTER_HOME"] = before
    found = {}
    for record in records:
        data = record.event_log_entry.asset_check_evaluation
        assert data is not None
        metadata = {name: value.value for name, value in data.metadata.items()}
        found[(data.asset_key.to_user_string(), data.check_name)] = Said(
            data.passed, data.severity.value, str(metadata.get("failure_class", "")), data.description or "", metadata
        )
    return found


def failures(settings: Settings) -> dict[tuple[str, str], str]:
    """(asset, check) → failure class, of each check that failed with severity ERROR in the newest run."""
    return {
        key: said.failure_class
        for key, said in last_checks(settings).items()
        if not said.passed and said.severity == "ERROR"
    }
