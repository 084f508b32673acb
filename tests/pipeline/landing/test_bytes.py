"""Each way in which bytes can be odd has one decided outcome."""

from __future__ import annotations

import gzip

import pytest

from tests.pipeline.landing.home import TAKINGS, Home, feed_of

HEAD = "id,name,amount,sold_at\n"
FEED = feed_of(TAKINGS)
ROWS = [(1, "a"), (2, "b")]


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path, FEED)


def landed(home: Home, content: bytes | str):
    home.put("takings_2026-11-01.csv", content)
    [batch] = home.land().batches
    assert batch.rows_in == batch.rows_loaded + batch.rows_quarantined
    return batch


@pytest.mark.parametrize(
    "content",
    [
        HEAD + "1,a,1.00,\n2,b,,\n",
        HEAD + "1,a,1.00,\n2,b,,",
        (HEAD + "1,a,1.00,\n2,b,,\n").replace("\n", "\r\n"),
        (HEAD + "1,a,1.00,\n2,b,,\n").replace("\n", "\r"),
        HEAD + "1,a,1.00,\r\n2,b,,\n",
        HEAD + "\n1,a,1.00,\n\n\n2,b,,\n\n",
        "\n\n" + HEAD + "1,a,1.00,\n2,b,,\n",
        b"\xef\xbb\xbf" + (HEAD + "1,a,1.00,\n2,b,,\n").encode(),
        '"id","name","amount","sold_at"\n"1","a","1.00",""\n"2","b",,\n',
        " id , name,amount,sold_at \n1,a,1.00,\n2,b,,\n",
    ],
    ids=[
        "plain",
        "no last line end",
        "CRLF",
        "CR",
        "mixed ends",
        "blank lines",
        "blank lines above",
        "byte order mark",
        "quoted",
        "blanks in header",
    ],
)
def test_same_rows(home, content):
    batch = landed(home, content)
    assert (batch.status, batch.rows_in, batch.finding) == ("loaded", 2, None)
    assert home.bronze("id, name") == ROWS


def test_header_only_loads_no_rows(home):
    batch = landed(home, HEAD)
    assert (batch.status, batch.rows_in, batch.finding) == ("loaded", 0, None)


def test_zero_bytes(home):
    batch = landed(home, b"")
    assert (batch.status, batch.rows_in, batch.finding) == ("rejected", 0, "source_empty")


def test_compressed_zero_bytes(home):
    home.put("takings_2026-11-01.csv.gz", gzip.compress(b""))
    assert home.land().batches[0].finding == "source_empty"


def test_embedded_line_ends_keep_the_line_numbers(home):
    landed(home, HEAD + '1,"a\nb",1.00,\n2,"c\r\nd",,\n3,x,oops,\n')
    assert home.bronze("id, name, _line") == [(1, "a\nb", 2), (2, "c\r\nd", 4)]
    assert home.rows("SELECT line, raw_text, column_name FROM ops.quarantine") == [(6, "3,x,oops,", "amount")]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (HEAD + '1,"a,1.00,\n2,b,,\n3,c,,\n', 2),
        (HEAD + '1,"a,1.00,\n2,b,,\n3,"c",,\n', 2),
        (HEAD + '1,a"b,1.00,\n2,"b,,\n', 3),
    ],
    ids=["never closed", "closed by the next quote", "literal quote first"],
)
def test_unbalanced_quotes_reject_the_file_and_count_its_lines(home, content, line):
    batch = landed(home, content)
    assert (batch.status, batch.finding, batch.rows_in) == ("rejected", "data_invalid", content.count("\n"))
    assert f"from line {line} on" in batch.message
    assert home.bronze() == []
    assert home.rows("SELECT rows FROM ops.quarantine") == [(content.count("\n"),)]


def test_a_quote_inside_a_plain_field_is_a_character(home):
    landed(home, HEAD + '1,5" screen,1.00,\n2,6" x 4",,\n')
    assert home.bronze("id, name") == [(1, '5" screen'), (2, '6" x 4"')]


def test_text_behind_a_closing_quote_refuses_that_row_alone(home):
    batch = landed(home, HEAD + '1,"a"b,1.00,\n2,b,,\n')
    assert (batch.status, batch.rows_quarantined) == ("loaded", 1)
    assert home.bronze("id, name") == [(2, "b")]


def test_wrong_number_of_fields_refuses_the_row_and_says_how_many(home):
    batch = landed(home, HEAD + "1,a,1.00,\n2,b\n3,c,1,,,\n   \n4,d,,\n5,e,,\n6,e,,\n")
    assert batch.rows_quarantined == 3
    assert home.rows("SELECT line, reason FROM ops.quarantine ORDER BY line") == [
        (3, "has 2 fields, but the file's structure has 4"),
        (4, "has 6 fields, but the file's structure has 4"),
        (5, "has 1 fields, but the file's structure has 4"),
    ]


