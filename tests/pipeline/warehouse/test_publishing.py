from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import timedelta
from typing import Any

import duckdb
import pytest

from ops_project.pipeline.warehouse import fingerprints, publishing, repair, snapshots
from ops_project.pipeline.warehouse.connection import Warehouse, writer
from ops_project.pipeline.warehouse.publishing import Publication, PublishDecision
from ops_project.pipeline.warehouse.touched import BuiltByDates
from tests.empty_home import NOW

PASSED = PublishDecision(passed=True, reason="", consumers=({"name": "Board", "owner": "Business Team"},))


LARGE_KPI = (
    "CREATE SCHEMA IF NOT EXISTS ops; CREATE TABLE ops.builds (model VARCHAR, load_seq BIGINT);"
    "INSERT INTO ops.builds VALUES ('kpi', 1);"
    "CREATE TABLE ops.whole_builds (model VARCHAR, times BIGINT); INSERT INTO ops.whole_builds VALUES ('kpi', 1);"
    "CREATE TABLE ops.touched_dates (feed VARCHAR, business_date DATE, load_seq BIGINT);"
    "CREATE TABLE gold.kpi AS SELECT DATE '2026-01-01' + (range // 4)::INT AS business_date, range AS value FROM range(40)"
)


def publish(warehouse: Warehouse, number: int = 1, **verdicts: PublishDecision) -> Publication:
    connection = warehouse.connection()
    found = {
        name: fingerprints.fingerprint(connection, name, columns)
        for name, columns in fingerprints.tables(connection).items()
    }
    return publishing.publish(
        warehouse,
        domain="shop",
        verdicts=verdicts,
        fingerprints=found,
        run_id=f"run-{number}",
        as_of=NOW + timedelta(days=number - 1),
        commit="c0ffee",
    )


def rows(publication: Publication, table: str) -> int:
    return duckdb.sql(
        f"SELECT count(*) FROM '{publication.folder / publication.manifest['tables'][table]['file']}'"
    ).fetchall()[0][0]


def test_consumers_find_what_passed(warehouse: Warehouse) -> None:
    publish(warehouse, sales=PASSED, summary=PASSED)
    found = publishing.current(warehouse.settings, "shop")
    assert found is not None and not found.held
    assert (rows(found, "sales"), rows(found, "summary")) == (10, 1)
    assert found.manifest["tables"]["sales"]["consumers"] == [{"name": "Board", "owner": "Business Team"}]


def test_a_table_that_failed_keeps_its_last_good_file_and_says_why_and_since_when(warehouse: Warehouse) -> None:
    first = publish(warehouse, 1, sales=PASSED, stock=PASSED)
    warehouse.connection().execute("INSERT INTO gold.sales VALUES (99, 1), (99, 1)")
    broken = PublishDecision(
        passed=False, reason="blocking checks failed: primary_key_sales", consumers=PASSED.consumers
    )
    publish(warehouse, 2, sales=broken, stock=PASSED)
    publish(warehouse, 3, sales=broken, stock=PASSED)
    found = publishing.current(warehouse.settings, "shop")
    assert found is not None and list(found.held) == ["sales"]
    entry = found.held["sales"]
    assert (entry["state"], entry["reason"]) == ("carried forward", broken.reason)
    assert entry["since"] == (NOW + timedelta(days=1)).isoformat(), "the first publication that it missed"
    assert entry["run_id"] == first.manifest["run_id"]
    assert rows(found, "sales") == 10

    publish(warehouse, 4, sales=PASSED, stock=PASSED)
    found = publishing.current(warehouse.settings, "shop")
    assert found is not None and not found.held and "since" not in found.manifest["tables"]["sales"]
    assert rows(found, "sales") == 12


def test_a_table_that_never_passed_has_no_file(warehouse: Warehouse) -> None:
    found = publish(warehouse, sales=PublishDecision(passed=False, reason="it was not built in this run"))
    assert found.held["sales"]["state"] == "never published"
    assert [path.name for path in found.folder.iterdir()] == ["manifest.json"]


def test_what_did_not_change_is_not_written_again(warehouse: Warehouse) -> None:
    first = publish(warehouse, 1, sales=PASSED, stock=PASSED)
    warehouse.connection().execute("INSERT INTO gold.sales VALUES (99, 1)")
    second = publish(warehouse, 2, sales=PASSED, stock=PASSED)

    def inode(publication: Publication, table: str) -> int:
        return (publication.folder / f"{table}.parquet").stat().st_ino

    assert inode(first, "stock") == inode(second, "stock")
    assert inode(first, "sales") != inode(second, "sales")


def test_only_the_newest_are_kept_and_never_less_than_the_current(warehouse: Warehouse) -> None:
    for number in range(1, 5):
        publish(warehouse, number, sales=PASSED)
    root = warehouse.settings.published / "shop"
    assert sorted(path.name for path in root.iterdir()) == ["000003-run-3", "000004-run-4", "current"]


def test_killed_before_the_pointer_moved_consumers_keep_the_last_one(warehouse: Warehouse) -> None:
    first = publish(warehouse, 1, sales=PASSED)
    root = warehouse.settings.published / "shop"
    shutil.copytree(first.folder, root / "000002-dead")
    shutil.copytree(first.folder, root / ".partial-000003-dead")
    found = publishing.current(warehouse.settings, "shop")
    assert found is not None and found.id == first.id
    assert len(repair.remove_leftovers(warehouse.settings)) == 2
    assert publish(warehouse, 2, sales=PASSED).id == "000002-run-2"


