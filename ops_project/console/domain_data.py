"""How new the data of each domain is, from the newest snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from ops_project.console.site import Site
from ops_project.console.warehouse import Unanswered

NEWEST = "select feed, max(business_date) from ops.batches where status = 'loaded' group by feed"
OPEN_FINDINGS = "select feed, count(*) from ops.findings where state = 'open' group by feed"


@dataclass(frozen=True, slots=True)
class Fresh:
    """The business date up to which all feeds of a domain have arrived; None: unknown."""

    newest: date | None
    age_hours: float | None
    """Hours since that date ended; 0 if it has not ended yet."""
    word: str
    """fresh, stale, very stale or unknown."""
    findings: int | None
    """Open findings about its files; None: unknown."""


def unreadable(site: Site) -> str:
    """A sentence, if there is a copy of the warehouse and it cannot be read; else empty."""
    if site.reader.newest() is None:
        return ""
    try:
        site.reader.ask(NEWEST)
    except Unanswered as error:
        return f"The newest copy of the warehouse cannot be read: {error}"
    return ""


def of_domains(site: Site, now: datetime) -> dict[str, Fresh]:
    """Domain → how new its data is."""
    catalog = site.catalog
    try:
        newest = dict(site.reader.ask(NEWEST).rows)
        findings = dict(site.reader.ask(OPEN_FINDINGS).rows)
    except Unanswered:
        return dict.fromkeys(catalog.domain_ids(), Fresh(None, None, "unknown", None))
    limits, zone = catalog.checks.freshness, catalog.platform.zone
    result = {}
    for name in catalog.domain_ids():
        feeds = [feed for feed in catalog.feeds_of(name) if feed.enabled]
        due = [feed.name for feed in feeds if feed.expected.kind != "never"] or [feed.name for feed in feeds]
        # A domain is as fresh as the feed that is furthest behind. The data of a date is complete when the date has
        # ended.
        dates = [found for feed in due if (found := newest.get(feed)) is not None]
        oldest = min(dates) if dates and len(dates) == len(due) else None
        age, word = None, "unknown"
        if oldest is not None:
            end = datetime.combine(oldest, datetime.min.time(), zone).astimezone(UTC)
            age = max(0.0, (now - end).total_seconds() / 3600 - 24)
            word = "fresh" if age < limits.stale_hours else "stale" if age < limits.very_stale_hours else "very stale"
        result[name] = Fresh(oldest, age, word, sum(findings.get(feed.name, 0) for feed in feeds))
    return result
