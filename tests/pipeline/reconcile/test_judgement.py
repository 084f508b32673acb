"""The pure part of reconciliation: tolerances at their limits."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import ValidationError

from ops_project.model.reconciliation import Node, Reconciliation, Tolerance
from ops_project.pipeline.reconcile.classify import BreakReason, ControlTotal, beyond

SEED = Tolerance()


@pytest.mark.parametrize(
    ("source", "target", "reasons"),
    [
        ("100000", "99000", ()),
        ("100000", "98999.99", (BreakReason.ABSOLUTE_EXCEEDED,)),
        ("100000", "101000.01", (BreakReason.ABSOLUTE_EXCEEDED,)),
        ("100", "95", ()),
        ("100", "94.99", (BreakReason.PERCENT_EXCEEDED,)),
        ("-100", "-105.01", (BreakReason.PERCENT_EXCEEDED,)),
        ("20000", "18999", (BreakReason.ABSOLUTE_EXCEEDED, BreakReason.PERCENT_EXCEEDED)),
        ("0", "0", ()),
        ("0", "0.01", (BreakReason.PERCENT_EXCEEDED,)),
    ],
)
def test_either_sense_breaks_and_the_edge_is_within(source: str, target: str, reasons: tuple[BreakReason, ...]) -> None:
    assert beyond(ControlTotal("premium", Decimal(source), Decimal(target), SEED)) == reasons


def test_a_total_without_tolerance_is_shown_and_not_judged() -> None:
    assert ControlTotal("distinct keys", 1, 1_000_000).reasons == ()


def test_a_node_has_exactly_one_place() -> None:
    with pytest.raises(ValidationError, match="exactly one of table, file, feed; given: table, feed"):
        Node(name="raw", table="bronze.policies", feed="policies")


def test_node_names_differ_and_the_first_has_no_grain() -> None:
    node = Node(name="raw", table="a")
    with pytest.raises(ValidationError, match="node names must differ; given: raw, raw"):
        Reconciliation(title="t", domain="d", key=("id",), nodes=(node, node))
    with pytest.raises(ValidationError, match="cannot have a grain"):
        Reconciliation(title="t", domain="d", key=("id",), nodes=(Node(name="x", table="a", grain=("day",)), node))
