"""Runs a part of a domain's job in this process: chosen tables and checks, for certain dates."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import dagster as dg

from ops_project.dagster_bridge import runs as bridge
from ops_project.dagster_bridge.run_tags import AS_OF_TAG, COMMIT_TAG, DOMAIN_TAG, PART_TAG
from ops_project.dagster_bridge.storage_errors import in_words
from ops_project.defs.shared import partitions
from ops_project.defs.shared.domain_run import SUCCEEDED, DomainRun, RunReport
from ops_project.defs.shared.run_session import WATCHER, Watcher
from ops_project.pipeline.recovery.decide.rerun import Asset
from ops_project.process.code_version import commit


@dataclass(frozen=True)
class Part:
    """The assets and checks of one run."""

    job: str
    domain: str
    assets: frozenset[Asset]
    """Assets to build, with all their checks."""
    checks: frozenset[tuple[Asset, str]] = frozenset()
    """Checks that run for tables that this run does not build."""
    window: tuple[date, date] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


def execute(
    definitions: dg.Definitions, instance: dg.DagsterInstance, part: Part, watcher: Watcher, now: datetime
) -> DomainRun:
    """Carry out the run. The caller holds the writer's lock. A failure of the run is returned and not raised."""
    began = time.perf_counter()
    job = definitions.resolve_job_def(part.job)
    left_out = {tuple(key.path) for key in job.asset_layer.selected_asset_keys} - part.assets
    tags = {
        **part.tags,
        **(partitions.range_tags(*part.window) if part.window is not None else {}),
        **bridge.process_tags(),
        DOMAIN_TAG: part.domain,
        AS_OF_TAG: now.isoformat(),
        COMMIT_TAG: commit(),
        **({PART_TAG: "true"} if left_out else {}),
    }
    checks = {
        check
        for check in job.asset_layer.asset_graph.asset_check_keys
        if tuple(check.asset_key.path) in part.assets or (tuple(check.asset_key.path), check.name) in part.checks
    }
    token = WATCHER.set(watcher)
    try:
        subset = job.get_subset(
            asset_selection={dg.AssetKey(list(asset)) for asset in part.assets}, asset_check_selection=checks
        )
        result = subset.execute_in_process(
            instance=instance, tags=tags, raise_on_error=False, run_config={"loggers": {"console": {}}}
        )
    except Exception as error:
        seconds, words = time.perf_counter() - began, in_words(error, Path(instance.root_directory))
        return DomainRun(part.domain, part.job, "failed", seconds, window=part.window, error=words)
    finally:
        WATCHER.reset(token)
    return DomainRun(
        part.domain,
        part.job,
        SUCCEEDED if result.success else "failed",
        time.perf_counter() - began,
        run_id=result.run_id,
        window=part.window,
        report=watcher.reports.get(result.run_id, RunReport()),
        outcome=bridge.outcome(instance, result.run_id),
    )
