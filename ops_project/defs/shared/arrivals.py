"""Finds the business dates of a run that lands all waiting files."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from ops_project.defs.shared import partitions
from ops_project.defs.shared.site import Site
from ops_project.defs.shared.unchanged import pending_dates


def window(site: Site, domain: str, now: datetime) -> list[tuple[date, date]]:
    """Ranges of the business dates of the waiting files, the oldest first. If no file waits, the only range is
    yesterday, so that the run notices if yesterday's file is missing.
    """
    start = site.catalog.platform.start_date
    today = now.astimezone(site.catalog.platform.zone).date()
    waiting, _ = pending_dates(site.settings, site.catalog, domain, now)
    days = [day for day in waiting if start <= day <= today + timedelta(days=1)]
    yesterday = max(start, today - timedelta(days=1))
    return partitions.clusters(days) or [(yesterday, yesterday)]
