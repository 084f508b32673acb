"""Jobs and schedules of the investor metrics. The main job starts early enough to end before 08:00 in New York. Each of
the five pipelines also has its own job, for repairs.
"""

from __future__ import annotations

import dagster as dg

from ops_project.defs.shared.jobs import Job, job_definition
from ops_project.defs.shared.schedules import Schedule
from ops_project.defs.shared.site import Site
from ops_project.defs.shared.translator import meta_of, table_of

JOBS = (Job("investor_pipeline", "Profit, growth and engagement, for experiments and in total."),)
SCHEDULES = (Schedule("investor_pipeline", "0 4 * * *", "The nightly run, 04:00 New York, to be ready by 08:00."),)


def pipelines(site: Site) -> dict[str, list[dg.AssetKey]]:
    """Pipeline → its own tables, for the five investor pipelines. `meta.pipeline` of a model names its pipeline."""
    found: dict[str, list[dg.AssetKey]] = {}
    for node in site.dbt.json["nodes"].values():
        pipeline = meta_of(node).get("pipeline") if node["resource_type"] == "model" else None
        if pipeline and node["fqn"][1] == "investor":
            found.setdefault(pipeline, []).append(dg.AssetKey([node["schema"], table_of(node)]))
    return {name: sorted(keys) for name, keys in sorted(found.items())}


def pipeline_jobs(site: Site) -> dg.Definitions:
    """A job for each pipeline. It builds and tests the pipeline's tables and the tables upstream, except bronze."""
    return dg.Definitions(
        jobs=[
            job_definition(
                Job(name, f"{name.replace('_', ' ').capitalize()}: its tables and what they are built from."),
                "investor",
                dg.AssetSelection.assets(*keys).upstream() - dg.AssetSelection.key_prefixes("bronze"),
            )
            for name, keys in pipelines(site).items()
        ]
    )
