"""Jobs and the schedule of marketing. A nightly job builds all layers. Each layer also has its own job, for repairs."""

from __future__ import annotations

from ops_project.defs.shared.jobs import LONG_SECONDS, Job
from ops_project.defs.shared.schedules import Schedule

JOBS = (
    Job("mart_to_ldz", "Land the data mart's extracts, and check them.", ("bronze",), timeout_seconds=LONG_SECONDS),
    Job("ldz_to_rdv", "Hubs, links and satellites from what has landed, with their tests.", ("rdv",)),
    Job("rdv_to_interface", "The canonical tables from the vault, with their rejects.", ("interface",)),
    Job(
        "interface_to_360",
        "Customer 360 and Campaign 360 from the canonical tables; published if their checks pass.",
        ("gold",),
    ),
    Job("marketing_pipeline", "Data mart to 360s, and all checks between them.", timeout_seconds=LONG_SECONDS),
)
SCHEDULES = (Schedule("marketing_pipeline", "0 2 * * *", "The nightly run, 02:00 New York."),)
