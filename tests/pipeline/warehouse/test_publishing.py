from __future__ import annotations

import shutil
from datetime import timedelta

import duckdb

from ops_project.pipeline.warehouse import fingerprints, publishing, repair
from ops_project.pipeline.warehouse.connection import Warehouse
from ops_project.pipeline.warehouse.publishing import Publication, PublishDecision
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
