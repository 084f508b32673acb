"""The source documents on monitoring, line by line: every metric, threshold, window, severity, recipient, deadline
and maintenance window that they name, and the rule, route or setting of the shipped configuration for it. A metric
without a rule has no use, and a rule on a metric that no observer emits never fires.
"""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from ops_project import catalog
from ops_project.operations.alerting.decide.routing import compile_tree, match
from ops_project.settings import Settings

# These metrics are shown, and another metric is watched in their place.
WITHOUT_A_RULE: dict[str, str] = {}

# (what is asked for, rule, metric)
METRICS = [
    # S4 about the orchestrator
    ("task duration", "task_too_long", "step.duration_seconds"),
    ("task duration against its baseline", "task_slower", "step.duration_ratio"),
    ("DAG duration", "job_too_long", "run.duration_seconds"),
    ("task success rate", "low_task_success_rate", "step.outcome"),
    ("number of retries", "repeated_retries", "step.retry"),
    ("first attempt and final outcome", "low_first_attempts", "run.first_attempt"),
    ("task states: running without end", "run_stuck", "run.stuck"),
    ("task states: crashed checks", "check_crashed", "check.crash"),
    ("worker CPU utilization", "cpu_high", "resource.cpu_percent"),
    ("worker memory usage", "memory_high", "resource.memory_percent"),
    ("queue length", "queue_long", "resource.queue_length"),
    # S4 about jobs, storage and the serving store
    ("job success rate", "low_success_rate", "run.outcome"),
    ("queue wait time, pool slots: there is one writer", "run_waits_long", "run.queued_seconds"),
    ("worker node health", "orchestrator_down", "orchestrator.down"),
    ("bucket size", "storage_large", "storage.bytes"),
    ("table size", "asset_storage_large", "storage.asset_bytes"),
    ("storage that runs out", "disk_full", "resource.disk_percent"),
    ("throttled requests", "performance_warning", "serving.throttled_requests"),
    ("error rates by type", "data_quality", "landing.error_rate"),
    ("reference data integrity", "data_quality", "reference.violations"),
    # S3 asks for these
    ("table freshness", "stale", "freshness.state"),
    ("quality scores", "quality_score_low", "quality.score"),
    ("anomalies of the last seven days", "anomaly_detected", "quality.anomalies"),
    ("high churn risk", "high_churn_risk", "churn.high_risk_customers"),
    ("model performance", "model_unhealthy", "model.unhealthy_readings"),
    ("jobs not starting on schedule", "schedule_missed", "schedule.tick_missed"),
    ("e-mail alerts not sending", "delivery_failing", "delivery.failure"),
    ("daily pipeline completion", "daily_success_missing", "expectation.missing"),
    # S2, S1 and S0 ask for these
    ("expected latency", "sla_breach", "sla.breach"),
    ("latency, foreseen", "sla_at_risk", "sla.at_risk"),
    ("uptime requirements", "sla_uptime_low", "sla.uptime_low"),
    ("reconciliation", "reconciliation_broken", "reconciliation.break"),
    ("job duration against historical baseline", "performance_warning", "run.duration_ratio"),
    ("source file arrival", "file_missing", "landing.finding"),
]

HOUR = timedelta(hours=1)
STREAMING = {"domain": "streaming"}
# The alerts of S4: (rule, labels, metric, comparison, threshold, window, addresses of the receivers)
S4_ALERTS = [
    ("job_failure", STREAMING, "run.failure", ">=", 1, None, {"oncall@company.com", "#data-pipeline-alerts"}),
    ("asset_failure", STREAMING, "asset.failure", ">=", 1, None, {"team@company.com", "#data-pipeline-alerts"}),
    ("step_failure", STREAMING, "step.failure", ">=", 1, None, {"team@company.com", "#data-pipeline-alerts"}),
    ("job_too_long", STREAMING, "run.duration_seconds", ">", 7200, None, {"team@company.com"}),
    ("task_too_long", STREAMING, "step.duration_seconds", ">", 1800, None, {"#data-pipeline-alerts"}),
    ("data_quality", STREAMING, "landing.error_rate", ">", 0.05, timedelta(minutes=15), {"#data-quality"}),
    ("data_quality", STREAMING, "reference.violations", ">", 10, HOUR, {"#data-quality"}),
    ("performance_warning", STREAMING, "run.duration_ratio", ">", 1.2, None, {"team@company.com"}),
    (
        "performance_warning",
        STREAMING,
        "serving.throttled_requests",
        ">=",
        10,
        timedelta(minutes=5),
        {"team@company.com"},
    ),
    ("task_slower", STREAMING, "step.duration_ratio", ">", 1.2, None, {"team@company.com"}),
]

# S3's table of thresholds, and how each is read: (rule, metric, comparison, threshold, severity)
S3_ALERTS = [
    ("stale", "freshness.state", ">=", 1, "high"),
    ("very_stale", "freshness.state", ">=", 2, "critical"),
    ("quality_score_low", "quality.score", "<", 85, "high"),
    ("quality_score_stops", "quality.score", "<", 70, "critical"),
    ("anomaly_detected", "quality.anomalies", ">=", 1, "medium"),
    ("high_churn_risk", "churn.high_risk_customers", ">", 500, "medium"),
    ("model_health", "churn.high_risk_customers", ">", 1000, "medium"),
    ("job_failure", "run.failure", ">=", 1, "critical"),
    ("job_failure_manual", "run.failure", ">=", 1, "high"),
]

