"""The second computation of gold (tests/numbers/oracle) over longer histories, and against models broken on purpose.

test_incremental_is_full tests that it agrees after a random history, and compares with a full build.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from ops_project.pipeline.dbt_engine.manifest import DbtManifest
from ops_project.pipeline.learning.tables import TABLE_OF
from tests.numbers.oracle.figures import NOT_COMPUTED
from tests.numbers.played import HISTORIES, Played, play

SPRING = [date(2026, 3, 28) + timedelta(days=number) for number in range(40)]
BROKEN = [
    ("ecommerce", "daily_revenue", "sum(net_amount) as net_revenue", "max(net_amount) as net_revenue"),
    (
        "insurance",
        "kpi_policies",
        "in_force_from as business_date, product, region, 1 as policies",
        "in_force_from + 1 as business_date, product, region, 1 as policies",
    ),
    ("investor", "kpi_aggregate_growth", "count(distinct unit_id) as buyers", "count(unit_id) as buyers"),
    ("streaming", "kpi_top_songs", "listening_seconds desc, song_id", "song_id"),
    ("ecommerce", "fact_order_items", "when is_undone and quantity > 0 then 0", "when is_undone then 0"),
    ("ecommerce", "fact_orders", "status in ('cancelled', 'returned')", "status in ('cancelled')"),
    ("ecommerce", "int_product_days", "greatest(-quantity, 0)", "greatest(quantity, 0)"),
    ("ecommerce", "int_customer_days", "event_type = 'add_to_cart'", "event_type = 'product_view'"),
    ("insurance", "fact_policies", "greatest(business_date, effective_date)", "business_date"),
    ("insurance", "fact_policies", "where coalesce(cdc_seq >= highest_seq_before, true)", ""),
    ("investor", "fact_transactions", "where place = 1 and", "where"),
    ("investor", "stg_transactions", "when transactions.status = 'refunded' then 0", "when false then 0"),
    ("investor", "int_experiment_unit_days", "and transactions.business_date <= assignments.last_date", ""),
    ("investor", "int_unit_event_days", "count(distinct session_id)", "count(session_id)"),
    ("streaming", "int_streams", "and streams.business_date < songs.known_until", ""),
    (
        "streaming",
        "int_streams",
        "songs.song_id is not null and users.user_id is not null",
        "songs.song_id is not null",
    ),
]


@dataclass(frozen=True)
class Broken(DbtManifest):
    """The project with one edit of one model."""

    model: str = ""
    old: str = ""
    new: str = ""

    def to_run(self, select: Sequence[str] | None = None) -> Any:
        manifest = super().to_run(select)
        node = manifest.nodes[f"model.ops_project.{self.model}"]
        assert self.old in node.raw_code, self.old
        node.raw_code = node.raw_code.replace(self.old, self.new, 1)
        return manifest


def test_each_table_of_gold_is_computed_a_second_time_or_says_why_not() -> None:
    nodes = [node for node in dbt_manifest.load().json["nodes"].values() if node["resource_type"] == "model"]
    gold = {node["name"]: set(node["tags"]) for node in nodes if node["schema"] == "gold"}
    predicted = {name.removeprefix("gold.") for name in TABLE_OF.values()}
    assert set(NOT_COMPUTED) <= set(gold) | predicted, "these tables are gone"
    assert predicted <= set(NOT_COMPUTED)
    assert [name for name, tags in gold.items() if not tags & set(HISTORIES)] == []


@pytest.mark.soak
@pytest.mark.parametrize(("domain", "model", "old", "new"), BROKEN)
def test_a_broken_model_is_noticed(
    played: Callable[[str], Played], domain: str, model: str, old: str, new: str
) -> None:
    home = played(domain)
    right = dbt_manifest.load()
    broken = Broken(right.folder, right.project_dir, model, old, new)
    try:
        home.site.build(f"{model}+", manifest=broken, anew=True)
        assert home.oracle.wrong()
    finally:
        home.site.build(f"{model}+", anew=True)
    assert home.oracle.wrong() == []


@pytest.mark.soak
@pytest.mark.parametrize("domain", HISTORIES)
def test_gold_says_what_the_files_say_over_forty_days(tmp_path: Path, domain: str) -> None:
    """Forty days are long enough for a whole month to be reported, and for the anomalies of weekdays. A month is reported
    only if every file of it has come, which one random history in a hundred has.
    """
    played = play(tmp_path / "home", domain, 170 if domain == "investor" else 3, SPRING)
    assert played.oracle.wrong() == []
    if domain == "investor":
        assert ("profit", "month", date(2026, 4, 1)) in played.oracle.reports.told
    if domain == "ecommerce":
        assert played.site.ask("select distinct baseline from gold.data_anomalies order by 1") == [
            ("level",),
            ("none",),
            ("weekday",),
        ]
