"""The Dagster code location: what `dagster dev`, the daemon and the UI load."""

from __future__ import annotations

from ops_project.process import collector

collector.search_seldom()  # This call comes before the imports below, which make most of the objects.

from ops_project.dagster_bridge import home as dagster_home  # noqa: E402
from ops_project.defs.compose import compose  # noqa: E402
from ops_project.defs.shared.site import Site  # noqa: E402

_site = Site.load()
dagster_home.ensure(_site.settings)

defs = compose(_site)
