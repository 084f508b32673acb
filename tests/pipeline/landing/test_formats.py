"""JSON lines, Parquet, plain lines, trailers, expressions: every way of cutting records and columns."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import duckdb
import pytest

from tests.pipeline.landing.home import Home, feed_of


def land(tmp_path, yaml: str, name: str, content: bytes | str) -> Home:
    home = Home(tmp_path, feed_of(yaml))
    home.put(name, content)
    home.result = home.land()
    assert home.result.batches, home.result.findings
    batch = home.result.batches[0]
    assert batch.rows_in == batch.rows_loaded + batch.rows_quarantined + batch.rows_filtered + batch.rows_collapsed
    return home


JSONL = """
    inbound: "takings_{date:%Y-%m-%d}.jsonl"
    format: {kind: jsonl}
    columns:
      id: {type: bigint, required: true}
      amount: {type: "decimal(20,10)"}
      open: boolean
      city: {type: string, from: address.city}
      tags: {type: string}
"""


def test_json_lines_keep_numbers_as_written(tmp_path):
    lines = [
        '{"id": 12345678901234567, "amount": 1.1000000001, "open": true, "address": {"city": "Köln"}, "tags": ["a", 1.50]}',
        '{"id": 2, "amount": "3.5", "open": null, "address": null, "tags": null}',
        "",
        '{"id": 3.0, "amount": 1}',
        "{broken",
        '{"id": 4, "id": 5}',
        "[1]",
    ]
    home = land(tmp_path, JSONL, "takings_2026-11-01.jsonl", "\n".join(lines))
    assert home.bronze("id, amount, open, city, tags, _line") == [
        (12345678901234567, Decimal("1.1000000001"), True, "Köln", '["a",1.50]', 1),
        (2, Decimal("3.5000000000"), None, None, None, 2),
    ]
    reasons = home.rows("SELECT line, reason FROM ops.quarantine ORDER BY line")
    assert [line for line, _ in reasons] == [4, 5, 6, 7]
    assert reasons[0][1] == "id: '3.0' is not a valid bigint"
    assert "stands twice" in reasons[2][1] and "not a JSON object" in reasons[3][1]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"id": 1, "amount": 1, "open": true, "address": {}, "tags": null, "colour": "red"}', "extra colour"),
        ('{"id": 1, "amount": 1, "open": true, "address": {}}', "missing tags"),
    ],
)
def test_json_lines_of_another_structure(tmp_path, line, words):
    home = land(tmp_path, JSONL, "takings_2026-11-01.jsonl", f"{line}\n" * 3)
    assert home.result.batches[0].finding == "schema_mismatch"
    assert words in home.result.batches[0].message


PARQUET = """
    inbound: "takings_{date:%Y-%m-%d}.parquet"
    format: {kind: parquet}
    key: id
    columns:
      id: {type: bigint}
      amount: {type: "decimal(10,2)", max: 100}
      sold_at: {type: timestamp}
"""


def parquet(tmp_path, sql: str) -> bytes:
    path = tmp_path / "made.parquet"
    duckdb.sql(f"COPY ({sql}) TO '{path}' (FORMAT parquet)")
    return path.read_bytes()


def test_parquet(tmp_path):
    data = parquet(
        tmp_path,
        "SELECT i AS id, (i + 0.25)::DECIMAL(10,2) AS amount, TIMESTAMP '2026-11-01 10:00:00' AS sold_at "
        "FROM unnest([1, 2, 2, 500]) t(i)",
    )
    home = land(tmp_path, PARQUET, "takings_2026-11-01.parquet", data)
    assert home.bronze("id, amount") == [(1, Decimal("1.25")), (2, Decimal("2.25"))]
    assert home.rows("SELECT line, json_extract_string(raw_text, '$.id') FROM ops.quarantine ORDER BY line") == [
        (3, "2"),
        (4, "500"),
    ]


def test_parquet_of_another_structure_or_cut_off(tmp_path):
    data = parquet(tmp_path, "SELECT 1 AS id, 2 AS total")
    home = land(tmp_path, PARQUET, "takings_2026-11-01.parquet", data)
    assert "missing amount, sold_at; extra total" in home.result.batches[0].message
    home.put("takings_2026-11-02.parquet", data[:-10])
    assert home.land().batches[0].finding == "data_invalid"


def test_fixed_width_lines(tmp_path):
    home = land(
        tmp_path,
        """
    inbound: "takings_{date:%Y-%m-%d}.txt"
    format: {kind: lines}
    filter: "line NOT LIKE 'H%'"
    columns:
      id: {type: integer, required: true, expression: "substr(line, 1, 5)"}
      name: {type: string, trim: true, expression: "substr(line, 6, 10)"}
      amount: {type: "decimal(10,2)", expression: "substr(line, 16, 7)"}
