"""Jobs: the part of a domain that runs together, and its time limit."""

from __future__ import annotations

from dataclasses import dataclass

import dagster as dg

from ops_project.dagster_bridge.run_tags import DOMAIN_TAG, TIMEOUT_TAG

# The requirements of e-commerce allow four hours for ingestion and for the whole pipeline, and two hours for one layer.
LONG_SECONDS = 14_400
SHORT_SECONDS = 7_200


@dataclass(frozen=True)
class Job:
    """A job that runs the named layers of a domain: `bronze` and those of its transforms. Without names, it runs all
    layers.
    """

    name: str
    description: str
    layers: tuple[str, ...] = ()
    checks_only: bool = False
    timeout_seconds: int = SHORT_SECONDS


def job_definition(job: Job, domain: str, selection: dg.AssetSelection) -> dg.UnresolvedAssetJobDefinition:
    """The Dagster job. At the time limit our watchdog ends a run. Dagster's daemon would end it five minutes later."""
    return dg.define_asset_job(
        job.name,
        selection=selection,
        description=job.description,
        tags={
            DOMAIN_TAG: domain,
            TIMEOUT_TAG: str(job.timeout_seconds),
            "dagster/max_runtime": str(job.timeout_seconds + 300),
        },
    )
