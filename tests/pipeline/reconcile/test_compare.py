"""Two sides, compared: every class, exact amounts, and the same answer with and without segments."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ops_project.model.reconciliation import Measure, Tolerance
from ops_project.pipeline.reconcile import ReconcileError, compare, differences, table_side
from ops_project.pipeline.reconcile.classify import BreakReason, Comparison, KeyClass

AMOUNT = {"amount": Measure(column="amount")}
Rows = list[tuple[Any, ...]]


@pytest.fixture
def connection() -> Any:
    with duckdb.connect() as opened:
        yield opened


def load(connection: duckdb.DuckDBPyConnection, name: str, rows: Rows, key: str = "INTEGER") -> None:
    connection.execute(f"create or replace table {name} (id {key}, part VARCHAR, amount DECIMAL(12,2), region VARCHAR)")
    if rows:
        connection.executemany(f"insert into {name} values (?, ?, ?, ?)", rows)


def run(connection: duckdb.DuckDBPyConnection, source: Rows, target: Rows, **options: Any) -> Comparison:
    load(connection, "a", source)
    load(connection, "b", target)
    key = options.pop("key", ["id"])
    return compare(
        connection,
        table_side(connection, "a"),
        table_side(connection, "b"),
        key=key,
        measures=options.pop("measures", AMOUNT),
        **options,
    )


def row(key: int | None, amount: str | None = "1.00", part: str | None = "x", region: str = "n") -> tuple[Any, ...]:
    return key, part, None if amount is None else Decimal(amount), region


def test_equal_tables_agree(connection: Any) -> None:
    found = run(connection, [row(1), row(2)], [row(2), row(1)])
    assert not found.is_break
    assert found.classes == ()
    assert found.total("rows").source == 2


def test_many_keys_are_named_with_as_many_queries_as_one(connection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A query for each key reads both tables again: 1,000 keys of 10 million rows took 20 s."""
    asked: list[str] = []
    execute = duckdb.DuckDBPyConnection.execute

    def counted(opened: Any, query: str, *rest: Any) -> Any:
        asked.append(query)
        return execute(opened, query, *rest)

    monkeypatch.setattr(duckdb.DuckDBPyConnection, "execute", counted)
    queries = []
    for changed in (1, 40):
        asked.clear()
        source = [row(number, "1.00", region=f"r{number}") for number in range(50)]
        target = [*(row(number, "2.00", region="") for number in range(changed)), *source[changed:]]
        found = run(connection, source, target, attributes=["region"], samples=100)
        [explained] = [item for item in found.classes if item.key_class is KeyClass.CHANGED]
        named = {sample["id"]: sample["differs"] for sample in explained.samples}
        assert named == {number: f"amount: 1.00 → 2.00; region: r{number} → " for number in range(changed)}
        queries.append(len(asked))
    assert queries[0] == queries[1]


@pytest.mark.parametrize(
    "key", ["[1, 2]", "{'a': 1}", "'nan'::double", "'infinity'::date"], ids=["list", "struct", "nan", "infinity"]
)
def test_the_differing_columns_are_named_whatever_the_type_of_the_key(connection: Any, key: str) -> None:
    """Python has no hash of a list, and NaN does not equal itself."""
    for name, value in (("a", 1), ("b", 2)):
        connection.execute(f"create table {name} as select {key} as id, {value} as x, 'nan'::double as y")
    found = compare(connection, table_side(connection, "a"), table_side(connection, "b"), key=["id"])
    [explained] = found.classes
    assert [sample["differs"] for sample in explained.samples] == ["x: 1 → 2"]


def test_each_class_explains_its_part_of_the_difference(connection: Any) -> None:
    source = [
        row(1, "10.00"),
        row(2, "20.00"),
        row(3, "30.00"),
        row(4, "40.00"),
        row(4, "41.00"),
        row(None, "7.00"),
    ]
    target = [row(1, "10.00"), row(2, "25.50"), row(4, "40.00"), row(5, "50.00")]
    found = run(connection, source, target)
    explained = {item.key_class: (item.keys, item.net["amount"]) for item in found.classes}
    assert explained == {
        KeyClass.MISSING: (1, Decimal("30.00")),
        KeyClass.EXTRA: (1, Decimal("-50.00")),
        KeyClass.CHANGED: (1, Decimal("-5.50")),
        KeyClass.DUPLICATE: (1, Decimal("41.00")),
        KeyClass.NULL_KEY: (1, Decimal("7.00")),
    }
    assert found.total("amount").difference == Decimal("22.50")
    assert found.unexplained("amount") == 0
    assert found.total("distinct keys").source == 4
    assert found.total("rows without key").source == 1


