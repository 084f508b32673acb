"""A build that is killed at any point is repaired by a plain rerun."""

from __future__ import annotations

import os
import signal
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from ops_project.pipeline.dbt_engine import runner as dbt_runner
from tests.dbt.conftest import DAYS
from tests.dbt.shop import Shop
from tests.scenarios import homes


def build_and_die(shop: Shop, models: int, delay: float) -> int:
    """Build, and die `delay` seconds after `models` models were reported, while the next models are being written."""
    count = 0
    with shop.settings.exported():
        for event in dbt_runner.build(
            dbt_manifest.load(),
            shop.settings,
            select=["tag:ecommerce"],
            as_of=datetime(2026, 3, 1, 9, tzinfo=UTC),
            command="run",
        ):
            count += event["info"]["name"] == "LogModelResult"
            if count == models:
                threading.Timer(delay, os.kill, (os.getpid(), signal.SIGKILL)).start()
    return 0


@pytest.mark.parametrize(("models", "delay"), [(1, 0.01), (7, 0.005)])
def test_a_rerun_after_sigkill_gives_the_same_tables(
    shop: Shop, built_at_once: Shop, tmp_path: Path, models: int, delay: float
) -> None:
    shop.land_day(*range(DAYS - 1))
    if models != 1:  # The first is killed in a first build, the others in an incremental build.
        shop.build()
    shop.land_day(DAYS - 1)
    died = homes.fork(lambda: build_and_die(shop, models, delay), tmp_path / "log").wait()
    assert died.signal == signal.SIGKILL, died.output + died.errors
    shop.build()
    assert shop.tables() == built_at_once.tables()
