"""Which table is the cause: neither noise, nor older problems, nor symptoms mislead the diagnosis."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ops_project import catalog
from ops_project.column_lineage import Column, ColumnLineage, Origin
from ops_project.lineage import AssetFacts, Lineage
from ops_project.model.alerting.signal import FIRING, Signal
from ops_project.model.finding import LOADED, WHOLE
from ops_project.operations.diagnosis.decide.causes import diagnose
from ops_project.operations.diagnosis.decide.suspects import Change, Known, Question, Trouble
from ops_project.operations.diagnosis.diagnose import ARRIVAL, _harmless, refers
from ops_project.settings import Settings

GOOD = datetime(2026, 3, 3, 12, tzinfo=UTC)
WRONG = GOOD + timedelta(days=1)
EDGES = {
    "bronze/orders": (),
    "bronze/customers": (),
    "silver/orders": ("bronze/orders",),
    "silver/customers": ("bronze/customers",),
    "gold/revenue": ("silver/orders", "silver/customers"),
}
LINEAGE = Lineage.of(AssetFacts(key, upstream=upstream) for key, upstream in EDGES.items())


def column(text: str, *parents: str, state: str = "proven") -> tuple[Column, Origin]:
    return Column.parse(text), Origin(state, tuple(map(Column.parse, parents)), reason="here")


COLUMNS = ColumnLineage(
    dict(
        [
            column("gold/revenue.total", "silver/orders.amount"),
            column("gold/revenue.country", "silver/customers.country"),
            column("silver/orders.amount", "bronze/orders.amount"),
            column("silver/customers.country", "bronze/customers.country"),
            column("bronze/orders.amount"),
            column("bronze/customers.country"),
        ]
    )
)


def trouble(
    asset: str, failure_class: str = "data_invalid", kind: str = "check.failure", at: datetime = WRONG, **more: str
) -> Trouble:
    return Trouble(asset, kind, failure_class, at, f"{failure_class} at {asset}", evidence=f"signal of {asset}", **more)


def asked(*troubles: Trouble, col: str = "", changes: tuple[Change, ...] = (), columns: ColumnLineage = COLUMNS) -> str:
    question = Question("gold/revenue", col, WRONG, GOOD)
    found = diagnose(question, Known(LINEAGE, columns, troubles, changes))
    assert found.culprit is None or found.culprit.statements, "a statement without evidence"
    return found.culprit.asset if found.culprit else ""


def signal(kind: str, check: str, labels: dict[str, str] | None = None) -> Signal:
    return Signal(
        kind,
        FIRING,
        WRONG,
        WRONG,
        occurrence="once",
        asset="bronze/orders",
        check=check,
        failure_class="schema_mismatch",
        labels=labels or {},
    )


GOLD = trouble("gold/revenue")
ROOT = trouble("bronze/orders", "source_partial", "landing.finding")


def test_the_root_and_not_the_nearest_failing_table() -> None:
    middle = trouble("silver/orders", "reference_violation")
    found = diagnose(Question("gold/revenue", "", WRONG, GOOD), Known(LINEAGE, COLUMNS, (GOLD, middle, ROOT)))
    assert found.culprit is not None and found.culprit.asset == "bronze/orders"
    assert found.chain == ("bronze/orders", "silver/orders", "gold/revenue")
    assert found.nearest_failing == "silver/orders"
    assert {other.asset for other in found.runners_up} == {"silver/orders", "gold/revenue"}
    assert all("Repair bronze/orders" in words for words in found.telling_apart)


def test_a_check_that_a_blocking_check_of_another_table_stopped_is_no_cause() -> None:
    said = "1 blocking asset check failed with ERROR severity: bronze/orders: share_of_rows"
    crash = replace(trouble("silver/customers", "code_error", "check.crash"), message=said)
    blocking = trouble("bronze/orders", "interface_load_failure")
    assert asked(crash, blocking) == "bronze/orders"
    own = replace(crash, message="KeyError: 'country' in bronze/orders_old")
    assert asked(own, blocking) == "silver/customers"


def test_an_older_open_problem_explains_nothing() -> None:
    older = trouble("bronze/customers", "source_missing", "landing.finding", GOOD - timedelta(days=3))
    assert asked(GOLD, older, ROOT) == "bronze/orders"
    assert asked(GOLD, older) == "gold/revenue"


def test_a_noisy_neighbour_on_another_column_is_left_aside() -> None:
    noisy = trouble("bronze/customers", "data_invalid", "landing.finding")
    quiet = trouble("bronze/orders", "volume_anomaly")
    assert asked(GOLD, noisy, quiet, col="total") == "bronze/orders"
    assert asked(GOLD, noisy, quiet, col="country") == "bronze/customers"


def test_a_file_of_another_structure_that_was_loaded_whole_misleads_nobody() -> None:
    moved = replace(trouble("bronze/customers", "schema_mismatch", "landing.finding"), is_harmless=True)
    for failure_class in ("key_violation", "volume_anomaly", "mart_build_failure"):
        assert asked(GOLD, moved, trouble("silver/customers", failure_class)) == "silver/customers"
    assert asked(moved) == "bronze/customers", "where nothing else is wrong, it is the only suspect"
    refused = replace(moved, is_harmless=False)
    assert asked(GOLD, refused, trouble("silver/customers", "key_violation")) == "bronze/customers"


def test_a_check_that_repeats_only_findings_about_whole_files_is_as_harmless_as_they_are() -> None:
    whole = signal("landing.finding", "monday", {LOADED: WHOLE})
    arrival = signal("check.failure", ARRIVAL)
    other = signal("check.failure", "volume")
    assert _harmless([whole, arrival, other]) == {whole.id, arrival.id}
    refused = signal("landing.finding", "tuesday", {})
    assert _harmless([whole, arrival, other, refused]) == set()


def test_unknown_lineage_clears_no_suspect() -> None:
    doubtful = ColumnLineage({**COLUMNS.origins, **dict([column("gold/revenue.total", state="unknown")])})
    noisy = trouble("bronze/customers", "data_invalid", "landing.finding")
    assert asked(GOLD, noisy, col="total", columns=doubtful) == "bronze/customers"
    found = diagnose(Question("gold/revenue", "total", WRONG, GOOD), Known(LINEAGE, doubtful, (GOLD,)))
    assert any("gold/revenue.total" in words for words in found.unknown)


@pytest.mark.parametrize("failure_class", ["reconciliation_break", "storage_full", "timeout", "process_killed"])
def test_what_lies_between_a_table_and_its_inputs_is_not_explained_by_them(failure_class: str) -> None:
    warning = trouble("bronze/orders", "value_anomaly", "check.warning")
    assert asked(GOLD, trouble("silver/orders", failure_class), warning) == "silver/orders"


def test_a_build_that_fails_is_its_own_cause_unless_its_input_changed_its_shape() -> None:
    build = trouble("silver/orders", "code_error", "asset.failure")
    assert asked(GOLD, build, trouble("bronze/orders", "value_anomaly")) == "silver/orders"
    assert asked(GOLD, build, trouble("bronze/orders", "schema_mismatch", "landing.finding")) == "bronze/orders"


def test_symptoms_are_no_cause() -> None:
    late = trouble("bronze/customers", "freshness_breach")
    assert asked(GOLD, late, trouble("silver/orders", "key_violation")) == "silver/orders"


def test_what_began_later_is_less_likely() -> None:
    later = trouble("bronze/orders", "source_partial", "landing.finding", WRONG + timedelta(hours=5))
    assert asked(GOLD, later, trouble("bronze/customers", "volume_anomaly")) == "bronze/customers"


def test_a_change_is_a_suspect_where_nothing_fails() -> None:
    code = Change("silver/orders", "code", WRONG, "its SQL is another", "r1", "c0ffee", "snapshots 1 and 2")
    assert asked(changes=(code,)) == "silver/orders"
    found = diagnose(Question("gold/revenue", "", WRONG, GOOD), Known(LINEAGE, COLUMNS, (GOLD,), (code,)))
    suspects = [found.culprit, *found.runners_up]
    assert any(item is not None and item.commit == "c0ffee" for item in suspects)
    before = replace(code, at=GOOD - timedelta(days=1))
    assert asked(changes=(before,)) == ""


def test_rows_that_belong_to_others_are_too_many_because_those_are() -> None:
    lines = {**EDGES, "bronze/lines": (), "gold/revenue": (*EDGES["gold/revenue"], "bronze/lines")}
    lineage = Lineage.of(AssetFacts(key, upstream=upstream) for key, upstream in lines.items())
    of_lines, of_orders = trouble("bronze/lines", "volume_anomaly"), trouble("bronze/orders", "volume_anomaly")
    refers = {"bronze/lines": frozenset({"bronze/orders"}), "bronze/orders": frozenset({"bronze/customers"})}

    def first(*troubles: Trouble) -> str:
        question = Question("gold/revenue", "", WRONG, GOOD)
        found = diagnose(question, Known(lineage, COLUMNS, (GOLD, *troubles), refers=refers))
        assert found.culprit is not None
        return found.culprit.asset

    assert first(of_lines, of_orders) == "bronze/orders"
    assert first(of_lines) == "bronze/lines"
    assert first(replace(of_lines, failure_class="source_partial"), of_orders) == "bronze/lines", "it says itself why"


def test_what_refers_to_what_is_read_from_the_keys_of_the_contracts() -> None:
    found = refers(catalog.load(Settings(home=Path("/nowhere"))).feeds)
    assert "bronze/orders" in found["bronze/order_items"] and "bronze/order_items" not in found["bronze/orders"]
    assert "bronze/users" in found["bronze/streams"] and found["bronze/users"] == frozenset()


def test_values_that_no_table_on_the_way_has_made_came_with_the_landed_rows() -> None:
    wrong = trouble("silver/orders", "reference_violation", "check.warning", column="amount")
    found = diagnose(Question("silver/orders", "", WRONG, GOOD), Known(LINEAGE, COLUMNS, (wrong,)))
    assert found.culprit is not None and found.culprit.asset == "bronze/orders"
    assert "silver/orders.amount repeats bronze/orders.amount" in found.culprit.statements[0].text
    assert found.culprit.statements[0].evidence == wrong.evidence
    assert found.nearest_failing == "silver/orders", "the simple rule knows only what was reported"
    for other in (
        replace(wrong, column=""),
        replace(wrong, failure_class="key_violation"),
        replace(wrong, failure_class="code_error"),
    ):
        assert asked(other) == "silver/orders"


def test_values_did_not_come_so_where_the_code_changed_or_the_way_is_not_told() -> None:
    wrong = trouble("silver/orders", "reference_violation", column="amount")
    code = Change("silver/orders", "code", WRONG, "its SQL is another", "r1", "c0ffee", "snapshots 1 and 2")
    assert asked(wrong, changes=(code,)) == "silver/orders"
    doubtful = ColumnLineage({**COLUMNS.origins, **dict([column("silver/orders.amount", state="unknown")])})
    assert asked(wrong, columns=doubtful) == "silver/orders"
    of_two = dict([column("silver/orders.amount", "bronze/orders.amount", "bronze/customers.country")])
    assert asked(wrong, columns=ColumnLineage({**COLUMNS.origins, **of_two})) == "silver/orders"
    assert asked(wrong, ROOT) == "bronze/orders"
    real = trouble("bronze/customers", "source_missing", "landing.finding")
    assert asked(replace(wrong, asset="gold/revenue", column="country"), real) == "bronze/customers"


def test_nothing_known_names_nobody() -> None:
    found = diagnose(Question("gold/revenue"), Known(Lineage(), unread=("tables did not answer within 5 s",)))
    assert found.culprit is None
    assert any("asset graph is not known" in words for words in found.unknown)
    assert any("last good is not known" in words for words in found.unknown)
    assert "tables did not answer within 5 s" in found.unknown