def test_two_errors_that_cancel_out_are_found(connection: Any) -> None:
    found = run(connection, [row(1, "100.00"), row(2, "200.00")], [row(1, "150.00"), row(2, "150.00")])
    assert found.total("amount").difference == 0
    assert found.reasons == (BreakReason.KEYS_DIFFER, BreakReason.OFFSETTING)
    changed = found.explained(KeyClass.CHANGED)
    assert changed is not None
    assert (changed.keys, changed.net["amount"], changed.absolute["amount"]) == (2, 0, Decimal("100.00"))


def test_a_duplicate_that_is_the_same_on_both_sides_is_reported_and_no_break(connection: Any) -> None:
    rows = [row(1, "1.00"), row(1, "2.00"), row(2)]
    found = run(connection, rows, rows)
    duplicate = found.explained(KeyClass.DUPLICATE)
    assert duplicate is not None
    assert (duplicate.keys, duplicate.differing, duplicate.source_rows) == (1, 0, 2)
    assert not found.is_break


def test_duplicates_with_the_same_sum_and_other_values_differ(connection: Any) -> None:
    found = run(connection, [row(1, "1.00"), row(1, "5.00")], [row(1, "2.00"), row(1, "4.00")])
    duplicate = found.explained(KeyClass.DUPLICATE)
    assert duplicate is not None
    assert duplicate.differing == 1
    assert found.is_break


def test_null_is_not_zero(connection: Any) -> None:
    found = run(connection, [row(1, None)], [row(1, "0.00")])
    assert found.total("amount").difference == 0
    assert found.total("amount is null").source == 1
    assert [item.key_class for item in found.classes] == [KeyClass.CHANGED]


def test_composite_keys_match_on_every_part_and_null_in_one_part_is_no_key(connection: Any) -> None:
    source = [row(1, part="x"), row(1, part="y"), row(1, "9.00", part=None)]
    target = [row(1, part="x"), row(1, part="z"), row(1, "9.00", part=None)]
    found = run(connection, source, target, key=["id", "part"])
    assert {item.key_class: item.differing for item in found.classes} == {
        KeyClass.MISSING: 1,
        KeyClass.EXTRA: 1,
        KeyClass.NULL_KEY: 0,
    }


def test_several_measures_and_compared_columns(connection: Any) -> None:
    measures = {
        "first": Measure(column="amount"),
        "again": Measure(column="amount", tolerance=Tolerance(absolute=0)),
    }
    found = run(
        connection,
        [row(1, "1.00"), row(2)],
        [row(1, "2.00"), row(2, region="s")],
        measures=measures,
        attributes=["region"],
    )
    changed = found.explained(KeyClass.CHANGED)
    assert changed is not None
    assert changed.keys == 2
    assert changed.net == {"first": Decimal("-1.00"), "again": Decimal("-1.00")}
    assert found.total("again").reasons == (BreakReason.ABSOLUTE_EXCEEDED, BreakReason.PERCENT_EXCEEDED)


def test_without_measures_every_common_column_is_compared(connection: Any) -> None:
    found = run(connection, [row(1)], [row(1, region="south")], measures={})
    assert [item.key_class for item in found.classes] == [KeyClass.CHANGED]


def test_an_empty_side(connection: Any) -> None:
    found = run(connection, [], [row(1, "3.00")])
    assert found.total("amount").difference == Decimal("-3.00")
    assert found.total("amount").percent is None
    assert [item.key_class for item in found.classes] == [KeyClass.EXTRA]


def test_numeric_types_that_differ_are_brought_together(connection: Any) -> None:
    connection.execute("create table a as select 1::bigint as id, 1.5::double as amount")
    connection.execute("create table b as select 1::smallint as id, 1.50::decimal(9,2) as amount")
    found = compare(connection, table_side(connection, "a"), table_side(connection, "b"), key=["id"], measures=AMOUNT)
    assert not found.is_break


def test_text_that_is_no_number_is_named_with_its_row(connection: Any) -> None:
    connection.execute("create table a as select 1 as id, 'abc' as amount")
    with pytest.raises(ReconcileError, match=r"a: row 1: column 'amount' holds 'abc'"):
        compare(connection, table_side(connection, "a"), table_side(connection, "a"), key=["id"], measures=AMOUNT)


