from __future__ import annotations

import shutil
from datetime import timedelta

import duckdb
import pytest

from ops_project.pipeline.warehouse import fingerprints, publishing, repair, snapshots
from ops_project.pipeline.warehouse.connection import Warehouse
from ops_project.pipeline.warehouse.publishing import Publication, PublishDecision
from ops_project.pipeline.warehouse.touched import BuiltByDates
from tests.empty_home import NOW

PASSED = PublishDecision(passed=True, reason="", consumers=({"name": "Board", "owner": "Business Team"},))


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
        ("ALTER TABLE gold.kpi ADD COLUMN note VARCHAR", {"gold.kpi": BuiltByDates("as it was")}),
        ("DELETE FROM gold.kpi WHERE value = 3", {"gold.kpi": BuiltByDates("as it was")}),
    ],
    ids=["table", "its SQL was mended", "replaced", "a touched date", "and what follows it", "a column", "a row less"],
)
def test_what_is_published_is_what_the_warehouse_holds(warehouse: Warehouse, monkeypatch, rebuild, models) -> None:
    monkeypatch.setattr(fingerprints, "WHOLE_BELOW_ROWS", 5)
    connection = warehouse.connection()
    connection.execute(
        "CREATE SCHEMA IF NOT EXISTS ops; CREATE TABLE ops.builds (model VARCHAR, load_seq BIGINT);"
        "INSERT INTO ops.builds VALUES ('kpi', 1);"
        "CREATE TABLE ops.touched_dates (feed VARCHAR, business_date DATE, load_seq BIGINT);"
        "CREATE TABLE gold.kpi AS SELECT DATE '2026-01-01' + (range // 4)::INT AS business_date, range AS value FROM range(40)"
    )
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
