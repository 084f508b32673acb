"""Makes one asset for each feed. The asset's code lands the files that have arrived."""

from typing import Any

import dagster as dg

from ops_project.defs.shared.permanent import TASK_SECONDS, classified
from ops_project.defs.shared.run_session import RunSession
from ops_project.defs.shared.site import Site
from ops_project.defs.shared.translator import CODE_REFERENCES, freshness_policy
from ops_project.model.feed.feed import Feed
from ops_project.pipeline.landing import LandingResult, land, replay
from ops_project.pipeline.landing.sources import fetch
from ops_project.process.kill_points import reach
from ops_project.visible import visible

SCHEMA = "bronze"
RAW = "raw"


def bronze_assets(site: Site, domain: str) -> list[dg.AssetsDefinition]:
    """The landed tables of a domain."""
    return [_asset(site, feed) for feed in site.catalog.feeds_of(domain)]


def key_of(feed: Feed) -> dg.AssetKey:
    """The asset key of a feed: bronze/<feed>."""
    return dg.AssetKey([SCHEMA, feed.name])


def _asset(site: Site, feed: Feed) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name=f"land_{feed.name}",
        specs=[_spec(site, feed)],
        required_resource_keys={"warehouse"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        op_tags={"ops/timeout_seconds": str(TASK_SECONDS)},
        # A run with partitions lands the files of its range. A run without partitions lands the whole inbound folder.
        partitions_def=site.partitions if feed.extract == "delta" else None,
    )
    def body(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        session: RunSession = context.resources.warehouse
        with classified(f"landing {feed.name}", session, TASK_SECONDS):
            session.say(f"landing {feed.name}")
            reach(f"land:{feed.name}")
            fetch(site.settings, feed, session.connection(), session.now)
            replayed: list[LandingResult] = []
            for order in session.replays:
                if order.feed == feed.name:
                    session.say(f"replaying {feed.name}")
                    replayed.append(
                        replay(
                            session.connection(),
                            feed,
                            order,
                            archive=site.settings.archive,
                            now=session.now,
                            run_id=session.run_id,
                        )
                    )
            result = land(
                session.connection(),
                feed,
                inbound=site.settings.inbound,
                archive=site.settings.archive,
                now=session.now,
                run_id=session.run_id,
                dates=session.exact_dates,
            )
            reach(f"landed:{feed.name}")
        for before in replayed:
            result = before.followed_by(result)
        session.report.repaired += result.recovered
        session.report.replayed += result.replayed
        for line in result.recovered:
            context.log.info(line)
        for finding in result.findings:
            context.log.warning(f"{feed.name}: {finding.kind}: {finding.message}")
        return dg.MaterializeResult(asset_key=key_of(feed), metadata=_metadata(session, feed, result))

    return body


def _spec(site: Site, feed: Feed) -> dg.AssetSpec:
    domain = site.catalog.domain(feed.domain)
    columns = feed.bronze_columns()
    document = next(
        (
            d
            for name, d in site.catalog.documents.items()
            if name.startswith("feeds/") and d.data.get("domain") == feed.domain
        ),
        None,
    )
    metadata: dict[str, Any] = {
        "dagster/table_name": f"{SCHEMA}.{feed.name}",
        "dagster/column_schema": dg.TableSchema(
            columns=[
                dg.TableColumn(
                    name=name,
                    type=column.sql_type,
                    description=column.description or None,
                    constraints=dg.TableColumnConstraints(nullable=not column.required, unique=feed.key == (name,)),
                    tags={"personal_data": ""} if column.personal_data else {},
                )
                for name, column in columns.items()
            ]
        ),
        "inbound": ", ".join(f"inbound/{feed.domain}/{pattern}" for pattern in feed.inbound),
    }
    if feed.contact:
        metadata["upstream contact"] = str(feed.contact)
    runbook = feed.runbook or domain.runbook
    if runbook:
        metadata["runbook"] = runbook
    if document is not None:
        metadata[CODE_REFERENCES] = dg.CodeReferencesMetadataValue(
            code_references=[
                dg.LocalFileCodeReference(file_path=document.file, line_number=document.line("feeds", feed.name))
            ]
        )
    never = feed.expected.kind == "never"
    return dg.AssetSpec(
        key=key_of(feed),
        description=feed.description or f"Landed rows of the feed {feed.name}.",
        group_name=domain.landing_group or f"{feed.domain}_{SCHEMA}",
        owners=site.owners(feed.owners or domain.owners),
        tags={"domain": feed.domain, "layer": SCHEMA, "tier": str(feed.tier or domain.tier)},
        kinds={"duckdb", SCHEMA, feed.format.kind},
        metadata=metadata,
        # A feed without expected dates cannot be late.
        freshness_policy=None if never else freshness_policy(site, feed.domain, SCHEMA),
        code_version=str(max(contract.version for contract in feed.contracts())),
    )


def _metadata(session: RunSession, feed: Feed, result: Any) -> dict[str, Any]:
    row = (
        session.connection()
        .execute(f"SELECT count(*), max(business_date)::VARCHAR FROM {SCHEMA}.{feed.name}")
        .fetchone()
    )
    total, newest = row if row else (None, None)
    metadata: dict[str, Any] = {
        "dagster/row_count": total,
        "files": len(result.batches),
        "rows in": result.total("rows_in"),
        "rows loaded": result.total("rows_loaded"),
        "rows quarantined": result.total("rows_quarantined"),
        "rows filtered": result.total("rows_filtered"),
        "rows collapsed": result.total("rows_collapsed"),
        "findings": visible("\n".join(f"- {finding.kind}: {finding.message}" for finding in result.findings)) or "none",
    }
    if newest:
        metadata["newest business date"] = newest
    return metadata
