"""A drafted contract loads the file that it was drafted from, whole, whatever the dialect."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from ops_project.cli import cli
from ops_project.model.document import Document
from ops_project.model.feed.feed import Feed
from ops_project.model.feed.feed_file import FeedFile
from ops_project.pipeline.landing.decide.draft import inbound_of

ROWS = 60


def ops(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--home", str(folder / "home"), *arguments])


def drafted(folder: Path, file: Path) -> Feed:
    result = ops(folder, "feed", "init", str(file), "--feed", "parcels", "--domain", "post", "--out", str(folder / "c"))
    assert result.exit_code == 0, result.output
    written = folder / "c" / "feeds" / "post.yaml"
    document = Document.parse(written.read_text(encoding="utf-8"), written)
    return document.validate(FeedFile).resolved()["parcels"]


def checked(folder: Path, file: Path) -> dict[str, Any]:
    result = ops(folder, "--config", str(folder / "c"), "feed", "check", str(file), "--feed", "parcels", "--json")
    found: dict[str, Any] = json.loads(result.stdout)
    return found


EUROPEAN = "Paket-Nr;Gewicht (kg);Größe;Wert;aufgegeben am;Straße;Eil\r\n" + "".join(
    f"{n:05d};{'NA' if n == 7 else f'{n},5'};{n};{n}.{n:03d},25;{n % 28 + 1:02d}.11.2026 08:{n:02d};Weg {n};{'ja' * (n % 2)}\r\n"
    for n in range(1, ROWS)
)
ENGLISH = "id,note,amount,sent,Amount 2\n" + "".join(
    f'{n},"a ""b"",\nc","{n},{n:03d}.50",2026-11-{n % 28 + 1:02d},{n}e3\n' for n in range(1, ROWS)
)

GERMAN = "Nr;Datum;Betrag;Menge;Version\n" + "".join(
    f"{n};{n % 28 + 1:02d}.11.2026;{'1234,50' if n == 5 else f'{n}.{n * 7 % 1000:03d},20'};{n}.000;{n}.5\n"
    for n in range(1, ROWS)
)
SINGLE = "id,name,'town'\n" + "".join(f"{n},'Lamb''s, {n}','York'\n" for n in range(1, ROWS))
APOSTROPHES = "id,town,name\n" + "".join(f"{n},'s-Gravenhage,O'Brien\n" for n in range(1, ROWS))


@pytest.mark.parametrize(
    ("name", "data", "types"),
    [
        (
            "parcels_20261101.csv",
            EUROPEAN.encode("cp1252"),
            {
                "paket_nr": "string",
                "gewicht_kg": "decimal(18,2)",
                "groesse": "integer",
                "wert": "decimal(18,2)",
                "aufgegeben_am": "timestamp",
                "strasse": "string",
                "eil": "string",
            },
        ),
        (
            "parcels_20261101.csv",
            GERMAN.encode(),
            {"datum": "date", "betrag": "decimal(18,2)", "menge": "integer", "version": "string"},
        ),
        ("parcels_20261101.csv", SINGLE.encode(), {"id": "integer", "name": "string", "town": "string"}),
        ("parcels_20261101.csv", APOSTROPHES.encode(), {"id": "integer", "town": "string", "name": "string"}),
        ("parcels_20261101.csv", EUROPEAN.replace(";", "\t").encode("utf-16"), {"groesse": "integer"}),
        ("parcels_20261101.csv", b"Report\n\n" + EUROPEAN.encode("utf-8-sig")[3:], {"wert": "decimal(18,2)"}),
        (
            "2026-11-01 parcels.csv.gz",
            gzip.compress(ENGLISH.encode()),
            {"id": "integer", "amount": "decimal(18,2)", "sent": "date", "amount_2": "double"},
        ),
        (
            "parcels-01112026.csv",
            ("id,,x,x\n" + "".join(f"{n},{n},a,{n}.0\n" for n in range(ROWS))).encode(),
            {"id": "integer", "field": "integer", "x": "string", "x_2": "bigint"},
        ),
        (
            "parcels.jsonl",
            "".join(
                json.dumps({"id": n, "to": {"city": "Ås", "zip": f"0{n}"}, "paid": True}) + "\n" for n in range(ROWS)
            ).encode(),
            {"id": "integer", "to_city": "string", "to_zip": "string", "paid": "boolean"},
        ),
    ],
)
def test_what_was_drafted_loads_its_own_file(tmp_path: Path, name: str, data: bytes, types: dict[str, str]) -> None:
    file = tmp_path / name
    file.write_bytes(data)
    feed = drafted(tmp_path, file)
    assert {column: feed.columns[column].type for column in types} == types
    report = checked(tmp_path, file)
    assert (report["would"], report["rows_quarantined"], report["problems"]) == ("load", 0, [])
    assert report["rows_in"] >= ROWS - 1
    assert report["notes"] == []


def test_parquet_needs_its_names_and_types_alone(tmp_path: Path) -> None:
    file = tmp_path / "parcels_2026-11-01.parquet"
    pq.write_table(pa.table({"Id": list(range(ROWS)), "value": [n / 7 for n in range(ROWS)]}), file)
    feed = drafted(tmp_path, file)
    assert (feed.key, feed.columns["value"].type, feed.format.kind) == (("id",), "double", "parquet")
    assert checked(tmp_path, file)["rows_loaded"] == ROWS


def test_the_draft_is_tried_on_its_sample_and_what_it_would_refuse_is_said(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("id,amount\n" + "".join(f"{n},{n}.5\n" for n in range(30)))
    said = ops(tmp_path, "feed", "init", str(good), "--feed", "a", "--domain", "b")
    assert "tried on good.csv: of 30 rows 30 would be loaded, 0 quarantined" in said.stderr
    assert "warning" not in said.stderr and "tried on" not in said.stdout
    bad.write_text("id,amount\n" + "".join(f"{n},{n}.5\n" for n in range(30)) + "30\n")
    said = ops(tmp_path, "feed", "init", str(bad), "--feed", "a", "--domain", "b")
    assert "warning: tried on bad.csv: of 31 rows 30 would be loaded, 1 quarantined; correct the draft" in said.stderr
    assert "first in line 32" in said.stderr


@pytest.mark.parametrize("days", [("31/01/2026", "05/02/2026"), ("01/31/2026", "02/05/2026"), ("31.01.26", "30.01.26")])
def test_a_day_that_can_be_no_month_leaves_no_doubt(days: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("id,day\n" + "".join(f"{n},{day}\n" for n, day in enumerate(days)))
    shown = ops(tmp_path, "feed", "init", str(file), "--feed", "a", "--domain", "b")
    assert shown.exit_code == 0 and "type: date" in shown.stdout
    assert "fits both" not in shown.output


def test_an_ambiguous_date_is_said_and_an_existing_contract_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("id,day\n" + "".join(f"{n},0{n % 9 + 1}/02/2026\n" for n in range(30)))
    shown = ops(tmp_path, "feed", "init", str(file), "--feed", "a", "--domain", "b")
    assert "or %m/%d/%Y: the sample fits both" in shown.stdout
    drafted(tmp_path, file)
    again = ops(tmp_path, "feed", "init", str(file), "--feed", "a", "--domain", "post", "--out", str(tmp_path / "c"))
    assert again.exit_code == 1 and "exists and is left as it is" in again.output


def test_what_cannot_be_drafted_says_what_would_be_right(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('[{"id": 1},\n {"id": 2')
    (tmp_path / "b.csv").write_text("")
    one = ops(tmp_path, "feed", "init", str(tmp_path / "a.json"), "--feed", "a", "--domain", "b")
    assert (
        one.exit_code == 1
        and "a.json is not a complete JSON document: the document ends in the middle (line 2)" in one.output
    )
    two = ops(tmp_path, "feed", "init", str(tmp_path / "b.csv"), "--feed", "a", "--domain", "b")
    assert two.exit_code == 1 and "b.csv is empty" in two.output
    three = ops(tmp_path, "feed", "init", str(tmp_path / "b.csv"), "--feed", "A b", "--domain", "b")
    assert three.exit_code == 2 and "--feed 'A b' must be lower case letters" in three.output


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("sales_2026-01-31.csv.gz", "sales_{date:%Y-%m-%d}.csv"),
        ("20260131-sales.csv", "{date:%Y%m%d}-sales.csv"),
        ("S31012026.TXT", "S{date:%d%m%Y}.TXT"),
        ("id_20269999.csv", "id_20269999.csv"),
        ("sales.csv", "sales.csv"),
    ],
)
def test_the_date_of_a_name_becomes_its_pattern(name: str, pattern: str) -> None:
    assert inbound_of(name) == pattern
