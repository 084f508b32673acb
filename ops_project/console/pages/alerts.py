"""Alerts: the open ones, the past ones, and the page of one alert, which says who was told and why."""

from __future__ import annotations

from collections import Counter

from starlette.responses import Response
from starlette.routing import Route

from ops_project.console.views import Ask, NotThere, Wrong, back, deed, page
from ops_project.model.duration import format_duration
from ops_project.model.severity import SEVERITIES
from ops_project.operations.alerting.decide.message import around, of_alert
from ops_project.operations.alerting.decide.silences import covering
from ops_project.operations.alerting.untold_now import why_nobody
from ops_project.operations.domains import domains_of, title_of
from ops_project.operations.ledger import Ledger

PAGE = 200
STATES = ("open", "all")
VERDICTS = ("true-positive", "false-positive", "noise", "unclear")
NEIGHBOURS = 300


def routes() -> list[Route]:
    return [
        page("/alerts", listed),
        page("/alerts/{number}", one),
        deed("/alerts/{number}/verdict", judge, "alerts verdict"),
    ]


def listed(ask: Ask) -> Response:
    ledger, catalog = ask.site.ledger, ask.site.catalog
    state, severity, domain = (ask.query.get(name, "") for name in ("state", "severity", "domain"))
    domains = domains_of(catalog, ask.site.lineage)
    for given, valid in ((state, STATES), (severity, SEVERITIES), (domain, domains)):
        if given and given not in valid:
            raise NotThere(f"{given!r} is not known; valid: {', '.join(valid)}")
    status = None if state == "all" else "open"
    found = ledger.alerts(status, PAGE, severity or None, domain or None)
    total = len(found) if len(found) < PAGE else ledger.count_alerts(status, severity or None, domain or None)
    silences = ledger.silences(ask.now)
    return ask.show(
        "alerts.html.j2",
        alerts=[(alert, covering(alert.labels, silences, ask.now) if alert.open else None) for alert in found],
        incidents=ledger.incidents_of([alert.number for alert in found]),
        total=total,
        state=state or "open",
        severity=severity,
        domain=domain,
        severities=SEVERITIES,
        domains=[(name, title_of(catalog, name)) for name in domains],
    )


def one(ask: Ask) -> Response:
    site, ledger, number = ask.site, ask.site.ledger, ask.number("number")
    alert = ledger.alert(number)
    if alert is None:
        raise NotThere(f"there is no alert {number}; the list shows those that exist")
    near = ledger.alerts("open", NEIGHBOURS, domain=alert.labels.get("domain"))
    engine, messages = site.engine, ledger.messages_about(number)
    return ask.show(
        "alert.html.j2",
        alert=alert,
        fact=of_alert(alert, around([*near, alert]), engine),
        rule=engine.rules.get(alert.rule),
        conditions=[described(condition) for condition in engine.rules[alert.rule].conditions]
        if alert.rule in engine.rules
        else [],
        timeline=list(reversed(ledger.timeline(number))),
        messages=messages,
        untold="" if messages else why_nobody(alert, ledger, site.settings, engine, ask.now),
        incident=ledger.incidents_of([number]).get(number),
        silence=covering(alert.labels, ledger.silences(ask.now), ask.now) if alert.open else None,
        verdict=next((found for found in ledger.verdicts() if found["alert"] == number), None),
        verdicts=VERDICTS,
    )


def firing_by_asset(ledger: Ledger) -> Counter[str]:
    """Asset → the number of open alerts about it. All alerts are read without a limit, because an asset whose alerts
    were left out would look well.
    """
    firing = ledger.alerts("open", limit=None)
    return Counter(asset for alert in firing for asset in {alert.asset, *alert.assets})


def described(condition: object) -> str:
    """A rule's condition in one line."""
    name, window = getattr(condition, "metric", ""), getattr(condition, "window", None)
    aggregate = getattr(condition, "aggregate", "last")
    shown = name if aggregate == "last" else f"{aggregate}({name})"
    match = ", ".join(map(str, getattr(condition, "match", ())))
    limit = f"{getattr(condition, 'op', '')} {getattr(condition, 'threshold', 0):g}"
    span = f" in {format_duration(window)}" if window is not None else ""
    return f"{shown}{span} {limit}{f' where {match}' if match else ''}"


def judge(ask: Ask) -> Response:
    """Record whether an alert was justified. The dates of a false alarm are left out of the history that checks learn
    from.
    """
    number, ledger, by = ask.number("number"), ask.site.ledger, ask.actor()
    value, why = ask.form.get("verdict", ""), ask.form.get("why", "")
    if ledger.alert(number) is None:
        raise NotThere(f"there is no alert {number}")
    if value not in VERDICTS or not why:
        raise Wrong(f"choose one of {', '.join(VERDICTS)} and say why")
    ledger.give_verdict(number, value, why, by, ask.now)
    ledger.audit(
        ask.now,
        who=by,
        source=ask.source,
        action="verdict",
        subject=f"alert {number}",
        outcome="done",
        detail=f"{value}: {why}",
    )
    return back(f"/alerts/{number}", f"Recorded: {value}.")
