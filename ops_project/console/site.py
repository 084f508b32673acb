"""What every page is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request

from ops_project.catalog import Catalog, load
from ops_project.operations.ledger import Ledger, open_ledger
from ops_project.settings import Settings


@dataclass(frozen=True)
class Site:
    """One home: its settings, its clock, its configuration and its ledger."""

    settings: Settings
    clock: Callable[[], datetime]

    @property
    def catalog(self) -> Catalog:
        """The configuration as it is now; the loader keeps it while no file changes."""
        return load(self.settings)

    @property
    def ledger(self) -> Ledger:
        return open_ledger(self.settings)


def site_of(request: Request) -> Site:
    """The site that a page belongs to."""
    found: Site = request.app.state.site
    return found
