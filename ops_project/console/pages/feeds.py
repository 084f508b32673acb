"""Feeds and batches: what is expected, what has arrived, what waits, and what was refused."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from ops_project.console.pages.alerts import firing_by_asset
from ops_project.console.views import Ask, NotThere, page
from ops_project.console.warehouse import Unanswered
from ops_project.masking import mask
from ops_project.model.feed.feed import Feed
from ops_project.pipeline.landing import pending

WEEK = timedelta(days=7)
MOST_FINDINGS = 200
"""How many findings the page of a feed lists."""
LATE = ("source_late", "source_missing")
"""The kinds of findings about a file that came after its deadline or did not come."""
LATEST = """
select feed, max(business_date) filter (status = 'loaded') as newest, max(arrived_at) as arrived,
       count(*) filter (arrived_at >= $since) as files,
       sum(rows_loaded) filter (arrived_at >= $since) as rows_loaded,
       sum(rows_quarantined) filter (arrived_at >= $since) as rows_quarantined,
       count(*) filter (arrived_at >= $since and status <> 'loaded') as refused
from ops.batches group by feed
"""
FINDINGS = """
select feed, asset, kind, business_date, file_name, message, state, observed_at, resolved_at, batch_id
from ops.findings where (feed = $feed or $feed = '') and (state = 'open' or observed_at >= $since)
order by state, observed_at desc
"""
BATCHES = """
select batch_id, file_name, business_date, arrived_at, status, rows_in, rows_loaded, rows_quarantined, rows_filtered,
       rows_collapsed, finding, contract_version
from ops.batches where feed = $feed order by load_seq desc limit 60
"""
BATCH = "select * from ops.batches where batch_id = $batch"
REFUSED = """
select reason, column_name, sum(rows) as rows from ops.quarantine where batch_id = $batch group by all order by 3 desc
"""
SAMPLE = """
select line, column_name, reason, raw_text from ops.quarantine where batch_id = $batch order by line limit 20
"""
OF_BATCH = "select kind, message, state, observed_at, resolved_at from ops.findings where batch_id = $batch"


def routes() -> list[Route]:
    return [page("/feeds", listed), page("/feeds/{feed}", one), page("/batches/{batch}", batch)]


def records(ask: Ask, sql: str, **parameters: Any) -> list[dict[str, Any]] | None:
    """The rows of a query, each as column → value; None if they are unknown."""
    try:
        return ask.site.reader.ask(sql, parameters).records()
    except Unanswered:
        return None


def listed(ask: Ask) -> Response:
    catalog = ask.site.catalog
    since = (ask.now - WEEK).replace(tzinfo=None, second=0, microsecond=0)
    latest = {row["feed"]: row for row in records(ask, LATEST, since=since) or []}
    findings = records(ask, FINDINGS, feed="", since=since)
    by_feed: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for finding in findings or []:
        by_feed[finding["feed"]].append(finding)
    firing = firing_by_asset(ask.site.ledger)
    groups = []
    for name in catalog.domain_ids():
        feeds = [
            {
                "feed": feed,
                "expected": expected(feed),
                "waiting": len(pending(feed, ask.site.settings.inbound)) if feed.enabled else 0,
                "latest": latest.get(feed.name),
                "open": [found for found in by_feed[feed.name] if found["state"] == "open"],
                "late": len({found["business_date"] for found in by_feed[feed.name] if found["kind"] in LATE}),
                "firing": firing[f"bronze/{feed.name}"],
            }
            for feed in catalog.feeds_of(name)
        ]
        if feeds:
            groups.append((catalog.domain(name).title, feeds))
    late = [found for found in findings or [] if found["kind"] in LATE]
    others = None if findings is None else [found for found in findings if found["kind"] not in LATE]
    return ask.show("feeds.html.j2", groups=groups, findings=others, late=late)


def expected(feed: Feed) -> str:
    """When a file is expected, in words."""
    if feed.expected.kind == "never":
        return "whenever it comes"
    return {"daily": "every day", "days": "on its weekdays", "monthly": "once a month", "cron": "by its calendar"}[
        feed.expected.kind
    ]


def one(ask: Ask) -> Response:
    catalog, name = ask.site.catalog, str(ask.path["feed"])
    if name not in catalog.feeds:
        raise NotThere(f"there is no feed {name!r}; the list shows those that exist")
    feed = catalog.feeds[name]
    since = (ask.now - timedelta(days=30)).replace(tzinfo=None, second=0, microsecond=0)
    findings = records(ask, FINDINGS, feed=name, since=since)
    return ask.show(
        "feed.html.j2",
        feed=feed,
        expected=expected(feed),
        batches=records(ask, BATCHES, feed=name),
        findings=findings if findings is None else findings[:MOST_FINDINGS],
        waiting=[file.path.name for file in pending(feed, ask.site.settings.inbound)] if feed.enabled else [],
        contracts=list(reversed(feed.contracts())),
    )


def batch(ask: Ask) -> Response:
    name = str(ask.path["batch"])
    found = records(ask, BATCH, batch=name)
    if not found:
        raise NotThere(f"the newest snapshot has no batch {name!r}")
    sample = records(ask, SAMPLE, batch=name) or []
    return ask.show(
        "batch.html.j2",
        batch=found[0],
        refused=records(ask, REFUSED, batch=name),
        sample=[{**row, "raw_text": mask(row["raw_text"] or "")} for row in sample],
        findings=records(ask, OF_BATCH, batch=name),
    )
