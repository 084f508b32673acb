"""Silences, maintenance windows, holidays and the digest."""

from datetime import timedelta

GRAPH = {
    "bronze/orders": {},
    "bronze/other": {},
    "gold/kpi_aggregate_profit": {"domain": "investor", "owners": ["team:investor-metrics"]},
}
MINUTE = timedelta(minutes=1)
JOB = {"pipeline": "master_pipeline", "domain": "ecommerce", "labels": {"scheduled": "true"}}
CHECK = {"asset": "bronze/orders", "check": "rows"}
FAILED = "firing Scheduled job master_pipeline failed"


def test_a_silence_holds_its_owner_is_reminded_and_what_still_fires_is_told_after_it(world):
    day = world(graph=GRAPH)
    day.silence('asset="bronze/orders"', hours=3, owner="engineer-b", reason="reload of orders")
    day.fails("check.failure", **CHECK)
    day.advance("1h", MINUTE)
    day.expect_silence()
    day.advance("1h", MINUTE)
    notice = day.expect_to(
        "data-team/0", "data-team file > engineer-b: [silence] number 1 ends at 2026-03-04 18:00 UTC"
    )
    assert "reload of orders" in notice[0].payload["text"]
    day.forget_others()
    day.advance("1h10m", MINUTE)
    day.expect_to("owners", "owners email > ecommerce-data@example.com: firing Check rows of bronze/orders failed")


def test_the_resolve_of_what_was_told_before_passes_through_a_silence(world):
    day = world(graph=GRAPH)
    day.fails("check.failure", **CHECK)
    day.advance("1m")
    day.forget_others()
    day.silence('asset="bronze/orders"', hours=5)
    day.advance("10m")
    day.expect_silence()
    day.recovers("check.failure", **CHECK)
    day.advance("10m")
    day.expect_to("owners", "owners email > ecommerce-data@example.com: resolved Check rows of bronze/orders failed")


def test_a_silence_for_one_asset_leaves_the_other_heard(world):
    day = world(graph=GRAPH)
    day.silence('asset="bronze/orders"', hours=3)
    day.fails("check.failure", **CHECK)
    day.fails("check.failure", asset="bronze/other", check="rows")
    day.advance("1m")
    day.expect_to("owners", "owners email > ecommerce-data@example.com: firing Check rows of bronze/other failed")


def test_weekly_maintenance_sunday_one_to_two_in_new_york_is_silent_and_ends_to_the_minute(world):
    night = world(at="2026-03-15 00:59", graph=GRAPH)
    night.wait_until("2026-03-15 01:05")
    night.fails("run.failure", **JOB)
    night.wait_until("2026-03-15 01:59")
    night.expect_silence()
    night.advance("2m")
    night.expect_to("on-call/2", f"on-call pagerduty > : {FAILED}")


def test_monthly_maintenance_is_the_first_sunday_from_midnight(world):
    night = world(at="2026-04-05 00:05", graph=GRAPH)
    night.fails("run.failure", **JOB)
    night.wait_until("2026-04-05 01:59")
    night.expect_silence()
    night.advance("2m")
    night.expect_to("on-call/2", f"on-call pagerduty > : {FAILED}")


def test_the_second_sunday_has_no_monthly_maintenance(world):
    night = world(at="2026-04-12 00:05", graph=GRAPH)
    night.fails("run.failure", **JOB)
    night.advance("10s")
    night.expect_to("on-call/2", f"on-call pagerduty > : {FAILED}")


def test_on_a_holiday_high_waits_for_the_digest_and_critical_pages(world):
    thanksgiving = world(at="2026-11-26 03:00", graph=GRAPH)
    thanksgiving.fails("check.failure", **CHECK)
    thanksgiving.wait_until("2026-11-26 08:29")
    thanksgiving.expect_silence()
    thanksgiving.advance("2m")
    thanksgiving.expect(
        "digest file > : firing Check rows of bronze/orders failed",
        "digest email > data-team@example.com: firing Check rows of bronze/orders failed",
    )
    thanksgiving.fails("run.failure", **JOB)
    thanksgiving.advance("5s")
    thanksgiving.expect_to("on-call/2", f"on-call pagerduty > : {FAILED}")


def test_after_the_holiday_what_still_fires_is_told_to_its_owner(world):
    thanksgiving = world(at="2026-11-26 09:00", graph=GRAPH)
    thanksgiving.fails("check.failure", **CHECK)
    thanksgiving.wait_until("2026-11-26 23:59")
    thanksgiving.expect_silence()
    thanksgiving.wait_until("2026-11-27 00:06")
    thanksgiving.expect_to(
        "owners", "owners email > ecommerce-data@example.com: firing Check rows of bronze/orders failed"
    )


def test_on_a_holiday_an_sla_at_risk_does_not_wait(world):
    thanksgiving = world(at="2026-11-26 07:20", graph=GRAPH)
    thanksgiving.fails(
        "sla.at_risk",
        pipeline="investor_pipeline",
        domain="investor",
        check="investor-metrics",
        owners=("team:investor-metrics",),
        labels={"sla": "investor-metrics"},
    )
    thanksgiving.advance("31s")
    thanksgiving.expect_to(
        "owners", "owners email > investor-metrics@example.com: firing investor-metrics will be late"
    )


def test_on_a_holiday_what_endangers_an_sla_does_not_wait_either(world):
    thanksgiving = world(at="2026-11-26 07:20", graph=GRAPH)
    thanksgiving.fails("asset.failure", asset="gold/kpi_aggregate_profit")
    thanksgiving.advance("1m")
    thanksgiving.expect_silence()
    thanksgiving.fails(
        "sla.at_risk",
        pipeline="investor_pipeline",
        domain="investor",
        check="investor-metrics",
        owners=("team:investor-metrics",),
        labels={"sla": "investor-metrics"},
    )
    thanksgiving.advance("31s")
    thanksgiving.expect_to(
        "owners",
        "owners email > investor-metrics@example.com: firing investor-metrics will be late",
        "owners email > investor-metrics@example.com: firing gold/kpi_aggregate_profit was not built",
    )


def test_low_is_told_once_a_day_in_the_digest_and_again_the_next_day_while_it_lasts(world):
    day = world(at="2026-03-04 10:00", graph=GRAPH)
    day.reads("resource.queue_length", 30.0)
    day.wait_until("2026-03-04 10:10")
    day.reads("resource.queue_length", 30.0)
    day.wait_until("2026-03-05 08:29")
    day.expect_silence()
    day.wait_until("2026-03-05 08:31")
    digest = "digest email > data-team@example.com: firing 30 runs wait in the queue"
    day.expect_to("digest/1", digest)
    day.wait_until("2026-03-06 08:31", timedelta(minutes=5))
    day.expect_to("digest/1", digest)


def test_the_digest_keeps_its_hour_over_the_change_of_the_clocks(world):
    day = world(at="2026-03-07 20:00", graph=GRAPH)
    day.reads("resource.queue_length", 30.0)
    day.wait_until("2026-03-08 08:29")
    day.expect_silence()
    day.wait_until("2026-03-08 08:31")
    day.expect_to("digest/1", "digest email > data-team@example.com: firing 30 runs wait in the queue")
