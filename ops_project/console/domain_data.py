"""How new the data of each domain is, from the newest snapshot."""

from __future__ import annotations

from datetime import datetime

from ops_project.console.freshness import NEWEST, OPEN_FINDINGS, UNKNOWN, Fresh, by_domain
from ops_project.console.site import Site
from ops_project.console.warehouse import Unanswered


def unreadable(site: Site) -> str:
    """A sentence if the newest copy of the warehouse exists but cannot be read; otherwise an empty text."""
    if site.reader.newest() is None:
        return ""
    try:
        site.reader.ask(NEWEST)
    except Unanswered as error:
        return f"The newest copy of the warehouse cannot be read: {error}"
    return ""


def of_domains(site: Site, now: datetime) -> dict[str, Fresh]:
    """Domain → how new its data is."""
    try:
        newest = dict(site.reader.ask(NEWEST).rows)
        findings = dict(site.reader.ask(OPEN_FINDINGS).rows)
    except Unanswered:
        return dict.fromkeys(site.catalog.domain_ids(), UNKNOWN)
    return by_domain(site.catalog, newest, findings, now)
