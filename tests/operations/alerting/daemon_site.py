"""The code location that the daemon test serves: the small site, with the shipped sensors of the alert path."""

from types import SimpleNamespace
from typing import cast

import dagster as dg

from ops_project import catalog
from ops_project.defs.operations.definitions import watch_of
from ops_project.defs.operations.sensors import sensors
from ops_project.defs.shared.site import Site
from ops_project.settings import Settings
from tests.operations.alerting import small_site

small_site.BROKEN["bronze/streams"] = "no such file"
settings = Settings.load()
# The sensors need only these two parts of a site. The parsed dbt project would make the start ten seconds longer.
site = cast(Site, SimpleNamespace(settings=settings, catalog=catalog.load(settings)))
defs = dg.Definitions.merge(small_site.definitions(), dg.Definitions(sensors=sensors(watch_of(site))))
