"""Jobs and schedules of insurance."""

from __future__ import annotations

from ops_project.defs.shared.jobs import Job
from ops_project.defs.shared.schedules import Schedule

JOBS = (Job("insurance_pipeline", "Policies from the source's changes to daily counts and premiums, reconciled."),)
SCHEDULES = (Schedule("insurance_pipeline", "30 2 * * *", "The nightly run, 02:30 New York."),)
