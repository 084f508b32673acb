"""Jobs and the schedule of e-commerce. Only the schedule of the main job is on, so that no layer runs twice a night."""

from __future__ import annotations

from ops_project.defs.shared.jobs import LONG_SECONDS, Job
from ops_project.defs.shared.schedules import Schedule

JOBS = (
    Job("bronze_ingestion", "Land what has arrived, and check it.", ("bronze",), timeout_seconds=LONG_SECONDS),
    Job("silver_transformation", "Dimensions and facts from bronze, with their tests.", ("silver",)),
    Job("gold_aggregation", "Daily revenue, customer and product metrics from silver, with their tests.", ("gold",)),
    Job("quality_checks", "Every check and test of e-commerce; builds nothing.", checks_only=True),
    Job("master_pipeline", "Bronze, silver, gold and all checks between them.", timeout_seconds=LONG_SECONDS),
)
SCHEDULES = (Schedule("master_pipeline", "0 2 * * *", "The nightly run, 02:00 New York."),)
