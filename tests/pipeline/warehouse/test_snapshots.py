from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import duckdb
import pytest

from ops_project.pipeline.warehouse import announced, fingerprints, repair, snapshots
from ops_project.pipeline.warehouse.connection import Warehouse
from ops_project.pipeline.warehouse.touched import BuiltByDates
from ops_project.settings import Settings
from tests.empty_home import NOW

FACT = {"silver.fact": BuiltByDates("as it was")}


def take(warehouse: Warehouse, run: str = "run-1", **more) -> snapshots.Snapshot:
    more.setdefault("models", FACT)
    return snapshots.take(warehouse, run_id=run, as_of=NOW, commit="c0ffee", **more)


def test_a_snapshot_says_what_it_holds(warehouse: Warehouse) -> None:
    found = take(warehouse)
    assert snapshots.newest(warehouse.settings).id == found.id == "000001-run-1"
    assert found.as_of == NOW
    sales = found.tables["gold.sales"]
    assert (sales.rows, sales.columns) == (10, (("id", "BIGINT"), ("amount", "DECIMAL(21,1)")))
    assert found.tables["gold.summary"].rows == 1, "a view is read like a table"
    with snapshots.open(found) as connection:
        assert connection.execute("SELECT sum(amount) FROM gold.sales").fetchone() == (67.5,)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE gold.x AS SELECT 1",
        "DELETE FROM gold.sales",
        "COPY gold.sales TO '{tmp}/out.parquet'",
        "SELECT * FROM read_csv('{tmp}/in.csv')",
        "ATTACH '{tmp}/other.duckdb' AS other",
        "SET enable_external_access = true",
        "INSTALL httpfs",
    ],
)
def test_the_engine_refuses_to_write_or_to_reach_outside(warehouse: Warehouse, tmp_path, statement: str) -> None:
    (tmp_path / "in.csv").write_text("a\n1\n")
    with snapshots.open(take(warehouse)) as connection, pytest.raises(duckdb.Error):
        connection.execute(statement.format(tmp=tmp_path))
    assert not (tmp_path / "out.parquet").exists()


def test_a_reader_that_stays_open_delays_nothing_and_keeps_what_it_opened(warehouse: Warehouse) -> None:
    with snapshots.open(take(warehouse)) as reader:
        for number in range(4):
            warehouse.connection().execute(f"INSERT INTO gold.sales VALUES ({100 + number}, 0)")
            take(warehouse, run=f"later-{number}")
        assert reader.execute("SELECT count(*) FROM gold.sales").fetchone() == (10,)
    assert [item.id[:6] for item in snapshots.existing(warehouse.settings)] == ["000004", "000005"], "only `keep` stay"


def test_a_snapshot_is_opened_by_many_at_once_and_every_one_of_them_is_guarded(warehouse: Warehouse, tmp_path) -> None:
    """Evidence is read by several threads of one process, while its observer has the same file open."""
    found = take(warehouse)

    def ask(number: int) -> tuple[object, ...]:
        with snapshots.open(found, memory_limit=f"{200 + number}MB", threads=1) as connection:
            with pytest.raises(duckdb.Error):
                connection.execute(f"copy (select 1) to '{tmp_path / 'out.csv'}'")
            answer = connection.execute(
                "select current_setting('TimeZone'), current_setting('memory_limit')"
            ).fetchone()
            assert answer is not None
            return answer

    with ThreadPoolExecutor(8) as pool:
        alone = list(pool.map(ask, range(40)))
    with snapshots.open(found, memory_limit="100MB"), ThreadPoolExecutor(8) as pool:
        beside = list(pool.map(ask, range(40)))
    assert {zone for zone, _ in alone + beside} == {"UTC"}
    assert {limit for _, limit in beside} == {"95.3 MiB"}, "the limits of the first one hold for all"


def test_no_snapshot_says_what_to_do(settings: Settings) -> None:
    with pytest.raises(snapshots.NoSnapshot, match="ops run"):
        snapshots.newest(settings)


