"""Each recovery command is killed at many moments of its work and called again. The home is then the same as after an
undisturbed run.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ops_project.settings import Settings
from tests import killed
from tests.scenarios import bakery, homes

pytestmark = [pytest.mark.xdist_group("runs"), pytest.mark.timeout(3600)]
soak = pytest.mark.soak
MODEL = "models/bakery/gold/bakery_daily.sql"
PRICE = 'price: {type: "decimal(18,2)", required: true'
KILLS = 12


def ops(*words: str) -> Callable[[Settings], object]:
    """`ops …` on a home, in this process."""

    def work(settings: Settings) -> None:
        from ops_project.cli import cli

        before = ["--home", str(settings.home), "--as-of", settings.now().isoformat()]
        if settings.overlay is not None:
            before += ["--config", str(settings.overlay)]
        cli.main([*before, *words], prog_name="ops", standalone_mode=True)

    return work


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """Two days of sales wait; the configuration is a copy that may be broken."""
    homes.warm()
    shutil.copytree(bakery.OVERLAY, tmp_path / "config")
    settings = Settings(home=tmp_path / "home", overlay=tmp_path / "config", as_of=bakery.NOW)
    settings.home.mkdir()
    for number, day in enumerate(("2026-03-02", "2026-03-03")):
        bakery.deliver(settings, day, bakery.rows(day, 40, number * 1000))
    return settings


def done(settings: Settings, *words: str, code: int = 0) -> str:
    """The output of a command that is not killed."""
    ended = killed.run(lambda: ops(*words)(settings), settings.home.parent / "done.log")
    assert ended.code == code, ended.said
    return ended.output


def check(home: Settings, tmp_path: Path, *words: str, count: int = KILLS, finished: str = "") -> None:
    (tmp_path / "kills").mkdir()
    at = list(killed.repeated(home, tmp_path / "kills", ops(*words), count, killed.state_of, finished))
    assert len(at) >= count // 2, f"it was killed at {at} only"


@soak
def test_a_rerun(home: Settings, tmp_path: Path) -> None:
    bakery.rewrite(home, MODEL, "sum(revenue)", "sum(no_such_column)")
    [run] = json.loads(done(home, "run", "--domain", "bakery", "--json", code=1))["runs"]
    bakery.rewrite(home, MODEL, "sum(no_such_column)", "sum(revenue)")
    check(home, tmp_path, "rerun", run["run_id"], finished="nothing to rerun")


@soak
def test_a_replay(home: Settings, tmp_path: Path) -> None:
    bakery.rewrite(home, "feeds/bakery.yaml", PRICE, f"{PRICE}, max: 4")
    bakery.deliver(home, "2026-03-03", bakery.rows("2026-03-03", 40, 1000).replace("4.20", "3.20", 35))
    done(home, "run", "--domain", "bakery", code=1)
    bakery.rewrite(home, "feeds/bakery.yaml", f"{PRICE}, max: 4", PRICE)
    check(home, tmp_path, "replay", "--reason", "price")


@soak
def test_a_backfill(home: Settings, tmp_path: Path) -> None:
    done(home, "run", "--domain", "bakery")
    dates = ("--from", "2026-03-02", "--to", "2026-03-03", "--days-in-a-run", "1")
    plan = json.loads(done(home, "backfill", "bakery_lines", *dates, "--json"))
    check(home, tmp_path, "backfill", "bakery_lines", "--apply", plan["hash"])
