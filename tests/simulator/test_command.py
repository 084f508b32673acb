"""`ops simulate` as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from ops_project.cli import cli
from ops_project.simulator.faults.registry import REGISTRY


def ops(home: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["--home", str(home), "--as-of", "2026-03-13", "simulate", *words])


def test_it_tells_what_it_wrote(tmp_path: Path) -> None:
    done = ops(tmp_path, "--domain", "insurance", "--days", "2", "--scale", "0.1", "--json")
    assert done.exit_code == 0, done.output
    (report,) = json.loads(done.stdout)["delivered"]
    assert (report["domain"], report["start"], report["end"], report["files"]) == (
        "insurance",
        "2026-03-11",
        "2026-03-12",
        4,
    )
    lines = [path.read_text().count("\n") - 1 for path in (tmp_path / "inbound/insurance").glob("*.csv")]
    assert report["rows"] == {"policies": sum(lines)}


def test_a_second_call_says_that_nothing_is_new(tmp_path: Path) -> None:
    ops(tmp_path, "--domain", "insurance", "--days", "1", "--scale", "0.1")
    assert "Nothing new from insurance" in ops(tmp_path, "--domain", "insurance").output


def test_a_fault_is_told_with_what_must_be_found(tmp_path: Path) -> None:
    done = ops(tmp_path, "--domain", "insurance", "--days", "1", "--scale", "0.1", "--fault", "missing:policies")
    assert "source_missing" in done.output
    assert json.loads((tmp_path / "truth.json").read_text())[0]["fault"] == "missing"


def test_a_fault_on_a_delivered_day_delivers_the_broken_feed_alone(tmp_path: Path) -> None:
    ops(tmp_path, "--domain", "ecommerce", "--days", "1", "--scale", "0.05")
    for path in (tmp_path / "inbound/ecommerce").iterdir():
        path.unlink()  # the file has been landed
    done = ops(tmp_path, "--domain", "ecommerce", "--fault", "truncated:products", "--scale", "0.05")
    assert done.exit_code == 0, done.output
    assert [path.name for path in (tmp_path / "inbound/ecommerce").iterdir()] == ["products_2026-03-12.csv"]


def test_what_was_delivered_can_not_be_missing_any_more(tmp_path: Path) -> None:
    ops(tmp_path, "--domain", "ecommerce", "--days", "1", "--scale", "0.05")
    for path in (tmp_path / "inbound/ecommerce").iterdir():
        path.unlink()  # the file has been landed
    done = ops(tmp_path, "--fault", "missing:orders")
    assert done.exit_code != 0
    assert "ops run --as-of 2026-03-14" in done.output
    assert not list((tmp_path / "inbound/ecommerce").glob(".staging*"))


def test_faults_are_listed(tmp_path: Path) -> None:
    rows = json.loads(ops(tmp_path, "--list-faults", "--json").stdout)
    assert [row["id"] for row in rows] == list(REGISTRY)
    assert all(identity in ops(tmp_path, "--list-faults").output for identity in ("missing", "late", "cdc_gap"))


def test_mistakes_are_one_line(tmp_path: Path) -> None:
    for words, message in (
        (("--domain", "insurrance"), "no source system is simulated for 'insurrance'; valid: ecommerce"),
        (("--fault", "trunkated"), "did you mean truncated?"),
        (("--postgres",), "--postgres needs the database's URL in OPS_INVESTOR_POSTGRES_URL"),
        (("--inbound-only",), "--inbound-only breaks files that lie in inbound: name a file fault with --fault"),
        (("--feed", "oders"), "no source system sends a feed 'oders'; valid: customers"),
        (("--domain", "insurance", "--feed", "orders"), "feed 'orders' belongs to domain 'ecommerce'"),
        (("--domain", "insurance", "--fault", "truncated:orders"), "domain 'ecommerce', which was not asked for"),
    ):
        done = ops(tmp_path, *words)
        assert done.exit_code != 0
        assert message in done.output
        assert "Traceback" not in done.output
    assert not (tmp_path / "inbound").exists()


def test_a_number_of_days_does_not_deliver_a_delivered_day_twice(tmp_path: Path) -> None:
    inbound = tmp_path / "inbound/ecommerce"
    ops(tmp_path, "--days", "2", "--scale", "0.05")
    for path in (tmp_path / "inbound").glob("*/*"):
        path.unlink()  # the file has been landed
    for words in (("--days", "1"), ("--days", "2"), ("--end", "2026-03-12")):
        done = ops(tmp_path, *words, "--fault", "missing:orders")
        assert done.exit_code != 0, done.output
        assert "2026-03-12 has been delivered" in done.output
        assert "ops run --as-of 2026-03-14" in done.output
        assert not list((tmp_path / "inbound").glob("*/*"))
    done = ops(tmp_path, "--days", "2", "--fault", "truncated:products")
    assert done.exit_code == 0, done.output
    assert [path.name for path in (tmp_path / "inbound").glob("*/*")] == ["products_2026-03-12.csv"]
    done = ops(tmp_path, "--domain", "ecommerce", "--days", "1")
    assert done.exit_code == 0, done.output
    assert "orders_2026-03-12.csv" in {path.name for path in inbound.iterdir()}, "asked for without a fault: sent again"
