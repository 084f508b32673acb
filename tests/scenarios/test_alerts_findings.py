"""The first line of an alert about a file says what is wrong: a repeated key is not called late, and a bug is not
called a bad delivery.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

GRAPH = {"bronze/policies": {}}
SAYS = {
    "source_missing": "File of policies did not arrive",
    "source_empty": "File of policies arrived empty",
    "schema_mismatch": "The columns of the file of policies differ from its contract",
    "data_invalid": "File of policies has content that its contract refuses",
    "source_late": "File of policies arrived late",
    "source_duplicate": "File of policies arrived again",
    "source_partial": "File of policies arrived incomplete",
    "key_violation": "Keys are repeated in a file of policies",
    "code_error": "File of policies could not be landed",
    "config_error": "File of policies could not be landed",
    "resource_exhausted": "File of policies could not be landed",
    "storage_full": "File of policies could not be landed",
}


def _found(day, finding, **fields):
    labels = {"finding": finding, "feed": "policies"}
    day.fails("landing.finding", asset="bronze/policies", check=finding, failure_class=finding, labels=labels, **fields)


def _of(finding, date):
    """The title of an alert about one delivery. Two deliveries of a feed are distinguished by their dates."""
    return f"{SAYS[finding]}: {date}"


@pytest.mark.parametrize("finding", SAYS)
def test_one_alert_for_each_finding_and_it_says_what_is_wrong(world, finding):
    day = world(graph=GRAPH)
    _found(day, finding)
    day.advance("5s")
    assert day.open() == [SAYS[finding]]


@pytest.mark.parametrize("finding", sorted(set(SAYS) - {"source_missing"}))
def test_the_same_fault_of_two_deliveries_is_two_titles(world, finding):
    day = world(graph=GRAPH)
    for date in ("2026-03-01", "2026-03-03"):
        _found(day, finding, partition=date)
    day.advance("5s")
    assert sorted(day.open()) == [_of(finding, "2026-03-01"), _of(finding, "2026-03-03")]


def test_a_repeated_key_and_the_checks_that_read_it_are_one_problem(world):
    day = world(graph=GRAPH)
    _found(day, "key_violation")
    for check in ("duplicate_keys", "quarantined_rows"):
        day.fails("check.warning", asset="bronze/policies", check=check)
    day.advance("5m")
    told = {alert["summary"] for message in day.inbox for alert in message.payload["alerts"]}
    assert told == {SAYS["key_violation"]}


@pytest.mark.parametrize("finding", ["source_missing", "source_empty", "source_partial", "schema_mismatch"])
@pytest.mark.parametrize("date", ["", "2026-03-03"])
def test_what_is_wrong_with_the_file_is_told_and_not_that_a_check_has_seen_it(world, finding, date):
    day = world(graph=GRAPH)
    day.fails("check.failure", asset="bronze/policies", check="arrival", failure_class=finding)
    _found(day, finding, partition=date, message="the control file says 532, the file has 319")
    day.advance("5m")
    told = {alert["summary"]: alert for message in day.inbox for alert in message.payload["alerts"]}
    title = _of(finding, date) if date else SAYS[finding]
    assert set(told) == {title}
    assert told[title]["message"] == "the control file says 532, the file has 319"
    assert told[title]["severity"] == "high", "as severe as the check that it speaks for"


def test_two_files_with_two_faults_are_two_alerts_and_the_check_that_counts_them_is_none(world):
    day = world(graph=GRAPH)
    day.fails("check.failure", asset="bronze/policies", check="arrival", failure_class="source_missing")
    _found(day, "source_missing", partition="2026-03-01")
    _found(day, "source_partial", partition="2026-03-03")
    day.advance("5m")
    told = {alert["summary"] for message in day.inbox for alert in message.payload["alerts"]}
    assert told == {_of("source_missing", "2026-03-01"), _of("source_partial", "2026-03-03")}


@pytest.mark.parametrize(("date", "told"), [("2026-03-14", True), ("2026-03-04", False)])
def test_a_file_that_never_came_does_not_hide_what_is_wrong_with_a_file_of_another_date(world, date, told):
    day = world(at="2026-03-04 06:00", graph=GRAPH)
    _found(day, "source_missing", partition="2026-03-04")
    day.advance("10m")
    day.acknowledge(1)
    day.advance("10d", timedelta(hours=1))
    day.forget_others()
    labels = {"partition": date, "dates": date}
    day.fails(
        "check.failure", asset="bronze/policies", check="arrival", failure_class="source_duplicate", labels=labels
    )
    _found(day, "source_duplicate", partition=date)
    day.advance("10m")
    mailed = {a["summary"] for n in day.inbox if n.channel == "data-team/2-email" for a in n.payload["alerts"]}
    assert mailed == ({"Check arrival of bronze/policies failed"} if told else set())


def test_a_week_without_a_file_is_one_alert_with_its_days(world):
    day = world(graph=GRAPH)
    for date in ("2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04"):
        _found(day, "source_missing", partition=date)
    day.advance("5m")
    [told] = {alert["number"]: alert for message in day.inbox for alert in message.payload["alerts"]}.values()
    assert told["summary"] == "Files of policies did not arrive: 4 dates from 2026-03-01 to 2026-03-04"
    assert told["labels"]["dates"] == "2026-03-01,2026-03-02,2026-03-03,2026-03-04" and told["partition"] == ""
    for date in ("2026-03-04", "2026-03-02"):
        day.recovers("landing.finding", asset="bronze/policies", check="source_missing", partition=date)
        day.advance("1m")
    assert day.open() == ["Files of policies did not arrive: 2026-03-01, 2026-03-03"]
    day.recovers("landing.finding", asset="bronze/policies", check="source_missing", partition="2026-03-01")
    day.advance("1m")
    assert day.open() == [_of("source_missing", "2026-03-03")]
    assert next(iter(day.state.alerts.values())).labels["partition"] == "2026-03-03"
    day.forget_others()
    day.recovers("landing.finding", asset="bronze/policies", check="source_missing", partition="2026-03-03")
    day.advance("10m")
    assert day.open() == []
    assert {alert["status"] for message in day.inbox for alert in message.payload["alerts"]} == {"resolved"}


def test_a_further_day_is_told_although_somebody_knows_of_the_first(world):
    day = world(graph=GRAPH)
    _found(day, "source_missing", partition="2026-03-03")
    day.advance("10m")
    day.acknowledge(1)
    day.advance("8h", timedelta(minutes=10))
    day.forget_others()
    _found(day, "source_missing", partition="2026-03-13")
    day.advance("1m")
    told = [alert for message in day.inbox for alert in message.payload["alerts"]]
    assert {alert["summary"] for alert in told} == {"Files of policies did not arrive: 2026-03-03, 2026-03-13"}
    assert len(told) == len({(m.channel, m.recipient) for m in day.inbox}), "once to each"
    assert {alert["acknowledged"] for alert in told} == {""}
    day.forget_others()
    day.advance("30m", timedelta(minutes=1))
    day.expect_silence()


def test_a_feed_that_fails_again_names_only_the_new_day(world):
    day = world(graph=GRAPH)
    _found(day, "source_missing", partition="2026-03-03")
    day.advance("10m")
    day.recovers("landing.finding", asset="bronze/policies", check="source_missing", partition="2026-03-03")
    day.advance("20s")
    _found(day, "source_missing", partition="2026-03-04")
    day.advance("10m")
    [alert] = [alert for alert in day.state.alerts.values() if alert.status == "firing"]
    assert alert.labels["dates"] == "2026-03-04"


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
