"""The content of the vault does not depend on when its extracts came, how often, or in how many runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.marketing.vault import FIRST, Extract, Warehouse, extracts

Make = Callable[[], Warehouse]


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[Extract], list[list[Extract]]]:
    """Extracts in a random order, and the runs in which they come. Some extracts come twice, and some come a month
    after the other extracts.
    """
    chosen = extracts(draw(st.integers(0, 10_000)), days=3)
    shuffled = draw(st.permutations(chosen + draw(st.lists(st.sampled_from(chosen), max_size=4))))
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(shuffled) - 1)), max_size=4)))
    bounds = [0, *cuts, len(shuffled)]
    return chosen, [shuffled[a:b] for a, b in pairwise(bounds)]


# A build is 45 statements, so shrinking would take minutes. The seed of the extracts is short enough to be read.
@settings(max_examples=8, deadline=None, phases=(Phase.explicit, Phase.generate), derandomize=True)
@given(arrivals())
def test_any_order_of_arrival_gives_the_same_vault(
    warehouse: Make, case: tuple[list[Extract], list[list[Extract]]]
) -> None:
    in_order, runs = case
    expected = warehouse()
    for extract in in_order:
        expected.deliver(extract)
    expected.build()
    other = warehouse()
    for run in runs:
        for extract in run:
            other.deliver(extract)
        other.build(only=other.vault)
    other.build()
    assert other.checksums() == expected.checksums()
    expected.connection.close()
    other.connection.close()


def test_a_rerun_adds_nothing(warehouse: Make) -> None:
    one = warehouse()
    for number, extract in enumerate(extracts(7)):
        one.deliver(extract)
        if number % 8 == 7:
            one.build()
    one.build()
    counts = {name: len(rows) for name, rows in one.checksums().items()}
    physical = {m.name: one.connection.execute(f"SELECT count(*) FROM silver.{m.name}").fetchone() for m in one.models}
    one.build()
    one.connection.execute("DELETE FROM ops.builds")
    one.build()
    assert {
        m.name: one.connection.execute(f"SELECT count(*) FROM silver.{m.name}").fetchone() for m in one.models
    } == physical
    assert {name: len(rows) for name, rows in one.checksums().items()} == counts


def test_rows_are_only_ever_inserted(warehouse: Make) -> None:
    one = warehouse()
    tables = [model.name for model in one.models if model.kind == "incremental"]
    before: dict[str, set[tuple[object, ...]]] = {}
    arriving = list(reversed(extracts(11)))
    for number in range(0, len(arriving), 6):
        for extract in arriving[number : number + 6]:
            one.deliver(extract)
        one.build(only=one.vault)
        now = {name: set(one.connection.execute(f"SELECT * FROM silver.{name}").fetchall()) for name in tables}
        assert all(before.get(name, set()) <= rows for name, rows in now.items())
        before = now


def test_current_is_the_newest_extract_that_speaks_of_a_key(warehouse: Make) -> None:
    chosen = extracts(3, days=6)
    one = warehouse()
    for extract in reversed(chosen):
        one.deliver(extract)
    one.build()
    newest: dict[str, dict[str, object]] = {}
    for extract in chosen:
        if extract.feed == "mart_customers":
            newest |= {row["customer_id"]: row for row in extract.rows}
    found = one.connection.execute(
        "SELECT customer_id, first_name, is_deleted FROM silver.sat_customer_profile_current "
        "JOIN silver.hub_customer USING (customer_hk) ORDER BY ALL"
    ).fetchall()
    assert found == sorted((key, row["first_name"], row["op"] == "D") for key, row in newest.items())


def test_a_customer_named_only_by_a_replaced_batch_is_not_among_the_rejects(warehouse: Make) -> None:
    one = warehouse()
    consent = {"channel": "email", "consent_status": "opted_in", "consented_at": "2026-01-01 00:00:00", "op": "U"}
    rejects = "SELECT entity_key FROM silver.interface_rejects WHERE entity = 'uds_customer' GROUP BY ALL ORDER BY ALL"
    one.deliver(Extract("mart_consents", FIRST, ({"customer_id": "M1", **consent}, {"customer_id": "M2", **consent})))
    one.build()
    assert one.connection.execute(rejects).fetchall() == [("M1",), ("M2",)]
    one.deliver(Extract("mart_consents", FIRST, ({"customer_id": "M1", **consent},)))
    one.build()
    assert one.connection.execute(rejects).fetchall() == [("M1",)]


def test_a_reject_names_the_first_standing_batch_of_its_key_in_however_many_builds(warehouse: Make) -> None:
    """A customer without a record of their own. The file of the first day comes last, and is corrected."""
    consent = {"channel": "email", "consent_status": "opted_in", "consented_at": "2026-01-01 00:00:00", "op": "U"}
    first, second = (
        Extract("mart_consents", FIRST + timedelta(days=number), ({"customer_id": "M1", **consent},))
        for number in range(2)
    )
    step_by_step, at_once = warehouse(), warehouse()
    batches = []
    for extract in (second, first, second, first):
        step_by_step.deliver(extract)
        at_once.deliver(extract)
        step_by_step.build()
        batches.append(named_in(step_by_step))
    at_once.build()
    assert batches == [1, 1, 2, 3]
    assert named_in(at_once) == batches[-1]


def named_in(one: Warehouse) -> int:
    [(found,)] = one.connection.execute(
        "SELECT DISTINCT load_seq FROM silver.interface_rejects WHERE entity = 'uds_customer'"
    ).fetchall()
    return int(found)
