"""Reconciliations as asset checks. A reconciliation compares a chain of tables, and each step from a table to the next
is a hop. The check belongs to the target of the hop. The checks run after each load, and every hour on the newest
snapshot.

The hourly job reads a snapshot and holds no lock. So no other run waits for this job, and this job waits for no run.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import date, datetime
from typing import Any

import dagster as dg
import duckdb

from ops_project.dagster_bridge.run_tags import DOMAIN_TAG
from ops_project.defs.shared.permanent import TEST_SECONDS, classified
from ops_project.defs.shared.publication import RECONCILIATION
from ops_project.defs.shared.run_session import RunSession
from ops_project.defs.shared.site import Site
from ops_project.model.reconciliation import Node, Reconciliation
from ops_project.pipeline.reconcile import ReconcileError
from ops_project.pipeline.reconcile.chain import hop_by_hop, recent_days
from ops_project.pipeline.reconcile.classify import ChainResult, Comparison, describe
from ops_project.pipeline.warehouse import snapshots
from ops_project.sql_text import literal

PREFIX = RECONCILIATION
FAILURE_CLASS = "reconciliation_break"


def reconciliation_checks(site: Site, domain: str) -> dg.AssetChecksDefinition | None:
    """One step that reconciles every chain of a domain; None if the domain has none."""
    chains = _chains_of(site, domain)
    if not chains:
        return None

    @dg.multi_asset_check(
        name=f"{domain}_reconciliation",
        specs=[_spec(name, chain, node) for name, chain in chains.items() for node in _targets(chain)],
        description="Control totals and keys of each hop, on the business dates that are new.",
        can_subset=True,
        required_resource_keys={"warehouse"},
        op_tags={"ops/timeout_seconds": str(TEST_SECONDS)},
    )
    def body(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        session: RunSession = context.resources.warehouse
        what = f"reconciliation of {domain}"
        with classified(what, session, TEST_SECONDS):
            for key, verdict in evaluate(site, chains, session.connection(), session.now):
                if key in context.selected_asset_check_keys:
                    yield dg.AssetCheckResult(asset_key=key.asset_key, check_name=key.name, **verdict)

    return body


def reconciliation_job(site: Site, domain: str) -> dg.Definitions:
    """`<domain>_reconciliation_hourly` and its schedule. This job makes the same checks on the newest snapshot."""
    chains = _chains_of(site, domain)

    @dg.op(name=f"{domain}_reconcile_snapshot", tags={"ops/timeout_seconds": str(TEST_SECONDS)})
    def reconcile_snapshot(context: dg.OpExecutionContext) -> None:
        try:
            snapshot = snapshots.newest(site.settings)
        except snapshots.NoSnapshot as error:
            context.log.warning(f"nothing to reconcile: {error}")
            return
        with classified(f"reconciliation of {domain}"), duckdb.connect() as connection:
            connection.execute(f"attach {literal(str(snapshot.database))} as warehouse (read_only)")
            connection.execute("use warehouse")
            for key, verdict in evaluate(site, chains, connection, site.settings.now()):
                if not verdict["passed"]:
                    context.log.warning(verdict["description"])
                event = dg.AssetCheckEvaluation(asset_key=key.asset_key, check_name=key.name, **verdict)
                # Dagster accepts a check here, although the type annotation does not say so.
                context.log_event(event)  # type: ignore[arg-type]  # the annotation lacks AssetCheckEvaluation

    @dg.job(
        name=f"{domain}_reconciliation_hourly",
        description=f"Reconciles {', '.join(chains)} on the newest snapshot; holds no lock.",
        tags={DOMAIN_TAG: domain},
        executor_def=dg.in_process_executor,
    )
    def hourly() -> None:
        reconcile_snapshot()

    schedule = dg.ScheduleDefinition(
        name=f"{domain}_reconciliation_hourly_schedule",
        job=hourly,
        cron_schedule="15 * * * *",
        execution_timezone=site.catalog.platform.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Every hour at a quarter past.",
    )
    return dg.Definitions(jobs=[hourly], schedules=[schedule])


def evaluate(
    site: Site, chains: Mapping[str, Reconciliation], connection: duckdb.DuckDBPyConnection, now: datetime
) -> Iterator[tuple[dg.AssetCheckKey, dict[str, Any]]]:
    """Each check with the values that Dagster records for it. If a hop cannot be compared, its check gives a warning
    and does not fail the run.
    """
    for name, chain in chains.items():
        days = recent_days(connection, chain, now) if chain.date_column else None
        found, why = _compared(site, name, chain, connection, days)
        for node in _targets(chain):
            known = node.name in found
            yield (
                _spec(name, chain, node).key,
                _verdict(name, chain, found[node.name], len(days or ())) if known else _unknown(why),
            )


def _compared(
    site: Site, name: str, chain: Reconciliation, connection: duckdb.DuckDBPyConnection, days: list[date] | None
) -> tuple[dict[str, ChainResult], str]:
    """(node → the result of the chain up to it, why the other nodes have no result). Every earlier hop belongs to a
    result, so that a break is reported at the first hop that shows it.
    """
    found: dict[str, ChainResult] = {}
    if days == []:
        return found, "nothing has landed yet: nothing to reconcile."
    wanted = {node.name for node in _targets(chain)}
    results = hop_by_hop(connection, name, chain, archive=site.settings.archive, days=days, samples=5)
    try:
        with closing(results):
            while not wanted <= found.keys():
                result = next(results)
                found[result.hops[-1].target] = result
    except (ReconcileError, duckdb.CatalogException) as error:
        return found, f"{name} could not be reconciled: {error}"
    return found, ""


def _verdict(name: str, chain: Reconciliation, result: ChainResult, dates: int) -> dict[str, Any]:
    """The result that is recorded for the last hop. It is only a warning if every difference already appears at an
    earlier hop.
    """
    hop = result.hops[-1]
    here = any((first.source, first.target) == (hop.source, hop.target) for first in result.first_hops)
    earlier = next((other for other in result.hops[:-1] if other.is_break), None)
    if hop.is_break and not here and earlier is not None:
        said = f"{describe(hop)}. These keys break at {earlier.source} → {earlier.target} first: look there"
        severity = dg.AssetCheckSeverity.WARN
    else:
        said = f"{describe(hop)}. Every key: {_command(name, hop)}" if hop.is_break else describe(hop)
        severity = dg.AssetCheckSeverity.ERROR
    metadata: dict[str, Any] = {
        "status": "failed" if hop.is_break else "ok",
        "severity": "none" if not hop.is_break else "high" if severity == dg.AssetCheckSeverity.ERROR else "low",
        "kind": "reconciliation",
        "hop": f"{hop.source} → {hop.target}",
        "dates_compared": dates,
        # The alert is about these dates.
        "dates": list(hop.dates),
        "reasons": [reason.value for reason in hop.reasons],
        "differing_keys": hop.differing_keys,
        "control_totals": {
            total.name: {"source": str(total.source), "target": str(total.target), "difference": str(total.difference)}
            for total in hop.totals
        },
        "classes": {
            item.key_class.value: {
                "keys": item.keys,
                "differing": item.differing,
                "explains": {measure: str(amount) for measure, amount in item.net.items()},
                "samples": [{column: str(value) for column, value in sample.items()} for sample in item.samples],
            }
            for item in hop.classes
        },
        "first_response": _command(name, hop),
    }
    if chain.runbook:
        metadata["runbook"] = chain.runbook
    if hop.is_break:
        metadata["failure_class"] = FAILURE_CLASS
    return {
        "passed": not hop.is_break,
        "severity": severity,
        "description": said,
        "metadata": metadata,
    }


def _command(name: str, hop: Comparison) -> str:
    """The command that shows the break. If the break is about one date, the command contains this date, because the
    totals of all dates together may agree.
    """
    return f"ops reconcile {name}" + (f" --date {hop.dates[0]}" if len(hop.dates) == 1 else "")


def _unknown(message: str) -> dict[str, Any]:
    return {
        "passed": False,
        "severity": dg.AssetCheckSeverity.WARN,
        "description": message,
        "metadata": {"status": "unknown", "severity": "low", "failure_class": "unknown", "kind": "reconciliation"},
    }


def _chains_of(site: Site, domain: str) -> dict[str, Reconciliation]:
    chains = site.catalog.reconciliations.reconciliations
    return {name: chain for name, chain in chains.items() if chain.domain == domain}


def _targets(chain: Reconciliation) -> list[Node]:
    """The tables that are the target of a hop. Each of them is an asset."""
    return [node for node in chain.nodes[1:] if node.table]


def _spec(name: str, chain: Reconciliation, node: Node) -> dg.AssetCheckSpec:
    before = chain.nodes[[item.name for item in chain.nodes].index(node.name) - 1]
    metadata = {"failure_class": FAILURE_CLASS, "kind": "reconciliation"}
    if chain.runbook:
        metadata["runbook"] = chain.runbook
    return dg.AssetCheckSpec(
        f"{PREFIX}{name}",
        asset=dg.AssetKey(str(node.table).split(".")),
        description=f"{chain.title}: {before.name} → {node.name} agree in control totals and key by key.",
        metadata=metadata,
    )
