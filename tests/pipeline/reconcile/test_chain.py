"""Chains: a break is reported once, at the hop that made it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import duckdb
import pytest
from click.testing import CliRunner, Result

from ops_project.cli import cli
from ops_project.defs.shared.reconciliation import evaluate
from ops_project.defs.shared.site import Site
from ops_project.model.reconciliation import Reconciliation
from ops_project.pipeline.reconcile import ReconcileError
from ops_project.pipeline.reconcile.chain import hop_by_hop
from ops_project.pipeline.reconcile.classify import BreakReason, KeyClass, describe
from tests.pipeline.reconcile.chains import reconcile

CHAIN = Reconciliation.model_validate(
    {
        "title": "Policies",
        "domain": "insurance",
        "key": ["policy_id"],
        "measures": {"premium_amount": {"column": "premium"}},
        "compare": ["region"],
        "count": {"name": "policy_count"},
        "date_column": "business_date",
        "nodes": [
            {
                "name": "source",
                "feed": "policies",
                "columns": {"business_date": "cast(business_date as date)"},
            },
            {"name": "raw", "table": "bronze.policies"},
            {
                "name": "ods",
                "table": "silver.ods",
                "columns": {"premium": "premium_eur"},
                "where": "not is_deleted",
            },
            {
                "name": "kpi",
                "table": "gold.kpi",
                "grain": ["business_date", "region"],
                "rows_column": "policy_count",
            },
        ],
    }
)
DAY = "2026-01-05"
LINES = [("p1", "100.00", "n"), ("p2", "200.00", "n"), ("p3", "300.00", "s"), ("p4", "-1.00", "s")]


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse whose chain agrees. Landing refused policy p4."""
    file = tmp_path / "policies.csv"
    file.write_text("policy_id,premium,region,business_date\n" + "".join(f"{p},{v},{r},{DAY}\n" for p, v, r in LINES))
    with duckdb.connect() as c:
        c.execute("create schema ops; create schema bronze; create schema silver; create schema gold")
        c.execute(
            "create table ops.batches (batch_id varchar, feed varchar, archive_path varchar, status varchar,"
            " business_date date, load_seq bigint, part varchar)"
        )
        c.execute("insert into ops.batches values ('b1', 'policies', ?, 'loaded', ?, 1, null)", [file.name, DAY])
        c.execute("create table ops.quarantine (batch_id varchar, feed varchar, raw_text varchar)")
        c.execute("insert into ops.quarantine values ('b1', 'policies', 'p4,-1.00,s,2026-01-05')")
        c.execute(
            "create table bronze.policies as select policy_id, premium::decimal(12,2) as premium, region,"
            f" business_date::date as business_date from read_csv('{file}', all_varchar = true) where policy_id <> 'p4'"
        )
        c.execute(
            "create table silver.ods as select * rename (premium as premium_eur), false as is_deleted from bronze.policies"
        )
        c.execute(
            "create table gold.kpi as select business_date, region, count(*) as policy_count,"
            " sum(premium_eur) as premium from silver.ods group by all"
        )
        yield c


