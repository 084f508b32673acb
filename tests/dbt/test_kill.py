"""A build that is killed anywhere is repaired by a plain rerun."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from ops_project.settings import PROJECT_ROOT
from tests.dbt.conftest import DAYS
from tests.dbt.shop import Shop

# The build is killed some milliseconds after this many models were reported, while the next ones are being written.
CHILD = """
import os, signal, sys, threading
from datetime import UTC, datetime
from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from ops_project.pipeline.dbt_engine import runner as dbt_runner
from ops_project.settings import Settings
settings = Settings.load(home=sys.argv[1], environ={})
with settings.exported():
    count = 0
    for event in dbt_runner.build(dbt_manifest.load(), settings, select=["tag:ecommerce"],
                                  as_of=datetime(2026, 3, 1, 9, tzinfo=UTC), command="run"):
        count += event["info"]["name"] == "LogModelResult"
        if count == int(sys.argv[2]):
            threading.Timer(float(sys.argv[3]), os.kill, (os.getpid(), signal.SIGKILL)).start()
"""


@pytest.mark.parametrize(("models", "delay"), [(1, 0.01), (7, 0.005)])
def test_a_rerun_after_sigkill_gives_the_same_tables(
    shop: Shop, built_at_once: Shop, models: int, delay: float
) -> None:
    shop.land_day(*range(DAYS - 1))
    if models != 1:  # The first is killed in a first build, the others in an incremental build.
        shop.build()
    shop.land_day(DAYS - 1)
    died = subprocess.run(
        [sys.executable, "-c", CHILD, str(shop.home), str(models), str(delay)], cwd=PROJECT_ROOT, timeout=120
    )
    assert died.returncode == -signal.SIGKILL
    shop.build()
    assert shop.tables() == built_at_once.tables()
