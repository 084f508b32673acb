"""Decides which gold tables a run may publish. The run must have built the table, every blocking check of the table
must have passed, and no reconciliation may break at the table or before it.
"""

from __future__ import annotations

from typing import Any

from ops_project.dagster_bridge.runs import RunOutcome
from ops_project.defs.shared.site import Site
from ops_project.defs.shared.translator import domain_of, readers_of, table_of
from ops_project.pipeline.warehouse.publishing import PublishDecision

PUBLISHED_SCHEMA = "gold"
RECONCILIATION = "reconciliation_"
"""The names of the checks that compare a chain of tables begin with this."""


def verdicts(site: Site, outcome: RunOutcome) -> dict[str, dict[str, PublishDecision]]:
    """Domain → table → decision. Only domains of which the run planned or built a gold table are included."""
    found: dict[str, dict[str, PublishDecision]] = {}
    gold = gold_tables(site)
    reached = outcome.planned | outcome.built
    touched = {facts["domain"] for key, facts in gold.items() if key in reached}
    for key, facts in gold.items():
        if facts["domain"] in touched:
            reason = _why_not(site, key, outcome)
            found.setdefault(facts["domain"], {})[key[1]] = PublishDecision(
                passed=not reason, reason=reason, consumers=facts["consumers"]
            )
    return found


def faults(site: Site, outcome: RunOutcome) -> list[str]:
    """What this run found that forbids publishing a table of any layer, in words."""
    found = [
        f"{check.name} failed at {'.'.join(check.asset)}"
        for check in outcome.checks
        if check.failed and (check.blocking or check.name.startswith(RECONCILIATION))
    ]
    made = {(check.asset, check.name) for check in outcome.checks if check.passed is not None}
    # A job that leaves a check out does not have to run it.
    planned = {(check.asset, check.name) for check in outcome.checks}
    silent = sorted(item for item in site.blocking & planned if item[0] in outcome.built and item not in made)
    return found + [f"{name} did not run at {'.'.join(asset)}" for asset, name in silent]


def gold_tables(site: Site) -> dict[tuple[str, str], dict[str, Any]]:
    """(gold, table) → its domain and its consumers. A consumer is a dbt exposure with its owner."""
    manifest = site.dbt.json
    readers = readers_of(manifest)
    return {
        (node["schema"], table_of(node)): {
            "domain": domain_of(node),
            "consumers": tuple(readers.get(unique_id, ())),
        }
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] == "model" and node["schema"] == PUBLISHED_SCHEMA
    }


def _why_not(site: Site, key: tuple[str, str], outcome: RunOutcome) -> str:
    if key not in outcome.built:
        return "it was not built in this run"
    failed = [check.name for check in outcome.checks if check.asset == key and check.blocking and check.failed]
    if failed:
        return f"blocking checks failed: {', '.join(sorted(failed))}"
    # Blocking checks that did not run are counted here as well, because without them it is not known whether the table
    # is good.
    made = {check.name for check in outcome.checks if check.asset == key and check.passed is not None}
    silent = [name for asset, name in site.blocking if asset == key and name not in made]
    if silent:
        return f"blocking checks did not run: {', '.join(sorted(silent))}"
    return _broken_chain(site, key, outcome)


def _broken_chain(site: Site, key: tuple[str, str], outcome: RunOutcome) -> str:
    """Why a reconciliation forbids publishing the table; empty if no reconciliation forbids it. A break at an earlier
    hop also forbids it, because the table and the table before it may agree and both be wrong.
    """
    for name, chain in site.catalog.reconciliations.reconciliations.items():
        tables = [tuple(str(node.table).split(".")) for node in chain.nodes if node.table]
        if key not in tables:
            continue
        until = tables[: tables.index(key) + 1]
        broken = [
            check.asset
            for check in outcome.checks
            if check.failed and check.name == f"{RECONCILIATION}{name}" and check.asset in until
        ]
        if broken:
            return f"reconciliation {name} breaks at {', '.join('.'.join(asset) for asset in sorted(broken))}"
    return ""
