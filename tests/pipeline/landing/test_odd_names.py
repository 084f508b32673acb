"""Some names of files and fields have a meaning for the engine. In the names of a feed, they must have no such meaning."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.pipeline.landing.home import Home, feed_of

CSV = """
    inbound: "takings_{date:%Y-%m-%d}_{part}.csv"
    columns: {id: {type: integer, required: true}}
"""
PARQUET = """
    inbound: "takings_{date:%Y-%m-%d}_{part}.parquet"
    format: {kind: parquet}
    drift: {extra: load}
    columns:
      id: {type: integer}
      amount: {type: "decimal(10,2)"}
"""


@pytest.mark.parametrize("name", ["[1]", "*", "?", "[!x]"])
def test_a_file_name_with_a_glob_reads_no_other_file(tmp_path, name):
    home = Home(tmp_path, feed_of(CSV))
    home.put("takings_2026-11-01_1.csv", "id\n1\n")
    home.put(f"takings_2026-11-01_{name}.csv", "id\n7\n")
    home.land()
    rows = home.rows("SELECT file_name, id FROM bronze.takings JOIN ops.batches ON batch_id = _batch_id ORDER BY id")
    assert rows == [("takings_2026-11-01_1.csv", 1), (f"takings_2026-11-01_{name}.csv", 7)]


@pytest.mark.parametrize("name", ["[1]", "*", "?"])
def test_nor_does_one_of_parquet(tmp_path, name):
    home = Home(tmp_path, feed_of(PARQUET))
    folder = home.inbound / "shop"
    duckdb.sql("SELECT 1 AS id, 1.5 AS amount").write_parquet(str(folder / "takings_2026-11-01_1.parquet"))
    duckdb.sql("SELECT 7 AS id, 2.5 AS amount").write_parquet(str(folder / "other.parquet"))
    (folder / "other.parquet").rename(folder / f"takings_2026-11-01_{name}.parquet")
    home.land()
    assert home.rows("SELECT id FROM bronze.takings ORDER BY id") == [(1,), (7,)]


def test_parquet_fields_are_read_by_place(tmp_path):
    """Blanks around a name, names that differ in case only, folders that look like columns."""
    home = Home(tmp_path / "env=prod", feed_of(PARQUET))
    table = pa.table({"ID": [99], " id ": [7], "amount": [1.5]})
    pq.write_table(table, home.inbound / "shop" / "takings_2026-11-01_a.parquet")
    home.land()
    assert home.rows("SELECT id, amount::VARCHAR FROM bronze.takings") == [(7, "1.50")]


@pytest.mark.parametrize("letter", ["a", "é"])
def test_a_name_as_long_as_a_file_system_takes_is_kept(tmp_path, letter):
    home = Home(tmp_path, feed_of(CSV + '    control: {file: "c_{stem}"}\n'))
    name = "takings_2026-11-01_" + letter * (226 // len(letter.encode())) + ".csv"
    home.put(name, "id\n1\n")
    home.put("c_" + name.removesuffix(".csv"), "1\n")
    assert [batch.status for batch in home.land().batches] == ["loaded"]
    assert home.open_findings() == [] and home.left() == []
    [(path, sha)] = home.rows("SELECT archive_path, sha256 FROM ops.batches")
    kept = home.archive / path
    assert kept.read_bytes() == b"id\n1\n" and kept.name.startswith(sha[:12]) and kept.suffix == ".csv"
    assert len(home.archived()) == 2
    assert home.land().batches == []
