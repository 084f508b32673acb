"""`ops alerts ack`, with a pager that answers."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta

import pytest
import yaml
from click.testing import CliRunner

from ops_project import catalog
from ops_project.cli import cli
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.ledger import open_ledger
from ops_project.settings import CONFIG_DIR, Settings
from tests.operations.channels.http import http_server

NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)


@pytest.fixture
def ops(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "environ", os.environ.copy())
    with http_server() as pager:
        pager.answers = [
            (202, lambda body: json.dumps({"status": "success", "dedup_key": body["dedup_key"]}).encode(), {})
        ] * 9
        monkeypatch.setenv("OPS_PAGERDUTY_ROUTING_KEY", "KEY")
        monkeypatch.setenv("OPS_PAGERDUTY_URL", pager.url)
        settings = Settings.load(home=tmp_path)
        failure = Signal(
            "run.failure",
            FIRING,
            NOW,
            NOW,
            "r1",
            1.0,
            domain="ecommerce",
            pipeline="master_pipeline",
            labels={"scheduled": "true"},
            message="boom",
        )
        open_ledger(settings).append([failure])
        run_once(settings, catalog.load(settings), NOW, observers=(), flush_now=True)

        def call(*words, code=0, at=NOW + timedelta(minutes=2)):
            done = CliRunner().invoke(cli, ["--home", str(tmp_path), "--as-of", at.isoformat(), *words])
            assert done.exit_code == code, done.output
            return json.loads(done.stdout) if "--json" in words else done.output

        call.pager, call.settings = pager, settings
        yield call


def test_the_command_acknowledges_at_pagerduty_and_everybody_sees_who(ops):
    assert "Alert 1 acknowledged by engineer-a" in ops("alerts", "ack", "1", "--by", "engineer-a", "--note", "on it")
    assert [body["event_action"] for _, _, body in ops.pager.requests] == ["trigger", "acknowledge"]
    assert len({body["dedup_key"] for _, _, body in ops.pager.requests}) == 1
    [alert] = ops("alerts", "list", "--json")
    assert alert["acknowledged"] == "by engineer-a, 2026-03-04 15:02 UTC: on it"
    assert "on it" in ops("alerts", "show", "1")
    assert "acknowledged" in [event["reason"] for event in ops("alerts", "show", "1", "--json")["timeline"]]

    again = ops("alerts", "ack", "1", "--by", "engineer-b", "--json")
    assert (again[0]["by"], again[0]["new"]) == ("engineer-a", False)
    assert len(ops.pager.requests) == 2, "once"


def test_what_is_not_open_cannot_be_acknowledged_and_then_nothing_is(ops):
    assert "there is no alert 9" in ops("alerts", "ack", "1", "9", code=1)
    assert ops("alerts", "list", "--json")[0]["acknowledged"] == ""
    ledger, later = open_ledger(ops.settings), NOW + timedelta(minutes=5)
    ledger.append(
        [
            Signal(
                "run.failure",
                OK,
                later,
                later,
                "r2",
                0.0,
                domain="ecommerce",
                pipeline="master_pipeline",
                labels={"scheduled": "true"},
            )
        ]
    )
    run_once(ops.settings, catalog.load(ops.settings), later, observers=(), flush_now=True)
    assert "alert 1 is resolved" in ops("alerts", "ack", "1", code=1)


OTHER = {"domain": "investor", "pipeline": "investor_pipeline", "labels": {"scheduled": "true"}}
ANSWER = (202, lambda body: json.dumps({"status": "success", "dedup_key": body["dedup_key"]}).encode(), {})


def _cycle(ops, at, overlay=None, **options):
    settings = Settings.load(home=ops.settings.home, overlay=overlay)
    run_once(settings, catalog.load(settings), at, observers=(), **options)


def _told(ops):
    return [body["event_action"] for _, _, body in ops.pager.requests]


@pytest.fixture
def shell(ops, monkeypatch):
    """The same home in a person's shell, which does not have the daemon's secrets."""

    def call(*words, **options):
        with monkeypatch.context() as without:
            without.delenv("OPS_PAGERDUTY_ROUTING_KEY")
            without.delenv("OPS_PAGERDUTY_URL")
            return ops(*words, **options)

    return call


def test_where_a_daemon_runs_only_the_word_is_kept_and_its_next_cycle_takes_it_up(ops):
    _cycle(ops, NOW + timedelta(minutes=1), daemon=True, clock=lambda: datetime.now(UTC))
    before = open_ledger(ops.settings).lease("cycle")
    assert "the daemon applies it within seconds" in ops("alerts", "ack", "1", "--by", "engineer-a")
    assert open_ledger(ops.settings).lease("cycle") == before and _told(ops) == ["trigger"]
    _cycle(ops, NOW + timedelta(minutes=2), daemon=True)
    assert _told(ops) == ["trigger", "acknowledge"]


@pytest.mark.parametrize("command", [("alerts", "ack", "2"), ("cycle",)])
def test_a_shell_without_the_secrets_loses_no_resolve_of_another_page(ops, shell, command):
    ledger, later = open_ledger(ops.settings), NOW + timedelta(minutes=10)
    ledger.append([Signal("run.failure", FIRING, NOW, NOW, "o1", 1.0, **OTHER)])
    _cycle(ops, NOW + timedelta(seconds=1), flush_now=True)
    assert _told(ops) == ["trigger", "trigger"]
    ledger.append(
        [
            Signal(
                "run.failure",
                OK,
                later,
                later,
                "r2",
                0.0,
                domain="ecommerce",
                pipeline="master_pipeline",
                labels={"scheduled": "true"},
            )
        ]
    )
    shell(*command, at=later)
    assert _told(ops) == ["trigger", "trigger"]
    for minute in range(11, 18):
        _cycle(ops, NOW + timedelta(minutes=minute))
    first = ops.pager.requests[0][2]["dedup_key"]
    after = [(body["event_action"], body["dedup_key"] == first) for _, _, body in ops.pager.requests[2:]]
    expected = [("resolve", True)] if command == ("cycle",) else [("acknowledge", False), ("resolve", True)]
    assert sorted(after) == expected
    assert not {a.number for a in ledger.alerts("resolved") if a.status == FIRING}


def test_an_acknowledgement_in_a_shell_without_the_secrets_costs_its_message_no_attempt(ops, shell):
    assert "PagerDuty" in shell("alerts", "ack", "1")
    [waiting] = open_ledger(ops.settings).outbox_list("pending", 9)
    assert (waiting["kind"], waiting["attempts"]) == ("acknowledge", 0)
    _cycle(ops, NOW + timedelta(minutes=3))
    assert _told(ops) == ["trigger", "acknowledge"]


def test_an_acknowledgement_without_the_overlay_ends_nothing_that_the_overlay_watches(ops, tmp_path):
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    rules = yaml.safe_load((CONFIG_DIR / "rules.yaml").read_text(encoding="utf-8"))
    rules["rules"]["acme"] = {
        "title": "{asset} is off",
        "any": [{"metric": "check.failure", "match": ['check="acme"']}],
        "severity": "high",
        "runbook": "data-quality",
        "response": "Call them.",
    }
    (overlay / "rules.yaml").write_text(yaml.safe_dump(rules, sort_keys=False), encoding="utf-8")
    ledger = open_ledger(ops.settings)
    ledger.append(
        [
            Signal(
                "check.failure",
                FIRING,
                NOW,
                NOW,
                "a1",
                1.0,
                asset="gold/a",
                check="acme",
                domain="ecommerce",
                owners=("team:ecommerce-data",),
            )
        ]
    )
    _cycle(ops, NOW + timedelta(seconds=1), overlay, flush_now=True)
    before = {a.number: a.status for a in ledger.alerts("open")}
    assert "acme" in {a.rule for a in ledger.alerts("open")}
    ops("alerts", "ack", "1")
    assert {a.number: a.status for a in ledger.alerts("open")} == before
    assert _told(ops) == ["trigger", "acknowledge"]


def test_a_shell_without_the_overlay_acknowledges_at_the_pagers_of_the_overlay_too(ops, tmp_path):
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    receivers = yaml.safe_load((CONFIG_DIR / "receivers.yaml").read_text(encoding="utf-8"))
    receivers["receivers"]["on-call"]["channels"].append({"type": "pagerduty"})
    (overlay / "receivers.yaml").write_text(yaml.safe_dump(receivers, sort_keys=False), encoding="utf-8")
    ledger, later = open_ledger(ops.settings), NOW + timedelta(minutes=1)
    ledger.append([Signal("run.failure", FIRING, later, later, "o1", 1.0, **OTHER)])
    _cycle(ops, later, overlay, flush_now=True)
    triggers = len(_told(ops))
    # The ledger records the configuration under which alerts are decided. It applies to a shell as well.
    assert ops("alerts", "ack", "2", "--json")[0]["left"] == ""
    assert _told(ops)[triggers:] == ["acknowledge", "acknowledge"]


def test_where_a_daemon_runs_a_cycle_by_hand_is_left_to_it(ops):
    _cycle(ops, NOW + timedelta(minutes=1), daemon=True, clock=lambda: datetime.now(UTC))
    assert "the daemon decides" in ops("cycle", "--json")["skipped"]


def test_a_page_that_is_retried_is_acknowledged_after_it(ops):
    ledger, later = open_ledger(ops.settings), NOW + timedelta(minutes=10)
    ops.pager.answers = [(500, b"{}", {}), *[ANSWER] * 5]
    ledger.append([Signal("run.failure", FIRING, later, later, "o1", 1.0, **OTHER)])
    _cycle(ops, later, flush_now=True)
    ledger.acknowledge(2, "engineer-a", "", later + timedelta(seconds=1))
    for second in range(1, 60, 2):
        _cycle(ops, later + timedelta(seconds=second))
    assert [body["event_action"] for _, _, body in ops.pager.accepted][1:] == ["trigger", "acknowledge"]