@pytest.mark.parametrize(
    ("rebuild", "models"),
    [
        ("UPDATE gold.kpi SET value = value * 2", {}),
        ("UPDATE gold.kpi SET value = value * 2", {"gold.kpi": BuiltByDates("mended")}),
        ("CREATE OR REPLACE TABLE gold.kpi AS SELECT * REPLACE (value * 2 AS value) FROM gold.kpi", {}),
        (
            "UPDATE gold.kpi SET value = 7 WHERE business_date = DATE '2026-01-02';"
            "INSERT INTO ops.touched_dates VALUES ('f', DATE '2026-01-02', 9)",
            {"gold.kpi": BuiltByDates("as it was")},
        ),
        (
            "UPDATE gold.kpi SET value = 7 WHERE business_date IN (DATE '2026-01-02', DATE '2026-01-03');"
            "INSERT INTO ops.touched_dates VALUES ('f', DATE '2026-01-02', 9)",
            {"gold.kpi": BuiltByDates("as it was", spread_days=1)},
        ),
        (
            "UPDATE gold.kpi SET value = value * 2; UPDATE ops.whole_builds SET times = 2",
            {"gold.kpi": BuiltByDates("as it was")},
        ),
        ("ALTER TABLE gold.kpi ADD COLUMN note VARCHAR", {"gold.kpi": BuiltByDates("as it was")}),
        ("DELETE FROM gold.kpi WHERE value = 3", {"gold.kpi": BuiltByDates("as it was")}),
    ],
    ids=[
        "table",
        "its SQL was mended",
        "replaced",
        "a touched date",
        "and what follows it",
        "from nothing",
        "a column",
        "a row less",
    ],
)
def test_what_is_published_is_what_the_warehouse_holds(warehouse: Warehouse, monkeypatch, rebuild, models) -> None:
    monkeypatch.setattr(fingerprints, "WHOLE_BELOW_ROWS", 5)
    connection = warehouse.connection()
    connection.execute(LARGE_KPI)
    before = {"gold.kpi": BuiltByDates("as it was", 1 if "follows" in str(models) else 0)}
    for number, (change, code) in enumerate([("SELECT 1", before), (rebuild, models)], start=1):
        connection.execute(change)
        taken = snapshots.take(warehouse, run_id=f"run-{number}", as_of=NOW, commit="c0ffee", models=code)
        publication = publishing.publish(
            warehouse,
            domain="shop",
            verdicts={"kpi": PASSED},
            fingerprints=taken.tables,
            run_id=f"run-{number}",
            as_of=NOW,
            commit="c0ffee",
        )
    file = publication.folder / publication.manifest["tables"]["kpi"]["file"]
    published = duckdb.sql(f"SELECT * FROM '{file}' ORDER BY ALL").fetchall()
    assert published == connection.execute("SELECT * FROM gold.kpi ORDER BY ALL").fetchall()


@pytest.mark.parametrize("how", ["replaced", "updated", "left in the log of a process that was killed"])
def test_what_somebody_changed_outside_of_any_run_is_published(settings, platform, monkeypatch, how) -> None:
    """A person, a tool or a restore of single tables may have made the change. No journal of dates names such a change."""
    monkeypatch.setattr(fingerprints, "WHOLE_BELOW_ROWS", 5)
    models = {"gold.kpi": BuiltByDates("as it was")}

    def run(number: int, first: str = "SELECT 1") -> list[tuple[Any, ...]]:
        with writer(settings, platform, owner="test", now=NOW) as held:
            held.connection().execute(first)
            stamp: dict[str, Any] = {"run_id": f"run-{number}", "as_of": NOW, "commit": "c0ffee"}
            taken = snapshots.take(held, models=models, **stamp)
            done = publishing.publish(held, domain="shop", verdicts={"kpi": PASSED}, fingerprints=taken.tables, **stamp)
        file = done.folder / done.manifest["tables"]["kpi"]["file"]
        return duckdb.sql(f"SELECT value FROM '{file}' ORDER BY value").fetchall()

    assert run(1, f"CREATE SCHEMA gold; {LARGE_KPI}") == [(n,) for n in range(40)]
    change = "UPDATE gold.kpi SET value = value * 2"
    if how == "replaced":
        change = "CREATE OR REPLACE TABLE gold.kpi AS SELECT * REPLACE (value * 2 AS value) FROM gold.kpi"
    if "log" in how:
        killed = (
            "import duckdb, os, sys; c = duckdb.connect(sys.argv[1]); c.execute(sys.argv[2]); os.kill(os.getpid(), 9)"
        )
        subprocess.run([sys.executable, "-c", killed, str(settings.warehouse), change], check=False)
        assert settings.warehouse.with_name("warehouse.duckdb.wal").exists()
    else:
        with duckdb.connect(str(settings.warehouse)) as connection:
            connection.execute(change)
    assert run(2) == [(n * 2,) for n in range(40)]


def test_a_run_that_nothing_came_before_trusts_the_dates(settings, platform) -> None:
    """If the run did not trust the dates, each run would read the whole history again."""
    with writer(settings, platform, owner="test", now=NOW) as held:
        held.connection().execute("CREATE SCHEMA gold; CREATE TABLE gold.kpi AS SELECT 1 AS value")
        snapshots.take(held, run_id="run-1", as_of=NOW, commit="c0ffee")
        held.connection().execute("SELECT * FROM gold.kpi").fetchall()
    for _ in range(2):
        with writer(settings, platform, owner="test", now=NOW) as held:
            assert not held.changed_unseen
