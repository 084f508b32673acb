"""A small code location with two owners, for tests that need real Dagster runs and no warehouse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import dagster as dg

BROKEN: dict[str, str] = {}
"""Asset → the message of the error that it raises. Tests fill and clear it."""


def _asset(key: str, deps: tuple[str, ...], owner: str, domain: str) -> dg.AssetsDefinition:
    @dg.asset(
        key=dg.AssetKey(key.split("/")),
        deps=[dg.AssetKey(dep.split("/")) for dep in deps],
        owners=[owner],
        tags={"domain": domain, "layer": key.split("/")[0], "tier": "1"},
        group_name=f"{domain}_{key.split('/')[0]}",
    )
    def build() -> None:
        if key in BROKEN:
            raise ValueError(BROKEN[key])

    return build


GRAPH: Mapping[str, tuple[tuple[str, ...], str, str]] = {
    "bronze/orders": ((), "team:ecommerce-data", "ecommerce"),
    "bronze/streams": ((), "team:streaming-data", "streaming"),
    "silver/fact_orders": (("bronze/orders",), "team:ecommerce-data", "ecommerce"),
    "gold/daily_revenue": (("silver/fact_orders",), "team:ecommerce-analytics", "ecommerce"),
}


@dg.multi_asset_check(
    specs=[dg.AssetCheckSpec("rows_are_positive", asset=dg.AssetKey(["bronze", "orders"]))], can_subset=True
)
def checks() -> Iterator[dg.AssetCheckResult]:
    if "check" in BROKEN:
        raise RuntimeError(BROKEN["check"])
    bad = BROKEN.get("rows_are_positive")
    yield dg.AssetCheckResult(
        asset_key=dg.AssetKey(["bronze", "orders"]),
        check_name="rows_are_positive",
        passed=bad is None,
        severity=dg.AssetCheckSeverity.WARN if bad == "warn" else dg.AssetCheckSeverity.ERROR,
        description="3 rows below zero" if bad else "",
    )


ASSETS = [_asset(key, deps, owner, domain) for key, (deps, owner, domain) in GRAPH.items()]
JOB = dg.define_asset_job("small_pipeline", selection=dg.AssetSelection.all())


def definitions() -> dg.Definitions:
    return dg.Definitions(assets=ASSETS, asset_checks=[checks], jobs=[JOB], executor=dg.in_process_executor)
