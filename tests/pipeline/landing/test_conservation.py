"""Whatever the bytes are: no exception, no lost row, and values as Python's csv writes them."""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops_project.pipeline.landing import ensure_tables
from tests.pipeline.landing.home import Home, feed_of

CONTENT = feed_of(
    """
    inbound: "takings_{date:%Y-%m-%d}.csv"
    columns: {a: string, b: {type: string, from: B}, c: string}
    format: {null_values: []}
    volume: {enabled: false}
"""
)
NUMBERS = feed_of(
    """
    inbound: "takings_{date:%Y-%m-%d}.csv"
    key: id
    filter: "name IS DISTINCT FROM 'skip'"
    columns: {id: integer, name: string, amount: "decimal(6,2)"}
    volume: {enabled: false}
"""
)
MANY = settings(max_examples=80, deadline=None, derandomize=True, database=None)


@pytest.fixture(scope="module")
def homes():
    """One home for all examples: making a warehouse costs more than landing a small file."""
    folder = Path(tempfile.mkdtemp())
    home = Home(folder, CONTENT, NUMBERS)
    yield home
    home.connection.close()
    shutil.rmtree(folder, ignore_errors=True)


def landed(home: Home, feed, data: bytes) -> Home:
    home.feeds = (feed,)
    ensure_tables(home.connection, [feed])
    for table in ("batches", "quarantine", "findings", "touched_dates"):
        home.connection.execute(f"DELETE FROM ops.{table}")
    home.connection.execute(f"DROP TABLE bronze.{feed.name}")
    shutil.rmtree(home.archive, ignore_errors=True)
    home.put("takings_2026-11-01.csv", data)
    result = home.land()
    assert [batch.rows_in for batch in result.batches] != [], result.findings
    for batch in result.batches:
        parts = (batch.rows_loaded, batch.rows_quarantined, batch.rows_filtered, batch.rows_collapsed)
        assert batch.rows_in == sum(parts), batch
    [(rows,)] = home.rows(f"SELECT count(*) FROM bronze.{feed.name}")
    [(quarantined,)] = home.rows("SELECT coalesce(sum(rows), 0) FROM ops.quarantine")
    assert (rows, quarantined) == (result.rows_loaded, result.rows_quarantined)
    assert home.left() == [] and len(home.archived()) == 1
    assert {finding.kind for finding in result.findings} <= {
        "source_empty",
        "data_invalid",
        "schema_mismatch",
        "key_violation",
        "source_partial",
    }
    return home


bytes_of_csv = st.lists(
    st.sampled_from(
        [
            b"a",
            b"1",
            b"-7",
            b"1.5",
            b"0012",
            b",",
            b",",
            b",",
            b'"',
            b"\n",
            b"\n",
            b"\r\n",
            b"\r",
            b"\0",
            b" ",
            b"\xff",
            b"\xc3\xa9",
            b"\xef\xbb\xbf",
            b"skip",
            b"\x01",
            b"\\",
            b"''",
        ]
    ),
    max_size=60,
).map(b"".join)


@MANY
@given(data=st.one_of(st.binary(max_size=200), bytes_of_csv))
def test_arbitrary_bytes_after_a_good_header(homes, data):
    landed(homes, NUMBERS, b"id,name,amount\n" + data)


@settings(MANY, max_examples=40)
@given(data=st.one_of(st.binary(max_size=100), bytes_of_csv))
def test_arbitrary_bytes(homes, data):
    landed(homes, NUMBERS, data)


text = st.text(
    st.one_of(
        st.sampled_from('a1 ,;"\n\r\t\\\x01é€'), st.characters(exclude_categories=["Cs"], exclude_characters="\0")
    ),
    max_size=12,
)


@MANY
@given(
    rows=st.lists(st.tuples(text, text, text), max_size=12),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    end=st.sampled_from(["\n", "\r\n"]),
    last_end=st.booleans(),
)
def test_values_are_those_that_python_wrote(homes, rows, quoting, end, last_end):
    if quoting == csv.QUOTE_MINIMAL:  # Python's writer does not quote a CR before LF, although it is a line end there
        rows = [tuple(cell.replace("\r", " ") for cell in row) for row in rows]
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=quoting, lineterminator=end)
    writer.writerows([("a", "B", "c"), *rows])
    data = buffer.getvalue()
    data = data if last_end else data.removesuffix(end)
    home = landed(homes, CONTENT, data.encode())
    assert home.bronze("a, b, c") == rows
    assert home.rows("SELECT rows_in, rows_loaded FROM ops.batches") == [(len(rows), len(rows))]


dialects = st.tuples(st.sampled_from([",", ";", "\t", "|"]), st.sampled_from(['"', "'"]), st.sampled_from([None, "\\"]))


@settings(MANY, max_examples=40)
@given(rows=st.lists(st.tuples(text, text, text), min_size=1, max_size=6), dialect=dialects)
def test_other_dialects(homes, rows, dialect):
    delimiter, quote, escape = dialect
    rows = [tuple(cell.replace("\r", " ") for cell in row) for row in rows]
    extra = ', escape: "\\\\"' if escape else ""
    shown = {"\t": '"\\t"'}.get(delimiter, f"'{delimiter}'")
    quoted = '"\'"' if quote == "'" else "'\"'"
    feed = feed_of(
        f"""
    inbound: "takings_{{date:%Y-%m-%d}}.csv"
    columns: {{a: string, b: string, c: string}}
    format: {{null_values: [], delimiter: {shown}, quote: {quoted}{extra}}}
"""
    )
    buffer = io.StringIO()
    writer = csv.writer(
        buffer,
        delimiter=delimiter,
        quotechar=quote,
        escapechar=escape,
        doublequote=escape is None,
        lineterminator="\n",
        quoting=csv.QUOTE_ALL,
    )
    writer.writerows([("a", "b", "c"), *rows])
    home = landed(homes, feed, buffer.getvalue().encode())
    assert home.bronze("a, b, c") == rows
