"""The commands of the alert path, as an operator uses them. The commands of silences have their own module,
`test_silence_commands.py`.
"""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from click.testing import CliRunner

from ops_project import catalog
from ops_project.cli import cli
from ops_project.model.alerting.matcher import Matcher
from ops_project.model.alerting.signal import FIRING, Signal
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.ledger import open_ledger
from ops_project.settings import Settings
from tests.operations.alerting.conftest import NOW


def test_list_and_show_tell_what_is_open_whom_it_was_told_and_why(ops):
    [alert] = ops("alerts", "list", "--json")
    assert (alert["number"], alert["severity"], alert["owners"]) == (1, "high", ["team:ecommerce-analytics"])
    shown = ops("alerts", "show", "1", "--json")
    assert [event["reason"] for event in shown["timeline"]][:2] == ["condition_true", "held_long_enough"]
    assert {m["recipient"] for m in shown["messages"]} == {"team:ecommerce-analytics", ""}, (
        "the terminal has no address"
    )
    assert "boom" in ops("alerts", "show", "1")
    assert "Messages" in ops("alerts", "show", "1")
    assert "gold/daily_revenue was not built" in ops("alerts", "list")
    assert "there is no alert 9" in ops("alerts", "show", "9", code=1)


def test_a_list_without_a_row_says_so_and_prints_no_heads_of_columns(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "environ", os.environ.copy())
    open_ledger(Settings.load(home=tmp_path))
    for words, said in (
        (("alerts", "outbox"), "No message."),
        (("alerts", "outbox", "--state", "dead"), "No message is dead."),
        (("alerts", "precision"), "No alert has fired yet."),
    ):
        assert CliRunner().invoke(cli, ["--home", str(tmp_path), *words]).output.splitlines()[0] == said


def test_an_alert_of_which_nobody_was_told_shows_no_empty_table_of_messages(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "environ", os.environ.copy())
    settings = Settings.load(home=tmp_path)
    ledger = open_ledger(settings)
    ledger.append(
        [Signal("asset.failure", FIRING, NOW, NOW, "r1", 1.0, domain="ecommerce", asset="gold/daily_revenue")]
    )
    ledger.add_silence(
        [Matcher("asset", "=", "gold/daily_revenue")],
        starts_at=NOW,
        ends_at=NOW + timedelta(hours=2),
        owner="engineer-a",
        reason="the table moves",
        now=NOW,
    )
    run_once(settings, catalog.load(settings), NOW, observers=(), flush_now=True)
    said = CliRunner().invoke(cli, ["--home", str(tmp_path), "--as-of", NOW.isoformat(), "alerts", "show", "1"]).output
    assert "Messages" not in said
    assert "It is silent: " in said


def test_a_verdict_is_kept_and_counts(ops):
    assert ops("alerts", "precision", "--json")[0]["precision"] is None
    ops("alerts", "verdict", "1", "false-positive", "--why", "planned reload", "--by", "engineer-a")
    assert ops("alerts", "show", "1", "--json")["verdict"]["why"] == "planned reload"
    assert ops("alerts", "precision", "--json")[0]["precision"] == 0.0


@pytest.mark.parametrize(
    ("words", "at", "receivers"),
    [
        (
            ["--severity", "critical", "--domain", "ecommerce"],
            "2026-12-25T10:00:00-05:00",
            {"on-call", "data-team", "webhook"},
        ),
        (["--severity", "high", "--domain", "ecommerce"], "2026-12-25T10:00:00-05:00", {"digest"}),
        (["--severity", "high", "--domain", "ecommerce"], "2026-12-16T10:00:00-05:00", {"owners", "data-team"}),
        (["--severity", "low"], "2026-12-16T10:00:00-05:00", {"digest"}),
        (["--rule", "high_churn_risk"], "2026-12-16T10:00:00-05:00", {"business-team", "owners", "data-team"}),
    ],
)
def test_explain_says_where_an_alert_goes_at_a_time(ops, monkeypatch, words, at, receivers):
    for name in ("OPS_SMTP_HOST", "OPS_SLACK_TOKEN", "OPS_PAGERDUTY_ROUTING_KEY", "OPS_WEBHOOK_URL"):
        monkeypatch.setenv(name, "https://example.com/hook" if name.endswith("URL") else "x")
    answer = ops("route", "explain", *words, "--at", at, "--json")
    assert {t["receiver"] for t in answer["targets"] if t["told_at"]} == receivers
    assert all(t["why"] for t in answer["targets"] if not t["told_at"])
    assert all(step["matched"] or "but" in step["why"] for step in answer["steps"])


