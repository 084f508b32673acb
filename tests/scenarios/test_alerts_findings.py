"""What is wrong with a file is in the alert's first line: a repeated key is not called late, nor a bug a bad delivery."""

from __future__ import annotations

import pytest

GRAPH = {"bronze/policies": {}}
SAYS = {
    "source_missing": "File of policies did not arrive",
    "source_empty": "File of policies arrived empty",
    "schema_mismatch": "The columns of the file of policies differ from its contract",
    "data_invalid": "File of policies has content that its contract refuses",
    "source_late": "File of policies arrived late",
    "source_duplicate": "File of policies arrived twice",
    "source_partial": "File of policies arrived incomplete",
    "key_violation": "Keys are repeated in a file of policies",
    "code_error": "File of policies could not be landed",
    "config_error": "File of policies could not be landed",
    "resource_exhausted": "File of policies could not be landed",
    "storage_full": "File of policies could not be landed",
}


def _found(day, finding):
    labels = {"finding": finding, "feed": "policies"}
    day.fails("landing.finding", asset="bronze/policies", check=finding, failure_class=finding, labels=labels)


@pytest.mark.parametrize("finding", SAYS)
def test_one_alert_for_each_finding_and_it_says_what_is_wrong(world, finding):
    day = world(graph=GRAPH)
    _found(day, finding)
    day.advance("5s")
    assert day.open() == [SAYS[finding]]


def test_a_repeated_key_and_the_checks_that_read_it_are_one_problem(world):
    day = world(graph=GRAPH)
    _found(day, "key_violation")
    for check in ("duplicate_keys", "quarantined_rows"):
        day.fails("check.warning", asset="bronze/policies", check=check)
    day.advance("5m")
    told = {alert["summary"] for message in day.inbox for alert in message.payload["alerts"]}
    assert told == {SAYS["key_violation"]}


def test_a_file_that_came_short_is_not_told_again_as_old_and_as_few_rows(world):
    day = world(graph=GRAPH)
    for check in ("arrival", "freshness", "volume"):
        day.fails("check.failure", asset="bronze/policies", check=check)
    day.reads("freshness.state", 1.0, asset="bronze/policies")
    day.advance("5m")
    told = {alert["summary"] for message in day.inbox for alert in message.payload["alerts"]}
    assert told == {"Check arrival of bronze/policies failed"}


def test_what_has_become_very_stale_is_paged_although_its_file_is_known_to_be_missing(world):
    day = world(graph=GRAPH)
    _found(day, "source_missing")
    day.reads("freshness.state", 2.0, asset="bronze/policies")
    day.advance("5m")
    told = {alert["summary"] for message in day.inbox for alert in message.payload["alerts"]}
    assert told == {SAYS["source_missing"], "bronze/policies is very stale: last built more than 48 h ago"}


def test_bad_rows_and_their_rate_are_one_problem(world):
    day = world(graph=GRAPH)
    day.fails("landing.error_rate", value=19.0, total=57.0, asset="bronze/policies")
    day.fails("check.failure", asset="bronze/policies", check="quarantined_rows")
    day.advance("5m")
    assert sorted(day.open()) == [
        "Check quarantined_rows of bronze/policies failed",
        "Too many bad rows in bronze/policies",
    ]
    told = {alert["summary"] for message in day.inbox for alert in message.payload["alerts"]}
    assert told == {"Check quarantined_rows of bronze/policies failed"}
