"""Errors in the SQL that could stay unnoticed (wrong joins, aggregates, filters, windows, NULLs) are caught. Each
mutant is one edit of a model or macro in dbt's parsed manifest. It counts as caught only if a unit test ends with a
wrong result; SQL that no longer runs proves nothing. Mutants of different models share an invocation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from ops_project.pipeline.dbt_engine import shortcuts
from ops_project.settings import DBT_PROJECT_DIR
from tests import quick_ctes
from tests.dbt.shop import Shop


@dataclass(frozen=True)
class Mutant:
    """In `node` (a model, or `macro:<name>` as used by `model`), `old` becomes `new`, where it occurs first."""

    node: str
    old: str
    new: str
    model: str = ""

    @property
    def tested(self) -> str:
        return self.model or self.node

    def __str__(self) -> str:
        return f"{self.node}: {self.old} → {self.new}"


MUTANTS = [
    # joins on wrong keys, joins that lose or multiply rows
    Mutant("fact_order_items", "coalesce(orders.business_date, items.business_date)", "items.business_date"),
    Mutant("fact_order_items", "left join orders", "inner join orders"),
    Mutant("customer_metrics", "full outer join totals", "left join totals"),
    Mutant("customer_metrics", "full outer join totals", "right join totals"),
    Mutant("customer_metrics", "    where is_current\n", ""),
    Mutant("product_performance", "full outer join totals", "inner join totals"),
    Mutant("product_performance", "    where is_current\n", ""),
    Mutant("daily_revenue", "full outer join items", "left join items"),
    Mutant("daily_revenue", "full outer join items", "inner join items"),
    Mutant("executive_summary", "left join previous_period", "inner join previous_period"),
    Mutant("data_quality_metrics", "left join scores", "inner join scores"),
    # wrong aggregates
    Mutant(
        "daily_revenue",
        "count(distinct case when is_sale then order_id end)",
        "count(case when is_sale then order_id end)",
    ),
    Mutant(
        "daily_revenue",
        "count(distinct case when is_sale then customer_id end)",
        "count(case when is_sale then customer_id end)",
    ),
    Mutant("daily_revenue", "sum(net_amount)", "count(net_amount)"),
    Mutant("int_customer_days", "sum(net_amount)", "max(net_amount)"),
    Mutant(
        "int_customer_days",
        "count(distinct case when is_sale then order_id end)",
        "count(case when is_sale then order_id end)",
    ),
    Mutant(
        "int_product_days",
        "count(distinct case when is_sale then order_id end)",
        "sum(case when is_sale then 1 else 0 end)",
    ),
    Mutant("customer_metrics", "sum(sales_orders) as sales_orders", "count(sales_orders) as sales_orders"),
    Mutant("customer_metrics", "min(case when sales_orders > 0", "max(case when sales_orders > 0"),
    Mutant("executive_summary", "count(distinct customer_days.customer_id)", "count(customer_days.customer_id)"),
    Mutant(
        "product_performance",
        "rank() over (order by gross_revenue desc)",
        "row_number() over (order by gross_revenue desc)",
    ),
    # conditions that are left out or changed
    Mutant(
        "fact_order_items",
        "quantity > 0 and unit_price > 0 and customer_id is not null",
        "quantity > 0 and unit_price > 0",
    ),
    Mutant(
        "fact_order_items",
        "quantity > 0 and unit_price > 0 and customer_id is not null",
        "quantity >= 0 and unit_price > 0 and customer_id is not null",
    ),
    Mutant(
        "fact_order_items",
        "quantity > 0 and unit_price > 0 and customer_id is not null",
        "quantity > 0 and unit_price >= 0 and customer_id is not null",
    ),
    Mutant("fact_order_items", "when is_undone and quantity > 0 then 0", "when is_undone then 0"),
    Mutant("fact_order_items", "when is_undone and quantity > 0 then 0 else", "when false then 0 else"),
    Mutant("fact_orders", "status in ('cancelled', 'returned')", "status in ('cancelled')"),
    Mutant("int_customer_days", "sum(case when is_sale then line_amount else 0 end)", "sum(line_amount)"),
    Mutant("int_customer_days", "where customer_id is not null and", "where"),
    Mutant(
        "int_product_days",
        "sum(greatest(-quantity, 0))",
        "sum(case when quantity < 0 then quantity else 0 end)",
    ),
    Mutant("daily_revenue", "sum(case when is_sale then line_amount else 0 end)", "sum(line_amount)"),
    Mutant("executive_summary", "where customer_days.sales_orders > 0", "where customer_days.sales_orders >= 0"),
    Mutant("executive_summary", "periods.previous_start >= begun", "periods.previous_start <> begun"),
    Mutant("data_quality_metrics", "order by as_of desc, run_id desc", "order by as_of, run_id"),
    # off by one
    Mutant("daily_revenue", "days_later('days_shown.order_date', -6)", "days_later('days_shown.order_date', -7)"),
    Mutant("daily_revenue", "days_later('days_shown.order_date', -6)", "days_later('days_shown.order_date', -5)"),
    Mutant("daily_revenue", "widened(rebuilt_dates(), 6, 0)", "widened(rebuilt_dates(), 5, 0)"),
    Mutant("executive_summary", "days_later('data_through', -6)", "days_later('data_through', -7)"),
    Mutant("executive_summary", "days_later('data_through', -13)", "days_later('data_through', -9)"),
    Mutant("data_anomalies", "position - 1)", "position)"),
    Mutant("data_anomalies", "where points >=", "where points >"),
    Mutant(
        "data_anomalies",
        "flat.points >= {{ var('anomaly_weekday_from') }}",
        "flat.points > 10000 + {{ var('anomaly_weekday_from') }}",
    ),
    Mutant("data_anomalies", "greatest(\n                coalesce(noise, 0),", "nullif(coalesce(noise, 0) + 0 *"),
    # treatment of NULL
    Mutant("fact_order_items", "coalesce(items.discount_amount, 0)", "items.discount_amount"),
    Mutant("customer_metrics", "totals.customer_id is null then 0 else totals.gross", "false then 0 else totals.gross"),
    # exchange rates
    Mutant("fact_orders", "order by published.business_date desc", "order by published.business_date"),
    Mutant("fact_orders", "then 1 else rates.exchange_rate end", "then 1 else coalesce(rates.exchange_rate, 1) end"),
    Mutant("fact_orders", "published.business_date <= foreign_days.business_date", "true"),
    Mutant(
        "fact_order_items", "in_reporting_currency('priced.line_amount')", "in_reporting_currency('line_amount', 1)"
    ),
    Mutant("customer_metrics", "coalesce(customers.customer_id, totals.customer_id)", "customers.customer_id"),
    Mutant("product_performance", "coalesce(totals.units_sold, 0)", "totals.units_sold"),
    Mutant("daily_revenue", "coalesce(items.gross_revenue, 0)", "items.gross_revenue"),
    # change detection and the choice among deliveries
    Mutant("macro:scd2_versions", "fingerprint(columns)", "fingerprint(['country'])", "dim_customers"),
    Mutant("macro:scd2_versions", "fingerprint(columns)", "fingerprint(['list_price'])", "dim_products"),
    Mutant("macro:scd2_versions", "or previous_state <> state", "", "dim_customers"),
    Mutant("macro:scd2_versions", "recency desc nulls last, state", "recency, state", "dim_customers"),
    Mutant("macro:scd2_versions", "lead(business_date)", "lag(business_date)", "dim_customers"),
    Mutant(
        "macro:scd2_versions", "and not (is_base and known_valid_to is not distinct from valid_to)", "", "dim_customers"
    ),
    Mutant(
        "macro:scd2_versions",
        "and not (is_base and known_valid_to is not distinct from valid_to)",
        "and not is_base",
        "dim_customers",
    ),
    Mutant("macro:newest_first", "' desc nulls last'", "' nulls last'", "fact_orders"),
    Mutant("macro:newest_first", "'_load_seq desc'", "'_load_seq'", "fact_orders"),
    Mutant("macro:latest_rows", "{%- if by %}", "{%- if false %}", "fact_order_items"),
    Mutant("macro:newest_first", "'_file_date desc nulls last', ", "", "fact_order_items"),
    Mutant("macro:scd2_versions", "where next_whole < next_seen", "where next_whole <= next_seen", "dim_customers"),
    Mutant("macro:scd2_versions", "or (next_whole is not null and next_seen is null)", "", "dim_customers"),
    Mutant(
        "macro:scd2_versions",
        "previous_state is null or state is null or",
        "previous_state is null or",
        "dim_customers",
    ),
    Mutant("macro:latest_rows", "where place = 1", "where true", "fact_web_events"),
    Mutant("macro:ratio", "nullif({{ denominator }}, 0)", "greatest({{ denominator }}, 1)", "customer_metrics"),
]


def rounds(mutants: Iterable[Mutant]) -> list[list[Mutant]]:
    """Mutants in groups in which each tested model occurs once, and a mutated macro stands alone."""
    found: list[list[Mutant]] = []
    for mutant in mutants:
        for group in found:
            alone = any(other.node.startswith("macro:") for other in group) or mutant.node.startswith("macro:")
            if not alone and all(other.tested != mutant.tested for other in group):
                group.append(mutant)
                break
        else:
            found.append([mutant])
    return found


def by_cost(groups: list[list[Mutant]]) -> list[Any]:
    """The rounds as parameters: those with a mutant of nearly every model belong to the suite, the others to the soak.

    A round costs 4 to 8 s, whether it holds ten mutants or one. `make mutants` makes many more edits, in a fast way.
    """
    return [pytest.param(group, marks=() if place < 2 else pytest.mark.soak) for place, group in enumerate(groups)]


def without_their_text(mutants: Iterable[Mutant]) -> list[str]:
    """The mutants that edit nothing: `old` is not in the model or macro, or `new` is the same."""
    known = dbt_manifest.load().json
    return [
        str(mutant)
        for mutant in mutants
        if mutant.new == mutant.old
        or mutant.old
        not in (
            known["macros"][f"macro.ops_project.{mutant.node.removeprefix('macro:')}"]["macro_sql"]
            if mutant.node.startswith("macro:")
            else known["nodes"][f"model.ops_project.{mutant.node}"]["raw_code"]
        )
    ]


def unit_tests(shop: Shop, mutants: list[Mutant], *of: str) -> dict[str, set[str]]:
    """Model → the outcomes of its unit tests with these mutants in place. Without mutants: of all models tagged
    `of`.
    """
    from dbt.cli.main import dbtRunner

    shortcuts.take()
    quick_ctes.take()
    manifest: Any = dbt_manifest.load().object()
    for mutant in mutants:
        if mutant.node.startswith("macro:"):
            macro = manifest.macros[f"macro.ops_project.{mutant.node.removeprefix('macro:')}"]
            assert mutant.old in macro.macro_sql, mutant
            macro.macro_sql = macro.macro_sql.replace(mutant.old, mutant.new, 1)
        else:
            node = manifest.nodes[f"model.ops_project.{mutant.node}"]
            assert mutant.old in node.raw_code, mutant
            node.raw_code = node.raw_code.replace(mutant.old, mutant.new, 1)
    select = [f"{mutant.tested},test_type:unit" for mutant in mutants] or [
        f"tag:{tag},test_type:unit" for tag in of or ("ecommerce",)
    ]
    folder = str(DBT_PROJECT_DIR)
    arguments = [
        "--log-level",
        "none",
        "--log-level-file",
        "none",
        "--no-print",
        "test",
        "--project-dir",
        folder,
        "--profiles-dir",
        folder,
        "--target-path",
        str(shop.home / "target"),
        "--no-write-json",
        "--select",
        *select,
    ]
    with shop.settings.exported():
        outcome = dbtRunner(manifest=manifest).invoke(arguments)
    assert outcome.result is not None, outcome.exception
    found: dict[str, set[str]] = {}
    for item in outcome.result.results:
        found.setdefault(model_of(item.node), set()).add(str(item.status))
    return found


def model_of(node: Any) -> str:
    """The model that a unit test is about."""
    # If dbt cannot compile a unit test, it reports a definition that has the name of the model.
    return str(getattr(node, "model", None) or node.tested_node_unique_id.rsplit(".", 1)[-1])


def test_each_mutant_finds_the_text_that_it_edits() -> None:
    """Most rounds run only in the soak, where a text that the model has lost would be noticed late."""
    assert without_their_text(MUTANTS) == []


def test_the_sql_as_it_is_passes(built_at_once: Shop) -> None:
    outcomes = unit_tests(built_at_once, [])
    assert all(statuses == {"pass"} for statuses in outcomes.values()), outcomes


@pytest.mark.parametrize(
    "group", by_cost(rounds(MUTANTS)), ids=lambda group: "+".join(mutant.tested for mutant in group)
)
def test_a_mutant_is_caught(built_at_once: Shop, group: list[Mutant]) -> None:
    outcomes = unit_tests(built_at_once, group)
    survivors = [str(mutant) for mutant in group if "fail" not in outcomes.get(mutant.tested, set())]
    assert not survivors
