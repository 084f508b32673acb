"""Jobs and schedules of streaming. They run every four hours, half an hour after a window of streams ends."""

from __future__ import annotations

from ops_project.defs.shared.jobs import Job
from ops_project.defs.shared.schedules import Schedule

JOBS = (Job("streaming_pipeline", "Streams from their files to listening KPIs and the serving store."),)
SCHEDULES = (Schedule("streaming_pipeline", "45 2-22/4 * * *", "Every four hours, after a window's file."),)
