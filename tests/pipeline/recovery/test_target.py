"""Which snapshot and which tables are meant. Every refusal says what exists."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ops_project.lineage import AssetFacts, Lineage
from ops_project.pipeline.recovery.decide.plan import Held, changes, children_of, downstream
from ops_project.pipeline.recovery.decide.target import Candidate, RestoreError, choose, qualify

FIRST = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALL = [
    Candidate("000001-aaaa", FIRST, frozenset({"silver.orders", "gold.old"})),
    Candidate("000002-bbbb", FIRST + timedelta(days=1), frozenset({"silver.orders", "gold.orders", "ops.batches"})),
    Candidate("000003-cccc", FIRST + timedelta(days=2), frozenset({"gold.orders"}), good=False),
]


@pytest.mark.parametrize(
    ("to", "moment", "meant"),
    [
        ("newest", None, 2),
        ("good", None, 1),
        ("000002-bbbb", None, 1),
        ("2", None, 1),
        ("2026-03-02T12:00", FIRST + timedelta(days=1), 1),
        ("2026-03-03T11:59", FIRST + timedelta(days=1, hours=23), 1),
        ("2030-01-01", datetime(2030, 1, 1, tzinfo=UTC), 2),
    ],
)
def test_a_snapshot_is_named_by_id_number_or_time(to: str, moment: datetime | None, meant: int) -> None:
    assert choose(to, moment, ALL) is ALL[meant]


def test_what_names_no_snapshot_is_refused_with_what_there_is() -> None:
    for to, moment in (("0", None), ("yesterday", None), ("", None), ("x", FIRST - timedelta(seconds=1))):
        with pytest.raises(RestoreError, match=r"000001-aaaa \(as of 2026-03-01 12:00 UTC\).*after a failure"):
            choose(to, moment, ALL)
    with pytest.raises(RestoreError, match="no snapshot to restore from"):
        choose("newest", None, [])


def test_a_table_is_named_with_or_without_its_schema() -> None:
    assert qualify(["silver/orders", "gold.orders"], ALL[1], ALL) == ("gold.orders", "silver.orders")
    assert qualify(["orders"], ALL[2], ALL) == ("gold.orders",)
    for name, words in {
        "orders": "gold.orders or silver.orders: write the schema",
        "gold.old": "these do: 000001-aaaa",
        "silver.order": "did you mean silver.orders",
        "batches": "journal",
    }.items():
        with pytest.raises(RestoreError, match=words):
            qualify([name], ALL[1], ALL)


def test_downstream_is_what_either_graph_says() -> None:
    manifest = {
        "nodes": {
            "model.p.a": {"resource_type": "model", "schema": "silver", "name": "a", "alias": "a"},
            "model.p.b": {"resource_type": "model", "schema": "gold", "name": "b", "alias": "b"},
            "test.p.t": {"resource_type": "test", "schema": "x", "name": "t"},
        },
        "sources": {"source.p.s": {"resource_type": "source", "schema": "bronze", "name": "s", "identifier": "s"}},
        "child_map": {"source.p.s": ["model.p.a"], "model.p.a": ["model.p.b", "test.p.t"], "model.p.b": []},
    }
    lineage = Lineage.of([AssetFacts("gold/b"), AssetFacts("gold/scores", upstream=("gold/b",))])
    assert downstream(["bronze.s"], lineage, children_of(manifest)) == ("gold.b", "gold.scores", "silver.a")
    assert downstream(["gold.b", "gold.scores"], lineage, children_of(manifest)) == ()


def test_a_change_says_what_happens() -> None:
    one, two = Held(1, "a"), Held(2, "b")
    found = changes(
        ["s.new", "s.gone", "s.same", "s.other", "s.none"],
        {"s.new": one, "s.same": one, "s.other": one},
        {"s.gone": one, "s.same": one, "s.other": two},
    )
    assert {item.table: item.words for item in found} == {
        "s.gone": "brought back",
        "s.new": "removed",
        "s.other": "replaced",
        "s.same": "the same already",
    }
