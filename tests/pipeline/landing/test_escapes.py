"""An escape acts before a quote or itself inside quotes, and nowhere else; null markers are compared before it acts."""

from __future__ import annotations

import pytest

from tests.pipeline.landing.home import Home, feed_of

MYSQL = r"""
    inbound: "takings_{date:%Y-%m-%d}.csv"
    columns: {id: integer, left: string, right: {type: string, null_values: []}}
    format: {escape: "\\", null_values: ["", "\\N"]}
    volume: {enabled: false}
"""


@pytest.mark.parametrize(
    ("spelled", "value"),
    [
        (r"\N", None),
        (r'"\N"', None),
        (r'"\\N"', r"\N"),
        (r'"C:\temp\new"', r"C:\temp\new"),
        (r"C:\data\x", r"C:\data\x"),
        (r"C:\\data", r"C:\\data"),
        (r'"C:\\data"', r"C:\data"),
        (r'"say \"no\""', 'say "no"'),
        (r'"ends \\"', "ends \\"),
        ('"two\\\nlines"', "two\\\nlines"),
        (r"\"", r"\""),
        ('""', None),
    ],
)
def test_values(tmp_path, spelled, value):
    home = Home(tmp_path, feed_of(MYSQL))
    home.put("takings_2026-11-01.csv", f"id,left,right\n1,{spelled},x\n2,y,{spelled}\n")
    result = home.land()
    assert (result.rows_loaded, result.findings) == (2, [])
    unmarked = {r"\N": r"\N", r'"\N"': r"\N", '""': ""}.get(spelled, value)
    assert home.bronze('id, "left", "right"') == [(1, value, "x"), (2, "y", unmarked)]


def test_a_doubled_quote_is_no_escape_there(tmp_path):
    home = Home(tmp_path, feed_of(MYSQL))
    home.put("takings_2026-11-01.csv", 'id,left,right\n1,"a ""b""",x\n2,y,z\n')
    home.land()
    assert home.bronze("id") == [(2,)]
    assert home.rows("SELECT line, reason FROM ops.quarantine") == [(2, "not readable: ',' expected after '\"'")]


def test_a_quote_that_an_escape_keeps_open_refuses_the_file(tmp_path):
    home = Home(tmp_path, feed_of(MYSQL))
    home.put("takings_2026-11-01.csv", 'id,left,right\n1,"C:\\",x\n2,y,z\n')
    [batch] = home.land().batches
    assert (batch.status, batch.finding) == ("rejected", "data_invalid")


def test_without_quotes_an_escape_is_a_character(tmp_path):
    home = Home(tmp_path, feed_of(MYSQL.replace('escape: "\\\\"', 'escape: "\\\\", quote: null')))
    home.put("takings_2026-11-01.csv", 'id,left,right\n1,C:\\new,"x\\"\n')
    home.land()
    assert home.bronze('"left", "right"') == [("C:\\new", '"x\\"')]


def test_the_reason_of_a_refused_row_reads_it_the_same_way(tmp_path):
    body = MYSQL.replace("left: string", "left: {type: string, required: true}")
    home = Home(tmp_path, feed_of(body))
    home.put("takings_2026-11-01.csv", 'id,left,right\n1,"\\\\N",x\n2,\\N,y\n')
    home.land()
    assert home.bronze('"left"') == [("\\N",)]
    assert home.rows("SELECT line, reason FROM ops.quarantine") == [
        (3, "left: has no value, and the contract requires one")
    ]