""",
        "takings_2026-11-01.txt",
        "H20261101\n00001Anna          1.50\n00002Bert          x.50\n",
    )
    assert home.bronze("id, name, amount") == [(1, "Anna", Decimal("1.50"))]
    batch = home.result.batches[0]
    assert (batch.rows_in, batch.rows_filtered, batch.rows_quarantined) == (3, 1, 1)


def test_log_lines_by_pattern(tmp_path):
    home = land(
        tmp_path,
        r"""
    inbound: "access_{date:%Y%m%d}.log"
    format: {kind: lines, pattern: '(?P<host>\S+) \[(?P<at>[^\]]+)\] "(?P<request>[^"]*)" (?P<status>\d+)'}
    business_date: at
    columns:
      host: string
      at: {type: timestamp, format: "%d/%b/%Y:%H:%M:%S %z"}
      method: {type: string, expression: "split_part(request, ' ', 1)"}
      status: {type: integer, min: 100, max: 599}
""",
        "access_20261102.log",
        '1.2.3.4 [01/Nov/2026:23:30:00 -0500] "GET / HTTP/1.1" 200\ngarbage\n1.2.3.4 [01/Nov/2026:23:30:00 -0500] "GET / HTTP/1.1" 999\n',
    )
    assert home.bronze("host, method, status, business_date") == [("1.2.3.4", "GET", 200, date(2026, 11, 2))]
    assert home.rows("SELECT line, reason FROM ops.quarantine ORDER BY line") == [
        (2, "the line does not fit the contract's pattern"),
        (3, "status: '999' is above 599"),
    ]


TRAILER = r"""
    inbound: "takings_{date:%Y-%m-%d}.csv"
    format: {delimiter: "|"}
    trailer: {pattern: 'TRL\|(?P<rows>\d+)'}
    columns: {id: integer, name: string}
"""


@pytest.mark.parametrize(
    ("content", "status", "rows", "words"),
    [
        ("id|name\n1|a\n2|b\nTRL|2\n", "loaded", 2, ""),
        ("id|name\n1|a\n2|b\nTRL|0003", "rejected", 2, "its trailer says 3 records, but the file has 2"),
        ("id|name\n1|a\n2|b\n", "rejected", 2, "the trailer is missing"),
        (f"id|name\n1|a\nTRL|{'0' * 5_000}1\n", "loaded", 1, ""),
        (f"id|name\n1|a\nTRL|{'9' * 5_000}\n", "rejected", 1, "its trailer holds no count"),
        (f"id|name\n1|a\nTRL|{2**63}\n", "rejected", 1, "its trailer holds no count"),
    ],
)
def test_trailer(tmp_path, content, status, rows, words):
    home = land(tmp_path, TRAILER, "takings_2026-11-01.csv", content)
    batch = home.result.batches[0]
    assert (batch.status, batch.rows_in) == (status, rows)
    assert words in (batch.message or "")


CONTROL_COUNTS = {"2": None, "3": "source_partial", "none": "source_partial", "9" * 5_000: "source_partial"}


@pytest.mark.parametrize(("said", "finding"), [*CONTROL_COUNTS.items(), (str(2**63), "source_partial")])
def test_control_file(tmp_path, said, finding):
    feed = feed_of(
        """
    inbound: "takings_{date:%Y-%m-%d}.csv"
    control: {file: "{stem}.ctl", rows: "count=(?P<rows>[0-9]+)"}
    columns: {id: integer}
"""
    )
    home = Home(tmp_path, feed)
    home.put("takings_2026-11-01.csv", "id\n1\n2\n")
    home.put("takings_2026-11-01.ctl", f"file=takings\ncount={said}\n")
    [batch] = home.land().batches
    assert batch.finding == finding
    assert batch.status == ("rejected" if finding else "loaded")


def test_without_header_by_position(tmp_path):
    home = land(
        tmp_path,
        """
    inbound: "takings.csv"
    format: {header: false, delimiter: "\\t", quote: null}
    raw_fields: [number, ignored, text]
    columns: {id: {type: integer, from: number}, name: {type: string, from: text}}
""",
        "takings.csv",
        '1\tx\t"a\n2\ty\tb\n',
    )
    assert home.bronze("id, name, _line") == [(1, '"a', 1), (2, "b", 2)]


def test_expressions_that_fail_refuse_the_row_and_not_the_file(tmp_path):
    home = land(
        tmp_path,
        """
    inbound: "takings_{date:%Y-%m-%d}.csv"
    filter: "CAST(qty AS INTEGER) > 0"
    rules: {not_both: "total < 100 OR id < 3"}
    raw_fields: [id, qty, price]
    columns:
      id: {type: integer, expression: "_line"}
      total: {type: "decimal(10,2)", expression: "CAST(qty AS INTEGER) * CAST(price AS DECIMAL(10,2))"}
      day: {type: date, expression: "_file_date"}
