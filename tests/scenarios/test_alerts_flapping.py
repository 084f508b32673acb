"""A check that alternates between failing and passing."""

from datetime import timedelta

GRAPH = {"bronze/orders": {}}
CHECK = {"asset": "bronze/orders", "check": "rows"}
FIRING = "owners email > ecommerce-data@example.com: firing Check rows of bronze/orders failed"
RESOLVED = "owners email > ecommerce-data@example.com: resolved Check rows of bronze/orders failed"


def test_a_check_that_flaps_every_minute_is_told_once(world):
    day = world(graph=GRAPH)
    for _ in range(60):
        day.fails("check.failure", **CHECK)
        day.advance("1m")
        day.recovers("check.failure", **CHECK)
        day.advance("1m")
    day.expect_to("owners", FIRING)


def test_a_check_that_flaps_slowly_is_held_after_the_second_time(world):
    day = world(graph=GRAPH)
    for _ in range(8):
        day.fails("check.failure", **CHECK)
        day.advance("10m")
        day.recovers("check.failure", **CHECK)
        day.advance("10m")
    lines = [n.payload["status"] for n in day.inbox if n.channel.startswith("owners")]
    assert lines.count("firing") <= 3
    day.forget_others()
    day.advance("40m")
    day.expect_to("owners", RESOLVED)


def test_failing_and_repaired_within_the_groups_wait_is_never_told(world):
    day = world(graph=GRAPH)
    day.fails("check.failure", **CHECK)
    day.advance("20s")
    day.recovers("check.failure", **CHECK)
    day.advance("1h")
    day.expect_silence()


def test_the_same_failure_again_and_again_is_repeated_every_four_hours(world):
    day = world(graph=GRAPH)
    for _ in range(10):
        day.fails("check.failure", **CHECK)
        day.advance("50m", step=timedelta(minutes=1))
    day.expect_to("owners", FIRING, FIRING, FIRING)
