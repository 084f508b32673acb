"""A cycle in a loop, to be killed at any moment."""

from datetime import UTC, datetime

from ops_project import catalog
from ops_project.operations.alerting.cycle import run_once
from ops_project.settings import Settings

settings = Settings.load()
loaded = catalog.load(settings)
# What is imported late is imported by now: else a kill finds it importing, and proves nothing.
run_once(settings, loaded, datetime.now(UTC), observers=())
print("ready", flush=True)  # noqa: T201
while True:
    run_once(settings, loaded, datetime.now(UTC), observers=())