@pytest.mark.parametrize(
    ("at", "receiver", "why"),
    [
        ("2026-12-16T10:00:00-05:00", "digest", "sends only at certain times: holidays"),
        ("2026-12-25T10:00:00-05:00", "owners", "is quiet at certain times: holidays"),
    ],
)
def test_explain_says_of_its_times_when_a_route_sends(ops, monkeypatch, at, receiver, why):
    """On a working day, people read `outside active time: holidays` as: today is a holiday."""
    monkeypatch.setenv("OPS_SMTP_HOST", "mail.example")
    answer = ops("route", "explain", "--severity", "high", "--at", at, "--json")
    assert why in {target["why"] for target in answer["targets"] if target["receiver"] == receiver}


def test_lint_names_what_is_left_out_and_fails_on_a_mistake(ops, tmp_path):
    answer = ops("rules", "lint", "--json")
    assert answer["mistakes"] == [] and any("OPS_SMTP_HOST" in warning for warning in answer["warnings"])
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    (overlay / "routes.yaml").write_text("route: {receiver: nowhere}\n")
    failed = ops("--config", str(overlay), "rules", "lint", "--json", code=1)
    assert "receiver 'nowhere' does not exist" in failed["mistakes"][0]


def test_cycle_and_outbox(ops):
    report = ops("cycle", "--json")
    assert report["skipped"] == "" and report["observer_errors"] == {}
    assert ops("alerts", "outbox", "--json")["counts"]["possible_duplicates"] == 0
    assert ops("rules", "list", "--json")[0]["rule"] == "job_failure"
    assert 'severity="critical"' in ops("route", "export")


def test_a_list_is_filtered_before_it_is_cut_and_says_that_it_was(ops, tmp_path):
    settings = Settings.load(home=tmp_path)
    ledger = open_ledger(settings)
    later = NOW + timedelta(minutes=1)
    page = Signal("quality.score", "ok", NOW, NOW, "s", 41.0, domain="ecommerce", asset="gold/old")
    many = [
        Signal("asset.failure", FIRING, later, later, f"n{n}", 1.0, domain="ecommerce", asset=f"gold/t{n:03d}")
        for n in range(101)
    ]
    ledger.append([page])
    run_once(settings, catalog.load(settings), NOW, observers=())
    ledger.append(many)
    run_once(settings, catalog.load(settings), later, observers=())
    [critical] = ops("alerts", "list", "--severity", "critical", "--json")
    assert critical["asset"] == "gold/old"
    assert len(ops("alerts", "list", "--json")) == 100
    assert "The 100 newest of" in ops("alerts", "list", "--limit", "100")


def test_every_list_that_is_cut_says_so(ops, tmp_path):
    settings = Settings.load(home=tmp_path)
    ledger = open_ledger(settings)
    ledger.append(
        [
            Signal("run.failure", FIRING, NOW, NOW, name, 1.0, pipeline=name, labels={"scheduled": "true"})
            for name in ("insurance_pipeline", "streaming_pipeline")
        ]
    )
    run_once(settings, catalog.load(settings), NOW, observers=(), flush_now=True)
    for number in ("1", "2"):
        ops("incidents", "ack", number, "--by", "engineer-a")
    for words in (("incidents", "list"), ("incidents", "list", "--all"), ("incidents", "audit"), ("alerts", "outbox")):
        assert "The 1 newest of" in ops(*words, "--limit", "1"), words
        assert len(ops(*words, "--limit", "1000", "--json")) > 1
        assert "newest of" not in ops(*words, "--limit", "1000"), words


def test_an_alert_that_nothing_closes_is_closed_by_hand_and_its_end_is_told(ops, tmp_path):
    [alert] = ops("alerts", "list", "--json")
    number = str(alert["number"])
    assert "Missing option '--why'" in ops("alerts", "resolve", number, code=2)
    assert "--why is empty" in ops("alerts", "resolve", number, "--why", " ", code=2)
    assert "there is no alert 99" in ops("alerts", "resolve", "99", "--why", "gone", code=1)
    [done] = ops("alerts", "resolve", number, "--why", "the table is retired", "--by", "engineer-a", "--json")
    assert done["closed"]
    assert ops("alerts", "list", "--json") == []
    shown = ops("alerts", "show", number, "--json")
    assert [(e["reason"], e["detail"]) for e in shown["timeline"]][-1] == (
        "resolved_by_hand",
        "engineer-a: the table is retired",
    )
    assert "is resolved already" in ops("alerts", "resolve", number, "--why", "again", code=1)
    settings = Settings.load(home=tmp_path)
    run_once(settings, catalog.load(settings), NOW + timedelta(minutes=10), observers=())
    messages = ops("alerts", "show", number, "--json")["messages"]
    assert "all_resolved" in {message["reason"] for message in messages}
    assert open_ledger(settings).alerts("open") == []
