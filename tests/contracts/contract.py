"""The contract of a domain, from the definitions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg

from ops_project.dagster_bridge.run_tags import DOMAIN_TAG

FOLDER = Path(__file__).parent / "snapshots"


def contract_of(definitions: dg.Definitions, domain: str) -> dict[str, Any]:
    """The contract of a domain, sorted, so that a difference of the file is a difference of the contract."""
    repository = definitions.get_repository_def()
    graph = repository.asset_graph
    nodes = [graph.get(key) for key in graph.materializable_asset_keys]
    nodes = sorted(
        (node for node in nodes if node.tags.get("domain") == domain), key=lambda node: node.key.to_user_string()
    )
    jobs = {job.name: job for job in repository.get_all_jobs() if job.tags.get(DOMAIN_TAG) == domain}
    return {
        "assets": {
            node.key.to_user_string(): {
                "owners": sorted(node.owners),
                "tier": node.tags["tier"],
                "partitioned": node.partitions_def is not None,
                "upstream": sorted(key.to_user_string() for key in node.parent_keys),
            }
            for node in nodes
        },
        "checks": {
            node.key.to_user_string(): sorted(
                f"{key.name}{' (blocking)' if graph.get(key).blocking else ''}"
                for key in graph.get_check_keys_for_assets({node.key})
            )
            for node in nodes
        },
        "jobs": {name: job.tags.get("ops/timeout_seconds") for name, job in sorted(jobs.items())},
        "schedules": {
            schedule.name: [schedule.job_name, schedule.cron_schedule, schedule.execution_timezone]
            for schedule in sorted(repository.schedule_defs, key=lambda item: item.name)
            if schedule.job_name in jobs
        },
    }