def test_what_a_killed_run_left_is_not_seen_and_is_removed(warehouse: Warehouse) -> None:
    kept = take(warehouse)
    partial = warehouse.settings.snapshots / ".partial-000002-dead"
    partial.mkdir()
    (partial / "warehouse.duckdb").write_bytes(b"half")
    assert snapshots.newest(warehouse.settings).id == kept.id
    assert repair.remove_leftovers(warehouse.settings) == ["snapshot .partial-000002-dead: half-written, removed"]
    assert not partial.exists()


def test_a_checksum_does_not_depend_on_order_and_sees_duplicates(warehouse: Warehouse) -> None:
    connection = warehouse.connection()
    connection.execute("CREATE TABLE gold.reversed AS SELECT * FROM gold.sales ORDER BY id DESC")
    connection.execute(
        "CREATE TABLE gold.doubled AS SELECT * FROM gold.sales UNION ALL SELECT 1, 1.5 UNION ALL SELECT 1, 1.5"
    )
    found = take(warehouse).tables
    assert found["gold.sales"].checksum == found["gold.reversed"].checksum
    assert found["gold.sales"].checksum != found["gold.doubled"].checksum


def test_a_large_table_is_hashed_only_where_it_was_touched(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprints, "WHOLE_BELOW_ROWS", 5)
    connection = warehouse.connection()
    connection.execute(
        "CREATE SCHEMA ops; CREATE SCHEMA bronze;"
        "CREATE TABLE ops.batches (load_seq BIGINT); INSERT INTO ops.batches VALUES (1);"
        "CREATE TABLE ops.builds (model VARCHAR, load_seq BIGINT);"
        "CREATE TABLE ops.touched_dates (feed VARCHAR, business_date DATE, load_seq BIGINT);"
        "CREATE TABLE bronze.events AS SELECT DATE '2026-01-01' + (range // 4)::INT AS business_date, range AS id FROM range(40)"
    )
    take(warehouse)
    connection.execute(
        "UPDATE bronze.events SET id = -1 WHERE id = 9; INSERT INTO ops.batches VALUES (2);"
        "INSERT INTO ops.touched_dates VALUES ('events', DATE '2026-01-03', 2)"
    )
    asked: list[list[str] | None] = []
    real = fingerprints._parts
    monkeypatch.setattr(
        fingerprints,
        "_parts",
        lambda con, name, days: (asked.append(days) if "events" in name else None) or real(con, name, days),
    )
    found = take(warehouse, run="run-2").tables["bronze.events"]
    assert asked == [["2026-01-03"]]
    whole = fingerprints.fingerprint(connection, "bronze.events", found.columns)
    assert found == whole

    # Rows that nobody recorded: the counts do not add up, so the whole table is hashed after all.
    connection.execute("INSERT INTO bronze.events VALUES (DATE '2026-01-09', 77)")
    again = take(warehouse, run="run-3").tables["bronze.events"]
    assert again == fingerprints.fingerprint(connection, "bronze.events", found.columns)


LARGE_FACT = (
    "CREATE SCHEMA ops; CREATE SCHEMA silver; CREATE TABLE ops.batches (load_seq BIGINT);"
    "CREATE TABLE ops.builds (model VARCHAR, load_seq BIGINT); INSERT INTO ops.builds VALUES ('fact', 1);"
    "CREATE TABLE ops.touched_dates (feed VARCHAR, business_date DATE, load_seq BIGINT);"
    "CREATE TABLE silver.fact AS SELECT DATE '2026-01-01' + (range // 4)::INT AS business_date, range AS id FROM range(40)"
)
SECOND = (date(2026, 1, 2), date(2026, 1, 2))


def test_a_rebuilt_window_counts_as_touched(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprints, "WHOLE_BELOW_ROWS", 5)
    connection = warehouse.connection()
    connection.execute(LARGE_FACT)
    take(warehouse)
    connection.execute("UPDATE silver.fact SET id = 1000 WHERE business_date = DATE '2026-01-02'")
    found = take(warehouse, run="run-2", window=SECOND).tables["silver.fact"]
    assert found == fingerprints.fingerprint(connection, "silver.fact", found.columns)


