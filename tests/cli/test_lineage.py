"""`ops lineage` in this process, on a home in which a run has stored its lineage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ops_project.cli import cli
from ops_project.operations.ledger import open_ledger
from ops_project.settings import Settings
from tests.operations.diagnosis.test_columns import LINEAGE, NOW


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("lineage-home")
    open_ledger(Settings(home=home)).keep_columns(LINEAGE, "c1", NOW)
    return home


def ops(home: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["--home", str(home), "lineage", *words])


def answer(home: Path, *words: str) -> Any:
    done = ops(home, *words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_up_down_and_the_summary(home: Path) -> None:
    up = answer(home, "gold.revenue.total")
    assert up["version"] == "v1" and up["direction"] == "up"
    assert {c["column"]: c["state"] for c in up["columns"]}["silver/facts.odd"] == "unknown"
    assert {"from": "silver/facts.amount", "to": "gold/revenue.total", "kind": "value"} in up["edges"]
    down = answer(home, "bronze.orders.amount", "--down")
    assert [c["column"] for c in down["columns"]] == [
        "bronze/orders.amount",
        "silver/facts.amount",
        "gold/revenue.total",
    ]
    summary = answer(home)
    assert summary["schemas"]["silver"] == {"proven": 1, "absent": 0, "unknown": 1, "share": 0.5}
    assert answer(home, "--versions")[0]["commit"] == "c1"


def test_a_picture_goes_to_the_output_or_to_a_file(home: Path, tmp_path: Path) -> None:
    assert ops(home, "gold.revenue.total", "--svg").stdout.startswith("<svg ")
    done = ops(home, "gold.revenue.total", "--html", "--output", str(tmp_path / "page.html"))
    assert done.exit_code == 0 and (tmp_path / "page.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("gold.revenue.totl",), "did you mean total"),
        (("--svg",), "a picture needs a COLUMN"),
        (("gold.revenue.total", "--svg", "--json"), "exclude each other"),
        (("gold.revenue.total", "--output", "x"), "--output belongs to"),
        (("gold.revenue.total", "--version", "v9"), "'v9' is not kept"),
        (("gold.revenue.total", "--svg", "--output", "/nowhere/x.svg"), "cannot be written"),
    ],
)
def test_mistakes_are_said_in_a_line(home: Path, words: tuple[str, ...], said: str) -> None:
    done = ops(home, *words)
    assert done.exit_code != 0 and said in done.output
