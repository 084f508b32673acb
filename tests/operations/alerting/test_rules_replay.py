"""A healthy month sends nothing but its daily success; a changed rule shows what it adds and removes."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from ops_project import catalog
from ops_project.cli import cli
from ops_project.lineage import Lineage
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.alerting.decide.rules_replay import compare, replay
from ops_project.operations.alerting.engine_config import alert_config
from ops_project.operations.ledger import Ledger
from ops_project.settings import CONFIG_DIR, Settings

END = datetime(2026, 4, 1, 12, tzinfo=UTC)
TABLES = [f"gold/t{n}" for n in range(6)]


def night(day: datetime, bad: dict | None = None) -> list[Signal]:
    """All signals of one nightly run: builds, checks, scores, freshness, its own success, readings by day."""
    bad = bad or {}
    at = day.replace(hour=7, minute=30)
    common = {
        "domain": "ecommerce",
        "pipeline": "master_pipeline",
        "run_id": f"run-{day:%Y%m%d}",
        "owners": ("team:ecommerce-data",),
    }
    made = []
    for n, table in enumerate(TABLES):
        when = at + timedelta(seconds=n)
        for kind in ("asset.failure", "check.failure", "check.warning", "check.crash"):
            check = "rows" if kind.startswith("check") else ""
            made.append(Signal(kind, OK, when, when, f"{day}", 0.0, asset=table, check=check, **common))
        made.append(Signal("freshness.state", OK, when, when, f"{day}", 0.0, asset=table, **common))
        score = bad.get(table, 97.0)
        made.append(Signal("quality.score", OK, when, when, f"{day}", score, asset=table, **common))
        made.append(Signal("landing.error_rate", OK, when, when, f"{day}", 1.0, 1000.0, asset=table, **common))
    ended = at + timedelta(minutes=5)
    made.append(
        Signal("run.duration_ratio", OK, ended, ended, f"{day}", 1.05, domain="ecommerce", pipeline="master_pipeline")
    )
    made.append(Signal("run.failure", OK, ended, ended, f"{day}", 0.0, labels={"scheduled": "true"}, **common))
    made.append(Signal("run.outcome", OK, ended, ended, f"{day}", 0.0, 1.0, **common))
    for hour in range(24):
        when = day.replace(hour=0) + timedelta(hours=hour)
        made += [
            Signal("resource.disk_percent", OK, when, when, f"{when}", 55.0, check="home"),
            Signal("resource.queue_length", OK, when, when, f"{when}", 0.0),
            Signal("resource.cpu_percent", OK, when, when, f"{when}", 20.0, pipeline="master_pipeline"),
        ]
    return sorted(made, key=lambda s: s.event_at)


def month(bad: dict[int, dict] | None = None) -> list[Signal]:
    first = END.replace(hour=0) - timedelta(days=30)
    made = [s for n in range(30) for s in night(first + timedelta(days=n), (bad or {}).get(n))]
    return sorted(made, key=lambda s: s.event_at)


@pytest.fixture
def config(tmp_path):
    settings = Settings.load(home=tmp_path / "home")
    return replace(alert_config(settings, catalog.load(settings), Lineage()), unconfigured=frozenset())


def test_a_healthy_month_sends_nothing_but_its_daily_success(config):
    told = replay(month(), config, END)
    assert {(t.status, t.page) for t in told} == {("success", False)}
    by_channel = [t for t in told if t.channel == "data-team/2-email"]
    assert len(by_channel) == 30
    assert len({t.summary for t in by_channel}) == 30


def test_a_bad_night_in_the_month_is_told_once_and_resolved(config):
    told = [
        t
        for t in replay(month({10: {"gold/t3": 80.0}}), config, END)
        if t.status != "success" and t.channel == "owners/0-email"
    ]
    low = "Quality score of gold/t3 is 80, below 85"
    # An alert of severity high repeats every four hours until the score of the next night.
    assert {t.summary for t in told} == {low}
    assert [t.status for t in told] == ["firing"] * 6 + ["resolved"]


def test_what_a_change_adds_and_removes(config):
    signals = month({10: {"gold/t3": 80.0}, 20: {"gold/t4": 60.0}})
    stricter = config.rules["quality_score_stops"]
    condition = stricter.any[0].model_copy(update={"threshold": 82.0})
    changed = replace(
        config, rules={**config.rules, "quality_score_stops": stricter.model_copy(update={"any": (condition,)})}
    )
    changes = compare(replay(signals, config, END), replay(signals, changed, END))
    pages = [c for c in changes if c.page and c.channel == "on-call/2-pagerduty"]
    assert [(c.summary, c.before, c.after > 0) for c in pages] == [
        ("Quality score of gold/t3 is 80, below 70: everything downstream is stopped", 0, True)
    ]
    removed = [c for c in changes if c.after == 0 and c.channel == "owners/0-email"]
    assert [c.summary for c in removed] == ["Quality score of gold/t3 is 80, below 85"] * len(removed) != []


def test_the_command_compares_the_shipped_rules_with_a_folder_of_new_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "environ", os.environ.copy())
    home = tmp_path / "home"
    settings = Settings.load(home=home)
    with Ledger.open(settings.ledger_url) as ledger:
        ledger.append(month({10: {"gold/t3": 80.0}}))
    new = tmp_path / "new"
    new.mkdir()
    rules = (CONFIG_DIR / "rules.yaml").read_text().replace("threshold: 70}", "threshold: 82}")
    (new / "rules.yaml").write_text(rules)
    run = CliRunner().invoke(
        cli,
        [
            "--home",
            str(home),
            "--as-of",
            END.isoformat(),
            "rules",
            "replay",
            "--days",
            "30",
            "--new",
            str(new),
            "--json",
        ],
    )
    assert run.exit_code == 0, run.output
    answer = json.loads(run.output)
    assert answer["added"]["pages"] == answer["pages_after"] and answer["removed"]["pages"] == 0
    told = (
        CliRunner()
        .invoke(cli, ["--home", str(home), "--as-of", END.isoformat(), "rules", "replay", "--config", str(new)])
        .output
    )
    pages = [line for line in told.splitlines() if line.startswith("added") and " page " in line]
    assert len(pages) == 1 and "Quality score of gold/t3 is 80" in pages[0], told
    assert "on-call (file, console, pagerduty left out, email left out)" in pages[0]
    assert "left out, but counted above: on-call/2-pagerduty: OPS_PAGERDUTY_ROUTING_KEY is not set" in told
    assert answer["left_out"]["on-call/2-pagerduty"] == "OPS_PAGERDUTY_ROUTING_KEY is not set"
    assert f"{answer['pages_after']} pages (+{answer['added']['pages']} −0)" in told
    assert answer["pages"] == 0 and answer["pages_after"] > 0
    assert {c["after"] > 0 for c in answer["changes"] if c["page"]} == {True}


def test_a_channel_that_the_deciding_process_can_use_is_not_called_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "environ", os.environ.copy())
    settings = Settings.load(home=tmp_path)
    at = END - timedelta(hours=1)
    failed = Signal("run.failure", FIRING, at, at, "r1", 1.0, pipeline="acme", labels={"scheduled": "true"})
    with Ledger.open(settings.ledger_url) as ledger:
        ledger.append([failed])
    asked = ["--home", str(tmp_path), "--as-of", END.isoformat(), "rules", "replay"]
    assert "pagerduty left out" in CliRunner().invoke(cli, asked).output
    monkeypatch.setenv("OPS_PAGERDUTY_ROUTING_KEY", "k" * 32)
    run_once(settings, catalog.load(settings), END, observers=(), daemon=True)
    monkeypatch.delenv("OPS_PAGERDUTY_ROUTING_KEY")
    said = CliRunner().invoke(cli, asked).output
    assert "pagerduty" in said and "pagerduty left out" not in said
