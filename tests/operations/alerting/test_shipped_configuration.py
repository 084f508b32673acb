"""The shipped rules, routes and receivers contain what S3 and S4 ask for, and every name in them leads somewhere."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ops_project import catalog
from ops_project.model.alerting.signal import FIRING, OK
from ops_project.settings import PROJECT_ROOT, Settings


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    return catalog.load(Settings.load(home=tmp_path_factory.mktemp("home")))


MINUTES = {n: timedelta(minutes=n) for n in (5, 15, 60)}
ASKED = [
    # S3's table of thresholds
    ("stale", "freshness.state", ">=", 1, None, "high"),
    ("quality_score_low", "quality.score", "<", 85, None, "high"),
    ("quality_score_stops", "quality.score", "<", 70, None, "critical"),
    ("anomaly_detected", "quality.anomalies", ">=", 1, None, "medium"),
    ("high_churn_risk", "churn.high_risk_customers", ">", 500, None, "medium"),
    ("model_health", "churn.high_risk_customers", ">", 1000, None, "medium"),
    ("job_failure", "run.failure", ">=", 1, None, "critical"),
    # S4
    ("asset_failure", "asset.failure", ">=", 1, None, "high"),
    ("job_too_long", "run.duration_seconds", ">", 7200, None, "medium"),
    ("task_too_long", "step.duration_seconds", ">", 1800, None, "medium"),
    ("data_quality", "landing.error_rate", ">", 0.05, MINUTES[15], "high"),
    ("data_quality", "reference.violations", ">", 10, MINUTES[60], "high"),
    ("performance_warning", "run.duration_ratio", ">", 1.2, None, "medium"),
    ("performance_warning", "serving.throttled_requests", ">=", 10, MINUTES[5], "medium"),
    # S1
    ("cpu_high", "resource.cpu_percent", ">", 70, None, "low"),
]


@pytest.mark.parametrize(("name", "metric", "op", "threshold", "window", "severity"), ASKED)
def test_the_rule_is_there(loaded, name, metric, op, threshold, window, severity):
    rule = loaded.rules.rules[name]
    condition = next(c for c in rule.conditions if c.metric == metric)
    assert (condition.op, condition.threshold, condition.window) == (op, threshold, window)
    assert rule.severity == severity


def test_several_conditions_of_s4_are_alternatives(loaded):
    assert all(loaded.rules.rules[name].any for name in ("data_quality", "performance_warning"))


ALERTING = PROJECT_ROOT / "ops_project" / "operations" / "alerting"
PRODUCERS = {
    # A bridge may read kinds on behalf of an observer.
    **{
        file.stem: [file, *(PROJECT_ROOT / "ops_project" / "dagster_bridge").glob("*.py")]
        for file in (ALERTING / "observers").glob("*.py")
    },
    "cycle": [ALERTING / "stages" / "observe.py"],
    # The orchestrator's own cycle reports that the orchestrator is not down.
    "watch": [ALERTING / "watch.py", ALERTING / "cycle.py"],
    "spare": [ALERTING / "spare.py"],
    "events": [ALERTING / "dagster" / "events.py"],
    "run_signals": [ALERTING / "dagster" / "run_signals.py"],
    "checklists": [PROJECT_ROOT / "ops_project" / "operations" / "incidents" / "checklists.py"],
    "publication": [PROJECT_ROOT / "ops_project" / "defs" / "operations" / "publication_observer.py"],
    "inbound": [PROJECT_ROOT / "ops_project" / "defs" / "operations" / "inbound_observer.py"],
    "backups": [PROJECT_ROOT / "ops_project" / "defs" / "operations" / "backup_observer.py"],
    "archive": [PROJECT_ROOT / "ops_project" / "defs" / "operations" / "archive_observer.py"],
    "warehouse": [*(PROJECT_ROOT / "ops_project" / "defs" / "operations").glob("*_observer.py")],
}


def test_every_metric_names_a_producer_that_speaks_of_it(loaded):
    for name, metric in loaded.metrics.metrics.items():
        if metric.producer != "snapshot":
            assert any(f'"{name}"' in file.read_text(encoding="utf-8") for file in PRODUCERS[metric.producer]), name


def test_every_rule_has_a_runbook_with_the_fixed_headings(loaded):
    wanted = ["Summary", "Data sources", "SLA", "Scenarios", "Diagnosis", "First response", "Escalation"]
    for name, rule in loaded.rules.rules.items():
        file = loaded.runbook_file(rule.runbook)
        assert file is not None, f"{name}: {rule.runbook}"
        text = file.read_text(encoding="utf-8")
        assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == wanted, file


def test_only_critical_reaches_a_pager(loaded):
    from ops_project.operations.alerting.decide.routing import compile_tree, match

    tree = compile_tree(loaded.routes.route)
    for name, rule in loaded.rules.rules.items():
        labels = {"alertname": name, "severity": rule.severity, "category": rule.category, **rule.labels}
        pages = [node.receiver for node in match(tree, labels) if loaded.receivers.receivers[node.receiver].page]
        assert bool(pages) == (rule.severity == "critical"), name


def test_the_data_team_hears_of_every_alert(loaded):
    from ops_project.operations.alerting.decide.routing import compile_tree, match

    tree = compile_tree(loaded.routes.route)
    for name, rule in loaded.rules.rules.items():
        labels = {
            "alertname": name,
            "severity": rule.severity,
            "category": rule.category,
            **rule.labels,
            "domain": "streaming",
        }
        assert {node.receiver for node in match(tree, labels)} & {"data-team", "digest"}, name


def test_states_have_an_ok(loaded):
    assert {FIRING, OK} == {"firing", "ok"}
    for name, rule in loaded.rules.rules.items():
        for condition in rule.conditions:
            kind = loaded.metrics.metrics[condition.metric].type
            assert kind in ("state", "gauge") or condition.window is not None, name
