"""A scheduled job fails at night."""

import pytest

ORDERS = {
    "bronze/orders": {},
    "silver/fact_orders": {"from": ["bronze/orders"]},
    "gold/daily_revenue": {"from": ["silver/fact_orders"], "owners": ["team:ecommerce-analytics"]},
}
JOB = {
    "pipeline": "master_pipeline",
    "domain": "ecommerce",
    "labels": {"scheduled": "true"},
    "owners": ("team:ecommerce-data",),
}
FAILED = "firing Scheduled job master_pipeline failed"
REPAIRED = "resolved Scheduled job master_pipeline failed"


def test_a_scheduled_job_fails_the_person_on_call_is_paged_and_the_team_told(world):
    night = world(at="2026-03-04 02:10", graph=ORDERS)
    night.fails("run.failure", **JOB)
    night.advance("1s")
    night.expect_silence()
    night.advance("2s")
    night.expect(
        f"on-call file > engineer-a: {FAILED}",
        f"on-call console > : {FAILED}",
        f"on-call pagerduty > : {FAILED}",
        f"on-call email > engineer.a@example.com: {FAILED}",
        f"data-team file > team:ecommerce-data: {FAILED}",
        f"data-team console > : {FAILED}",
        f"data-team email > data-team@example.com: {FAILED}",
        f"data-team slack > : {FAILED}",
    )
    night.advance("50m")
    night.expect_silence()

    night.recovers("run.failure", pipeline="master_pipeline", domain="ecommerce")
    night.advance("10s")
    night.expect_to("on-call/2", f"on-call pagerduty > : {REPAIRED}")
    night.expect_to(
        "on-call",
        *(f"on-call {c}: {REPAIRED}" for c in ("file > engineer-a", "console > ", "email > engineer.a@example.com")),
    )
    night.forget_others()
    night.advance("5h")
    night.expect_silence()


def test_a_page_that_nobody_repairs_comes_again_after_an_hour_and_not_before(world):
    night = world(at="2026-03-04 02:10", graph=ORDERS)
    night.fails("run.failure", **JOB)
    night.advance("59m")
    night.expect_to("on-call/2", f"on-call pagerduty > : {FAILED}")
    night.advance("2m")
    night.expect_to("on-call/2", f"on-call pagerduty > : {FAILED}")


def test_a_job_started_by_hand_that_fails_pages_nobody(world):
    day = world(graph=ORDERS)
    day.fails("run.failure", **{**JOB, "labels": {"scheduled": "false"}})
    day.advance("10m")
    day.expect_to("on-call")
    assert day.open() == ["Job master_pipeline, started by hand, failed"]


def test_a_success_by_hand_repairs_the_scheduled_failure(world):
    night = world(at="2026-03-04 02:10", graph=ORDERS)
    night.fails("run.failure", **JOB)
    night.advance("1m")
    night.recovers("run.failure", pipeline="master_pipeline", domain="ecommerce", labels={"scheduled": "false"})
    night.advance("1m")
    assert night.open() == []


def test_the_terminal_says_an_alert_of_two_owners_once_and_names_both(world):
    day = world(graph={"bronze/a": {"owners": ["team:ecommerce-data", "team:marketing-data"]}})
    day.fails("asset.failure", asset="bronze/a")
    day.advance("31s")
    told = [n for n in day.inbox if n.channel == "data-team/1-console"]
    assert [n.payload["to"] for n in told] == [["E-commerce Data (team)", "Marketing Data (team)"]]
    assert {n.recipient for n in day.inbox if n.channel == "data-team/0-file"} == {
        "team:ecommerce-data",
        "team:marketing-data",
    }, "the file keeps whom it was meant for"
    day.advance("30m")
    assert [n for n in day.inbox if n.channel == "data-team/1-console"] == told
    day.recovers("asset.failure", asset="bronze/a")
    day.advance("6m")
    after = [n for n in day.inbox if n.channel == "data-team/1-console"][1:]
    assert [[a["status"] for a in n.payload["alerts"]] for n in after] == [["resolved"]]


