"""A bad value costs its row, and a bad file is rejected. No file stays in the inbound folder because of it, and no
command fails.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ops_project.pipeline.landing import dry_run
from ops_project.pipeline.landing.failed import record_failure
from tests.pipeline.landing.home import TAKINGS, Home, feed_of

JSON = """
    inbound: "takings_{date:%Y-%m-%d}.jsonl"
    format: {kind: jsonl}
    drift: {extra: load}
    columns: {id: integer, name: string}
"""
PARQUET = """
    inbound: "takings_{date:%Y-%m-%d}.parquet"
    format: {kind: parquet}
    columns: {id: integer, name: string}
"""
DEEP = "[" * 700 + "]" * 700


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (r'{"id":2,"name":"x \ud83d"}', r"holds \\ud83d, one half of a surrogate pair"),
        (r'{"id":2,"name":"\udc00 x"}', r"holds \\udc00"),
        (r'{"id":2,"name":"a","\ud83d":1}', r"holds \\ud83d"),
        (r'{"id":2,"name":{"deep":["\uD83D"]}}', r"holds \\ud83d"),
        (f'{{"id":2,"name":{DEEP}}}', None),
        ('{"id":2,"name":%s}' % ("[" * 100_000), "nested too deep|not JSON"),
        ('{"id":%s,"name":"a"}' % ("9" * 10_000), "is not a valid integer"),
        ('{"id":2e999999999,"name":"a"}', "is not a valid integer"),
        ('{"id":NaN,"name":"a"}', "is not a valid integer"),
        ("[1, 2]", "not a JSON object"),
        ('{"id":2,"id":3,"name":"a"}', "stands twice"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_line_of_json_is_quarantined_alone(tmp_path, line, reason):
    home = Home(tmp_path, feed_of(JSON))
    good = [r'{"id":1,"name":"whole \ud83d\ude00"}', '{"id":3,"name":"c"}', '{"id":4,"name":"d"}']
    home.put("takings_2026-11-01.jsonl", "\n".join([good[0], line, *good[1:]]) + "\n")
    assert (
        dry_run.check(home.inbound / "shop" / "takings_2026-11-01.jsonl", home.feeds[0], datetime.now(UTC)).would
        == "load"
    )
    result = home.land()
    assert home.left() == [] and [batch.status for batch in result.batches] == ["loaded"], result.findings
    assert home.bronze("id, name")[0] == (1, "whole 😀")
    refused = home.rows("SELECT line, reason FROM ops.quarantine")
    if reason is None:
        return  # if this interpreter can read the value, it is a text

    assert [row[0] for row in refused] == [2] and re.search(reason, refused[0][1]), refused


def invalid(data: list[bytes]) -> pa.Array:
    """A Parquet string column as a careless writer makes it: bytes that nobody has checked."""
    raw = pa.array(data, pa.binary())
    return pa.Array.from_buffers(pa.string(), len(raw), raw.buffers())


def test_a_text_of_parquet_that_is_no_utf8_is_quarantined_alone(tmp_path):
    home = Home(tmp_path, feed_of(PARQUET))
    table = pa.table({"id": pa.array([1, 2, 3], pa.int64()), "name": invalid([b"a", b"\xff\xfe", "Müller".encode()])})
    pq.write_table(table, home.inbound / "shop" / "takings_2026-11-01.parquet")
    result = home.land()
    assert [batch.status for batch in result.batches] == ["loaded"], result.findings
    assert home.bronze("id, name") == [(1, "a"), (3, "Müller")]
    assert home.rows("SELECT line, reason FROM ops.quarantine") == [(2, "name holds bytes that are not UTF-8 text")]
    assert home.left() == []


def test_text_that_its_writer_has_not_called_so_is_text(tmp_path):
    home = Home(tmp_path, feed_of(PARQUET))
    table = pa.table({"id": [1, 2, 3], "name": pa.array(["Müller".encode(), b"\xff", None], pa.binary())})
    pq.write_table(table, home.inbound / "shop" / "takings_2026-11-01.parquet")
    home.land()
    assert home.bronze("id, name") == [(1, "Müller"), (3, None)]
    assert home.rows("SELECT line, reason FROM ops.quarantine") == [(2, "name holds bytes that are not UTF-8 text")]


def test_decimals_of_parquet_keep_every_digit(tmp_path):
    home = Home(tmp_path, feed_of(PARQUET.replace("name: string", 'name: "decimal(38,8)"')))
    wide = [Decimal("123456789012345678901234567890.12345678"), Decimal("-0.00000001"), None]
    table = pa.table({"id": [1, 2, 3], "name": pa.array(wide, pa.decimal256(60, 8))})
    pq.write_table(table, home.inbound / "shop" / "takings_2026-11-01.parquet")
    home.land()
    assert [row[1] for row in home.bronze("id, name")] == wide


@pytest.mark.parametrize("place", [40, 200, -40, -200])
def test_damaged_parquet_is_rejected(tmp_path, place):
    home = Home(tmp_path, feed_of(PARQUET))
    path = home.inbound / "shop" / "takings_2026-11-01.parquet"
    pq.write_table(pa.table({"id": range(500), "name": [f"name {n}" for n in range(500)]}), path)
    data = bytearray(path.read_bytes())
    for offset in range(24):
        data[place + offset] ^= 0xA5
    path.write_bytes(data)
    result = home.land()
    assert home.left() == [], result.findings
    assert {finding.kind for finding in result.findings} <= {"data_invalid", "schema_mismatch", "key_violation"}


NESTED = """
    inbound: "takings_{date:%Y-%m-%d}.KIND"
    format: {kind: KIND}
    columns:
      id: integer
      city: {from: address.city, type: string}
      code: {type: string, from: address.geo.code, may_be_absent: true}