def test_an_unknown_column_is_named_with_the_valid_ones(connection: Any) -> None:
    load(connection, "a", [])
    with pytest.raises(ReconcileError, match=r"a: no column 'nope'; valid: id, part, amount, region"):
        compare(connection, table_side(connection, "a"), table_side(connection, "a"), key=["nope"], measures=AMOUNT)


def test_nothing_is_left_in_the_connection(connection: Any) -> None:
    run(connection, [row(1)], [row(2)])
    left = connection.execute("select table_name from duckdb_tables() where temporary").fetchall()
    left += connection.execute("select view_name from duckdb_views() where temporary and not internal").fetchall()
    assert left == []


cells = st.tuples(
    st.one_of(st.none(), st.integers(0, 6)),
    st.sampled_from(["x", "y"]),
    st.one_of(st.none(), st.decimals(-99, 99, places=2)),
    st.just("n"),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(source=st.lists(cells, max_size=9), target=st.lists(cells, max_size=9), segmented=st.booleans())
def test_any_two_tables_are_explained_to_the_last_cent(
    connection: Any, source: Rows, target: Rows, segmented: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if segmented:
            patch.setattr(differences, "SEGMENT_ABOVE", 0)
            patch.setattr(differences, "ROWS_PER_SEGMENT", 1)
        found = run(connection, source, target)
    assert found.unexplained("amount") == 0
    expected: dict[KeyClass, set[int]] = defaultdict(set)
    for key in {r[0] for r in source + target} - {None}:
        left, right = (
            Counter(r[2] for r in source if r[0] == key),
            Counter(r[2] for r in target if r[0] == key),
        )
        if max(left.total(), right.total()) > 1:
            expected[KeyClass.DUPLICATE].add(key)
        elif not right:
            expected[KeyClass.MISSING].add(key)
        elif not left:
            expected[KeyClass.EXTRA].add(key)
        elif left != right:
            expected[KeyClass.CHANGED].add(key)
    got = {i.key_class: {s["id"] for s in i.samples} for i in found.classes if i.key_class is not KeyClass.NULL_KEY}
    assert got == expected
    assert found.total("distinct keys").source == len({r[0] for r in source} - {None})


@pytest.mark.parametrize("copy_below", [0.5, -1.0])
def test_large_tables_go_by_segments_and_find_the_same(
    connection: Any, monkeypatch: pytest.MonkeyPatch, copy_below: float
) -> None:
    monkeypatch.setattr(differences, "COPY_BELOW", copy_below)
    connection.execute(
        "create table a as select i * 7 as id, (i % 500)::decimal(12,2) as amount from range(500000) t(i)"
    )
    connection.execute("insert into a values (70, 1.00), (140, 2.00), (null, 5.00)")
    connection.execute(
        "create table b as select id, (case when id % 70000 = 7 then amount + 1 else amount end)::decimal(12,2) as amount"
        " from a where id is null or id % 350000 <> 14"
    )
    sides = table_side(connection, "a"), table_side(connection, "b")
    found = compare(connection, *sides, key=["id"], measures=AMOUNT)
    monkeypatch.setattr(differences, "SEGMENT_ABOVE", 10**9)
    plain = compare(connection, *sides, key=["id"], measures=AMOUNT)
    assert found == plain
    assert {item.key_class: item.keys for item in found.classes} == {
        KeyClass.MISSING: 10,
        KeyClass.CHANGED: 50,
        KeyClass.DUPLICATE: 2,
        KeyClass.NULL_KEY: 1,
    }
    assert found.unexplained("amount") == 0


def test_duplicates_in_equal_segments_are_found_slice_by_slice(
    connection: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ops_project.pipeline.reconcile import duplicates

    monkeypatch.setattr(differences, "SEGMENT_ABOVE", 0)
    monkeypatch.setattr(duplicates, "SLICE_ROWS", 100)
    connection.execute("create table a as select i % 990 as id, 1.00::decimal(9,2) as amount from range(1000) t(i)")
    found = compare(connection, table_side(connection, "a"), table_side(connection, "a"), key=["id"], measures=AMOUNT)
    duplicate = found.explained(KeyClass.DUPLICATE)
    assert duplicate is not None
    assert (duplicate.keys, duplicate.differing) == (10, 0)
