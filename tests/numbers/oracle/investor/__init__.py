"""The figures for investors, from the files of sales, spend, experiments and product use."""

from __future__ import annotations

from datetime import date

from tests.numbers.oracle.archive import Archive
from tests.numbers.oracle.compare import Table
from tests.numbers.oracle.investor import usage
from tests.numbers.oracle.investor.aggregates import engagement, growth, profit
from tests.numbers.oracle.investor.experiments import experiment_days, experiment_profit
from tests.numbers.oracle.investor.periods import is_holiday
from tests.numbers.oracle.investor.reports import Reports, restatements
from tests.numbers.oracle.investor.sales import Sale, sales

__all__ = ["Reports", "tables"]


def tables(archive: Archive, reports: Reports) -> dict[str, Table]:
    known = sales(archive, date.max)
    return {
        "kpi_aggregate_profit": profit(archive, known, reports),
        "kpi_aggregate_growth": growth(archive, known),
        "kpi_aggregate_engagement": engagement(archive),
        "kpi_experiment_daily_growth": experiment_days(archive, known),
        "kpi_experiment_unit_profit": experiment_profit(archive, known),
        "rec_restatements": restatements(archive, known, reports),
        "rec_experiment_arms": usage.experiment_arms(archive),
        "rec_transaction_units": usage.transaction_units(archive, units_of_days(known)),
        "rec_engagement_days": usage.engagement_days(archive, is_holiday),
    }


def units_of_days(known: list[Sale]) -> dict[date, list[str]]:
    """The buyers, one entry for each sale."""
    found: dict[date, list[str]] = {}
    for sale in known:
        found.setdefault(sale.day, []).append(sale.unit)
    return found
