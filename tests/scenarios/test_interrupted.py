"""Ctrl-C in the middle of a run: there is no alert, nothing is published, and the next run continues."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from ops_project.operations.ledger import Ledger
from ops_project.pipeline.warehouse import publishing, snapshots
from ops_project.settings import Settings
from tests.scenarios import homes

pytestmark = pytest.mark.xdist_group("runs")


def test_ctrl_c_in_a_run_is_no_failure(policies_waiting: Settings, tmp_path: Path) -> None:
    home = homes.copy(policies_waiting, tmp_path / "home")
    run = homes.ops(home, "run", "--domain", "insurance")
    wal = home.warehouse.with_suffix(".duckdb.wal")
    until = time.monotonic() + 60
    while not wal.exists() and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.5)
    os.kill(run.pid, signal.SIGINT)
    ended = run.wait()
    assert ended.code == 130, ended.errors
    assert "Interrupted by you. Nothing was published" in ended.errors
    assert "Traceback" not in ended.errors
    assert publishing.current(home, "insurance") is None
    assert snapshots.existing(home) == []

    assert homes.ops(home, "cycle").wait().code == 0
    with Ledger.open(home.ledger_url) as ledger:
        assert [(alert.rule, alert.message) for alert in ledger.alerts("open", 100) if alert.run_id] == []

    again = homes.ops(home, "run", "--domain", "insurance").wait()
    assert again.code == 0, again.output
    assert publishing.current(home, "insurance") is not None