def test_a_nul_byte_refuses_its_row(home):
    assert landed(home, HEAD + "1,a\0,1.00,\n2,b,,\n").rows_quarantined == 1
    assert home.bronze("id") == [(2,)]


def test_not_utf8_is_rejected_with_its_line(home):
    batch = landed(home, (HEAD + "1,a,,\n2,caf\xe9,,\n").encode("latin-1"))
    assert (batch.status, batch.finding, batch.rows_in) == ("rejected", "data_invalid", 3)
    assert "not utf-8" in batch.message


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-16-le", "utf-8"])
def test_encodings_of_the_contract(tmp_path, encoding):
    feed = feed_of(TAKINGS + f"    format: {{encoding: {encoding}}}\n")
    home = Home(tmp_path, feed)
    home.put("takings_2026-11-01.csv", (HEAD + "1,café,1.00,\n2,x,bad,\n").encode(encoding))
    [batch] = home.land().batches
    assert (batch.rows_loaded, batch.rows_quarantined) == (1, 1)
    assert home.bronze("name") == [("café",)]
    assert home.rows("SELECT line, raw_text FROM ops.quarantine") == [(3, "2,x,bad,")]


def test_utf16_where_utf8_was_agreed(home):
    batch = landed(home, (HEAD + "1,a,,\n").encode("utf-16"))
    assert batch.status == "rejected" and "utf-16" in batch.message


def test_a_cut_off_gzip_is_rejected(home):
    home.put("takings_2026-11-01.csv.gz", gzip.compress((HEAD + "1,a,,\n" * 1000).encode())[:-20])
    [batch] = home.land().batches
    assert (batch.status, batch.finding) == ("rejected", "data_invalid")
    assert "gzip" in batch.message and batch.rows_in == batch.rows_quarantined > 0


def test_gzip(home):
    home.put("takings_2026-11-01.csv.gz", gzip.compress((HEAD + "1,a,,\n2,b,x,\n").encode()))
    [batch] = home.land().batches
    assert (batch.rows_loaded, batch.rows_quarantined) == (1, 1)


def test_a_long_line_is_a_row(home):
    landed(home, HEAD + "1," + "a" * 3_000_000 + ",1.00,\n2,b,,\n")
    assert home.bronze("id, length(name)") == [(1, 3_000_000), (2, 1)]


def test_a_line_without_end_is_rejected_not_swallowed(tmp_path):
    feed = feed_of(TAKINGS + "    format: {max_record_bytes: 4096}\n")
    home = Home(tmp_path, feed)
    home.put("takings_2026-11-01.csv", HEAD + "1," + "a" * 5000 + ",1.00,\n")
    [batch] = home.land().batches
    assert (batch.status, batch.finding, batch.rows_in) == ("rejected", "data_invalid", 2)


def test_lines_above_and_comments(tmp_path):
    feed = feed_of(TAKINGS + '    format: {skip_lines: 2, comment: "#"}\n')
    home = Home(tmp_path, feed)
    home.put("takings_2026-11-01.csv", "Report\n\n" + HEAD + "# a\n1,a,,\n#b\n2,b,x,\n")
    [batch] = home.land().batches
    assert (batch.rows_in, batch.rows_loaded) == (2, 1)
    assert home.rows("SELECT line FROM ops.quarantine") == [(7,)]


def test_a_large_file_keeps_its_line_numbers_on_the_fast_way(home):
    rows = 300_000
    body = "".join(f'{n},"n{n % 7}",{n % 90}.5,\n' for n in range(rows))
    body = body.replace('\n150000,"n4",60.5,\n', '\n150000,"n4",sixty,\n')
    batch = landed(home, HEAD + body)
    assert (batch.rows_in, batch.rows_loaded, batch.rows_quarantined) == (rows, rows - 1, 1)
    assert home.rows("SELECT count(*), count(*) FILTER (_line = id + 2) FROM bronze.takings") == [(rows - 1, rows - 1)]
    assert home.rows("SELECT line, raw_text FROM ops.quarantine") == [(150_002, '150000,"n4",sixty,')]


@pytest.mark.parametrize("row", [",,,", " , ,,", '"","",,'])
def test_a_row_without_any_value_is_told(tmp_path, row):
    body = TAKINGS.replace("    key: id\n", "").replace(", required: true", "")
    home = Home(tmp_path, feed_of(body))
    home.put("takings_2026-11-01.csv", f"id,name,amount,sold_at\n1,a,1.00,\n{row}\n2,b,2.00,\n")
    result = home.land()
    assert (result.rows_loaded, result.rows_quarantined) == (2, 1)
    assert home.rows("SELECT line, reason FROM ops.quarantine") == [(3, "has no value in any field")]
    assert [finding.kind for finding in result.findings] == ["data_invalid"]
