"""Which business dates a run of `whatever has arrived` is about."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from ops_project.defs.shared import partitions
from ops_project.defs.shared.site import Site
from ops_project.landing import pending


def pending_dates(site: Site, domain: str, now: datetime) -> tuple[list[date], int]:
    """Business dates of the files that wait in a domain's inbound folder, and how many files those are.

    As landing sees it: what is dated after `now` has not arrived yet.
    """
    days: set[date] = set()
    files = 0
    for feed in site.catalog.feeds_of(domain):
        for file in pending(feed, site.settings.inbound) if feed.enabled else ():
            # A file whose dates stand only inside it counts as of the day it came.
            day = file.business_date or min(file.modified_at, now).astimezone(feed.arrival.zone).date()
            if not file.waits and day <= now.astimezone(feed.arrival.zone).date():
                files += 1
                days.add(day)
    return sorted(days), files


def window(site: Site, domain: str, now: datetime) -> list[tuple[date, date]]:
    """Ranges of business dates that wait, oldest first; where nothing waits, yesterday: its absence is judged."""
    start = site.catalog.platform.start_date
    today = now.astimezone(site.catalog.platform.zone).date()
    days = [day for day in pending_dates(site, domain, now)[0] if start <= day <= today + timedelta(days=1)]
    yesterday = max(start, today - timedelta(days=1))
    return partitions.clusters(days) or [(yesterday, yesterday)]
