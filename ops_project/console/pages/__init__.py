"""One module for each section of the console. A module reads what its pages show, and names their routes."""

from ops_project.console.pages import (
    alerts,
    assets,
    boards,
    feeds,
    home,
    incidents,
    login,
    oncall,
    recovery,
    reports,
    routing,
    silences,
)

ALL = (home, incidents, alerts, silences, routing, boards, feeds, assets, oncall, recovery, reports, login)
"""Every section that has routes."""