""",
        "takings_2026-11-01.csv",
        "id,qty,price\n1,2,1.50\n2,0,1.00\n3,x,1.00\n4,1,dear\n5,60,2\n",
    )
    assert home.bronze("id, total, day") == [(2, Decimal("3.00"), date(2026, 11, 1))]
    batch = home.result.batches[0]
    assert (batch.rows_in, batch.rows_filtered, batch.rows_quarantined) == (5, 1, 3)
    assert home.rows("SELECT line, reason FROM ops.quarantine ORDER BY line") == [
        (4, "filter cannot be computed"),
        (5, "total: its expression cannot be computed"),
        (6, "breaks the rule not_both"),
    ]


def test_an_expression_on_a_field_that_does_not_exist_is_a_finding_and_the_file_stays(tmp_path):
    feed = feed_of(
        """
    inbound: "takings_{date:%Y-%m-%d}.csv"
    raw_fields: [id]
    columns: {x: {type: string, expression: "upper(nothing)"}}
"""
    )
    home = Home(tmp_path, feed)
    home.put("takings_2026-11-01.csv", "id\n1\n")
    result = home.land()
    assert [finding.kind for finding in result.findings] == ["config_error"]
    assert "nothing" in result.findings[0].message and home.left() == ["takings_2026-11-01.csv"]
    assert home.land().findings[0].kind == "config_error"
    assert len(home.open_findings()) == 1


KEYED = """
    inbound: "takings_{date:%Y-%m-%d}.csv"
    key: [shop, id]
    columns: {shop: string, id: integer, email: {type: string, personal_data: true, pattern: ".+@.+"}}
"""


def test_repeated_keys_after_the_first_are_quarantined_with_a_masked_sample(tmp_path):
    home = land(
        tmp_path,
        KEYED,
        "takings_2026-11-01.csv",
        "shop,id,email\na,1,x@y.de\na,1,z@y.de\nb,1,q@y.de\na,,p@y.de\na,2,oops\n",
    )
    assert home.bronze("shop, id, _line") == [("a", 1, 2), ("b", 1, 4)]
    [finding] = [item for item in home.result.findings if item.kind == "key_violation"]
    assert finding.evidence["rows"] == 1 and str(finding.evidence["business_date"]) == "2026-11-01"
    assert home.rows("SELECT line, reason FROM ops.quarantine ORDER BY line") == [
        (3, "shop, id: repeats the key of line 2"),
        (5, "id: has no value, and the contract requires one"),
        (6, "email: '***' does not match .+@.+"),
    ]
    assert finding.evidence["samples"] == [{"line": 3, "first_line": 2, "key": {"shop": "a", "id": "1"}}]
    told = json.dumps([finding.evidence for finding in home.result.findings], default=str)
    assert "@y.de" not in told and "oops" not in told
    assert "@y.de" not in str(home.rows("SELECT message, evidence FROM ops.findings"))


def test_all_rows_of_a_repeated_key_where_the_contract_says_so(tmp_path):
    home = land(
        tmp_path,
        KEYED + "    duplicate_keys: all\n",
        "takings_2026-11-01.csv",
        "shop,id,email\na,1,x@y.de\na,1,z@y.de\nb,1,q@y.de\n",
    )
    assert home.bronze("shop, _line") == [("b", 4)]
    assert home.result.batches[0].rows_quarantined == 2


def test_first_row_per_key_in_the_contracts_order(tmp_path):
    home = land(
        tmp_path,
        KEYED + '    keep_first: {order: ["email DESC"]}\n',
        "takings_2026-11-01.csv",
        "shop,id,email\na,1,x@y.de\na,1,z@y.de\nb,1,q@y.de\n",
    )
    assert home.bronze("shop, email") == [("a", "z@y.de"), ("b", "q@y.de")]
    batch = home.result.batches[0]
    assert (batch.rows_collapsed, batch.rows_quarantined, batch.finding) == (1, 0, None)


def test_a_parquet_file_that_is_rejected_counts_its_rows(tmp_path):
    home = Home(tmp_path, feed_of(JSONL.replace("jsonl", "parquet").replace(", from: address.city", "")))
    path = home.inbound / "shop" / "takings_2026-11-01.parquet"
    duckdb.sql("SELECT range AS id, 'x' AS colour FROM range(7)").write_parquet(str(path))
    [batch] = home.land().batches
    assert (batch.status, batch.rows_in, batch.rows_quarantined) == ("rejected", 7, 7)
