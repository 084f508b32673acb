"""Asking for a column: how it is named, what is shown, and what is kept for each version of the code."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ops_project.column_lineage import ROWS, Column, ColumnLineage, Origin
from ops_project.operations.diagnosis.columns import UnknownColumn, find, trace
from ops_project.operations.diagnosis.rendering import svg
from ops_project.operations.diagnosis.rendering.tree import lines
from ops_project.operations.ledger import Ledger

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


def column(text: str) -> Column:
    return Column.parse(text)


LINEAGE = ColumnLineage(
    {
        column("inbound/orders.amt"): Origin("absent", reason="the data enters here"),
        column("bronze/orders.amount"): Origin("proven", (column("inbound/orders.amt"),)),
        column("bronze/orders.email"): Origin("proven", (column("inbound/orders.amt"),), personal=True),
        column("bronze/orders.*"): Origin("proven", (), (column("inbound/orders.*"),)),
        column("silver/facts.amount"): Origin(
            "proven", (column("bronze/orders.amount"),), (column("bronze/orders.email"),)
        ),
        column("silver/facts.odd"): Origin("unknown", reason="COLUMNS(…) is <not> followed"),
        column("silver/facts.*"): Origin("proven", (), (column("bronze/orders.*"),)),
        column("gold/revenue.total"): Origin("proven", (column("silver/facts.amount"), column("silver/facts.odd"))),
        column("gold/revenue.mail"): Origin("proven", (column("bronze/orders.email"),)),
        column("gold/revenue.*"): Origin("proven", (), (column("silver/facts.*"),)),
    },
    "v1",
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("gold.revenue.total", "gold/revenue.total"),
        ("gold/revenue.total", "gold/revenue.total"),
        ("Gold/Revenue/TOTAL", "gold/revenue.total"),
        ("revenue.total", "gold/revenue.total"),
        ("gold.revenue", "gold/revenue.*"),
        ("revenue", "gold/revenue.*"),
        ("orders.amount", "bronze/orders.amount"),
    ],
)
def test_a_column_is_named_as_people_name_it(text: str, found: str) -> None:
    assert find(LINEAGE, text) == column(found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gold.revenew.total", "did you mean gold.revenue"),
        ("gold.revenue.totl", "did you mean total"),
        ("gold.revenue.zzz", "columns: mail, total"),
        ("a.b.c.d", "write schema.table.column"),
        ("", "write schema.table.column"),
        ("nothing", "tables: bronze.orders"),
    ],
)
def test_what_does_not_exist_is_said_with_what_does(text: str, words: str) -> None:
    with pytest.raises(UnknownColumn, match=words):
        find(LINEAGE, text)


def test_up_and_down_meet() -> None:
    up = trace(LINEAGE, column("gold/revenue.total"))
    assert {str(c): hops for c, hops in up.depth.items()} == {
        "gold/revenue.total": 0,
        "silver/facts.amount": 1,
        "silver/facts.odd": 1,
        "bronze/orders.amount": 2,
        "bronze/orders.email": 2,
        "inbound/orders.amt": 3,
    }
    for there in up.depth:
        assert up.root in trace(LINEAGE, there, "down").depth
    assert set(up.unknown) == {column("silver/facts.odd")}


def test_rows_are_followed_where_they_are_asked_for() -> None:
    assert column("silver/facts.*") not in trace(LINEAGE, column("gold/revenue.total")).depth
    assert column("silver/facts.*") in trace(LINEAGE, column("gold/revenue.total"), rows=True).depth
    assert column("bronze/orders.*") in trace(LINEAGE, column("gold/revenue.*")).depth
    down = trace(LINEAGE, column("bronze/orders.*"), "down").depth
    assert column("gold/revenue.total") in down


def test_personal_data_is_what_shows_and_not_what_decides() -> None:
    assert LINEAGE.personal == {column("bronze/orders.email"), column("gold/revenue.mail")}


def test_the_tree_shows_each_subtree_once_and_every_reason() -> None:
    shown = "\n".join(lines(trace(LINEAGE, column("gold/revenue.total"), rows=True)))
    assert "silver.facts.odd  [unknown: COLUMNS(…) is <not> followed]" in shown
    assert "bronze.orders.email (decides it)  [personal data]" in shown
    assert shown.count("inbound.orders.amt") == 2  # it comes from two columns, so its own subtree is empty here
    assert len(list(lines(trace(LINEAGE, column("gold/revenue.total")), depth=1))) == 3


def test_the_picture_has_every_column_and_is_well_formed() -> None:
    graph = trace(LINEAGE, column("gold/revenue.total"), rows=True)
    tree = ElementTree.fromstring(svg.svg(graph))
    texts = [node.text or "" for node in tree.iter() if node.tag.endswith("text")] + [
        "".join(node.itertext()) for node in tree.iter() if node.tag.endswith("text")
    ]
    for there in graph.depth:
        assert any(("its rows" if there.name == ROWS else there.name) in text for text in texts), there
    paths = [node for node in tree.iter() if node.tag.endswith("path") and "edge" in (node.get("class") or "")]
    assert len(paths) == len(graph.hops)
    page = svg.html(graph)
    assert "COLUMNS(…) is &lt;not&gt; followed" in page and "<not>" not in page


def test_each_version_that_ran_is_kept_and_the_last_is_the_one_asked(tmp_path: Path) -> None:
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.sqlite") as ledger:
        assert ledger.columns() is None
        ledger.keep_columns(LINEAGE, "c1", NOW)
        second = LINEAGE.merged({}, "v2")
        ledger.keep_columns(second, "c2", NOW + timedelta(hours=1))
        assert ledger.columns() == second and ledger.columns("v1") == LINEAGE and ledger.columns("v9") is None
        # After a rollback the earlier version runs again. It keeps the commit that first had it.
        ledger.keep_columns(LINEAGE, "c3", NOW + timedelta(hours=2))
        assert [(v.version, v.commit) for v in ledger.column_versions()] == [("v1", "c1"), ("v2", "c2")]
