"""Both sides are read by one exact reader and compared as numbers, instants and texts; the differences are named."""

from __future__ import annotations

import json
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import settings as quick
from hypothesis import strategies as st

from ops_project.pipeline.reconcile import ReconcileError, compare, file_side, table_side
from ops_project.pipeline.reconcile.classify import Comparison, KeyClass
from ops_project.pipeline.reconcile.sides import Side, projection


@pytest.fixture
def connection():
    with duckdb.connect() as made:
        made.execute("set TimeZone = 'UTC'")
        yield made


def put(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def compared(connection: Any, source: Path | str, target: Path | str, key: str = "id") -> Comparison:
    sides = [
        file_side(connection, side) if isinstance(side, Path) else table_side(connection, side)
        for side in (source, target)
    ]
    return compare(connection, *sides, key=key.split(","))


def test_ids_of_thirty_digits_are_not_read_as_floating_point(connection, tmp_path):
    big = 123456789012345678901234567890
    one = put(tmp_path, "a.jsonl", f'{{"id": {big}, "v": 1}}\n')
    other = put(tmp_path, "b.jsonl", f'{{"id": {big + 1}, "v": 1}}\n')
    assert compared(connection, one, other).differing_keys == 2
    assert compared(connection, one, put(tmp_path, "c.csv", f"id,v\n{big},1\n")).differing_keys == 0
    forty = "1234567890" * 4
    pair = [put(tmp_path, f"{n}.jsonl", f'{{"id": {forty}{n}, "v": 1}}\n') for n in (1, 2)]
    assert compared(connection, *pair).differing_keys == 2


def as_python_reads(text: str, scale: int) -> Decimal | None:
    """The number with this many places, rounded half up. None if it has no value, or needs more than 38 digits."""
    try:
        with localcontext(prec=100):
            number = Decimal(text).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)
    except InvalidOperation:
        return None
    return number if abs(number) < Decimal(10) ** (38 - scale) else None


NUMBERS = st.from_regex(r"[+-]?([0-9]{1,25}(\.[0-9]{0,25})?|\.[0-9]{1,25}|9{14,20}(\.[4-9]{1,20})?)", fullmatch=True)


@given(texts=st.lists(NUMBERS, min_size=1, max_size=20), scale=st.sampled_from([0, 2, 12, 20]))
@quick(max_examples=40, deadline=None)
def test_a_number_of_any_width_is_read_exactly(texts, scale):
    """Short numbers are read in a narrow type, because that is faster."""
    read = projection(Side("t", "t", {"v": "VARCHAR"}), [("v", f"DECIMAL(38,{scale})")], [], [])
    with duckdb.connect() as connection:
        for text in texts:
            connection.execute("create or replace table t as select ?::varchar as v", [text])
            try:
                found = connection.execute(read).fetchall()[0][0]
            except duckdb.ConversionException:
                found = None
            assert found == as_python_reads(text, scale), text


def test_numbers_are_compared_as_numbers(connection, tmp_path):
    connection.execute("create table t as select 1 as id, 4.95::decimal(9,2) as v union all select 2, 5.00")
    assert compared(connection, put(tmp_path, "a.csv", "id,v\n1,4.950\n2,5\n"), "t").differing_keys == 0
    connection.execute("create table f as select 1 as id, 4.95::double as v union all select 2, 5")
    assert compared(connection, put(tmp_path, "b.csv", "id,v\n1,4.950\n2,5.0\n"), "f").differing_keys == 0
    pair = (put(tmp_path, "c.csv", "id,v\n1,4.950\n"), put(tmp_path, "d.jsonl", '{"id": 1, "v": 4.95}\n'))
    assert compared(connection, *pair).differing_keys == 0


def test_leading_zeros_are_texts(connection, tmp_path):
    pair = (put(tmp_path, "a.csv", "id,v\n007,1\n8,1\n"), put(tmp_path, "b.csv", "id,v\n7,1\n8,1\n"))
    assert compared(connection, *pair).differing_keys == 2


@pytest.mark.parametrize("spelled", ["2026-01-05 10:00:00", "2026-01-05T10:00:00Z", "2026-01-05T11:00:00+01:00"])
def test_instants_match_however_they_are_written(connection, tmp_path, spelled):
    one = put(tmp_path, "a.jsonl", '{"at": "2026-01-05T10:00:00Z", "v": 1}\n{"at": "2026-01-05T12:00:00Z", "v": 2}\n')
    other = put(tmp_path, "b.csv", f"at,v\n{spelled},1\n2026-01-05 12:00:00,2\n")
    connection.execute(
        "create table t as select timestamp '2026-01-05 10:00:00' as at, 1 as v union all select timestamp '2026-01-05 12:00:00', 2"
    )
    connection.execute("create table z as select cast(t.at as timestamptz) as at, v from t")
    for pair in ((one, other), (other, "t"), (one, "t"), (other, "z")):
        assert compared(connection, *pair, key="at").differing_keys == 0


def test_what_differs_is_named_with_its_column_and_both_values(connection, tmp_path):
    connection.execute(
        "create table t as select 1 as id, 4.95::decimal(9,2) as amount, 'Bo' as name, date '2026-01-05' as day"
    )
    path = put(tmp_path, "a.csv", "id,amount,name,day\n1,4.96,Ek,2026-01-05\n")
    changed = compared(connection, path, "t").explained(KeyClass.CHANGED)
    assert changed is not None
    assert changed.samples[0]["differs"] == "amount: 4.96 → 4.95; name: Ek → Bo"


