"""The first response fits the failure, not only the rule that reported it: a truncated file has no failing rows."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from ops_project.model.alerting.rule import FirstResponse

GRAPH = {"bronze/policies": {}, "silver/rec_policy_sequence_gaps": {}}
CLASSES = {
    "source_missing": ("source-arrival", "ops run"),
    "source_late": ("source-arrival", "ops feed list"),
    "source_empty": ("source-arrival", "ops feed check FILE"),
    "source_partial": ("source-arrival", "ops feed check FILE"),
    "source_duplicate": ("source-arrival", "ops.batches where feed = 'policies'"),
    "schema_mismatch": ("schema-mismatch", "from ops.findings where feed = 'policies' and kind = 'schema_mismatch'"),
    "data_invalid": (
        "data-quality",
        "feed = 'policies' group by refused.file_name, column_name, kind, load_seq order by load_seq desc",
    ),
    "key_violation": ("key-violation", "from bronze.policies where"),
    "reference_violation": ("data-quality", "ops run"),
    "volume_anomaly": ("anomaly", "ops.batches where feed = 'policies'"),
    "value_anomaly": ("anomaly", "ops alerts verdict 1 false-positive"),
    "reconciliation_break": ("reconciliation", "ops reconcile --source SOURCE --target bronze.policies"),
}


def _told(day):
    day.advance("5m")
    [told] = {alert["number"]: alert for message in day.inbox for alert in message.payload["alerts"]}.values()
    return told


@pytest.mark.parametrize("kind", ["check.failure", "check.warning"])
@pytest.mark.parametrize("failure_class", CLASSES)
def test_a_check_asks_for_what_its_failure_class_needs(world, kind, failure_class):
    day = world(graph=GRAPH)
    day.fails(kind, asset="bronze/policies", check="arrival", failure_class=failure_class)
    told = _told(day)
    runbook, command = CLASSES[failure_class]
    assert told["runbook"] == runbook and command in told["response"]
    assert "failing rows" not in told["response"]


def test_a_gap_in_a_stream_of_changes_is_asked_for_at_the_source(world):
    day = world(graph=GRAPH)
    day.fails(
        "check.failure", asset="silver/rec_policy_sequence_gaps", check="cdc_gaps", failure_class="source_partial"
    )
    assert "send the missing rows" in _told(day)["response"]


def test_rows_that_fail_in_no_feed_are_looked_at_where_the_rule_says(world):
    day = world(graph=GRAPH)
    day.fails("check.failure", asset="silver/rec_policy_sequence_gaps", check="in_range", failure_class="data_invalid")
    told = _told(day)
    assert "failing rows" in told["response"] and told["runbook"] == "data-quality"


def test_a_file_that_came_twice_needs_no_comparing(world):
    day = world(graph=GRAPH)
    labels = {"finding": "source_duplicate", "feed": "policies"}
    day.fails(
        "landing.finding",
        asset="bronze/policies",
        check="source_duplicate",
        failure_class="source_duplicate",
        labels=labels,
    )
    assert _told(day)["response"].startswith("There is nothing to repair")


def test_a_rule_about_one_thing_keeps_its_own_words(world):
    day = world(graph=GRAPH)
    day.fails("asset.failure", asset="bronze/policies", failure_class="data_invalid")
    assert _told(day)["response"].startswith("Open the run at the failed step")


@pytest.mark.parametrize(
    ("text", "said"),
    [("look at {row}", "valid: table, feed, check, number, file, chain, date"), ("{", "as text twice")],
)
def test_a_field_that_nobody_fills_in_is_refused(text, said):
    with pytest.raises(ValidationError, match=said):
        FirstResponse(response=text)


def test_the_file_of_the_alert_is_named_as_it_lies_in_the_archive(world):
    day = world(graph=GRAPH)
    labels = {"finding": "schema_mismatch", "feed": "policies", "archived": "/archive/a b/0123_policies.csv"}
    day.fails("landing.finding", asset="bronze/policies", failure_class="schema_mismatch", labels=labels)
    assert "`ops feed check '/archive/a b/0123_policies.csv' --feed policies`" in _told(day)["response"]


@pytest.mark.parametrize(
    ("dates", "command"),
    [
        ({"dates": "2026-03-02", "partition": "2026-03-02"}, "`ops reconcile policies --date 2026-03-02`"),
        ({"dates": "2026-03-01,2026-03-02"}, "`ops reconcile policies`"),
        ({}, "`ops reconcile policies`"),
    ],
)
def test_a_reconciliation_names_its_chain_and_its_date(world, dates, command):
    day = world(graph=GRAPH)
    day.fails(
        "reconciliation.break",
        asset="bronze/policies",
        check="reconciliation_policies",
        failure_class="reconciliation_break",
        labels=dates,
    )
    assert command in _told(day)["response"]
