"""The commands about silences, as an operator uses them."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg
import pytest

from ops_project.dagster_bridge.asset_graph import lineage_of
from ops_project.lineage import AssetFacts, Lineage
from ops_project.operations.ledger import lineage_document as lineage_kept
from ops_project.operations.ledger import open_ledger
from ops_project.settings import Settings
from tests.operations.alerting.conftest import NOW


def test_a_silence_is_added_listed_and_ended(ops):
    made = ops(
        "silence",
        "add",
        'asset="gold/daily_revenue"',
        "--for",
        "2h",
        "--reason",
        "reload",
        "--owner",
        "engineer-a",
        "--json",
    )
    assert made["ends_at"] == (NOW + timedelta(hours=2)).isoformat()
    assert [s["number"] for s in ops("silence", "list", "--json")] == [1]
    explained = ops("route", "explain", "--asset", "gold/daily_revenue", "--rule", "asset_failure", "--json")
    assert explained["quiet"]["reason"] == "silenced"
    ops("silence", "expire", "1")
    assert ops("silence", "list", "--json") == []
    assert "no silence 1" in ops("silence", "expire", "1", code=1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["asset=x", "--for", "8d", "--owner", "engineer-a"], "at most 7d"),
        (["asset=x", "--for", "soon", "--owner", "engineer-a"], "not a duration"),
        (["asset=x", "--for", "1h", "--owner", "nobody"], "nobody could be reminded"),
        (["asset", "--for", "1h", "--owner", "engineer-a"], "is not a matcher"),
        (['asset=~".*"', "--for", "1h", "--owner", "engineer-a"], "match every alert"),
    ],
)
def test_a_silence_that_cannot_be_is_refused(ops, words, said):
    assert said in ops("silence", "add", *words, "--reason", "r", code=2)


def test_a_silence_is_seen_at_once_and_says_what_it_silences(ops):
    add = ["--for", "2h", "--reason", "reload", "--owner", "engineer-a"]
    made = ops("silence", "add", "asset=gold/daily_revenue", *add, "--json")
    assert made["alerts"] == [1]
    [alert] = ops("alerts", "list", "--json")
    assert alert["silent"].startswith("silence 1 of engineer-a, until 2026-03-04 17:00")
    assert ops("alerts", "show", "1", "--json")["silent"] == alert["silent"]
    assert "silence 1 of engineer-a" in ops("alerts", "show", "1")
    ops("silence", "expire", "1", at=NOW + timedelta(minutes=1))
    assert ops("alerts", "list", "--json", at=NOW + timedelta(minutes=1))[0]["silent"] == ""
    assert "silences 1 firing alert: #1." in ops("silence", "add", "severity=high", *add)
    assert "matches no alert that fires now" in ops("silence", "add", "severity=critical", *add)


def test_a_silence_that_ended_is_not_shown_because_the_last_cycle_saw_it(ops):
    ops("silence", "add", "asset=gold/daily_revenue", "--for", "2h", "--reason", "r", "--owner", "engineer-a")
    ops("cycle", "--json", at=NOW + timedelta(minutes=1))
    assert ops("alerts", "list", "--json", at=NOW + timedelta(minutes=2))[0]["silent"] != ""
    assert ops("alerts", "list", "--json", at=NOW + timedelta(hours=3))[0]["silent"] == ""


GRAPH = Lineage.of(
    [
        AssetFacts("bronze/orders", layer="bronze", tier="1"),
        AssetFacts("gold/daily_revenue", ("bronze/orders",), layer="gold", tier="1"),
    ],
    ["master_pipeline", "insurance_reconciliation_hourly"],
)


@pytest.mark.parametrize(
    ("matcher", "said"),
    [
        ("asset=bronze/ordrs", "there is no asset 'bronze/ordrs'; nearest: bronze/orders"),
        ("severity=high asset!=bronze/ordrs", "there is no asset 'bronze/ordrs'"),
        ("asset=daily_revenue", "write asset='gold/daily_revenue'"),
        ("domain=ecomerce", "nearest: ecommerce"),
        ("alertname=asset_falure", "nearest: asset_failure"),
        ("severity=urgent", "valid: critical, high, low, medium"),
        ('severity=~"hihg|medium"', "there is no severity 'hihg'; nearest: high"),
        ('asset=~"golden/.*"', "fits no asset that exists"),
        ("owner=engineer-a", "write owner='engineer.a@example.com'"),
        ("owner=team:ecommerce-dta", "nearest: team:ecommerce-data"),
        ("pipeline=master_pipelin", "nearest: master_pipeline"),
        ("aset=gold/daily_revenue", "no alert has a label 'aset'; nearest: asset"),
    ],
)
def test_a_silence_of_what_does_not_exist_is_refused_with_the_nearest_that_does(ops, tmp_path, matcher, said):
    lineage_kept.remember(open_ledger(Settings.load(home=tmp_path)), GRAPH, NOW)
    refused = ops("silence", "add", *matcher.split(), "--for", "1h", "--reason", "r", "--owner", "engineer-a", code=2)
    assert said in " ".join(refused.split())
    assert ops("silence", "list", "--json") == []


@pytest.mark.parametrize(
    "matchers",
    [
        "asset=gold/daily_revenue",
        'asset=~"gold/.*"',
        'asset=~"bronze/orders|gold/daily_revenue"',
        "check=anything",
        'severity!="low" asset=~gold/.*',
        "owner=team:ecommerce-analytics",
        'domain=~"ecom.*"',
        "pipeline=insurance_reconciliation_hourly",
        "pipeline=insurance_pipeline",
    ],
)
def test_a_silence_of_what_exists_is_taken(ops, tmp_path, matchers):
    lineage_kept.remember(open_ledger(Settings.load(home=tmp_path)), GRAPH, NOW)
    ops("silence", "add", *matchers.split(), "--for", "1h", "--reason", "r", "--owner", "engineer-a")


def test_every_job_of_the_code_location_is_known_also_one_that_builds_nothing(ops, tmp_path):
    @dg.op
    def look() -> None: ...

    @dg.job
    def hourly_look():
        look()

    @dg.asset(key=["gold", "daily_revenue"])
    def revenue() -> None: ...

    made = dg.Definitions(assets=[revenue], jobs=[hourly_look, dg.define_asset_job("gold_aggregation", [revenue])])
    ledger = open_ledger(Settings.load(home=tmp_path))
    lineage_kept.remember(ledger, lineage_of(made), NOW)
    assert lineage_kept.recall(ledger) == lineage_of(made)
    add = ["--for", "1h", "--reason", "r", "--owner", "engineer-a"]
    for job in ("hourly_look", "gold_aggregation", "master_pipeline"):
        ops("silence", "add", f"pipeline={job}", *add)
    assert "nearest: hourly_look" in ops("silence", "add", "pipeline=hourly_lok", *add, code=2)


def test_where_no_jobs_were_kept_any_pipeline_is_taken(ops, tmp_path):
    earlier = [{"key": "gold/daily_revenue", "upstream": [], "jobs": []}]
    open_ledger(Settings.load(home=tmp_path)).put_document(lineage_kept.DOCUMENT, earlier, "earlier", NOW)
    ops("silence", "add", "pipeline=quality_checks", "--for", "1h", "--reason", "r", "--owner", "engineer-a")
    assert Lineage.parse(earlier).assets == {"gold/daily_revenue": AssetFacts("gold/daily_revenue")}


def test_a_route_is_explained_only_for_what_the_last_cycle_saw(ops, tmp_path):
    assert ops("route", "explain", "--asset", "gold/any", "--json"), "nothing is known before the first cycle"
    facts = [AssetFacts("gold/daily_revenue", domain="ecommerce")]
    lineage_kept.remember(open_ledger(Settings.load(home=tmp_path)), Lineage.of(facts, jobs=["ecommerce_daily"]), NOW)
    assert ops("route", "explain", "--asset", "gold/daily_revenue", "--pipeline", "ecommerce_daily", "--json")
    refused = ops("route", "explain", "--asset", "gold/daily_revenu", code=2)
    assert "did you mean gold/daily_revenue" in refused
    assert "ecommerce_daily" in ops("route", "explain", "--pipeline", "ecommerce_dayly", code=2)