def test_quoted_commas_other_encodings_and_documents(connection, tmp_path):
    connection.execute("""create table t as select 1 as id, 'Müller' as "name, first" """)
    for name, content in (
        ("a.csv", 'id,"name, first"\n1,Müller\n'),
        ("latin.csv", 'id,"name, first"\n1,Müller\n'.encode("latin-1")),
        ("wide.csv", 'id,"name, first"\n1,Müller\n'.encode("utf-16")),
        ("marked.csv", b"\xef\xbb\xbf" + 'id;"name, first"\n1;Müller\n'.encode()),
        ("a.json", json.dumps([{"id": 1, "name, first": "Müller"}])),
    ):
        assert compared(connection, put(tmp_path, name, content), "t").differing_keys == 0, name


def test_several_files_are_read_by_the_names_of_their_columns(connection, tmp_path):
    connection.execute("create table t as select * from (values (1, 'a'), (2, 'b')) v(id, name)")
    put(tmp_path, "p1.csv", "id,name\n1,a\n")
    put(tmp_path, "p2.csv", "name,id\nb,2\n")
    assert compared(connection, tmp_path / "p*.csv", "t").differing_keys == 0
    put(tmp_path, "p3.csv", "id,title\n3,c\n")
    with pytest.raises(ReconcileError, match=r"p3.csv: its columns differ from those of p1.csv: name, title"):
        file_side(connection, tmp_path / "p*.csv")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("ragged.csv", "id,name\n1,a\n2,b,c\n", "line 3: has 3 fields, but the header has 2"),
        ("open.csv", 'id,name\n1,"a\n', "quotes do not balance"),
        ("bad.jsonl", '{"id": 1}\n{"id": \n', "line 2: not JSON"),
        ("list.jsonl", "[1, 2]\n", "line 1: not a JSON object"),
        ("lone.jsonl", '{"id": "x\\ud83d"}\n', "a value is not text"),
        ("cut.csv.gz", b"\x1f\x8b\x08\x00abc", "cannot be read"),
        ("nameless.csv", "id,,x\n1,2,3\n", "column 2 has no name"),
        ("a.xlsx", "x", "not a kind of file"),
    ],
)
def test_a_file_that_cannot_be_read_says_which_and_where(connection, tmp_path, name, content, words):
    path = put(tmp_path, name, content)
    with pytest.raises(ReconcileError, match=words) as refused:
        file_side(connection, path)
    assert name in str(refused.value)


@pytest.mark.parametrize(
    "content",
    [
        'id,name\n1,a\n2,\n3,"c, d"\n',
        'id,name\r\n1,"a ""b"""\r\n2,x\r\n',
        'id,name\n1,"two\nlines"\n2,b\n',
        "id,name\n1,a\n\n2,b\n",
        "id,name\r1,a\r2,b\r",
        "id;name\n01;ä\n2;NULL\n",
    ],
)
def test_the_fast_reader_gives_what_the_exact_one_gives(connection, tmp_path, monkeypatch, content):
    path = put(tmp_path, "a.csv", content)
    fast = connection.execute(f"select * from {file_side(connection, path).relation}").fetchall()
    monkeypatch.setattr("ops_project.pipeline.reconcile.files._load_fast", lambda *_: False)
    exact = connection.execute(f"select * from {file_side(connection, path).relation}").fetchall()
    assert fast == exact
    assert len(exact) == content.count("1") + content.count("2") + content.count("3")


def test_documents_however_they_are_broken_into_lines(connection, tmp_path):
    connection.execute("create table t as select 1 as id, 'a' as name union all select 2, 'b'")
    records = [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]
    for name, content in (
        ("one.json", json.dumps(records)),
        ("pretty.json", "\ufeff" + json.dumps(records, indent=2)),
        ("array.jsonl", "[\n" + ",\n".join(map(json.dumps, records)) + "\n]\n"),
        ("lines.json", "\n".join(map(json.dumps, records))),
        ("wide.ndjson", "\n".join(map(json.dumps, records)).encode("utf-16")),
    ):
        path = put(tmp_path, name, content)
        assert compared(connection, path, "t").differing_keys == 0, name
    connection.execute("delete from t where id = 2")
    assert compared(connection, put(tmp_path, "single.json", json.dumps(records[0], indent=2)), "t").differing_keys == 0


def test_a_header_may_hold_a_line_end(connection, tmp_path):
    connection.execute("""create table t as select 1 as id, 2 as "net\namount" """)
    assert compared(connection, put(tmp_path, "a.csv", 'id,"net\namount"\n1,2\n'), "t").differing_keys == 0


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("twins.csv", "id,ID\n1,2\n", "'id', 'ID': the names differ only in upper and lower case"),
        ("twice.jsonl", '{"id": 1}\n{"id": 2, "id": 3}\n', "line 2: not JSON: key 'id' stands twice"),
        ("empty.jsonl", '{"": 1}\n', "key 1 has no name"),
        ("half.json", '[{"id": 1}, {"id": 2', "the document ends in the middle"),
        ("number.json", '[{"id": 1}, 2]', "record 2: not a JSON object"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_its_place(connection, tmp_path, name, content, words):
    with pytest.raises(ReconcileError) as refused:
        file_side(connection, put(tmp_path, name, content))
    assert words in str(refused.value)
    assert name in str(refused.value)
