"""Files as sides, through the command: text stays text, and the real portfolio gives its known figures."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from ops_project.cli import cli
from ops_project.pipeline.reconcile.sides import measure_type, projection, table_side

ROOT = Path(__file__).resolve().parents[3]
PORTFOLIO = ROOT.parent / "shared" / "realdata" / "fremotor1"


def reconcile(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--home", str(home), "reconcile", *arguments])


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_files_that_agree_exit_with_0_and_files_that_differ_with_1(tmp_path: Path) -> None:
    one = write(tmp_path / "one.csv", "id,amount\n007,1.50\n8,2\n")
    same = write(tmp_path / "same.tsv", "amount\tid\n2.00\t8\n1.5\t007\n")
    other = write(tmp_path / "other.csv", 'id,amount\n7,1.50\n"8",2\n')
    options = ("--key", "id", "--measure", "amount", "--json")
    agree = reconcile(tmp_path, "--source", one, "--target", same, *options)
    assert (agree.exit_code, json.loads(agree.stdout)["is_break"]) == (0, False)
    differ = reconcile(tmp_path, "--source", one, "--target", other, *options)
    assert differ.exit_code == 1
    classes = {item["class"]: item["samples"][0]["id"] for item in json.loads(differ.stdout)["hops"][0]["classes"]}
    assert classes == {"missing": "007", "extra": "7"}


def test_parquet_gzip_and_json_lines(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.csv.gz", "wt") as handle:
        handle.write("id;amount\n1;2.50\n")
    duckdb.sql("select 1 as id, 2.5::decimal(9,2) as amount").write_parquet(str(tmp_path / "b.parquet"))
    (tmp_path / "c.jsonl").write_text('{"id": 1, "amount": 2.5}\n')
    for target in ("b.parquet", "c.jsonl"):
        found = reconcile(
            tmp_path,
            "--source",
            str(tmp_path / "a.csv.gz"),
            "--target",
            str(tmp_path / target),
            "--key",
            "id",
            "--measure",
            "amount",
        )
        assert found.exit_code == 0, found.output


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty; a header line is needed"),
        ("id,id\n1,2\n", "column 'id' stands twice"),
        ("id,amount\n1,abc\n", "line 2: column 'amount' holds 'abc', which is not a plain number"),
    ],
)
def test_a_file_that_cannot_be_compared_says_where(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path / "bad.csv", text)
    found = reconcile(tmp_path, "--source", path, "--target", path, "--key", "id", "--measure", "amount")
    assert found.exit_code == 1
    assert "bad.csv" in found.stderr
    assert message in found.stderr


def test_what_to_give_is_said(tmp_path: Path) -> None:
    assert "--source, --target and --key" in reconcile(tmp_path, "--source", "a.csv").stderr
    assert "no reconciliation 'nope'; configured:" in reconcile(tmp_path, "nope").stderr
    missing = reconcile(tmp_path, "--source", "/nowhere/a.csv", "--target", "/nowhere/b.csv", "--key", "id")
    assert "/nowhere/a.csv: no such file" in missing.stderr


@pytest.mark.skipif(not PORTFOLIO.is_dir(), reason="the French motor portfolio does not stand beside the project")
def test_the_motor_portfolio_gives_its_known_figures(tmp_path: Path) -> None:
    found = reconcile(
        tmp_path,
        "--source",
        str(PORTFOLIO / "fremotor1prem0304a.csv"),
        "--target",
        str(PORTFOLIO / "fremotor1prem0304b.csv"),
        "--key",
        "IDpol,Year",
        "--measure",
        "PremTot",
        "--json",
    )
    assert found.exit_code == 1
    (hop,) = json.loads(found.stdout)["hops"]
    totals = {total["name"]: (total["source"], total["target"], total["difference"]) for total in hop["control_totals"]}
    assert totals["rows"] == (51949, 51949, 0)
    assert totals["PremTot"] == ("22269898.0", "22270134.9", "-236.9")
    assert hop["reasons"] == ["keys_differ", "offsetting_errors"]
    classes = {item["class"]: item for item in hop["classes"]}
    assert classes["changed"]["keys"] == 10852
    assert classes["changed"]["absolute"] == {"PremTot": "473229.5"}
    assert classes["changed"]["explains"] == {"PremTot": "-236.9"}
    assert (classes["duplicate"]["keys"], classes["duplicate"]["differing"]) == (6, 0)
    assert (classes["duplicate"]["source_rows"], classes["duplicate"]["target_rows"]) == (12, 12)


def test_columns_of_other_names_are_mapped(tmp_path: Path) -> None:
    one = write(tmp_path / "one.csv", "place,day,amount,note\nA,1,1.5,x\nB,1,2.5,y\n")
    two = write(tmp_path / "two.csv", "Ort;Tag;Betrag;note\nB;1;2.50;y\nA;1;1.75;x\n")
    options = ("--key", "place=Ort, day=Tag", "--measure", "amount=Betrag", "--compare", "note", "--json")
    found = json.loads(reconcile(tmp_path, "--source", one, "--target", two, *options).stdout)
    [differing] = [item for item in found["hops"][0]["classes"] if item["keys"]]
    assert (differing["class"], differing["keys"], differing["samples"][0]["place"]) == ("changed", 1, "A")
    wrong = reconcile(tmp_path, "--source", one, "--target", two, "--key", "place=Platz")
    assert wrong.exit_code == 1 and "two.csv: no column 'Platz'; valid: Ort, Tag, Betrag, note" in wrong.output


def test_floats_as_they_are_written_are_compared_to_a_scale(tmp_path: Path) -> None:
    one = write(tmp_path / "one.csv", "id,weight\n1,0.1\n2,1e-05\n3,5\n")
    two = write(tmp_path / "two.csv", "id,weight\n1,0.100000000000001\n2,1.0000000000000001e-05\n3,5.001\n")
    sides = ("--source", one, "--target", two, "--key", "id", "--measure", "weight")
    plain = reconcile(tmp_path, *sides)
    assert plain.exit_code == 1 and "not a plain number" in plain.output
    found = json.loads(reconcile(tmp_path, *sides, "--scale", "6", "--json").stdout)
    changed = [item for item in found["hops"][0]["classes"] if item["class"] == "changed"]
    assert [(item["keys"], item["samples"][0]["id"]) for item in changed] == [(1, "3")]


# Written in the shortest way, 1.005 is exactly between two cents; its binary value is slightly less. DuckDB's cast of
# the text 6e-07 gives a cent.
HALVES = "range(1, 2001) as r(i)", "case when i % 500 = 0 then i / 1e9 when i % 2 = 0 then -i / 1000 else i / 1000 end"


@pytest.mark.parametrize("kind", ["double", "float"])
@pytest.mark.parametrize("scale", ["0", "2", "6"])
def test_a_column_is_the_same_in_csv_and_parquet(tmp_path: Path, kind: str, scale: str) -> None:
    rows, value = HALVES
    written = duckdb.sql(f"select i as id, ({value})::{kind} as price from {rows}")
    written.write_parquet(str(tmp_path / "a.parquet"))
    written.write_csv(str(tmp_path / "b.csv"), header=True)
    sides = ("--source", str(tmp_path / "a.parquet"), "--target", str(tmp_path / "b.csv"))
    found = reconcile(tmp_path, *sides, "--key", "id", "--measure", "price", "--scale", scale, "--json")
    assert (found.exit_code, json.loads(found.stdout)["is_break"]) == (0, False)


@pytest.mark.parametrize(
    ("text", "scale", "expected"),
    [
        ("1.005", 2, "1.01"),
        ("-1.005", 2, "-1.01"),
        ("1e-7", 2, "0.00"),
        ("6.123e-07", 2, "0.00"),
        ("-9.3e-05", 0, "0"),
        ("5e-03", 2, "0.01"),
        ("12.25E-1", 2, "1.23"),
        (".5e-1", 1, "0.1"),
        ("5e-324", 2, "0.00"),
        ("1e20", 2, "100000000000000000000.00"),
    ],
)
def test_numbers_are_rounded_as_they_are_written(text: str, scale: int, expected: str) -> None:
    connection = duckdb.connect()
    for value in (f"'{text}'", f"{text}::double"):
        connection.execute(f"create or replace table shop as select 1 as id, {value} as price")
        side = table_side(connection, "shop")
        select = projection(side, [], [("price", measure_type(connection, side, side, "price", scale))], [])
        assert connection.execute(f"select m0::varchar from ({select})").fetchone() == (expected,)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_a_float_that_is_no_number_is_told_with_its_row(tmp_path: Path, value: str) -> None:
    path = str(tmp_path / "a.parquet")
    duckdb.sql(f"select * from (values (1, 1.5::double), (2, '{value}'::double)) as t(id, price)").write_parquet(path)
    found = reconcile(tmp_path, "--source", path, "--target", path, "--key", "id", "--measure", "price", "--scale", "2")
    assert found.exit_code == 1
    assert f"a.parquet: row 2: column 'price' holds '{value}', which is not a plain number" in found.stderr
