"""Messages promise and threaten nothing that is not true: an SLA is at risk only if that is predicted, and a success is
not an all-clear.
"""

from __future__ import annotations

from ops_project.operations.alerting.rendering.email import as_html
from ops_project.operations.alerting.rendering.lines import as_text, facts
from ops_project.operations.alerting.rendering.slack import as_slack

GRAPH = {
    "bronze/transactions": {"domain": "investor"},
    "gold/kpi_aggregate_profit": {"from": ["bronze/transactions"], "domain": "investor"},
}


def _lines(day, rule: str) -> dict:
    payload, alert = next(
        (n.payload, a) for n in reversed(day.inbox) for a in n.payload["alerts"] if a["rule"] == rule and n.recipient
    )
    shown = as_text(payload) + as_html(payload) + str(as_slack(payload))
    return dict(facts(alert, payload)) | {"everywhere": shown}


def test_an_sla_that_only_depends_on_it_is_not_called_at_risk(world):
    day = world(at="2026-03-04 02:00", graph=GRAPH)
    day.fails("asset.failure", asset="gold/kpi_aggregate_profit")
    day.advance("2m")
    told = _lines(day, "asset_failure")
    assert "SLA at risk" not in told["everywhere"] and told["SLAs that depend on it"] in told["everywhere"]


def test_slas_whose_titles_have_commas_are_told_apart(world):
    graph = {"bronze/orders": {"domain": "ecommerce"}, "gold/daily_revenue": {"from": ["bronze/orders"]}}
    day = world(at="2026-03-04 02:00", graph=graph)
    day.fails("asset.failure", asset="bronze/orders")
    day.advance("2m")
    told = _lines(day, "asset_failure")["SLAs that depend on it"].split("; ")
    assert len(told) > 1 and set(told) <= {sla.title for sla in day.config.slas.values()}


def test_an_sla_that_is_foreseen_to_be_late_is_called_at_risk(world):
    day = world(at="2026-03-04 07:20", graph=GRAPH)
    day.fails(
        "sla.at_risk",
        pipeline="investor_pipeline",
        domain="investor",
        check="investor-metrics",
        owners=("team:investor-metrics",),
        labels={"sla": "investor-metrics"},
    )
    day.advance("2m")
    day.fails("asset.failure", asset="gold/kpi_aggregate_profit")
    day.advance("2m")
    told = _lines(day, "asset_failure")
    title = day.config.slas["investor-metrics"].title
    assert title in told["SLA at risk"] and title not in told.get("SLAs that depend on it", "")
    assert _lines(day, "sla_at_risk")["SLA at risk"] == told["SLA at risk"]


def test_names_and_values_are_kept_apart(world):
    day = world(graph=GRAPH)
    day.fails("asset.failure", asset="bronze/transactions")
    day.fails("check.failure", asset="gold/kpi_aggregate_profit", check="reconciles")
    day.advance("2m")
    alert_lines = _lines(day, "asset_failure")
    text = alert_lines["everywhere"]
    assert alert_lines["Silent under it"].startswith("#2")
    assert "Silent under it:#" not in text and "Silent under it: " in text
    assert "SLAs that depend on it: " in text or "SLAs that depend on it" not in alert_lines


def test_a_success_while_alerts_are_open_says_so_in_its_subject(world):
    day = world(graph=GRAPH)
    success = {"pipeline": "master_pipeline", "domain": "ecommerce", "run_id": "r1", "labels": {"scheduled": "true"}}
    day.recovers("run.failure", **success)
    day.advance("1m")
    assert {n.payload["subject"].partition("]")[0] for n in day.inbox if n.kind == "success"} == {"[success"}
    day.inbox.clear()
    day.fails("asset.failure", asset="bronze/transactions")
    day.advance("1m")
    day.wait_until("2026-03-05 10:00")
    day.inbox.clear()
    day.recovers("run.failure", **success)
    day.advance("1m")
    assert {n.payload["subject"].partition("]")[0] for n in day.inbox if n.kind == "success"} == {
        "[success, 1 alert open"
    }
