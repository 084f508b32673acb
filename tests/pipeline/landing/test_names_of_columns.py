"""Columns and fields may have names that mean something to the engine or to landing. They mean what the contract
says.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops_project.model.feed.column import RESERVED
from tests.pipeline.landing.home import Home, feed_of

LANDINGS = [
    *("rowid", "_state", "_ord", "_o", "_l", "_k", "_text", "_problem", "_kept", "_filter_failed", "_failed_0"),
    *("_t0", "_c0", "_c1", "_r0", "_r1", "_s0", "_e0", "_e1", "_rule_0", "_empty", "_first", "_why", "_place"),
    *("_file_name", "_file_date", "landing_staged", "landing_raw", "temp", "file_row_number", "filename"),
]
KEYWORDS = [row[0] for row in duckdb.sql("SELECT keyword_name FROM duckdb_keywords() ORDER BY 1").fetchall()]
NAMES = sorted({*LANDINGS, *(word for word in KEYWORDS if word.isidentifier() and word == word.lower())} - RESERVED)


def takings(*names: str, kind: str = "csv", extra: str = "") -> str:
    a, b, c = (json.dumps(name) for name in names)
    return f"""
    inbound: "takings_{{date:%Y-%m-%d}}.{kind}"
    format: {{kind: {kind}}}
    key: [{a}]
    columns:
      {a}: {{type: integer, required: true}}
      {b}: {{type: string, required: true}}
      {c}: {{type: "decimal(6,2)"}}
{extra}"""


ROWS = [("1", "x", "1.50"), ("2", "y", ""), ("3", "", "3.00"), ("2", "z", "4.00"), ("no", "v", "5.00")]


def landed(body: str, names: tuple[str, ...], kind: str = "csv") -> tuple[list[object], list[object]]:
    """Bronze rows and the lines in quarantine of the rows above under a header of `names`."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder), feed_of(body))
        if kind == "csv":
            buffer = io.StringIO()
            csv.writer(buffer, lineterminator="\n").writerows([names, *ROWS])
            home.put("takings_2026-11-01.csv", buffer.getvalue())
        else:
            lines = [json.dumps(dict(zip(names, row, strict=True)) | {}) for row in ROWS]
            home.put("takings_2026-11-01.jsonl", "\n".join(["", *lines, ""]))
        result = home.land()
        assert [batch.status for batch in result.batches] == ["loaded"], result.findings
        assert (result.rows_in, result.rows_loaded + result.rows_quarantined + result.rows_filtered) == (5, 5)
        columns = ", ".join('"' + name + '"' for name in home.feeds[0].columns)
        return home.bronze(columns), [line for (line,) in home.rows("SELECT line FROM ops.quarantine ORDER BY line")]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@settings(max_examples=8, deadline=None, derandomize=True, database=None)
@given(names=st.lists(st.sampled_from(NAMES), min_size=3, max_size=3, unique=True).map(tuple))
def test_any_name_is_a_column(kind, names):
    rows, refused = landed(takings(*names, kind=kind), names, kind)
    assert [row[:2] for row in rows] == [(1, "x"), (2, "y")]
    assert refused == [4, 5, 6]


@pytest.mark.parametrize("names", [LANDINGS[start : start + 3] for start in range(0, len(LANDINGS) - 2, 3)])
def test_rules_filters_and_expressions_see_the_contracts_columns_alone(names):
    a, b, c = names
    quoted = [f'\\"{name}\\"' for name in names]
    extra = f"""      computed: {{expression: "{quoted[1]} || '!'", type: string}}
    filter: "{quoted[1]} IS DISTINCT FROM 'y'"
    rules: {{small: "{quoted[2]} < 4 OR {quoted[0]} > 100"}}
    keep_first: {{order: ["{quoted[2]} DESC"]}}
"""
    if {"_file_name", "_file_date"} & set(names):
        extra = extra.replace(f"{quoted[1]} || '!'", "'x!'").replace(f"{quoted[1]} IS DISTINCT FROM 'y'", "true")
    rows, refused = landed(takings(a, b, c, extra=extra), tuple(names))
    assert (1, "x") in [row[:2] for row in rows] and rows[0][3] == "x!"
    assert {4, 5, 6} <= set(refused)


@settings(max_examples=12, deadline=None, derandomize=True, database=None)
@given(
    fields=st.lists(
        st.one_of(
            st.sampled_from(
                [
                    "rowid",
                    "ROWID",
                    "_R0",
                    "landing:_r0",
                    "Landing:_ord",
                    'a "b"',
                    "select",
                    "é",
                    "e\u0301",
                    "_line",
                    "a;--",
                ]
            ),
            st.text(
                st.characters(
                    exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"], exclude_characters="\ufeff", max_codepoint=0xD7FF
                ),
                min_size=1,
                max_size=8,
            ),
        ),
        min_size=3,
        max_size=3,
        unique_by=str.strip,
    )
)
def test_any_field_of_the_file_can_be_read(fields):
    body = takings("a", "b", "c")
    for given_type, name in zip(("integer", "string", '"decimal(6,2)"'), fields, strict=True):
        body = body.replace(f"type: {given_type}", f"from: {json.dumps(name)}, type: {given_type}")
    rows, refused = landed(body + '    filter: "_file_name IS NOT NULL"\n', tuple(fields))
    assert [row[:2] for row in rows] == [(1, "x"), (2, "y")]
    assert refused == [4, 5, 6]
