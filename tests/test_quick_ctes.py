"""The short way writes what dbt writes, or leaves the query to dbt."""

from __future__ import annotations

import pytest

from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from tests.quick_ctes import quick

CTES = [" __dbt__cte__one as (\nselect 1 as n\n)", " __dbt__cte__two as (with a as (select 2 as n) select * from a)"]
QUERIES = (
    "with a as (select 1) select * from a",
    "\n\n  WITH\n  a as (select 1) select * from a",
    "-- with a comment\n\n/* with\nanother */ with a as (select 1) select * from a",
    "with -- why\n a as (select 1) select * from a",
    "select * from (with a as (select 1) select * from a)",
    "  \n-- a comment\nselect 'with a' as word",
    "/* one */ select 1",
)
LEFT_TO_DBT = (
    "with recursive a as (select 1) select * from a",
    "select 1; select 2",
    "(select 1)",
    "from a select 1",
    "withered as (select 1)",
)


def by_dbt(sql: str, ctes: list[str]) -> str:
    from dbt import compilation
    from dbt.contracts.graph.nodes import InjectedCTE

    inject = getattr(compilation.inject_ctes_into_sql, "replaced", compilation.inject_ctes_into_sql)
    return str(inject(sql, [InjectedCTE(id=cte, sql=cte) for cte in ctes]))


@pytest.mark.parametrize("sql", QUERIES)
@pytest.mark.parametrize("ctes", [CTES[:1], CTES], ids=["one", "two"])
def test_it_writes_what_dbt_writes(sql: str, ctes: list[str]) -> None:
    assert quick(sql, ctes) == by_dbt(sql, ctes)


def test_it_writes_what_dbt_writes_for_models() -> None:
    for sql in list(dbt_manifest.load().compiled.values())[::30]:
        assert quick(sql, CTES) in (None, by_dbt(sql, CTES))


@pytest.mark.parametrize("sql", LEFT_TO_DBT)
def test_what_begins_otherwise_is_left_to_dbt(sql: str) -> None:
    assert quick(sql, CTES) is None


def test_a_query_without_given_rows_is_left_to_dbt() -> None:
    assert quick("select 1", []) is None


def test_nearly_all_models_go_the_short_way() -> None:
    compiled = dbt_manifest.load().compiled
    assert sum(quick(sql, CTES) is None for sql in compiled.values()) < len(compiled) / 20
