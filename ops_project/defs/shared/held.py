"""Leaves out tables that are on hold, and reports this in the Dagster UI: on the asset, and in the run's log."""

from __future__ import annotations

from collections.abc import Iterable

import dagster as dg
from sqlalchemy.exc import SQLAlchemyError

from ops_project.dagster_bridge.asset_graph import asset_name
from ops_project.operations.incidents import holds
from ops_project.operations.ledger import open_ledger
from ops_project.operations.ledger.holds import Hold
from ops_project.operations.ledger.lineage_document import recall
from ops_project.settings import Settings


def held_now(settings: Settings) -> dict[str, Hold]:
    """Asset → its hold. Empty if the ledger cannot be read, because a run must not depend on the ledger."""
    try:
        ledger = open_ledger(settings)
        standing = ledger.holds()
        return holds.held(standing, recall(ledger)) if standing else {}
    except SQLAlchemyError:
        return {}


def leave_out(
    settings: Settings, context: dg.AssetExecutionContext, keys: Iterable[dg.AssetKey]
) -> dict[dg.AssetKey, str]:
    """Asset on hold → the reason in words, for those of `keys` that are on hold. Each hold is reported as an
    observation of its asset.
    """
    found = held_now(settings)
    left = {
        key: f"{asset_name(key)}: {holds.words(found[asset_name(key)])}" for key in keys if asset_name(key) in found
    }
    for key in sorted(left):
        hold = found[asset_name(key)]
        context.log.warning(f"{asset_name(key)} is skipped: {holds.words(hold)}")
        context.log_event(
            dg.AssetObservation(
                key,
                description=f"skipped: {holds.words(hold)}",
                metadata={"hold": hold.number, "why": hold.why, "by": hold.made_by, "subject": hold.subject},
            )
        )
    return left
