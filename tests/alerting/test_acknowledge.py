"""`ops alerts ack`, with a pager that answers."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from ops_project import catalog
from ops_project.cli import cli
from ops_project.model.signal import FIRING, OK, Signal
from ops_project.runtime.cycle import open_ledger, run_once
from ops_project.settings import Settings
from tests.channels.http import http_server

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
        failure = Signal("run.failure", FIRING, NOW, NOW, "r1", 1.0, domain="ecommerce", pipeline="master_pipeline",
                         labels={"scheduled": "true"}, message="boom")  # fmt: skip
        open_ledger(settings).append([failure])
        run_once(settings, catalog.load(settings), NOW, observers=(), hurry=True)

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
    ledger.append([Signal("run.failure", OK, later, later, "r2", 0.0, domain="ecommerce", pipeline="master_pipeline",
                          labels={"scheduled": "true"})])  # fmt: skip
    run_once(ops.settings, catalog.load(ops.settings), later, observers=(), hurry=True)
    assert "alert 1 is resolved" in ops("alerts", "ack", "1", code=1)
