"""`ops alerts show` says in one line why no message about an alert was sent."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from ops_project import catalog
from ops_project.cli import cli
from ops_project.lineage import AssetFacts, Lineage
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.ledger import open_ledger
from ops_project.settings import CONFIG_DIR, Settings

WORKDAY = datetime(2026, 3, 4, 15, tzinfo=UTC)
CHRISTMAS = datetime(2026, 12, 25, 15, tzinfo=UTC)
LATER = timedelta(seconds=40)
GRAPH = Lineage.of(
    AssetFacts(key, upstream=upstream, owners=("team:ecommerce-data",), domain="ecommerce", tier="1")
    for key, upstream in (("silver/fact_orders", ()), ("gold/daily_revenue", ("silver/fact_orders",)))
)


class Home:
    def __init__(self, folder: Path, overlay: Path | None = None) -> None:
        self.settings = Settings.load(home=folder, overlay=overlay)
        self.catalog = catalog.load(self.settings)

    def reads(self, state: str, at: datetime, kind: str = "asset.failure", cycle: bool = True, **fields: Any) -> None:
        named = {"asset": "gold/daily_revenue", "value": float(state == FIRING), **fields}
        signal = Signal(kind, state, at, at, at.isoformat(), domain="ecommerce", **named)
        open_ledger(self.settings).append([signal])
        if cycle:
            self.cycle(at)

    def cycle(self, at: datetime) -> None:
        run_once(self.settings, self.catalog, at, lineage=GRAPH, observers=())

    def ops(self, at: datetime, *words: str) -> str:
        done = CliRunner().invoke(cli, [*self.settings.options(), "--as-of", at.isoformat(), *words])
        assert done.exit_code == 0, done.output
        return done.stdout

    def why(self, at: datetime, alert: int = 1) -> str:
        shown: dict[str, Any] = json.loads(self.ops(at, "alerts", "show", str(alert), "--json"))
        words: str = shown["no_message_because"]
        assert bool(words) is not bool(shown["messages"])
        assert words in self.ops(at, "alerts", "show", str(alert))
        return words


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    # The command exports its settings for its children. The next test must not inherit them.
    monkeypatch.setattr(os, "environ", os.environ.copy())
    return Home(tmp_path)


def test_a_group_that_waits_says_how_long(home: Home) -> None:
    home.reads(FIRING, WORKDAY)
    assert "at most 30 s after it fired" in home.why(WORKDAY)
    home.cycle(WORKDAY + LATER)
    assert home.why(WORKDAY + LATER) == "", "it was told, and the messages stand there"


def test_a_holiday_is_named(home: Home) -> None:
    home.reads(FIRING, CHRISTMAS)
    home.cycle(CHRISTMAS + LATER)
    assert "its route is quiet at certain times (holidays)" in home.why(CHRISTMAS + LATER)


def test_a_silence_is_named_with_its_owner(home: Home) -> None:
    words = ["--for", "2h", "--reason", "reload", "--owner", "engineer-a"]
    home.ops(WORKDAY, "silence", "add", "asset=gold/daily_revenue", *words)
    home.reads(FIRING, WORKDAY)
    home.cycle(WORKDAY + LATER)
    told = home.why(WORKDAY + LATER)
    assert "silence 1 of engineer-a" in told and " UTC" in told


def test_what_was_repaired_before_its_group_was_told_says_so(home: Home) -> None:
    home.reads(FIRING, WORKDAY)
    home.reads(OK, WORKDAY + timedelta(seconds=5))
    home.cycle(WORKDAY + LATER)
    assert home.why(WORKDAY + LATER) == "It ended before its group was due."


def test_what_is_told_with_its_cause_names_the_cause_and_says_so_after_its_end(home: Home) -> None:
    home.reads(FIRING, WORKDAY, asset="silver/fact_orders", cycle=False)
    home.reads(FIRING, WORKDAY, kind="check.failure", check="volume")
    home.cycle(WORKDAY + LATER)
    assert home.why(WORKDAY + LATER, 2) == "It is silent: told with alert #1."
    home.reads(OK, WORKDAY + 2 * LATER, kind="check.failure", check="volume")
    assert "the message about its cause lists it (alert 1)" in home.why(WORKDAY + 2 * LATER, 2)


def test_what_a_rule_silences_names_the_alert_that_says_more_and_says_so_after_its_end(home: Home) -> None:
    home.reads(FIRING, WORKDAY, kind="freshness.state", value=2.0)
    [stale] = [a.number for a in open_ledger(home.settings).alerts("open", None) if a.rule == "stale"]
    other = 3 - stale
    home.cycle(WORKDAY + LATER)
    assert home.why(WORKDAY + LATER, stale) == f"It is silent: told with alert #{other}."
    home.reads(OK, WORKDAY + 2 * LATER, kind="freshness.state")
    assert f"another alert that says more was open (alert {other})" in home.why(WORKDAY + 2 * LATER, stale)


def test_what_waits_for_the_digest_names_its_hour(home: Home) -> None:
    for minute in range(6):
        home.reads(FIRING, WORKDAY + minute * LATER, kind="step.retry")
    at = WORKDAY + 6 * LATER
    assert home.why(at) == "It is collected for the digest at 08:30."


@pytest.fixture
def only_mail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """All alerts go to one receiver, which has only an e-mail channel."""
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.delenv("OPS_SMTP_HOST", raising=False)
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    routes = yaml.safe_load((CONFIG_DIR / "routes.yaml").read_text())
    (overlay / "routes.yaml").write_text(yaml.safe_dump({**routes, "route": {"receiver": "owners"}}))
    return Home(tmp_path / "home", overlay)


def test_channels_without_their_variables_are_named(only_mail: Home) -> None:
    only_mail.reads(FIRING, WORKDAY)
    only_mail.cycle(WORKDAY + LATER)
    assert only_mail.why(WORKDAY + LATER) == "No channel of its routes can be used: OPS_SMTP_HOST is not set."


def test_variables_of_the_process_that_decides_are_not_missing(
    only_mail: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person's shell has no secrets, and the daemon sends the messages."""
    monkeypatch.setenv("OPS_SMTP_HOST", "mail.invalid")
    only_mail.reads(FIRING, WORKDAY)
    monkeypatch.delenv("OPS_SMTP_HOST")
    assert "at most 30 s after it fired" in only_mail.why(WORKDAY)
