"""Drafts a post-mortem: six headings with the facts from the ledger, and five questions that people have to answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ops_project.counted import counted
from ops_project.lineage import Lineage
from ops_project.masking import mask
from ops_project.model.alerting.alert import Alert
from ops_project.model.alerting.sla import Sla
from ops_project.operations.incidents.decide.incident import Event, Incident
from ops_project.operations.incidents.decide.reasons import IncidentReason
from ops_project.operations.incidents.times import spells

HEADINGS = (
    "Incident detection",
    "Initial assessment",
    "Containment",
    "Root cause analysis",
    "Resolution",
    "Post-mortem",
)
QUESTIONS = (
    "Why did it happen, and why was that possible?",
    "Why was it not noticed earlier, or what noticed it?",
    "What made it better or worse while it lasted?",
    "What keeps it from happening again, who does that, and by when?",
    "What would you tell the people who use this data?",
)
UNANSWERED = "_(to be answered)_"
LISTED = 20
_PHASE = {
    "Incident detection": {IncidentReason.OPENED, IncidentReason.ALERT_JOINED, IncidentReason.REOPENED},
    "Initial assessment": {
        IncidentReason.RAISED,
        IncidentReason.STEP_TAKEN,
        IncidentReason.STEP_SKIPPED,
        IncidentReason.ACKNOWLEDGED,
        IncidentReason.UNACKNOWLEDGED,
        IncidentReason.TAKEN_OVER,
        IncidentReason.STANDS_DOWN,
        IncidentReason.NO_LADDER,
        IncidentReason.LADDER_ENDED,
        IncidentReason.REPEATED,
    },
    "Containment": {IncidentReason.HELD, IncidentReason.RELEASED},
    "Root cause analysis": {IncidentReason.RUNBOOK_RUN, IncidentReason.NOTED},
    "Resolution": {
        IncidentReason.ALERT_RESOLVED,
        IncidentReason.DATA_RECOVERED,
        IncidentReason.RESOLVED_BY_PERSON,
    },
}


def draft(
    incident: Incident,
    timeline: Sequence[Event],
    *,
    alerts: Sequence[Alert],
    evidence: Sequence[Mapping[str, Any]],
    lineage: Lineage,
    slas: Mapping[str, Sla],
    now: datetime,
) -> str:
    """The draft as Markdown. It contains only recorded facts, and says what is unknown."""
    lines = [f"# Post-mortem of incident {incident.number}: {incident.title}", ""]
    lines += _head(incident)
    for heading in HEADINGS[:-1]:
        lines += [f"## {heading}", ""]
        if heading == "Incident detection":
            lines += _impact(incident, alerts, lineage, slas, now)
        if heading == "Root cause analysis":
            lines += [f"Cause: {incident.cause or 'unknown; nobody has given one'}", ""]
            lines += _evidence(alerts, evidence)
        mine = [event for event in timeline if event.reason in _PHASE[heading]]
        lines += [_line(event) for event in mine] or ["Nothing was recorded."]
        lines.append("")
    lines += [f"## {HEADINGS[-1]}", ""]
    for number, question in enumerate(QUESTIONS, 1):
        lines += [f"{number}. {question}", "", f"   {UNANSWERED}", ""]
    lines += ["## Timeline", "", *(_line(event) for event in timeline)]
    return "\n".join(lines) + "\n"


def unanswered(text: str) -> list[str]:
    """The questions that a text does not contain or does not answer."""
    found = []
    for index, question in enumerate(QUESTIONS):
        start = text.find(question)
        if start < 0:
            found.append(question)
            continue
        ends = [text.find(other, start + 1) for other in QUESTIONS[index + 1 :]] + [text.find("## ", start + 1)]
        end = min((at for at in ends if at > start), default=len(text))
        answer = text[start + len(question) : end].replace(UNANSWERED, "")
        if len("".join(character for character in answer if character.isalpha())) < len("none"):
            found.append(question)
    return found


def _head(incident: Incident) -> list[str]:
    ended = f"{incident.resolved_at:%Y-%m-%d %H:%M} UTC" if incident.resolved_at else "not yet"
    rows = [
        ("Priority", f"{incident.priority} ({incident.severity})"),
        ("Pipeline", incident.pipeline or "none"),
        ("Opened", f"{incident.opened_at:%Y-%m-%d %H:%M} UTC"),
        ("Resolved", ended),
        ("Responder", incident.responder or "nobody acknowledged it"),
        ("How it ended", incident.reason or "it has not ended"),
    ]
    return ["| | |", "|---|---|", *(f"| {name} | {_cell(value)} |" for name, value in rows), ""]


def _cell(text: str) -> str:
    """The text in a form that fits into one cell of a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|")


def _impact(
    incident: Incident, alerts: Sequence[Alert], lineage: Lineage, slas: Mapping[str, Sla], now: datetime
) -> list[str]:
    touched = {asset for alert in alerts for asset in (alert.assets or ((alert.asset,) if alert.asset else ()))}
    touched |= set(incident.assets)
    below = {child for asset in touched for child in lineage.descendants(asset)} - touched
    consumers = sorted({user for asset in touched | below for user in lineage.get(asset).exposures})
    promises = sorted(sla.title for sla in slas.values() if (touched | below).intersection(sla.assets))
    minutes = int(((incident.resolved_at or now) - incident.opened_at).total_seconds() // 60)
    return [
        f"Impact: {counted(minutes, 'minute')} from the opening to "
        + ("the end." if incident.resolved_at else "now; it has not ended."),
        f"Tables that failed: {_list(sorted(touched))}",
        f"Tables downstream: {_list(sorted(below))}",
        f"Consumers: {_list(consumers)}",
        f"Service levels that depend on them: {_list(promises, '; ')}",
        "",
    ]


def _list(names: Sequence[str], between: str = ", ") -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return (between.join(names[:LISTED]) + more) if names else "none known"


def _evidence(alerts: Sequence[Alert], evidence: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = []
    for alert in alerts:
        lines.append(f"- Alert {alert.number}, {alert.failure_class or 'class unknown'}: {alert.summary}")
        if alert.message:
            lines.append(f"  {mask(' '.join(alert.message.split()))[:500]}")
    lines += [f"- {item['title']} ({item['at']:%Y-%m-%d %H:%M} UTC, {item['by']})" for item in evidence]
    return [*(lines or ["No evidence was kept."]), ""]


def _line(event: Event) -> str:
    by = f" by {event.by}" if event.by else ""
    detail = f": {event.detail}" if event.detail else ""
    return f"- {event.at:%Y-%m-%d %H:%M:%S} UTC, {event.reason.shown}{by}{detail}"


def took(timeline: Sequence[Event]) -> list[tuple[str, str]]:
    """For each opening: the minutes to acknowledge and the minutes to resolve, as texts. `–` stands for an event that
    has not happened.
    """

    def minutes(value: Any) -> str:
        return "–" if value is None else f"{value.total_seconds() / 60:.0f} min"

    return [(minutes(spell.to_acknowledge), minutes(spell.to_resolve)) for spell in spells(timeline)]