def test_a_chain_that_agrees_and_a_refused_row_that_explains(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    result = reconcile(warehouse, "policies", CHAIN, archive=tmp_path, days=[date.fromisoformat(DAY)])
    assert [(hop.source, hop.target, hop.is_break) for hop in result.hops] == [
        ("source", "raw", False),
        ("raw", "ods", False),
        ("ods", "kpi", False),
    ]
    refused = result.hops[0].explained(KeyClass.QUARANTINED)
    assert refused is not None
    assert (refused.keys, refused.net["premium_amount"]) == (1, Decimal("-1.00"))
    assert [total.name for total in result.hops[2].totals][:4] == [
        "groups",
        "distinct keys",
        "rows without key",
        "policy_count",
    ]


def test_a_premium_changed_at_one_hop_is_found_at_that_hop_with_its_key(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    warehouse.execute("update silver.ods set premium_eur = premium_eur + 0.5 where policy_id = 'p2'")
    warehouse.execute("update gold.kpi set premium = premium + 0.5 where region = 'n'")
    result = reconcile(warehouse, "policies", CHAIN, archive=tmp_path)
    assert [hop.is_break for hop in result.hops] == [False, True, False]
    (first,) = result.first_hops
    assert (first.source, first.target, first.key_class, first.keys) == ("raw", "ods", KeyClass.CHANGED, 1)
    assert first.samples == [{"policy_id": "p2"}]
    assert first.absolute == {"premium_amount": Decimal("0.50")}


def test_a_key_that_differs_twice_is_told_at_the_first_hop(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    warehouse.execute("update bronze.policies set premium = 150 where policy_id = 'p1'")
    result = reconcile(warehouse, "policies", CHAIN, archive=tmp_path)
    assert [(f.source, f.key_class) for f in result.first_hops] == [
        ("source", KeyClass.CHANGED),
    ], "bronze differs from source and from ods, and the second is no first"
    assert [hop.is_break for hop in result.hops] == [True, True, False]


def test_offsetting_errors_inside_the_aggregate(warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    warehouse.execute("update gold.kpi set premium = premium + case region when 'n' then 5 else -5 end")
    result = reconcile(warehouse, "policies", CHAIN, archive=tmp_path)
    hop = result.hops[-1]
    assert hop.total("premium_amount").difference == 0
    assert BreakReason.OFFSETTING in hop.reasons
    assert hop.differing_keys == 2


def test_a_date_without_a_source_file_says_so(warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with pytest.raises(ReconcileError, match="feed 'policies' has no landed file for 2026-01-06"):
        reconcile(warehouse, "policies", CHAIN, archive=tmp_path, days=[date(2026, 1, 6)])


def test_a_table_that_does_not_exist_is_named(warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    warehouse.execute("drop table silver.ods")
    with pytest.raises(ReconcileError, match=r"silver\.ods"):
        reconcile(warehouse, "policies", CHAIN, archive=tmp_path)


def test_the_result_is_plain_data(warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    from ops_project.cli.output import plain
    from ops_project.cli.reconcile import as_data

    result = reconcile(warehouse, "policies", CHAIN, archive=tmp_path)
    data = json.loads(json.dumps(as_data(result), default=plain))
    assert data["hops"][0]["classes"][0]["explains"] == {"premium_amount": "-1.00"}
    assert data["is_break"] is False


def test_a_node_that_says_how_it_comes_from_the_one_before(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    counted = CHAIN.nodes[-1].model_copy(
        update={
            "from_previous": "select business_date, region, count(*) as policy_count, max(premium) as premium"
            " from {rows} group by all"
        }
    )
    chain = CHAIN.model_copy(update={"nodes": (CHAIN.nodes[-2], counted)})
    (hop,) = reconcile(warehouse, "policies", chain, archive=tmp_path).hops
    changed = hop.explained(KeyClass.CHANGED)
    assert changed is not None
    assert (changed.keys, changed.net["premium_amount"]) == (1, Decimal("-100.00"))
    (none,) = reconcile(warehouse, "policies", chain, archive=tmp_path, days=[date(2026, 1, 6)]).hops
    assert none.total("policy_count").source == 0


def test_what_is_shipped_is_read() -> None:
    from ops_project import catalog
    from ops_project.settings import Settings

    shipped = catalog.load(Settings.load()).reconciliations.reconciliations
    assert [node.name for node in shipped["policies"].nodes] == [
        "source",
        "bronze.policies",
        "silver.ods_policies",
        "silver.fact_policies",
        "gold.kpi_policies",
    ]
    assert {m.tolerance.absolute for m in shipped["policies"].measures.values()} == {1000}


@pytest.mark.parametrize("key", [["policy_id"], ["policy_id", "business_date"]])
def test_a_break_says_which_business_dates_it_is_about(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path, key: list[str]
) -> None:
    other = "2026-01-06"
    warehouse.execute("insert into bronze.policies values ('p9', 1.00, 'n', ?)", [other])
    warehouse.execute("insert into silver.ods values ('p9', 1.00, 'n', ?, false)", [other])
    warehouse.execute("insert into gold.kpi values (?, 'n', 1, 1.00)", [other])
    chain = CHAIN.model_copy(update={"key": tuple(key)})
    agree, *_ = reconcile(warehouse, "policies", chain, archive=tmp_path, days=[date.fromisoformat(DAY)]).hops
    assert agree.dates == ()
    warehouse.execute("update silver.ods set premium_eur = premium_eur + 0.5 where policy_id = 'p9'")
    _, ods, kpi = reconcile(warehouse, "policies", chain, archive=tmp_path).hops
    assert (ods.dates, kpi.dates) == ((other,), (other,))
    assert f"raw → ods on {other}: " in describe(ods)
    warehouse.execute("delete from silver.ods where policy_id = 'p1'")
    _, ods, kpi = reconcile(warehouse, "policies", chain, archive=tmp_path).hops
    assert (ods.dates, kpi.dates) == ((DAY, other), (DAY, other))


def test_a_chain_without_a_date_column_breaks_without_dates(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    warehouse.execute("update silver.ods set premium_eur = premium_eur + 0.5 where policy_id = 'p2'")
    chain = CHAIN.model_copy(update={"date_column": None})
    hop = reconcile(warehouse, "policies", chain, archive=tmp_path).hops[1]
    assert hop.is_break and hop.dates == ()


def test_without_a_name_the_configured_chains_are_listed(tmp_path: Path) -> None:
    def ask(*words: str) -> Result:
        return CliRunner().invoke(cli, ["--home", str(tmp_path), "reconcile", *words])

    listed = ask()
    assert listed.exit_code == 0 and "policies" in listed.stdout and "source" in listed.stdout
    found = {row["name"]: row for row in json.loads(ask("--json").stdout)}
    assert found["policies"]["hops"][0] == "source" and found["policies"]["domain"] == "insurance"
    assert ask("--date", "2026-01-05").exit_code == 2
    assert "--source, --target and --key" in ask("--source", "a.csv").stderr


def test_the_result_up_to_a_hop_is_that_of_the_hops_before_it(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    warehouse.execute("update silver.ods set premium_eur = premium_eur + 50 where policy_id = 'p1'")
    names = [node.name for node in CHAIN.nodes[1:]]
    each = list(hop_by_hop(warehouse, "policies", CHAIN, archive=tmp_path))
    assert [result.hops[-1].target for result in each] == names
    assert each == [
        reconcile(warehouse, "policies", CHAIN.model_copy(update={"nodes": CHAIN.nodes[:number]}), archive=tmp_path)
        for number in range(2, len(CHAIN.nodes) + 1)
    ]
    assert [result.is_break for result in each] == [False, True, True]


def test_checks_before_a_table_that_cannot_be_read_have_their_result(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    warehouse.execute("drop table silver.ods")
    site = cast(Site, SimpleNamespace(settings=SimpleNamespace(archive=tmp_path)))
    chain = CHAIN.model_copy(update={"date_column": None})
    now = datetime(2026, 1, 6, tzinfo=UTC)
    found = {key.asset_key.path[-1]: said for key, said in evaluate(site, {"policies": chain}, warehouse, now)}
    assert [(name, said["metadata"]["status"]) for name, said in found.items()] == [
        ("policies", "ok"),
        ("ods", "unknown"),
        ("kpi", "unknown"),
    ]
    assert found["kpi"]["description"] == found["ods"]["description"]
    assert "policies could not be reconciled: " in found["kpi"]["description"]
