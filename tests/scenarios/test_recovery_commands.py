"""Stories of repairs in a small domain: a run that failed, rows that were refused, past dates that are built again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ops_project.settings import Settings
from tests.scenarios import bakery

pytestmark = [pytest.mark.soak, pytest.mark.xdist_group("runs"), pytest.mark.timeout(1800)]
GOLD, LINES = "gold.bakery_daily", "silver.bakery_lines"


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """Two days of sales wait; the configuration is a copy that may be broken."""
    shutil.copytree(bakery.OVERLAY, tmp_path / "config")
    settings = Settings(home=tmp_path / "home", overlay=tmp_path / "config", as_of=bakery.NOW)
    settings.home.mkdir()
    for number, day in enumerate(("2026-03-02", "2026-03-03")):
        bakery.deliver(settings, day, bakery.rows(day, 40, number * 1000))
    return settings


def called(settings: Settings, *words: str, kill_at: str = "") -> subprocess.CompletedProcess[str]:
    """`ops …` as a user calls it. A run needs a real standard output."""
    command = [sys.executable, "-m", "ops_project.cli", "--home", str(settings.home), "--config", str(settings.overlay)]
    return subprocess.run(
        [*command, "--as-of", settings.now().isoformat(), *words],
        env={**os.environ, "OPS_KILL_AT": kill_at},
        capture_output=True,
        text=True,
        check=False,
    )


def ops(settings: Settings, *words: str, code: int = 0) -> Any:
    ended = called(settings, *words, "--json")
    assert ended.returncode == code, ended.stdout + ended.stderr
    return json.loads(ended.stdout)


def refused(settings: Settings, *words: str) -> str:
    """The output of a command that ends with 1 or 2."""
    ended = called(settings, *words)
    assert ended.returncode in (1, 2), ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def materialized(settings: Settings, run_id: str) -> set[str]:
    from ops_project.dagster_bridge import runs

    with settings.exported(), runs.open_instance(settings) as instance:
        return {".".join(asset) for asset in runs.outcome(instance, run_id).built}


def test_a_model_that_failed_is_mended_and_only_it_is_built(home: Settings) -> None:
    model = "models/bakery/gold/bakery_daily.sql"
    bakery.rewrite(home, model, "sum(revenue)", "sum(no_such_column)")
    [failed] = ops(home, "run", "--domain", "bakery", code=1)["runs"]
    assert materialized(home, failed["run_id"]) == {"bronze.bakery_sales", LINES}
    bakery.rewrite(home, model, "sum(no_such_column)", "sum(revenue)")

    plan = ops(home, "rerun", failed["run_id"][:8], "--dry-run")
    assert plan["tables"] == [GOLD] and LINES in plan["finished"]
    told = ops(home, "rerun", failed["run_id"][:8], "--from-failed")
    assert materialized(home, told["runs"][0]["run_id"]) == {GOLD} and told["runs"][0]["not_published"] == []
    assert GOLD in bakery.tables(home)
    assert "nothing to rerun" in refused(home, "rerun", failed["run_id"][:8])
    assert "not a size of memory" in refused(home, "rerun", failed["run_id"][:8], "--memory-limit", "lots")


def test_a_contract_is_corrected_and_the_refused_rows_come_in(home: Settings) -> None:
    price = 'price: {type: "decimal(18,2)", required: true'
    bakery.rewrite(home, "feeds/bakery.yaml", price, f"{price}, max: 4")
    bakery.deliver(home, "2026-03-03", bakery.rows("2026-03-03", 40, 1000).replace("4.20", "3.20", 35))
    called(home, "run", "--domain", "bakery")
    groups = ops(home, "replay", "--dry-run")
    assert sum(group["rows"] for group in groups) == 45
    bakery.rewrite(home, "feeds/bakery.yaml", f"{price}, max: 4", price)
    [told] = ops(home, "replay", "--reason", "price")["runs"]
    assert [(one["passed"], one["refused"]) for one in told["replayed"]] == [(40, 0), (5, 0)]
    assert ops(home, "replay") == [], "nothing is left"
    with bakery_snapshot(home) as connection:
        assert connection.execute(f"SELECT sum(pieces) FROM {GOLD}").fetchall() == [(80,)]


def test_a_replay_that_was_killed_after_landing_builds_what_depends_on_it(home: Settings) -> None:
    price = 'price: {type: "decimal(18,2)", required: true'
    bakery.rewrite(home, "feeds/bakery.yaml", price, f"{price}, max: 4")
    bakery.deliver(home, "2026-03-03", bakery.rows("2026-03-03", 40, 1000).replace("4.20", "3.20", 35))
    called(home, "run", "--domain", "bakery")
    batches = [group["batch_id"] for group in ops(home, "replay", "--dry-run")]
    asked = [word for batch in batches for word in ("--batch", batch)]
    bakery.rewrite(home, "feeds/bakery.yaml", f"{price}, max: 4", price)
    assert called(home, "replay", *asked, kill_at="landed:bakery_sales").returncode == -signal.SIGKILL
    assert "no row to try again in batch of-nobody" in refused(home, "replay", "--batch", "of-nobody")

    again = called(home, "replay", *asked)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "the tables that depend on its rows are built now" in again.stderr
    with bakery_snapshot(home) as connection:
        assert connection.execute(f"SELECT sum(pieces) FROM {GOLD}").fetchall() == [(80,)]
    third = called(home, "replay", *asked)
    assert third.returncode == 1 and "no row to try again in batch" in third.stderr, third.stdout + third.stderr


def test_past_dates_are_built_by_a_plan_that_may_go_stale(home: Settings) -> None:
    ops(home, "run", "--domain", "bakery")
    before = bakery.tables(home)
    dates = ("--from", "2026-03-02", "--to", "2026-03-03", "--days-in-a-run", "1")
    first = ops(home, "backfill", "bakery_lines", *dates)
    assert first["days"] == 2 and first["rows"] == 80 and first["downstream"] == [GOLD] and first["seconds"] > 0
    assert any("bronze.bakery_sales" in what for what, _ in first["left_out"])

    bakery.deliver(home, "2026-03-04", bakery.rows("2026-03-04", 40, 5000))
    stale = refused(home, "backfill", "bakery_lines", "--apply", first["hash"])
    assert "the files that wait" in stale and "Nothing was built" in stale
    ops(home, "run", "--domain", "bakery")
    assert "warehouse has changed" in refused(home, "backfill", "bakery_lines", "--apply", first["hash"])

    second = ops(home, "backfill", "bakery_lines", *dates)
    killed = called(home, "backfill", "bakery_lines", "--apply", second["hash"], kill_at="backfill:2026-03-02")
    assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
    told = ops(home, "backfill", "bakery_lines", "--apply", second["hash"])
    assert told["backfill"] == {"plan": second["hash"], "runs_before": 1, "runs_now": 1, "runs_planned": 2}
    assert [run["from"] for run in told["runs"]] == ["2026-03-03"]
    assert bakery.tables(home)["bronze.bakery_sales"] != before["bronze.bakery_sales"]
    with bakery_snapshot(home) as connection:
        assert connection.execute(f"SELECT count(*), sum(pieces) FROM {LINES}").fetchall() == [(120, 120)]
    assert "done already" in called(home, "backfill", "bakery_lines", "--apply", second["hash"]).stdout
    for words, said in (
        (("--apply", "nonsense"), "there is no plan"),
        (("--from", "2026-03-02", "--failed-only"), "has not failed"),
        (("--from", "2026-03-03", "--to", "2026-03-02"), "lies before"),
    ):
        assert said in refused(home, "backfill", "bakery_lines", *words)
    assert "neither a domain nor a table" in refused(home, "backfill", "no_such_table", *dates)
    assert "did you mean bakery_lines" in refused(home, "backfill", "bakery_linse", *dates)


def bakery_snapshot(home: Settings) -> Any:
    from ops_project.pipeline.warehouse import snapshots

    return snapshots.open(snapshots.newest(home))
