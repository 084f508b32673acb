# Dagster compares the annotation of a context with its own classes. `from __future__ import annotations` would make
# every annotation a text, so it is not used here.
"""The serving store, and checks that report failed validations of streams on the table of streams."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from ops_project.defs.shared.held import leave_out
from ops_project.defs.shared.permanent import TASK_SECONDS, classified
from ops_project.defs.shared.run_session import RunSession
from ops_project.defs.shared.site import Site
from ops_project.defs.shared.stated import stated_checks
from ops_project.defs.shared.translator import freshness_policy
from ops_project.pipeline import serving
from ops_project.pipeline.landing import pending
from ops_project.pipeline.serving import listening
from ops_project.pipeline.serving.store import Throttled

DOMAIN = "streaming"
KEY = dg.AssetKey(["serving", "listening_kpis"])
READS = (
    ("gold", "kpi_genre_daily"),
    ("gold", "kpi_top_songs"),
    ("gold", "kpi_top_genres"),
    ("silver", "rec_stream_validation"),
)


def assets(site: Site) -> list[dg.AssetsDefinition]:
    """The parts of the main job besides landed and dbt tables."""
    checks = stated_checks(site, DOMAIN)
    return [_listening_kpis(site), *([checks] if checks is not None else [])]


def _listening_kpis(site: Site) -> dg.AssetsDefinition:
    domain = site.catalog.domain(DOMAIN)

    @dg.asset(
        key=KEY,
        deps=[dg.AssetKey(list(table)) for table in READS],
        group_name="streaming_serving",
        owners=site.owners(domain.owners),
        tags={"domain": DOMAIN, "layer": "serving", "tier": str(domain.tier)},
        kinds={"keyvalue"},
        metadata={"runbook": domain.runbook} if domain.runbook else {},
        description="Listening KPIs by key, for applications; only days whose validation passed.",
        freshness_policy=freshness_policy(site, DOMAIN, "gold"),
        required_resource_keys={"warehouse"},
        op_tags={"ops/timeout_seconds": str(TASK_SECONDS)},
        output_required=False,
    )
    def listening_kpis(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        session: RunSession = context.resources.warehouse
        if held := leave_out(site.settings, context, [KEY]):
            session.report.on_hold += sorted(held.values())
            return
        with classified("serving store", session, TASK_SECONDS):
            store = serving.open_store(site.settings, listening.TABLE)
            try:
                days = listening.days_to_serve(session.connection(), store)
                served = listening.serve(session.connection(), store, days)
            except Throttled as error:
                # If the store refuses writes, nothing is materialized. This observation carries the number of refused
                # writes, so that the metric has a value in this case too.
                counted = {"throttled_requests": error.throttled_requests}
                context.log_event(dg.AssetObservation(KEY, metadata=counted))
                raise
            finally:
                store.close()
        for day, reason in served.refused.items():
            context.log.warning(f"{day} is not served: {reason}")
        yield dg.MaterializeResult(
            metadata={
                "store": store.name,
                "days": [day.isoformat() for day in served.days],
                "days_refused": {day.isoformat(): reason for day, reason in served.refused.items()},
                "items_written": served.written,
                "items_deleted": served.deleted,
                "items_unchanged": served.unchanged,
                "throttled_requests": served.throttled_requests,
                **_lag(site, session),
            }
        )

    return listening_kpis


def _lag(site: Site, session: RunSession) -> dict[str, Any]:
    """How far loading is behind: the age of the newest loaded event, and the number and age of the waiting files."""
    row = session.connection().execute("select max(listened_at) from bronze.streams").fetchone()
    newest = row[0] if row else None
    now = session.now.replace(tzinfo=None)
    feed = site.catalog.feeds["streams"]
    waiting = [file for file in pending(feed, site.settings.inbound) if file.modified_at <= session.now]
    oldest = min((file.modified_at for file in waiting), default=None)
    return {
        "newest_event_age_seconds": None if newest is None else (now - newest).total_seconds(),
        "files_waiting": len(waiting),
        "oldest_waiting_seconds": 0.0 if oldest is None else (session.now - oldest).total_seconds(),
    }
