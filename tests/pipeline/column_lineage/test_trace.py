"""The origins read from one SELECT: which columns appear in a column, and which only decide it."""

from __future__ import annotations

import pytest

from ops_project.column_lineage import Column
from ops_project.pipeline.column_lineage.relations import Traced
from ops_project.pipeline.column_lineage.trace import trace

TABLES = {
    "s.orders": ("order_id", "customer_id", "amount", "status", "day"),
    "s.people": ("customer_id", "name", "email"),
}


def columns(sql: str) -> dict[str, tuple[set[str], set[str]]]:
    """Column → (the columns that appear in it, the columns that decide it), as `table.column`."""
    found = trace(sql, TABLES)
    assert not found.open, found.why
    assert not any(traced.unknown for traced in found.columns.values()), found
    return {name: (_names(t.values), _names(t.conditions - t.values)) for name, t in found.columns.items()}


def rows(sql: str) -> set[str]:
    return _names(trace(sql, TABLES).rows.conditions)


def _names(found: frozenset[Column]) -> set[str]:
    return {f"{column.asset.partition('/')[2]}.{column.name}" for column in found}


@pytest.mark.parametrize(
    ("sql", "column", "values", "conditions"),
    [
        ("select amount * 2 as double from s.orders", "double", {"orders.amount"}, set()),
        ("select * from s.orders", "status", {"orders.status"}, set()),
        ("select * exclude (status) from s.orders", "amount", {"orders.amount"}, set()),
        ("select * replace (amount + 1 as amount) from s.orders", "amount", {"orders.amount"}, set()),
        ("select * rename (amount as total) from s.orders", "total", {"orders.amount"}, set()),
        ("select o.* from s.orders as o, s.people as p", "customer_id", {"orders.customer_id"}, set()),
        ("with a as (select * from s.orders), b as (select * from a) select * from b", "day", {"orders.day"}, set()),
        ("with a (x, y) as (select order_id, amount from s.orders) select y from a", "y", {"orders.amount"}, set()),
        # A count of rows contains none of their values.
        ("select count(*) as n from s.orders", "n", set(), {"orders.*"}),
        ("select sum(1) as n from s.orders", "n", set(), {"orders.*"}),
        ("select count(distinct email) as n from s.people", "n", set(), {"people.*", "people.email"}),
        # A case, a window or a filter decides which value a column has. The values themselves come from what is
        # returned.
        (
            "select case when status = 'x' then amount else 0 end as x from s.orders",
            "x",
            {"orders.amount"},
            {"orders.status"},
        ),
        (
            "select lag(amount) over (partition by customer_id order by day) as before from s.orders",
            "before",
            {"orders.amount"},
            {"orders.customer_id", "orders.day"},
        ),
        (
            "select row_number() over (partition by order_id order by day desc) as place from s.orders",
            "place",
            set(),
            {"orders.order_id", "orders.day"},
        ),
        (
            "select max(amount) filter (where status = 'x') as most from s.orders",
            "most",
            {"orders.amount"},
            {"orders.status"},
        ),
        ("select email is null as lacks from s.people", "lacks", set(), {"people.email"}),
        # Set operations match columns by position, even if a name occurs twice.
        (
            "select order_id, 0 as a, 0 as b from s.orders union all select customer_id, 0, email from s.people",
            "b",
            {"people.email"},
            set(),
        ),
        (
            "select order_id as id, 0, amount from s.orders union all select name, 0, 0 from s.people",
            "amount",
            {"orders.amount"},
            set(),
        ),
        (
            "select amount as x from s.orders union all by name select email as x from s.people",
            "x",
            {"orders.amount", "people.email"},
            set(),
        ),
        # Joins: `using` has a column of both sides as one.
        (
            "select customer_id from s.orders full join s.people using (customer_id)",
            "customer_id",
            {"orders.customer_id", "people.customer_id"},
            set(),
        ),
        # Subqueries, correlated ones too.
        (
            "select (select max(p.name) from s.people p where p.customer_id = o.customer_id) as who from s.orders o",
            "who",
            {"people.name"},
            {"people.*", "people.customer_id", "orders.customer_id"},
        ),
        (
            "select exists (select 1 from s.people p where p.customer_id = o.customer_id) as known from s.orders o",
            "known",
            set(),
            {"people.*", "people.customer_id", "orders.customer_id"},
        ),
        ("select t.x from s.orders o, lateral (select o.amount + 1 as x) t", "x", {"orders.amount"}, set()),
        ("select u.part from s.people p, unnest(string_split(p.name, ' ')) as u(part)", "part", {"people.name"}, set()),
        (
            "select list_transform([amount], x -> x + order_id) as l from s.orders",
            "l",
            {"orders.amount", "orders.order_id"},
            set(),
        ),
        (
            "select [x + amount for x in [order_id] if x > day] as l from s.orders",
            "l",
            {"orders.amount", "orders.order_id"},
            {"orders.day"},
        ),
        # Later items of a SELECT list may use a name of an earlier one.
        ("select amount as a, a * 2 as b from s.orders", "b", {"orders.amount"}, set()),
        (
            "with recursive r as (select order_id as n from s.orders union all select n + 1 from r) select n from r",
            "n",
            {"orders.order_id"},
            set(),
        ),
        ("select struct_pack(v := amount).v as v from s.orders", "v", {"orders.amount"}, set()),
        ("select md5(email) as hashed from s.people", "hashed", {"people.email"}, set()),
        ("select current_date as today, 1 as one from s.orders", "today", set(), set()),
        ("from s.orders select amount", "amount", {"orders.amount"}, set()),
    ],
)
def test_what_a_column_is_made_of(sql: str, column: str, values: set[str], conditions: set[str]) -> None:
    assert columns(sql)[column] == (values, conditions)


