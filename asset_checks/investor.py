"""Checks of the investor metrics. The document about these metrics names risks. For each risk there is one check, on
the data in which the risk would show.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asset_checks.specs import ControlTotal
from asset_checks.stated import StatedCheck

# A join on a wrong key, or on a key that is not unique, loses sales or counts them twice. So each hop must keep its
# totals.
TABLES: Mapping[str, Mapping[str, Any]] = {
    "silver.fact_transactions": {
        "control_totals": (
            ControlTotal(
                name="transactions",
                source="bronze.transactions",
                source_value="count(distinct transaction_id)",
                target_value="count(*)",
                source_date="business_date",
                target_date="business_date",
            ),
        ),
    },
    "silver.int_investor_days": {
        "control_totals": (
            ControlTotal(
                name="revenue",
                source="silver.fact_transactions",
                source_value="sum(revenue)",
                target_value="sum(revenue)",
                source_date="business_date",
                target_date="business_date",
            ),
            ControlTotal(
                name="marketing_spend",
                source="silver.fact_marketing_spend",
                source_value="sum(spend_amount)",
                target_value="sum(marketing_spend)",
                source_date="business_date",
                target_date="business_date",
            ),
        ),
    },
    "gold.kpi_experiment_unit_profit": {
        "control_totals": (
            ControlTotal("profit", "silver.int_experiment_unit_days", "sum(profit)", "sum(profit)"),
            ControlTotal("units", "silver.int_experiment_assignments", "count(*)", "sum(units)"),
        ),
    },
    "gold.kpi_aggregate_profit": {
        "control_totals": (
            ControlTotal(
                "monthly_profit",
                "silver.int_investor_days",
                "sum(profit)",
                "sum(profit)",
                target_where="period_type = 'month'",
            ),
            ControlTotal(
                "quarterly_profit",
                "silver.int_investor_days",
                "sum(profit)",
                "sum(profit)",
                target_where="period_type = 'quarter'",
            ),
        ),
    },
    # These tables stay empty until the history is long enough for a period to close.
    "silver.fact_reported_metrics": {"expected": False},
    "gold.rec_restatements": {"expected": False},
}

STATED = (
    StatedCheck(
        name="negative_profit",
        asset="bronze.transactions",
        table="silver.int_investor_days",
        failing="has_transactions and gross_profit < 0",
        says="business_date || ': sales brought ' || revenue || ' and cost ' || cost",
        description="No day's sales cost more than they bring.",
        advice="Compare the day's costs with those before; do not report the day until the reason is known.",
        failure_class="value_anomaly",
        evidence=("business_date", "transactions", "revenue", "cost", "gross_profit"),
        order="business_date desc",
        date_column="business_date",
        feeds=("transactions", "marketing_spend"),
    ),
    StatedCheck(
        name="restatement",
        asset="bronze.transactions",
        table="gold.rec_restatements",
        failing="is_beyond_tolerance",
        says="metric || ' of the ' || period_type || ' from ' || period_start || ' was reported as ' || reported_value"
        " || ' and is now ' || current_value || ' (' || coalesce(change_percent || ' %', 'from zero') || ')'",
        description="No figure that was reported to investors has changed by more than 1 %.",
        advice="Find the transactions that came after the close; the reported figure stays beside the current one.",
        failure_class="reconciliation_break",
        evidence=("metric", "period_type", "period_start", "reported_value", "current_value", "change_percent"),
        order="abs(change) desc, metric, period_type",
    ),
    StatedCheck(
        name="sample_ratio_mismatch",
        asset="bronze.experiment_assignments",
        table="gold.kpi_experiment_unit_profit",
        failing="is_sample_ratio_mismatch",
        says="experiment_id || ', ' || arm || ': ' || round(100 * actual_share, 1) || ' % of the units instead of '"
        " || round(100 * expected_share, 1) || ' % (chi-square ' || round(sample_ratio_chi_square, 1) || ')'",
        description="The arms of every running experiment are as large as planned, within chance (p < 0.001).",
        advice="Units were lost before they were assigned: do not trust any difference of this experiment.",
        failure_class="value_anomaly",
        evidence=("experiment_id", "arm", "units", "expected_share", "actual_share", "sample_ratio_chi_square"),
        order="sample_ratio_chi_square desc, experiment_id, arm",
        date_column="last_date",
        feeds=("experiment_assignments",),
        window_dates=1,
    ),
    StatedCheck(
        name="units_in_both_arms",
        asset="bronze.experiment_assignments",
        table="silver.rec_experiment_arms",
        failing="units_in_both_arms > 0",
        says="experiment_id || ': ' || units_in_both_arms || ' of ' || units"
        " || case when units = 1 then ' unit is' else ' units are' end"
        " || ' assigned to both arms, for example ' || example_unit",
        description="No unit of a running experiment is in both of its arms. A join on it would count sales twice.",
        advice="These units are left out of the experiment's figures; ask the experiment platform which arm they saw.",
        failure_class="key_violation",
        evidence=("experiment_id", "units", "units_in_both_arms", "example_unit", "last_date"),
        order="units_in_both_arms desc, experiment_id",
        date_column="last_date",
        feeds=("experiment_assignments",),
        window_dates=1,
    ),
    StatedCheck(
        name="unknown_units",
        asset="bronze.transactions",
        table="silver.rec_transaction_units",
        failing="not is_within",
        says="business_date || ': ' || unknown_units || ' of ' || transactions"
        " || case when transactions = 1 then ' sale names' else ' sales name' end || ' a unit that neither'"
        " || ' product use nor an experiment knows, for example ' || example_unit",
        description="Sales name units that another source knows. Otherwise a join on the unit would lose the sales.",
        advice="Compare the spelling of the units with the other sources; the experiments' figures lack these sales.",
        failure_class="reference_violation",
        evidence=("business_date", "transactions", "unknown_units", "example_unit"),
        order="business_date desc",
        date_column="business_date",
        feeds=("transactions",),
        counts="unknown_units",
        counted_as="reference_violations",
    ),
    StatedCheck(
        name="engagement_anomaly",
        asset="bronze.product_events",
        table="silver.rec_engagement_days",
        failing="status = 'Anomaly Detected'",
        says="business_date || ': ' || active_units || ' active units, but ' || expected_units || ' were expected (z '"
        " || z_score || '); ' || sessions || ' sessions, but ' || expected_sessions || ' were expected (z '"
        " || sessions_z_score || '); ' || engaged_seconds || ' engaged seconds, but ' || expected_engaged_seconds"
        " || ' were expected (z ' || engaged_seconds_z_score || ')'",
        description="Each day's units, sessions and engaged seconds are as the eight weeks before predict them for its"
        " weekday. Holidays are excepted.",
        advice="Look at the events of the day: were all of them delivered, did tracking change?",
        failure_class="value_anomaly",
        severity="medium",
        evidence=(
            "business_date",
            "active_units",
            "expected_units",
            "z_score",
            "sessions_z_score",
            "engaged_seconds_z_score",
        ),
        order="business_date desc",
        date_column="business_date",
        feeds=("product_events",),
    ),
)
