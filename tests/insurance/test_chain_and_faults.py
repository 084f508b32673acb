"""Policies from empty home to KPIs in whole runs; each error of a hop is found at that hop, with its keys."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ops_project.pipeline.warehouse import snapshots
from ops_project.settings import Settings
from tests.scenarios import homes, runbooks
from tests.scenarios.verdicts import failures, last_checks

pytestmark = pytest.mark.xdist_group("domain_runs")


def simulate(settings: Settings, *words: str) -> None:
    ended = homes.ops(settings, "simulate", "--domain", "insurance", "--scale", "0.1", *words).wait()
    assert ended.code == 0, ended.output + ended.errors


def run(settings: Settings) -> None:
    homes.ops(settings, "run", "--domain", "insurance").wait()


@pytest.fixture(scope="module")
def done(policies_done: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return homes.copy(policies_done, tmp_path_factory.mktemp("insurance") / "home")


def test_every_hop_agrees_and_the_kpis_are_those_of_the_files(done: Settings) -> None:
    assert failures(done) == {}
    agreed = {key for key, said in last_checks(done).items() if key[1].startswith("reconciliation_") and said.passed}
    assert agreed == {
        ("bronze/policies", "reconciliation_policy_changes"),
        ("bronze/policies", "reconciliation_policies"),
        ("silver/ods_policies", "reconciliation_policies"),
        ("silver/fact_policies", "reconciliation_policies"),
        ("gold/kpi_policies", "reconciliation_policies"),
    }
    files = sorted(str(path) for path in done.archive.rglob("*policies_*.csv"))
    with snapshots.open(snapshots.newest(done)) as warehouse:
        shown = warehouse.execute(
            "select sum(policy_count), sum(premium_amount) from gold.kpi_policies"
            " where business_date = (select max(business_date) from gold.kpi_policies)"
        ).fetchall()
    import duckdb

    known = duckdb.execute(
        "select count(*), sum(premium::decimal(12,2)) from (select *, row_number() over (partition by policy_id order by"
        " cdc_seq::bigint desc) as place from read_csv(?, all_varchar = true))"
        " where place = 1 and op <> 'D' and policy_status = 'active'",
        [files],
    ).fetchall()
    assert shown == known


def test_the_command_tells_every_hop_of_the_real_chain(done: Settings) -> None:
    ended = homes.ops(done, "reconcile", "policies", "--json").wait()
    assert ended.code == 0, ended.errors
    told = json.loads(ended.output)
    assert [hop["target"] for hop in told["hops"]] == [
        "bronze.policies",
        "silver.ods_policies",
        "silver.fact_policies",
        "gold.kpi_policies",
    ]


@pytest.mark.parametrize(
    ("fault", "hop"),
    [("premium_changed_ods", "silver.ods_policies"), ("offsetting_errors", "silver.fact_policies")],
)
def test_an_error_of_a_hop_is_found_there_by_check_and_command(
    done: Settings, tmp_path: Path, fault: str, hop: str
) -> None:
    home = homes.copy(done, tmp_path / "home")
    simulate(home, "--days", "1", "--end", "2026-03-04", "--fault", fault)
    run(home)
    (key,) = failures(home)
    assert key == (hop.replace(".", "/"), "reconciliation_policies")
    assert failures(home)[key] == "reconciliation_break"
    truth = json.loads(home.truth.read_text())
    done_to = json.dumps(truth)
    ended = homes.ops(home, "reconcile", "policies", "--json").wait()
    assert ended.code == 1
    first = json.loads(ended.output)["first_hops"]
    assert {item["hop"].split(" → ")[1] for item in first} == {hop}
    assert all(sample["policy_id"] in done_to for item in first for sample in item["samples"])
    if fault in runbooks.STORIES:
        runbooks.follow(home, fault, hop.replace(".", "/"))


def test_lost_changes_and_negative_premiums_are_told_apart(done: Settings, tmp_path: Path) -> None:
    home = homes.copy(done, tmp_path / "home")
    simulate(
        home,
        "--days",
        "2",
        "--end",
        "2026-03-05",
        "--fault",
        "cdc_gap@2026-03-05",
        "--fault",
        "negative_premium@2026-03-04",
    )
    later = Settings(home=home.home, as_of=homes.NOW.replace(day=6))
    run(later)
    found = failures(later)
    assert found[("bronze/policies", "cdc_gaps")] == "source_partial"
    assert not [key for key in found if key[1].startswith("reconciliation_")], "refused rows explain the difference"
    with snapshots.open(snapshots.newest(later)) as warehouse:
        gaps = dict(
            warehouse.execute(
                "select gap_class, sum(missing_changes) from silver.rec_policy_sequence_gaps group by 1"
            ).fetchall()
        )
    assert gaps["lost_changes"] == 7
    assert gaps["quarantined"] > 0
    runbooks.follow(later, "cdc_gap", "bronze/policies")
