"""How new the data of each domain is. The module is pure: the answers of its two queries are arguments. `ops status`
and the console use the module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from ops_project.catalog import Catalog

# Both queries read only the journal of landing, so that no bronze table has to be read.
NEWEST = "select feed, max(business_date) from ops.batches where status = 'loaded' group by feed"
OPEN_FINDINGS = "select feed, count(*) from ops.findings where state = 'open' group by feed"


@dataclass(frozen=True, slots=True)
class Fresh:
    """How new the data of one domain is. `newest` is the business date up to which all its feeds have arrived; None if
    it is unknown.
    """

    newest: date | None
    age_hours: float | None
    """Hours since the end of that date; 0 if the date has not ended yet."""
    word: str
    """The state of the data: fresh, stale, very stale or unknown."""
    findings: int | None
    """Open findings about the domain's files; None if their number is unknown."""


UNKNOWN = Fresh(None, None, "unknown", None)


def by_domain(
    catalog: Catalog, newest: Mapping[str, date], findings: Mapping[str, int], now: datetime
) -> dict[str, Fresh]:
    """Domain → how new its data is.

    `newest`: feed → its newest loaded business date. `findings`: feed → the number of its open findings. The feed whose
    data is the oldest decides for its domain. If the domain has feeds that are expected, only these count. If one of
    the counted feeds has never arrived, the answer is unknown.
    """
    limits, zone = catalog.checks.freshness, catalog.platform.zone
    result = {}
    for name in catalog.domain_ids():
        feeds = [feed for feed in catalog.feeds_of(name) if feed.enabled]
        due = [feed.name for feed in feeds if feed.expected.kind != "never"] or [feed.name for feed in feeds]
        dates = [found for feed in due if (found := newest.get(feed)) is not None]
        oldest = min(dates) if dates and len(dates) == len(due) else None
        age, word = None, "unknown"
        if oldest is not None:
            # The data of a date is complete when the date has ended.
            end = datetime.combine(oldest + timedelta(days=1), datetime.min.time(), zone).astimezone(UTC)
            age = max(0.0, (now - end).total_seconds() / 3600)
            word = "fresh" if age < limits.stale_hours else "stale" if age < limits.very_stale_hours else "very stale"
        result[name] = Fresh(oldest, age, word, sum(findings.get(feed.name, 0) for feed in feeds))
    return result
