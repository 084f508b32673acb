"""The first response that `ops run` prints names the facts that are known: the feed, and the runbook of the domain."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from ops_project import catalog
from ops_project.catalog import Catalog
from ops_project.cli import cli, run_summary
from ops_project.dagster_bridge.runs import CheckOutcome, RunOutcome
from ops_project.defs.shared.domain_run import DomainRun
from ops_project.settings import Settings


@pytest.fixture(scope="module")
def shipped() -> Catalog:
    return catalog.load(Settings.load(environ={}))


def test_a_finding_of_an_unknown_kind_names_the_runbook_of_its_domain(shipped: Catalog) -> None:
    said = run_summary._first_response(
        shipped, "streaming", {"kind": "of a later version", "feed": "streams", "asset": None}, ""
    )
    assert "`ops runbook show streaming-pipeline`" in said
    shown = CliRunner().invoke(cli, ["runbook", "show", "streaming-pipeline"])
    assert shown.exit_code == 0 and shown.output.startswith("# ")


def test_a_finding_about_a_feed_names_the_feed(shipped: Catalog) -> None:
    said = run_summary._first_response(
        shipped, "ecommerce", {"kind": "source_partial", "feed": "orders", "asset": None}, ""
    )
    assert "--feed orders" in said and "NAME" not in said


def test_a_domain_without_a_runbook_is_given_none(shipped: Catalog) -> None:
    said = run_summary._general(shipped, "of an overlay")
    assert "runbook" not in said
    assert "`ops alerts show N`" in said


def test_a_finding_about_a_file_names_the_file_where_it_is_kept(shipped: Catalog) -> None:
    finding = {"kind": "schema_mismatch", "feed": "orders", "asset": None}
    said = run_summary._first_response(shipped, "ecommerce", finding, "/home of mine/archive/ab12_orders.csv")
    assert "ops feed check '/home of mine/archive/ab12_orders.csv' --feed orders" in said


def test_a_finding_whose_file_is_unknown_leaves_no_word_to_fill_in(shipped: Catalog) -> None:
    finding = {"kind": "schema_mismatch", "feed": "orders", "asset": None}
    said = run_summary._first_response(shipped, "ecommerce", finding, "")
    assert "from ops.findings where feed = 'orders'" in said and "FILE" not in said


def test_an_advice_that_several_findings_share_stands_once(shipped: Catalog) -> None:
    lines = run_summary.advised(
        [("no file of the 4th", "ask"), ("a row is bad", "look"), ("no file of the 5th", "ask")]
    )
    assert [line.strip() for line in lines] == [
        "finding   no file of the 4th",
        "finding   no file of the 5th",
        "→ ask",
        "finding   a row is bad",
        "→ look",
    ]


@pytest.mark.parametrize(
    ("kind", "state", "shown"),
    [
        ("source_duplicate", "resolved", True),
        ("source_duplicate", "open", False),
        ("data_invalid", "resolved", False),
    ],
)
def test_a_file_that_came_again_and_settled_a_finding_hides_no_warning(kind: str, state: str, shown: bool) -> None:
    """No check judges such a file, so a warning of the table is about something else."""
    checks = (CheckOutcome(("bronze", "orders"), "volume", blocking=False, passed=False, severity="WARN"),)
    ran = DomainRun(
        "ecommerce", "master_pipeline", "succeeded", 1.0, outcome=RunOutcome(frozenset(), frozenset(), checks)
    )
    ran.report.findings = [{"kind": kind, "state": state, "asset": "bronze/orders"}]
    assert bool(run_summary._warnings(ran)) is shown
