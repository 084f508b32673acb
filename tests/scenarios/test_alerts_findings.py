"""What is wrong with a file is in the alert's first line: a repeated key is not called late, nor a bug a bad delivery."""

from __future__ import annotations

import pytest

GRAPH = {"bronze/policies": {}}
SAYS = {
    "source_missing": "File of policies did not arrive as its contract says",
    "source_empty": "File of policies did not arrive as its contract says",
    "schema_mismatch": "File of policies did not arrive as its contract says",
    "data_invalid": "File of policies did not arrive as its contract says",
    "source_late": "File of policies arrived late, twice or incomplete",
    "source_duplicate": "File of policies arrived late, twice or incomplete",
    "source_partial": "File of policies arrived late, twice or incomplete",
    "key_violation": "Keys stand twice in a file of policies",
    "code_error": "File of policies could not be landed",
    "config_error": "File of policies could not be landed",
    "resource_exhausted": "File of policies could not be landed",
    "storage_full": "File of policies could not be landed",
}


@pytest.mark.parametrize("finding", SAYS)
def test_one_alert_for_each_finding_and_it_says_what_is_wrong(world, finding):
    day = world(graph=GRAPH)
    day.fails(
        "landing.finding", asset="bronze/policies", check=finding, labels={"finding": finding, "feed": "policies"}
    )
    day.advance("5s")
    assert day.open() == [SAYS[finding]]


def test_a_repeated_key_and_the_checks_that_read_it_are_one_problem(world):
    day = world(graph=GRAPH)
    labels = {"finding": "key_violation", "feed": "policies"}
    day.fails("landing.finding", asset="bronze/policies", check="key_violation", labels=labels)
    for check in ("duplicate_keys", "quarantined_rows"):
        day.fails("check.warning", asset="bronze/policies", check=check)
    day.advance("5m")
    told = {alert["summary"] for message in day.inbox for alert in message.payload["alerts"]}
    assert told == {SAYS["key_violation"]}