def test_each_owner_of_a_failed_asset_is_told_of_its_own_and_of_nothing_else(world):
    day = world(
        graph={"bronze/a": {"owners": ["team:ecommerce-data"]}, "bronze/b": {"owners": ["team:marketing-data"]}}
    )
    day.fails("asset.failure", asset="bronze/a")
    day.fails("asset.failure", asset="bronze/b")
    day.advance("31s")
    day.expect_to(
        "owners",
        "owners email > ecommerce-data@example.com: firing bronze/a was not built",
        "owners email > marketing-data@example.com: firing bronze/b was not built",
    )
    day.expect_to(
        "data-team/0",
        "data-team file > team:ecommerce-data: firing bronze/a was not built",
        "data-team file > team:marketing-data: firing bronze/b was not built",
    )


@pytest.mark.parametrize(
    ("owners", "told"),
    [
        (["team:data-engineering", "engineer-a"], ["engineer.a@example.com"]),
        (["engineer-a", "team:data-engineering"], ["engineer.a@example.com"]),
        (["team:infrastructure", "team:ecommerce-data"], ["infrastructure@example.com", "ecommerce-data@example.com"]),
        (["team:infrastructure"], ["infrastructure@example.com"]),
        (["team:data-engineering"], []),
    ],
)
def test_every_owner_is_told_whoever_stands_first_and_nobody_by_two_mails(world, owners, told):
    day = world(graph={"bronze/a": {"owners": owners}})
    for state, after in (("firing", "31s"), ("resolved", "6m")):
        (day.fails if state == "firing" else day.recovers)("asset.failure", asset="bronze/a")
        day.advance(after)
        mails = sorted(n.recipient for n in day.inbox if n.channel.endswith("-email"))
        assert mails == sorted([*told, "data-team@example.com"])
        day.forget_others()


def test_the_infrastructure_team_is_told_once_of_what_is_its_by_the_rule_and_by_the_owner(world):
    day = world()
    day.reads("resource.disk_percent", 95.0, check="home", owners=("team:infrastructure", "engineer-a"))
    day.advance("31s")
    mails = sorted((n.channel.partition("/")[0], n.recipient) for n in day.inbox if n.channel.endswith("-email"))
    assert mails == [
        ("data-team", "data-team@example.com"),
        ("infrastructure", "infrastructure@example.com"),
        ("owners", "engineer.a@example.com"),
    ]


def test_the_streaming_pipelines_recipients_of_s4(world):
    day = world(graph={"bronze/streams": {"domain": "streaming", "owners": ["team:streaming-data"]}})
    day.fails("run.failure", pipeline="streaming_pipeline", domain="streaming", labels={"scheduled": "true"})
    day.advance("5s")
    failed = "firing Scheduled job streaming_pipeline failed"
    day.expect_to(
        "pipeline-failures",
        f"pipeline-failures email > oncall@company.com: {failed}",
        f"pipeline-failures slack > : {failed}",
    )
    day.forget_others()
    day.recovers("run.failure", pipeline="streaming_pipeline", domain="streaming")
    day.advance("10m")
    day.forget_others()

    day.fails("landing.error_rate", value=60.0, total=1000.0, asset="bronze/streams")
    day.advance("31s")
    day.expect_to("data-quality", "data-quality slack > : firing Too many bad rows in bronze/streams")
    day.forget_others()
    day.reads(
        "run.duration_ratio", 1.21, pipeline="streaming_pipeline", domain="streaming", labels={"long_enough": "true"}
    )
    day.advance("31s")
    day.expect_to(
        "performance",
        "performance email > team@company.com: firing streaming_pipeline is slower than usual, or its store refuses requests",
    )


def test_an_asset_that_failed_in_one_job_is_repaired_by_another(world):
    day = world(graph=ORDERS)
    day.fails("asset.failure", asset="bronze/orders", pipeline="master_pipeline")
    day.advance("1m")
    day.recovers("asset.failure", asset="bronze/orders", pipeline="bronze_ingestion")
    day.advance("1m")
    assert day.open() == []