"""


@pytest.mark.parametrize(
    ("address", "finding", "words"),
    [
        ('{"city": "Oslo"}', None, None),
        ('{"city": null}', None, None),
        ('{"town": "Oslo"}', "schema_mismatch", "missing address.city; extra address.town"),
        ('{"City": "Oslo"}', "schema_mismatch", "address.city is now address.City: letters differ"),
        ('{"city": "Oslo", "zip": "1"}', "schema_mismatch", "extra address.zip"),
        ('{"city": "Oslo", "geo": {"code": "x"}}', None, None),
        ('{"city": "Oslo", "geo": {"lat": 1}}', "schema_mismatch", "extra address.geo.lat"),
        ('{"city": "Oslo", "geo": "x"}', "schema_mismatch", "address.geo is a text and not an object"),
        ('["Oslo"]', "schema_mismatch", "address is a list and not an object, but the contract reads address.city"),
        ('"Oslo"', "schema_mismatch", "address is a text and not an object"),
        ("7", "schema_mismatch", "address is a number and not an object"),
        ("null", "schema_mismatch", "missing address.city"),
        ("{}", "schema_mismatch", "missing address.city"),
    ],
)
def test_nested_fields_follow_the_rules_of_flat_ones(tmp_path, address, finding, words):
    home = Home(tmp_path, feed_of(NESTED.replace("KIND", "jsonl")))
    home.put("takings_2026-11-01.jsonl", "".join(f'{{"id": {n}, "address": {address}}}\n' for n in range(5)))
    [batch] = home.land().batches
    assert batch.finding == finding and (words is None or words in batch.message), batch.message
    assert batch.status == ("loaded" if finding is None else "rejected")


@pytest.mark.parametrize(
    ("address", "city"), [("null", (None,)), ('["Oslo"]', None), ('"Oslo"', None), ("{}", (None,))]
)
def test_a_single_record_of_another_nesting(tmp_path, address, city):
    home = Home(tmp_path, feed_of(NESTED.replace("KIND", "jsonl")))
    lines = [f'{{"id": {n}, "address": {{"city": "Oslo"}}}}' for n in range(5)] + [f'{{"id": 9, "address": {address}}}']
    home.put("takings_2026-11-01.jsonl", "\n".join(lines))
    [batch] = home.land().batches
    assert batch.status == "loaded"
    assert home.rows("SELECT city FROM bronze.takings WHERE id = 9") == ([city] if city else [])
    assert batch.rows_quarantined == (0 if city else 1)


@pytest.mark.parametrize(
    ("addresses", "finding", "cities"),
    [
        ([{"city": "Oslo"}, None], None, [("Oslo",), (None,)]),
        ([{"town": "Oslo"}], "schema_mismatch", []),
        ([["Oslo"]], "schema_mismatch", []),
        (["Oslo"], "schema_mismatch", []),
        ([None], "schema_mismatch", []),
        ([{"city": "Oslo", "geo": {"code": "x"}}], None, [("Oslo",)]),
    ],
)
def test_nested_fields_of_parquet(tmp_path, addresses, finding, cities):
    home = Home(tmp_path, feed_of(NESTED.replace("KIND", "parquet")))
    table = pa.Table.from_pylist([{"id": n, "address": item} for n, item in enumerate(addresses)])
    pq.write_table(table, home.inbound / "shop" / "takings_2026-11-01.parquet")
    [batch] = home.land().batches
    assert (batch.finding, home.bronze("city")) == (finding, cities), batch.message


def test_nested_text_of_parquet_that_is_no_utf8(tmp_path):
    home = Home(tmp_path, feed_of(NESTED.replace("KIND", "parquet")))
    address = pa.StructArray.from_arrays([invalid([b"Oslo", b"\xff"])], names=["city"])
    pq.write_table(pa.table({"id": [1, 2], "address": address}), home.inbound / "shop" / "takings_2026-11-01.parquet")
    home.land()
    assert home.bronze("city") == [("Oslo",)] and home.left() == []
    assert home.rows("SELECT line FROM ops.quarantine") == [(2,)]


def test_an_object_that_is_read_whole_has_no_fields_of_its_own(tmp_path):
    home = Home(
        tmp_path, feed_of(JSON.replace("name: string", "name: {type: string, from: address}").replace("load", "reject"))
    )
    home.put("takings_2026-11-01.jsonl", json.dumps({"id": 1, "address": {"city": "Oslo", "any": 1}}))
    assert [batch.finding for batch in home.land().batches] == [None]


@pytest.mark.parametrize(
    "error", [duckdb.InterruptException("INTERRUPT Error: Interrupted!"), RuntimeError("Query interrupted")]
)
def test_who_ends_the_work_is_no_fault_of_the_file(tmp_path: Path, error: Exception) -> None:
    home = Home(tmp_path, feed_of(TAKINGS))
    context: Any = SimpleNamespace(connection=home.connection, feed=home.feeds[0])
    with pytest.raises(type(error)):
        record_failure(context, "takings_2026-11-01.csv", date(2026, 11, 1), error)
