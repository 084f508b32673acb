"""Incidents: the list, and the page of one incident with everything that is known about it and all its actions. Each
action calls the same function as `ops incidents`, `ops silence`, `ops hold` or `ops runbook`, so the audit log gets the
same lines.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.responses import Response
from starlette.routing import Route

from ops_project.console.graph import drawing
from ops_project.console.views import Ask, NotThere, Wrong, back, deed, page
from ops_project.counted import counted
from ops_project.lineage import Lineage
from ops_project.model.alerting.alert import Alert
from ops_project.model.duration import parse_duration
from ops_project.operations.alerting.decide.message import around, of_alert
from ops_project.operations.alerting.decide.message import runbook as runbook_of_alert
from ops_project.operations.diagnosis.keep import EVIDENCE, SUMMARY
from ops_project.operations.incidents import actions, holding, postmortem
from ops_project.operations.incidents.decide.incident import Incident, Refused
from ops_project.operations.incidents.decide.reasons import IncidentReason
from ops_project.operations.incidents.runbook_steps import keep, places, run_steps
from ops_project.operations.incidents.runbooks import NoRunbook, Runbook, read
from ops_project.operations.incidents.silencing import silence_firing
from ops_project.operations.ledger.incidents import NoIncident

PAGE = 200
STATES = ("open", "triggered", "acknowledged", "resolved", "all")
LONGEST_SILENCE = timedelta(days=7)
MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
PINS = {
    IncidentReason.OPENED: "wrong",
    IncidentReason.REOPENED: "wrong",
    IncidentReason.RAISED: "wrong",
    IncidentReason.ALERT_JOINED: "wrong",
    IncidentReason.ALERT_RESOLVED: "well",
    IncidentReason.DATA_RECOVERED: "well",
    IncidentReason.RESOLVED_BY_PERSON: "well",
}


def routes() -> list[Route]:
    at = "/incidents/{number}"
    return [
        page("/incidents", listed),
        page(at, one),
        page(f"{at}/postmortem", draft),
        page(f"{at}/cause", cause),
        deed(f"{at}/ack", _deed("acknowledge", _acknowledge), "incidents ack"),
        deed(f"{at}/take", _deed("take over", _take), "incidents take"),
        deed(f"{at}/give-back", _deed("give back", _give_back), "incidents unack"),
        deed(f"{at}/note", _deed("note", _note), "incidents note"),
        deed(f"{at}/resolve", _deed("resolve", _resolve), "incidents resolve"),
        deed(f"{at}/silence", _deed("silence", _silence), "silence add"),
        deed(f"{at}/hold", _deed("hold", _hold, audited=True), "hold"),
        deed(f"{at}/steps/{{step}}", run_step, "runbook run"),
    ]


def listed(ask: Ask) -> Response:
    state = ask.query.get("state", "open")
    if state not in STATES:
        raise NotThere(f"there is no state {state!r}; valid: {', '.join(STATES)}")
    found = ask.site.ledger.incidents(None if state == "all" else state, limit=PAGE)
    return ask.show("incidents.html.j2", incidents=found, state=state, states=STATES, most=PAGE)


def find(ask: Ask) -> Incident:
    """The incident that the path names. Raises NotThere."""
    number = ask.number("number")
    incident = ask.site.ledger.incident(number)
    if incident is None:
        raise NotThere(f"there is no incident {number}; the list shows those that exist")
    return incident


def one(ask: Ask) -> Response:
    site, ledger = ask.site, ask.site.ledger
    incident = find(ask)
    alerts = [alert for number in incident.alerts if (alert := ledger.alert(number)) is not None]
    runbook = runbook_of(ask, incident)
    facts = [of_alert(alert, around(alerts), site.engine) for alert in alerts]
    lineage = site.lineage
    wrong = {asset for alert in alerts if alert.number in incident.firing for asset in (alert.asset, *alert.assets)}
    known = [asset for asset in dict.fromkeys((*incident.assets, *sorted(wrong - {""}))) if asset in lineage.assets]
    steps = incident.policy.steps
    evidence = ledger.evidence(incident.number)
    return ask.show(
        "incident.html.j2",
        incident=incident,
        alerts=list(zip(alerts, facts, strict=True)),
        blast=blast_of(lineage, facts),
        picture=drawing(lineage, known, wrong=wrong & set(lineage.assets)) if known else None,
        timeline=[(event, PINS.get(event.reason, "person" if event.by else "")) for event in _timeline(ask, incident)],
        evidence=[shown for item in reversed(evidence) if (shown := evidence_of(item)) is not None],
        in_short=next((item["body"] for item in reversed(evidence) if item["kind"] == SUMMARY), ""),
        written=any(item["kind"] == actions.POST_MORTEM for item in evidence),
        runbook=runbook,
        runbook_html=Markup(MARKDOWN.render(runbook.text)) if runbook is not None else None,
        filled=_filled(ask, incident),
        next_step=steps[incident.step] if incident.step < len(steps) else None,
        holds=[hold for hold in ledger.holds() if hold.incident == incident.number],
    )


def _timeline(ask: Ask, incident: Incident) -> list[Any]:
    return list(reversed(ask.site.ledger.incident_timeline(incident.number)))


def blast_of(lineage: Lineage, facts: list[dict[str, Any]]) -> dict[str, Any]:
    """Everything that depends on an asset of any of the alerts. `facts`: the alerts, as `of_alert` describes them."""
    found = [fact["blast_radius"] for fact in facts]
    touched = {asset for fact in facts for asset in fact["assets"]}
    below = {asset for start in touched for asset in lineage.descendants(start)} - touched
    return {
        "assets": len(below),
        "exposures": sorted({name for radius in found for name in radius["exposures"]}),
        "at_risk": sorted({name for radius in found for name in radius["slas_at_risk"]}),
        "slas": sorted({name for radius in found for name in radius["slas"]}),
    }


def evidence_of(item: dict[str, Any]) -> dict[str, Any] | None:
    """One piece of evidence as the page shows it: a text, or items with their source and a command that shows each item
    again. None for a post-mortem or a summary, which the page shows elsewhere.
    """
    if item["kind"] in (actions.POST_MORTEM, SUMMARY):
        return None
    if item["kind"] != EVIDENCE:
        return {**item, "pieces": [], "unread": []}
    try:
        body = json.loads(item["body"])
        pieces, unread = list(body["items"]), list(body["unread"])
    except (ValueError, KeyError, TypeError):
        return {**item, "pieces": [], "unread": []}
    return {**item, "body": "", "pieces": pieces, "unread": unread}


def cause(ask: Ask) -> Response:
    """Where the problem began, and what else could have caused it. This is the present answer of `ops diagnose`, which
    runs in a separate process.
    """
    incident = find(ask)
    well, output = ask.site.run_command(ask.site.settings, ["diagnose", str(incident.number), "--json"])
    found: dict[str, Any] | None = None
    if well:
        try:
            found = json.loads(output[output.index("{") :])
        except ValueError:
            well = False
    return ask.show("cause.html.j2", found=found, words="" if well else output.strip()[-600:])


def runbook_of(ask: Ask, incident: Incident) -> Runbook | None:
    """The runbook of the incident; None if the incident has none or its file no longer exists."""
    try:
        return read(ask.site.catalog, incident.runbook) if incident.runbook else None
    except NoRunbook:
        return None


def _filled(ask: Ask, incident: Incident) -> dict[str, str]:
    """The values that fill the placeholders in the steps of the runbook."""
    return places(incident, ask.site.ledger, lambda alert: runbook_of_alert(alert, ask.site.engine) == incident.runbook)


def draft(ask: Ask) -> Response:
    """The post-mortem: the one that people have written, or otherwise a draft made from the ledger."""
    site, incident = ask.site, find(ask)
    written = site.ledger.evidence(incident.number, actions.POST_MORTEM)
    if written:
        text = str(written[-1]["body"])
    else:
        alerts: list[Alert] = [a for n in incident.alerts if (a := site.ledger.alert(n)) is not None]
        text = postmortem.draft(
            incident,
            site.ledger.incident_timeline(incident.number),
            alerts=alerts,
            evidence=site.ledger.evidence(incident.number),
            lineage=site.lineage,
            slas=site.catalog.slas.slas,
            now=ask.now,
        )
    html = Markup(MARKDOWN.render(text))
    return ask.show(
        "prose.html.j2",
        title=f"Post-mortem of incident {incident.number}",
        html=html,
        up=f"/incidents/{incident.number}",
    )


Deed = Callable[[Ask, Incident, str, datetime], str]
"""An action. It returns in words what it has done. Raises Refused, NoIncident or Wrong."""


def _deed(action: str, act: Deed, audited: bool = False) -> Callable[[Ask], Response]:
    """The view of an action on an incident. `audited`: the action itself writes its line into the audit log."""

    def view(ask: Ask) -> Response:
        incident, ledger = find(ask), ask.site.ledger
        here, subject = f"/incidents/{incident.number}", f"incident {incident.number}"
        try:
            by = ask.actor()
        except Wrong as error:
            return back(here, f"Nothing was changed: {error}.", "refused")
        try:
            said = act(ask, incident, by, ask.now)
        except (Refused, NoIncident, Wrong) as error:
            ledger.audit(
                ask.now, who=by, source=ask.source, action=action, subject=subject, outcome="refused", detail=str(error)
            )
            return back(here, f"Nothing was changed: {error}.", "refused")
        if not audited:
            ledger.audit(
                ask.now, who=by, source=ask.source, action=action, subject=subject, outcome="done", detail=said
            )
        return back(here, said)

    return view


def _acknowledge(ask: Ask, incident: Incident, by: str, now: datetime) -> str:
    actions.acknowledge(ask.site.ledger, incident.number, by, ask.form.get("note", ""), now)
    return f"Acknowledged by {by}. Nobody else is called."


def _take(ask: Ask, incident: Incident, by: str, now: datetime) -> str:
    actions.take_over(ask.site.ledger, incident.number, by, now)
    return f"{by} works on it now."


def _give_back(ask: Ask, incident: Incident, by: str, now: datetime) -> str:
    actions.give_back(ask.site.ledger, incident.number, by, ask.form.get("note", ""), now)
    return "Given back: the escalation ladder continues."


def _note(ask: Ask, incident: Incident, by: str, now: datetime) -> str:
    actions.note(ask.site.ledger, incident.number, by, ask.form.get("words", ""), now)
    return "Noted."


def _resolve(ask: Ask, incident: Incident, by: str, now: datetime) -> str:
    cause, reason = ask.form.get("cause", ""), ask.form.get("reason", "")
    actions.resolve(ask.site.ledger, incident.number, by=by, cause=cause, reason=reason, now=now)
    return f"Resolved by {by}."


def _silence(ask: Ask, incident: Incident, by: str, now: datetime) -> str:
    span = duration(ask.form.get("span", "1h"))
    reason = ask.form.get("reason", "") or f"from the page of incident {incident.number}"
    made = silence_firing(ask.site.ledger, incident, by=by, span=span, why=reason, now=now)
    count = counted(len(made), "silence")
    return f"{count} until {now + span:%Y-%m-%d %H:%M} UTC. Other alerts are still sent."


def duration(text: str) -> timedelta:
    """The length of a silence, as the form states it. Raises Wrong."""
    try:
        span = parse_duration(text)
    except ValueError as error:
        raise Wrong(str(error)) from None
    if not timedelta() < span <= LONGEST_SILENCE:
        raise Wrong("a silence lasts at most 7 days; for longer, change the rule or its route")
    return span


def _hold(ask: Ask, incident: Incident, by: str, now: datetime) -> str:
    subject, lineage = ask.form.get("subject", ""), ask.site.lineage
    holding.check_subject(subject, lineage, ask.site.catalog.domain_ids())
    holding.hold(
        ask.site.ledger, subject, ask.form.get("why", ""), by, now, source=ask.source, incident=incident.number
    )
    return f"{subject} is on hold: the tables downstream of it are not built."


def run_step(ask: Ask) -> Response:
    """Run one step of the incident's runbook. A step only reads. Its output is kept with the incident."""
    incident, ledger = find(ask), ask.site.ledger
    by, runbook = ask.actor(), runbook_of(ask, incident)
    wanted = ask.number("step")
    if runbook is None or all(step.number != wanted for step in runbook.steps):
        raise NotThere(f"the runbook of incident {incident.number} has no step {wanted}")
    settings, run = ask.site.settings, ask.site.run_command
    results = run_steps(runbook, [wanted], _filled(ask, incident), lambda words: run(settings, words))
    now = ask.site.clock()
    keep(ledger, incident.number, runbook, results, by=by, now=now)
    words = f"runbook {runbook.slug}, step {wanted}"
    ledger.audit(
        now,
        who=by,
        source=ask.source,
        action="run step",
        subject=f"incident {incident.number}",
        outcome="done",
        detail=words,
    )
    if not ask.partial:
        return back(f"/incidents/{incident.number}", f"Step {wanted} was run; its output is among the evidence.")
    return ask.show("step_output.html.j2", results=results)
