"""`ops alerts show` says in one line why no message about an alert was sent."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ops_project import catalog
from ops_project.cli import cli
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.ledger import open_ledger
from ops_project.settings import Settings

WORKDAY = datetime(2026, 3, 4, 15, tzinfo=UTC)
CHRISTMAS = datetime(2026, 12, 25, 15, tzinfo=UTC)
LATER = timedelta(seconds=40)


class Home:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings.load(home=folder)
        self.catalog = catalog.load(self.settings)

    def reads(self, state: str, at: datetime, kind: str = "asset.failure", cycle: bool = True) -> None:
        signal = Signal(
            kind, state, at, at, at.isoformat(), float(state == FIRING), domain="ecommerce", asset="gold/daily_revenue"
        )
        open_ledger(self.settings).append([signal])
        if cycle:
            self.cycle(at)

    def cycle(self, at: datetime) -> None:
        run_once(self.settings, self.catalog, at, observers=())

    def ops(self, at: datetime, *words: str) -> str:
        done = CliRunner().invoke(cli, ["--home", str(self.folder), "--as-of", at.isoformat(), *words])
        assert done.exit_code == 0, done.output
        return done.stdout

    def why(self, at: datetime) -> str:
        shown: dict[str, Any] = json.loads(self.ops(at, "alerts", "show", "1", "--json"))
        words: str = shown["no_message_because"]
        assert bool(words) is not bool(shown["messages"])
        assert words in self.ops(at, "alerts", "show", "1")
        return words


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    # The command exports its settings for its children: the next test must not inherit them.
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
    assert "silence 1 of engineer-a" in home.why(WORKDAY + LATER)


def test_what_was_repaired_before_its_group_was_told_says_so(home: Home) -> None:
    home.reads(FIRING, WORKDAY)
    home.reads(OK, WORKDAY + timedelta(seconds=5))
    home.cycle(WORKDAY + LATER)
    assert home.why(WORKDAY + LATER) == "It ended before its group was due to be told."
