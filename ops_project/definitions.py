"""The Dagster code location: what `dagster dev`, the daemon and the UI load."""

from __future__ import annotations

from ops_project.dagster_bridge import home as dagster_home
from ops_project.defs.compose import compose
from ops_project.defs.shared.site import Site

_site = Site.load()
dagster_home.ensure(_site.settings)

defs = compose(_site)