def test_a_recursive_query_is_followed_until_nothing_is_added() -> None:
    """Each turn moves the values by one column, so the first column needs as many turns as there are columns."""
    names = [f"c{number}" for number in range(14)]
    start = ", ".join(["amount as c0"] + [f"null as {name}" for name in names[1:]])
    turn = ", ".join(["order_id", *names[:-1]])
    found = columns(
        f"with recursive r as (select {start} from s.orders union all select {turn} from r, s.orders) select * from r"
    )
    assert found["c13"] == ({"orders.amount", "orders.order_id"}, set())


@pytest.mark.parametrize(
    ("sql", "decide"),
    [
        ("select 1 from s.orders where status = 'x'", {"orders.*", "orders.status"}),
        ("select 1 from s.orders qualify row_number() over (order by day) = 1", {"orders.*", "orders.day"}),
        (
            "select customer_id from s.orders group by customer_id having sum(amount) > 1",
            {"orders.*", "orders.customer_id", "orders.amount"},
        ),
        ("select distinct status from s.orders", {"orders.*", "orders.status"}),
        ("select order_id from s.orders order by day limit 1", {"orders.*", "orders.day"}),
        (
            "select 1 from s.orders o join s.people p on o.customer_id = p.customer_id",
            {"orders.*", "people.*", "orders.customer_id", "people.customer_id"},
        ),
        (
            "select 1 from s.orders where customer_id in (select customer_id from s.people where name = 'x')",
            {"orders.*", "orders.customer_id", "people.*", "people.customer_id", "people.name"},
        ),
        (
            "select order_id from s.orders except select customer_id from s.people",
            {"orders.*", "people.*", "orders.order_id", "people.customer_id"},
        ),
    ],
)
def test_what_decides_over_the_rows(sql: str, decide: set[str]) -> None:
    assert rows(sql) == decide


@pytest.mark.parametrize(
    ("sql", "column", "why"),
    [
        ("select nonsense from s.orders", "nonsense", "belongs to no table"),
        ("select x from raw.a, raw.b", "x", "may belong to several tables"),
        ("select o from raw.orders as o", "o", ""),
    ],
)
def test_what_cannot_be_told_is_unknown(sql: str, column: str, why: str) -> None:
    """A table without known columns counts as the origin of a column that only it can have, and of no other."""
    traced = trace(sql, TABLES).columns[column]
    assert why in traced.unknown
    if not why:
        assert traced == Traced(frozenset({Column("raw/orders", "o")}))


@pytest.mark.parametrize(
    "sql",
    [
        "select * from raw.orders",
        "select columns('a.*') from s.orders",
        "select * from s.orders pivot (sum(amount) for status in ('a', 'b'))",
        "select * from read_csv('x.csv')",
        "select order_id from s.orders union all select * from raw.orders",
    ],
)
def test_columns_that_cannot_be_listed_are_not_invented(sql: str) -> None:
    found = trace(sql, TABLES)
    assert found.open
    assert not set(found.columns) - {"order_id"}


@pytest.mark.parametrize("sql", ["select from where", "drop table x", "select (1"])
def test_what_is_no_query_says_so(sql: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        trace(sql, TABLES)