# (pipeline, due on an ordinary day, days, tables among those that must be there)
DEADLINES = [
    ("investor_pipeline", "08:00", "daily", {"gold/kpi_aggregate_profit"}),
    (
        "master_pipeline",
        "02:30",
        "daily",
        {f"bronze/{t}" for t in ("customers", "products", "orders", "order_items", "web_events")},
    ),
    ("master_pipeline", "03:00", "daily", {"silver/dim_customers", "silver/fact_orders"}),
    (
        "master_pipeline",
        "03:45",
        "daily",
        {"gold/daily_revenue", "gold/customer_segments", "gold/customer_churn_predictions"},
    ),
    ("master_pipeline", "04:00", "daily", {"gold/data_quality_metrics", "gold/data_anomalies"}),
    ("product_recommendations", "03:30", "sunday", {"gold/product_recommendations"}),
    ("model_retraining", "05:00", "sunday", {"models/segmentation"}),
    ("marketing_pipeline", "08:00", "daily", {"gold/customer_360", "gold/campaign_360"}),
    ("streaming_pipeline", "06:00", "daily", {"serving/listening_kpis"}),
    ("insurance_pipeline", "06:00", "daily", {"gold/kpi_policies"}),
]


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    return catalog.load(Settings.load(home=tmp_path_factory.mktemp("home"), environ={}))


@pytest.mark.parametrize(("asked", "rule", "metric"), METRICS, ids=[row[0] for row in METRICS])
def test_what_is_to_be_monitored_has_a_metric_and_a_rule(shipped, asked, rule, metric):
    assert metric in {condition.metric for condition in shipped.rules.rules[rule].conditions}


def test_every_metric_has_a_rule(shipped):
    used = {condition.metric for rule in shipped.rules.rules.values() for condition in rule.conditions}
    assert set(shipped.metrics.metrics) - used == set(WITHOUT_A_RULE)


def _told(shipped, rule, labels):
    declared = shipped.rules.rules[rule]
    full = {
        **labels,
        **declared.labels,
        "alertname": rule,
        "severity": declared.severity,
        "category": declared.category,
    }
    found = set()
    for node in match(compile_tree(shipped.routes.route), full):
        for channel in shipped.receivers.receivers[node.receiver].channels:
            found |= {channel.to} if isinstance(channel.to, str) else set(channel.to)
            found |= {channel.channel} if channel.type == "slack" and channel.channel else set()
            found |= {node.receiver}
    return found


@pytest.mark.parametrize(
    ("rule", "labels", "metric", "op", "threshold", "window", "recipients"),
    S4_ALERTS,
    ids=[f"{r[0]}-{r[2]}" for r in S4_ALERTS],
)
def test_s4s_alerts_have_their_threshold_window_and_recipients(
    shipped, rule, labels, metric, op, threshold, window, recipients
):
    condition = next(c for c in shipped.rules.rules[rule].conditions if c.metric == metric)
    assert (condition.op, condition.threshold, condition.window) == (op, threshold, window)
    assert recipients <= _told(shipped, rule, labels)


@pytest.mark.parametrize(("rule", "metric", "op", "threshold", "severity"), S3_ALERTS)
def test_s3s_thresholds(shipped, rule, metric, op, threshold, severity):
    declared = shipped.rules.rules[rule]
    condition = next(c for c in declared.conditions if c.metric == metric)
    assert (condition.op, condition.threshold, declared.severity) == (op, threshold, severity)


def test_s3s_recipients(shipped):
    """The data team gets everything; the business team gets business metrics; on call gets critical alerts only, by
    pager; the rest goes to #data-engineering-alerts.
    """
    for name, rule in shipped.rules.rules.items():
        told = _told(shipped, name, {"domain": "ecommerce"})
        assert "team:data-engineering" in told, name
        assert ("business-team" in told) == (rule.category == "business"), name
        assert ("on-call" in told) == (rule.severity == "critical"), name
        assert ("#data-engineering-alerts" in told) or rule.severity == "low", name
    assert [channel.type for channel in shipped.receivers.receivers["on-call"].channels].count("pagerduty") == 1


@pytest.mark.parametrize(("pipeline", "due", "days", "tables"), DEADLINES, ids=[f"{r[0]}-{r[1]}" for r in DEADLINES])
def test_every_deadline_is_promised(shipped, pipeline, due, days, tables):
    found = [sla for sla in shipped.slas.slas.values() if (sla.pipeline, sla.due, sla.days) == (pipeline, due, days)]
    assert any(tables <= set(sla.assets) for sla in found)


def test_a_promise_without_slack_is_a_mark_and_pages_nobody(shipped):
    """A missed deadline of 08:00 pages, and so does a late end of the e-commerce night. Earlier steps do not page."""
    paging = {name for name, sla in shipped.slas.slas.items() if sla.severity == "critical"}
    assert paging == {"investor-metrics", "ecommerce-daily", "marketing-360"}
    assert all(shipped.slas.slas[name].warn_before >= timedelta(minutes=30) for name in paging)
    assert all(shipped.slas.slas[name].uptime_target for name in paging)


def test_the_daily_success_is_told_and_missed(shipped):
    daily = shipped.slas.expectations["ecommerce-daily"]
    assert (daily.pipeline, daily.notice, daily.days) == ("master_pipeline", True, "daily")


def test_s3s_maintenance_windows(shipped):
    windows = {
        name: [shipped.calendar.time_intervals[interval] for interval in window.intervals]
        for name, window in shipped.calendar.maintenance.items()
    }
    text = {name: re.sub(r"\s+", " ", repr(found)) for name, found in windows.items()}
    assert set(text) == {"weekly", "monthly"} and all("America/New_York" in found for found in text.values())
