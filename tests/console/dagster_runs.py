"""Runs in Dagster's own store, for the figures that are read from it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from unittest import mock

import dagster as dg

from ops_project.dagster_bridge import home
from ops_project.dagster_bridge.run_tags import DOMAIN_TAG
from tests.operations.incidents.world import IncidentWorld


def make_runs(seen: IncidentWorld) -> None:
    """Make three runs of the last days in Dagster's own store: tables with and without a time of their own, and a
    failure.
    """

    @dg.multi_asset(specs=[dg.AssetSpec(["gold", "a"]), dg.AssetSpec(["gold", "b"])])
    def two() -> Iterator[dg.MaterializeResult[None]]:
        yield dg.MaterializeResult(asset_key=["gold", "a"], metadata={"Execution Duration": 1.5, "rows loaded": 7})
        yield dg.MaterializeResult(asset_key=["gold", "b"], metadata={"dagster/row_count": 9})

    @dg.asset(key=["silver", "fails"])
    def fails() -> None:
        raise ValueError("on purpose")

    home.ensure(seen.settings)
    with (
        mock.patch.dict(os.environ, {"DAGSTER_HOME": str(seen.settings.dagster_home)}),
        dg.DagsterInstance.from_config(str(seen.settings.dagster_home)) as instance,
    ):
        for assets, domain in (([two], "investor"), ([two], "ecommerce"), ([fails], "investor")):
            dg.materialize(assets, instance=instance, tags={DOMAIN_TAG: domain}, raise_on_error=False)
    began = seen.now.timestamp() - 3600
    with closing(sqlite3.connect(seen.settings.dagster_home / "history" / "runs.db")) as store, store:
        store.execute(
            "update runs set start_time = ? - 86400 * id, end_time = ? - 86400 * id + 30 + id", (began, began)
        )
