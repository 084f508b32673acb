"""Twenty small files of kinds that are seen in the wild, each with the draft that a person would write."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ops_project.pipeline.landing import check
from ops_project.pipeline.landing.drafting import feed_of, make_draft
from tests.pipeline.landing.home import NOW


@dataclass(frozen=True)
class Kind:
    """A file, and the contract that a person would write for it."""

    file: str
    content: str | bytes
    types: dict[str, Any]
    """Column → type, or the keys that matter."""
    key: tuple[str, ...] = ()
    rows: int = 0
    format: dict[str, Any] = field(default_factory=dict)
    inbound: str | None = None
    doubts: tuple[str, ...] = ()


def lines(*text: str) -> str:
    return "\n".join(text) + "\n"


KINDS = {
    "days, months and hours without their zero": Kind(
        "visits.csv",
        lines(
            "visit_id,seen,from_hour,mailed",
            "1,1/5/2026 3:04:05 PM,9:05,5.1.26",
            "2,12/31/2025 11:04:05 AM,17:30,31.12.25",
        ),
        {
            "visit_id": "integer",
            "seen": {"type": "timestamp", "formats": ("%-m/%-d/%Y %-I:%M:%S %p",)},
            "from_hour": {"type": "time", "formats": ("%-H:%M",)},
            "mailed": {"type": "date", "formats": ("%-d.%-m.%y",)},
        },
        key=("visit_id",),
        rows=2,
    ),
    "a key of three columns": Kind(
        "takings.csv",
        lines(
            "branch,day,till,amt",
            "1,2026-01-05,1,5",
            "1,2026-01-05,2,5",
            "2,2026-01-05,1,5",
            "1,2026-01-06,1,5",
            "2,2026-01-06,1,7",
        ),
        {"branch": "integer", "day": "date", "till": "integer", "amt": "integer"},
        key=("branch", "day", "till"),
        rows=5,
    ),
    "no header": Kind(
        "stock.csv",
        lines("1001,Tea,2.50,2026-01-05", "1002,Salt,0.40,2026-01-06", "1003,Rice,1.99,2026-01-07"),
        {"column_1": "integer", "column_2": "string", "column_3": "decimal(18,2)", "column_4": "date"},
        key=("column_1",),
        rows=3,
        format={"header": False},
        doubts=("header: false",),
    ),
    "no header and only words": Kind(
        "codes.csv",
        lines("DE,EUR,Germany", "SE,SEK,Sweden", "NO,NOK,Norway", "DK,DKK,Denmark", "PL,PLN,Poland"),
        {"column_1": "string", "column_2": "string", "column_3": "string"},
        key=("column_1",),
        rows=5,
        format={"header": False},
    ),
    "fixed width": Kind(
        "balances.txt",
        lines(
            "ACCOUNT   OWNER             BALANCE",
            "A-17      Ada Lovelace       120.50",
            "B-2       Bo Ek                7.00",
            "C-300     Carl von Linne    -15.25",
        ),
        {"account": {"type": "string", "trim": True}, "owner": "string", "balance": "decimal(18,2)"},
        key=("account",),
        rows=3,
        doubts=("fixed places",),
    ),
    "blanks between": Kind(
        "weather.dat",
        lines("station date temp", "A1 2026-01-05   -3.5", "A1   2026-01-06 0.25", "B7 2026-01-05 11.0"),
        {"station": "string", "date": "date", "temp": "decimal(18,2)"},
        key=("station", "date"),
        rows=3,
        doubts=("separated by blanks",),
    ),
    "an integer that was exported as a float": Kind(
        "policies.csv",
        lines("id_policy,premium", "100000,12.5", "9e+05,13.0", "300000,14.25"),
        {"id_policy": {"type": "bigint", "accept": frozenset({"exponent"})}, "premium": "decimal(18,2)"},
        key=("id_policy",),
        rows=3,
    ),
    "money with four decimals": Kind(
        "rates.csv",
        lines("currency,day,rate", "SEK,2026-01-05,10.1234", "NOK,2026-01-05,11.5", "SEK,2026-01-06,10.1251"),
        {"currency": "string", "day": "date", "rate": "decimal(18,4)"},
        key=("currency", "day"),
        rows=3,
    ),
    "order lines": Kind(
        "lines.csv",
        lines("order_id,line_no,sku,qty", "1,1,A,2", "1,2,B,1", "2,1,A,5", "2,2,C,2", "3,1,A,2"),
        {"order_id": "integer", "line_no": "integer", "sku": "string", "qty": "integer"},
        key=("order_id", "line_no"),
        rows=5,
    ),
    "Namibia": Kind(
        "countries.csv",
        lines("country_id,iso,population", "1,NA,2500000", "2,NO,5400000", "3,SE,NA"),
        {"iso": {"type": "string", "null_values": None}, "population": {"type": "integer", "null_values": ("", "NA")}},
        key=("country_id",),
        rows=3,
        doubts=("population: 'NA' means no value",),
    ),
    "only F": Kind(
        "people.csv",
        lines("person_id,sex,active", "1,F,Y", "2,F,N", "3,F,Y"),
        {"sex": "string", "active": "boolean"},
        key=("person_id",),
        rows=3,
    ),
    "telephone numbers and addresses": Kind(
        "contacts.csv",
        lines("id,phone,contact,zip", "1,+4930123456,ada@example.org,10115", "2,+46812345,bo@example.org,11122"),
        {
            "phone": {"type": "string", "personal_data": True},
            "contact": {"type": "string", "personal_data": True},
            "zip": "string",
        },
        key=("id",),
        rows=2,
    ),
    "short years": Kind(
        "visits.csv",
        lines("visit_id,day", "1,25/12/25", "2,26/12/25", "3,01/01/26"),
        {"day": {"type": "date", "formats": ("%d/%m/%y",)}},
        key=("visit_id",),
        rows=3,
    ),
    "a clock of twelve hours": Kind(
        "calls.csv",
        lines("call_id,at", "1,01/05/2026 01:30:00 PM", "2,01/17/2026 11:05:09 AM"),
        {"at": {"type": "timestamp", "formats": ("%m/%d/%Y %I:%M:%S %p",)}},
        key=("call_id",),
        rows=2,
    ),
    "milliseconds": Kind(
        "events.jsonl",
        "".join(json.dumps({"event_id": f"e{n}", "ts": 1767600000000 + n, "user": {"id": n}}) + "\n" for n in range(4)),
        {"ts": {"type": "timestamp", "formats": ("unix_ms",)}, "user_id": {"type": "integer", "source": "user.id"}},
        key=("event_id",),
        rows=4,
        format={"kind": "jsonl"},
    ),
    "inches": Kind(
        "parts.tsv",
        lines("part_no\tname\tprice", '7\t5" pipe\t1.20', '8\tpipe, 3/4"\t0.99', '9\t"odd\t2.00'),
        {"name": "string", "price": "decimal(18,2)"},
        key=("part_no",),
        rows=3,
        format={"delimiter": "\t", "quote": None},
    ),
    "an Excel export with a title": Kind(
        "Umsatz.csv",
        lines("Umsatz 2026;;;", "Stand: 05.01.2026;;;", ";;;", "Nr;Kunde;Datum;Betrag").encode("cp1252")
        + lines("1;Müller;05.01.2026;1.234,50", "2;Ek;06.01.2026;7,00").encode("cp1252"),
        {
            "nr": "integer",
            "kunde": "string",
            "datum": {"type": "date", "formats": ("%d.%m.%Y",)},
            "betrag": "decimal(18,2)",
        },
        key=("nr",),
        rows=2,
        format={"encoding": "cp1252", "delimiter": ";", "skip_lines": 3, "decimal": ",", "thousands": "."},
        doubts=("skip_lines: 3",),
    ),
    "a time in the name": Kind(
        "export_20260105_083000.csv",
        lines("id,name", "1,a", "2,b"),
        {"id": "integer"},
        key=("id",),
        rows=2,
        inbound="export_{date:%Y%m%d}_{part}.csv",
        doubts=("{revision}",),
    ),
    "a line that names the delimiter": Kind(
        "excel.csv",
        lines("sep=;", "id;amount", "1;2,5", "2;3,25"),
        {"id": "integer", "amount": "decimal(18,2)"},
        key=("id",),
        rows=2,
        format={"delimiter": ";", "skip_lines": 1, "decimal": ","},
    ),
    "comments and MySQL's marker": Kind(
        "dump.csv",
        lines("# written by mysqldump", "id|note|amount", r"1|\N|1.5", r"2|x|\N"),
        {"note": "string", "amount": "decimal(18,2)"},
        key=("id",),
        rows=2,
        format={"comment": "#", "delimiter": "|", "null_values": ("", r"\N")},
    ),
    "leading zeros": Kind(
        "articles.csv",
        lines("ean,amount", "0012345678905,3", "4006381333931,12"),
        {"ean": "string", "amount": "integer"},
        key=("ean",),
        rows=2,
    ),
    "a column for each year": Kind(
        "gdp.csv",
        lines("Country,2023,2024,2025", "Sweden,1.5,1.7,1.9", "Norway,2.5,2.6,2.75"),
        {"country": "string", "n2023": {"type": "decimal(18,2)", "source": "2023"}},
        key=("country",),
        rows=2,
    ),
    "thousands with commas": Kind(
        "sales.csv",
        'region,day,revenue\n"North",2026-01-05,"1,234.50"\n"South",2026-01-05,"12,000.00"\n',
        {"revenue": "decimal(18,2)"},
        rows=2,
        key=("region",),
        format={"thousands": ","},
    ),
    "a console's table": Kind(
        "psql.txt",
        lines(" id | name  | amt ", "----+-------+-----", "  1 | Ada   | 1.5", "  2 | Bo    | 2.5"),
        {"id": "integer", "name": {"type": "string", "trim": True}, "amt": "decimal(18,2)"},
        key=("id",),
        rows=2,
        format={"delimiter": "|", "comment": "----"},
    ),
    "words under words": Kind(
        "names.csv",
        lines("first,last", "Ada,Lovelace", "Bo,Ek", "Carl,Linne"),
        {"first": "string", "last": "string"},
        key=("first",),
        rows=3,
        doubts=("header: the first line (first, last) is taken for the names",),
    ),
    "two forms of a date": Kind(
        "mixed.csv",
        lines("id,day", "1,2026-01-05", "2,06.01.2026", "3,2026-01-31"),
        {"day": {"type": "date", "formats": ("%Y-%m-%d", "%d.%m.%Y")}},
        key=("id",),
        rows=3,
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_the_draft_is_what_a_person_would_write(tmp_path: Path, name: str) -> None:
    kind = KINDS[name]
    path = tmp_path / kind.file
    path.write_bytes(kind.content if isinstance(kind.content, bytes) else kind.content.encode())
    drafted = make_draft(path, "shop", "things", NOW)
    text = drafted.proposal.yaml()
    feed = feed_of(text, "things")
    for column, wanted in kind.types.items():
        keys = {"type": wanted} if isinstance(wanted, str) else wanted
        assert {key: getattr(feed.columns[column], key) for key in keys} == keys, text
    assert feed.key == kind.key, text
    for key, value in kind.format.items():
        assert getattr(feed.format, key) == value, text
    if kind.inbound is not None:
        assert feed.inbound == (kind.inbound,)
    assert feed.match(kind.file) is not None
    said = " | ".join(drafted.proposal.doubts)
    assert all(doubt in said for doubt in kind.doubts), said
    report = check(path, feed, NOW)
    assert (report.would, report.rows_in, report.rows_loaded) == ("load", kind.rows, kind.rows), report
    assert len(drafted.rows) == min(5, kind.rows)


def test_a_file_larger_than_memory_is_widened_until_every_row_loads(tmp_path: Path, monkeypatch) -> None:
    """The rows that do not fit come after the part that was read first."""
    from ops_project.pipeline.landing.read import sample

    monkeypatch.setattr(sample, "BYTES", 2_000)
    path = tmp_path / "a.csv"
    odd = ["7,2.125,x,2026-01-05,", "8,1.5,NA,05.01.2026,", "9,4,F,2026-01-06,é"]
    path.write_text("row_id,amount,sex,day,note\n" + "".join(f"{n},{n}.5,F,2026-01-05,\n" for n in range(100, 400)))
    with path.open("a", encoding="cp1252") as file:
        file.write("".join(f"{line}\n" for line in odd))
    drafted = make_draft(path, "shop", "things", NOW)
    feed = feed_of(drafted.proposal.yaml(), "things")
    assert drafted.report is not None
    assert (drafted.report.rows_loaded, drafted.report.rows_in) == (303, 303)
    assert feed.columns["amount"].type == "decimal(18,3)"
    assert feed.columns["day"].formats == ("%Y-%m-%d", "%d.%m.%Y")
    assert (feed.format.encoding, feed.key) == ("cp1252", ("row_id",))


def test_personal_data_is_masked_in_the_rows_that_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,email\n1,ada@example.org\n2,bo@example.org\n")
    assert [row["email"] for row in make_draft(path, "shop", "things", NOW).rows] == ["***", "***"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.json", b'[{"id": 1}, {"id": 2}', "is not a complete JSON document"),
        ("a.xlsx", b"PK\x03\x04" + b"x" * 100, "save the table in it as CSV"),
        ("a.csv", b"  \n", "is empty"),
        ("a.csv", b"<!DOCTYPE html>\n<html><body>502 Bad Gateway</body></html>\n", "a page of HTML"),
        ("a.parquet", b"PAR1 no", "is not a complete Parquet file"),
        ("a.csv.gz", b"\x1f\x8b no", ""),
    ],
)
def test_what_cannot_be_drafted_says_why(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises((ValueError, OSError, EOFError), match=words):
        make_draft(path, "shop", "things", NOW)