def test_a_rebuild_that_was_killed_before_its_snapshot_is_hashed_by_the_next(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprints, "WHOLE_BELOW_ROWS", 5)
    connection = warehouse.connection()
    connection.execute(LARGE_FACT)
    take(warehouse)
    announced.rebuild(warehouse.settings, SECOND)
    connection.execute("UPDATE silver.fact SET id = 1000 WHERE business_date = DATE '2026-01-02'")
    # Killed here; the run that follows is about another date, and rebuilds it.
    announced.rebuild(warehouse.settings, (date(2026, 1, 5), date(2026, 1, 5)))
    found = take(warehouse, run="run-3", window=(date(2026, 1, 5), date(2026, 1, 5))).tables["silver.fact"]
    assert found == fingerprints.fingerprint(connection, "silver.fact", found.columns)
    assert announced.rebuilds(warehouse.settings) == []


def test_an_announcement_that_cannot_be_read_makes_every_table_be_hashed_as_a_whole(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No date is listed: the calendar has 3.6 million of them, for each table."""
    connection = _large_fact(warehouse, monkeypatch)
    connection.execute("UPDATE silver.fact SET id = 1000 WHERE business_date = DATE '2026-01-02'")
    warehouse.settings.warehouse.with_name("rebuilding.json").write_bytes(b"[[")
    monkeypatch.setattr(snapshots, "touched_dates", lambda *_args, **_more: pytest.fail("nothing is compared"))
    monkeypatch.setattr(snapshots, "_days", lambda _windows: pytest.fail("no date is listed"))
    found = take(warehouse, run="run-2").tables["silver.fact"]
    assert found == fingerprints.fingerprint(connection, "silver.fact", found.columns)


def test_the_number_of_a_snapshot_that_cannot_be_read_is_not_given_again(warehouse: Warehouse) -> None:
    """If it were given again, the damaged snapshot could stay the newest by its name."""
    take(warehouse)
    damaged = take(warehouse, run="zzz")
    (damaged.folder / snapshots.MANIFEST).write_bytes(b"{")
    assert damaged.id in snapshots.unreadable(warehouse.settings)
    for number, run in enumerate(("a", "b", "c"), start=3):
        assert damaged.folder.exists() == (number < 5), (
            "it goes when as many newer ones are kept as older ones would be"
        )
        assert take(warehouse, run=run).id == f"{number:06d}-{run}"
        assert not snapshots.unreadable(warehouse.settings)


def _large_fact(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> duckdb.DuckDBPyConnection:
    monkeypatch.setattr(fingerprints, "WHOLE_BELOW_ROWS", 5)
    warehouse.connection().execute(LARGE_FACT)
    take(warehouse)
    return warehouse.connection()


@pytest.mark.parametrize(
    "models",
    [{}, {"silver.fact": BuiltByDates("mended SQL")}],
    ids=["it is a table, built as a whole", "its code is another"],
)
def test_a_model_that_was_built_anew_as_a_whole_is_hashed_as_a_whole(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, models
) -> None:
    """If it were hashed by dates, consumers would keep the old file under the id of the new run."""
    connection = _large_fact(warehouse, monkeypatch)
    connection.execute("UPDATE silver.fact SET id = id * 2")
    found = take(warehouse, run="run-2", models=models).tables["silver.fact"]
    assert found == fingerprints.fingerprint(connection, "silver.fact", found.columns)


def test_the_days_that_follow_a_touched_one_may_have_changed_too(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = {"silver.fact": BuiltByDates("as it was", spread_days=2)}
    connection = _large_fact(warehouse, monkeypatch)
    connection.execute(
        "UPDATE silver.fact SET id = id * 2 WHERE business_date BETWEEN DATE '2026-01-02' AND DATE '2026-01-04';"
        "INSERT INTO ops.touched_dates VALUES ('events', DATE '2026-01-02', 2)"
    )
    found = take(warehouse, run="run-2", models=models).tables["silver.fact"]
    assert found == fingerprints.fingerprint(connection, "silver.fact", found.columns)


def test_a_snapshot_of_an_earlier_version_is_not_trusted(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = _large_fact(warehouse, monkeypatch)
    manifest = snapshots.newest(warehouse.settings).folder / "manifest.json"
    data = json.loads(manifest.read_text())
    del data["code"]
    manifest.write_text(json.dumps(data))
    connection.execute("UPDATE silver.fact SET id = id * 2")
    found = take(warehouse, run="run-2").tables["silver.fact"]
    assert found == fingerprints.fingerprint(connection, "silver.fact", found.columns)
