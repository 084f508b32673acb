"""SIGKILL at each step of landing: a plain rerun gives the same rows, batches and archive."""

from __future__ import annotations

import multiprocessing
import signal
from pathlib import Path

import duckdb
import pytest

from tests.pipeline.landing import killed
from tests.pipeline.landing.killed import STEPS

HEAD = "id,name,amount,sold_at\n"
FILES = {
    "takings_2026-11-01.csv": HEAD + "".join(f"{n},a,1.00,\n" for n in range(200)) + "1,again,,\nx,bad,,\n",
    "takings_2026-11-01_corrected.csv": HEAD + "".join(f"{n},b,2.00,\n" for n in range(300)) + "y,bad,,\n",
    "takings_2026-11-02.csv": "",
}


def state(home: Path) -> dict[str, object]:
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        return {
            "rows": connection.execute(
                "SELECT count(*), sum(hash(id, name, amount, sold_at, business_date, _line)) FROM bronze.takings"
            ).fetchall(),
            "batches": connection.execute(
                "SELECT file_name, status, rows_in, rows_loaded, rows_quarantined FROM ops.batches ORDER BY load_seq"
            ).fetchall(),
            "quarantine": connection.execute(
                "SELECT file_name, line, reason FROM ops.quarantine ORDER BY ALL"
            ).fetchall(),
            "findings": connection.execute(
                "SELECT kind, business_date, state FROM ops.findings ORDER BY ALL"
            ).fetchall(),
            "inbound": sorted(path.name for path in (home / "inbound" / "shop").iterdir()),
            "archive": sorted(path.name for path in (home / "archive").rglob("*") if path.is_file()),
        }


def prepared(home: Path) -> Path:
    (home / "inbound" / "shop").mkdir(parents=True)
    for name, text in FILES.items():
        (home / "inbound" / "shop" / name).write_text(text)
    return home


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    home = prepared(tmp_path_factory.mktemp("undisturbed"))
    killed.main(home, "never")
    found = state(home)
    assert found["inbound"] == [] and len(found["archive"]) == 3
    assert [row[1] for row in found["batches"]] == ["replaced", "loaded", "rejected"]
    return found


@pytest.fixture(scope="module")
def processes():
    """Starts separate processes, forked from a process that has already imported everything."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.pipeline.landing.killed"])
    return context


@pytest.mark.parametrize("step", STEPS)
def test_a_plain_rerun_heals(tmp_path, undisturbed, processes, step):
    home = prepared(tmp_path)
    run = processes.Process(target=killed.main, args=(home, step))
    run.start()
    run.join(timeout=60)
    assert run.exitcode == -signal.SIGKILL
    killed.main(home, "never")
    assert state(home) == undisturbed
    killed.main(home, "never")
    assert state(home) == undisturbed


def test_the_rerun_says_what_the_killed_run_had_committed(tmp_path, processes):
    home = prepared(tmp_path)
    run = processes.Process(target=killed.main, args=(home, "committed"))
    run.start()
    run.join(timeout=60)
    assert run.exitcode == -signal.SIGKILL
    [said] = killed.main(home, "never").recovered
    assert said.startswith("takings_2026-11-01.csv had been taken by a run that was interrupted (loaded, ")
    assert killed.main(home, "never").recovered == []
