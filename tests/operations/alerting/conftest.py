"""A home in which one alert fires, and the commands on it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ops_project import catalog
from ops_project.cli import cli
from ops_project.model.alerting.signal import FIRING, Signal
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.ledger import open_ledger
from ops_project.settings import Settings

NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)


@pytest.fixture
def ops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    # The command exports its settings for its children. The next test must not inherit them.
    monkeypatch.setattr(os, "environ", os.environ.copy())
    settings = Settings.load(home=tmp_path)
    ledger = open_ledger(settings)
    ledger.append(
        [
            Signal(
                "asset.failure",
                FIRING,
                NOW,
                NOW,
                "r1",
                1.0,
                domain="ecommerce",
                asset="gold/daily_revenue",
                run_id="r1",
                owners=("team:ecommerce-analytics",),
                message="boom",
            ),
        ]
    )
    run_once(settings, catalog.load(settings), NOW, observers=(), flush_now=True)

    def call(*words: str, code: int = 0, at: datetime = NOW) -> Any:
        done = CliRunner().invoke(cli, ["--home", str(tmp_path), "--as-of", at.isoformat(), *words])
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if "--json" in words else done.output

    return call
