"""Alerts → incidents. A related alert joins by lineage, never by its name; several incidents stand side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ops_project.lineage import Lineage
from ops_project.model.alerting.alert import FIRING, RESOLVED, Alert
from ops_project.model.alerting.sla import Sla
from ops_project.model.oncall.escalation import EscalationFile
from ops_project.model.owner import Owners
from ops_project.model.severity import RANK
from ops_project.operations.incidents.decide.incident import (
    TRIGGERED,
    Call,
    Event,
    Incident,
    Outcome,
    acknowledge,
    recover,
    reopen,
)
from ops_project.operations.incidents.decide.ladder import about, climb, freeze, frozen_roles
from ops_project.operations.incidents.decide.reasons import IncidentReason
from ops_project.operations.oncall.targets import Surroundings, resolve

DEFAULT_TIER = 2


@dataclass(frozen=True)
class Setting:
    """What an incident is decided against."""

    escalation: EscalationFile
    around: Surroundings
    lineage: Lineage
    paged: tuple[str, ...] = ()
    """Whom a critical page goes to now."""
    slas: Mapping[str, Sla] = field(default_factory=dict)
    tiers: Mapping[str, int] = field(default_factory=dict)
    """Domain → tier, for alerts without an asset."""
    main_jobs: Mapping[str, str] = field(default_factory=dict)
    """Domain → its main job."""
    runbooks: Mapping[int, str] = field(default_factory=dict)
    """Alert → its runbook."""
    pagers: Mapping[int, str] = field(default_factory=dict)
    """Alert → the channel whose service escalates by itself and has taken the page."""

    @property
    def owners(self) -> Owners:
        return self.around.owners


def decide(
    incidents: Mapping[int, Incident],
    alerts: Sequence[Alert],
    known: Mapping[int, int],
    next_number: int,
    setting: Setting,
    now: datetime,
) -> Outcome:
    """`incidents`: those that are open, or may be reopened, or owe a post-mortem. `alerts`: all that are not forgotten.
    `known`: alert → its incident, for every alert that has one."""
    outcome = Outcome()
    book = dict(incidents)
    by_number = {alert.number: alert for alert in alerts}
    for alert in sorted(alerts, key=lambda a: (a.fired_at or a.starts_at, a.number)):
        if alert.status == FIRING and alert.number not in known and not (alert.muted and alert.cause is None):
            number = _place(outcome, book, alert, known, next_number, setting, now)
            next_number = max(next_number, number + 1)
    for number, incident in sorted(book.items()):
        after = incident
        if after.open:
            after = _alerts_of(outcome, after, by_number, now)
        if after.open:
            after = _pagers(outcome, after, setting, now)
            after = climb(outcome, after, setting.around, setting.paged, now)
        after = _postmortem(outcome, after, setting, now)
        if after != incidents.get(number):
            outcome.changed[number] = after
    return outcome


def assets_of(alert: Alert, slas: Mapping[str, Sla]) -> tuple[str, ...]:
    """What an alert is about: its assets; those of its promise where it has none."""
    sla = slas.get(alert.labels.get("sla", ""))
    return alert.assets or ((alert.asset,) if alert.asset else ()) or (tuple(sla.assets) if sla else ())


def _place(
    outcome: Outcome,
    book: dict[int, Incident],
    alert: Alert,
    known: Mapping[int, int],
    next_number: int,
    setting: Setting,
    now: datetime,
) -> int:
    """Into an open incident, a recent one that it reopens, or a new one. Returns the incident's number, or 0."""
    priority = setting.escalation.priority(alert.severity, _tier(alert, setting))
    joined = {a: i for a, (i, _) in outcome.joined.items()} if alert.cause is not None else {}
    home = _related(alert, book, {**known, **joined} if joined else known, setting)
    # A symptom that came later than its suspected cause is told by itself, and is not merely a part of it.
    if home is None and (not priority or (alert.cause is not None and alert.muted)):
        return 0
    if home is not None:
        book[home.number] = _join(outcome, home, alert, priority, setting, now)
        return home.number
    relapse = _relapse(alert, book, now)
    if relapse is not None:
        book[relapse.number] = _reopen(outcome, relapse, alert, setting, now)
        return relapse.number
    book[next_number] = _open(outcome, book, next_number, alert, priority, setting, now)
    return next_number


def _related(alert: Alert, book: Mapping[int, Incident], known: Mapping[int, int], setting: Setting) -> Incident | None:
    """The open incident that this alert is a part of: its cause's, its run's, or one up or down the asset graph."""
    if alert.cause is not None and (found := book.get(known.get(alert.cause, 0))) is not None and found.open:
        return found
    mine = assets_of(alert, setting.slas)
    # A storm has thousands of both: one pass over the incidents, and set look-ups in it.
    near = {*mine}.union(*(setting.lineage.ancestors(a) | setting.lineage.descendants(a) for a in mine))
    job = alert.labels.get("pipeline", "")
    for incident in book.values():
        if not incident.open:
            continue
        if alert.key in incident.keys or not near.isdisjoint(incident.assets):
            return incident
        if not mine and not incident.assets and job and incident.pipeline == job:
            return incident
    return None


def _relapse(alert: Alert, book: Mapping[int, Incident], now: datetime) -> Incident | None:
    """The incident of the same fault that ended less than its window ago."""
    recent = [
        incident
        for incident in book.values()
        if incident.resolved_at is not None
        and alert.key in incident.keys
        and now - incident.resolved_at <= timedelta(seconds=incident.policy.reopen_seconds)
    ]
    return max(recent, key=lambda i: i.resolved_at or now, default=None)


def _tier(alert: Alert, setting: Setting) -> int:
    """The highest tier of its assets."""
    assets = assets_of(alert, setting.slas)
    known = [int(t) for asset in assets if (t := setting.lineage.get(asset).tier).isdigit()]
    return min(known) if known else setting.tiers.get(alert.labels.get("domain", ""), DEFAULT_TIER)


def _pipeline(alert: Alert, setting: Setting) -> str:
    """The pipeline that has owners for it: by the asset's runbook, else the job, else the domain's main job."""
    books = {setting.lineage.get(asset).runbook for asset in assets_of(alert, setting.slas)} - {""}
    for job, pair in setting.owners.pipelines.items():
        if pair.runbook is not None and pair.runbook in books:
            return job
    job = alert.labels.get("pipeline", "")
    domain = alert.labels.get("domain", "")
    return job if job in setting.owners.pipelines or not domain else setting.main_jobs.get(domain, job)


def _open(
    outcome: Outcome,
    book: Mapping[int, Incident],
    number: int,
    alert: Alert,
    priority: str,
    setting: Setting,
    now: datetime,
) -> Incident:
    pipeline, domain = _pipeline(alert, setting), alert.labels.get("domain", "")
    policy = freeze(setting.escalation, pipeline, domain, alert.failure_class, alert.severity, priority)
    # The same fault that has come back too late to reopen its incident is a repeat all the same.
    before = {at for other in book.values() if alert.key in other.keys for at in other.times}
    incident = Incident(
        number=number,
        status=TRIGGERED,
        priority=priority,
        severity=alert.severity,
        title=alert.summary,
        domain=domain,
        pipeline=pipeline,
        owner=next(iter(alert.owners), ""),
        failure_class=alert.failure_class,
        runbook=setting.runbooks.get(alert.number, ""),
        assets=assets_of(alert, setting.slas),
        policy=policy,
        opened_at=now,
        triggered_at=now,
        alerts=(alert.number,),
        firing=(alert.number,),
        keys=(alert.key,),
        times=(*sorted(before), now),
        repeat_told=any(other.repeat_told for other in book.values() if alert.key in other.keys),
    )
    outcome.joined[alert.number] = (number, alert.key)
    held = f"ladder {policy.ladder} holds" if policy.ladder else "no ladder: its owners are told, nobody is called"
    outcome.events.append(
        Event(number, now, IncidentReason.OPENED, "", f"{priority}, alert {alert.number}: {alert.summary}; {held}")
    )
    if not policy.ladder:
        outcome.events.append(Event(number, now, IncidentReason.NO_LADDER, "", f"severity {alert.severity}"))
    return _repeats(outcome, incident, setting, now)


def _join(
    outcome: Outcome, incident: Incident, alert: Alert, priority: str, setting: Setting, now: datetime
) -> Incident:
    mine = assets_of(alert, setting.slas)
    upstream = tuple(
        asset
        for asset in mine
        if asset not in incident.assets and any(root in setting.lineage.descendants(asset) for root in incident.assets)
    )
    joined = replace(
        incident,
        alerts=(*incident.alerts, alert.number),
        firing=(*incident.firing, alert.number),
        keys=tuple(dict.fromkeys((*incident.keys, alert.key))),
        assets=(*incident.assets, *upstream),
    )
    outcome.joined[alert.number] = (incident.number, alert.key)
    outcome.events.append(
        Event(incident.number, now, IncidentReason.ALERT_JOINED, "", f"alert {alert.number}: {alert.summary}")
    )
    if RANK[alert.severity] > RANK[incident.severity]:
        joined = _raise(outcome, joined, alert, priority, setting, now)
    return joined


def _raise(
    outcome: Outcome, incident: Incident, alert: Alert, priority: str, setting: Setting, now: datetime
) -> Incident:
    """A more severe alert joins: the priority rises, and a ladder that did not apply before begins now."""
    graver = min(filter(None, (priority, incident.priority)), default=incident.priority)
    policy = freeze(
        setting.escalation, incident.pipeline, incident.domain, incident.failure_class, alert.severity, graver
    )
    raised = replace(incident, severity=alert.severity, priority=graver)
    if policy.ladder and not incident.policy.ladder:
        raised = replace(raised, policy=policy, triggered_at=now, step=0, paused_seconds=0.0)
        if raised.acknowledged_at is not None:
            raised = replace(raised, acknowledged_at=now)
    elif policy.postmortem_seconds is not None:
        raised = replace(raised, policy=replace(raised.policy, postmortem_seconds=policy.postmortem_seconds))
    outcome.events.append(
        Event(
            incident.number, now, IncidentReason.RAISED, "", f"{incident.priority} to {graver} by alert {alert.number}"
        )
    )
    return raised


def _reopen(outcome: Outcome, incident: Incident, alert: Alert, setting: Setting, now: datetime) -> Incident:
    opened = reopen(incident, now)
    opened = replace(opened, alerts=(*opened.alerts, alert.number), firing=(alert.number,))
    outcome.joined[alert.number] = (incident.number, alert.key)
    outcome.events.append(
        Event(incident.number, now, IncidentReason.REOPENED, "", f"alert {alert.number}: {alert.summary}")
    )
    return _repeats(outcome, opened, setting, now)


def _repeats(outcome: Outcome, incident: Incident, setting: Setting, now: datetime) -> Incident:
    """Inform the project manager when the number of repeats passes its limit."""
    since = now - timedelta(seconds=incident.policy.repeats_seconds)
    repeats = sum(at > since for at in incident.times) - 1
    if repeats < incident.policy.repeats:
        return replace(incident, repeat_told=False)
    if incident.repeat_told:
        return incident
    found = resolve(incident.policy.repeats_to, about(incident), frozen_roles(incident, setting.around), now)
    words = f"{repeats} repeats within {int(incident.policy.repeats_seconds // 86400)} days"
    outcome.events.append(
        Event(incident.number, now, IncidentReason.REPEATED, "", f"{words}; told: {', '.join(found.who) or 'nobody'}")
    )
    if found.who:
        outcome.calls.append(
            Call(
                incident=incident.number,
                kind="repeat",
                who=found.who,
                subject=f"[repeated] incident {incident.number}: {incident.title}",
                text=f"The same fault has come back: {words}. Something beyond the single repair is needed.",
                page=False,
                occurrence=f"{len(incident.times)}",
            )
        )
    return replace(incident, repeat_told=True)


def _alerts_of(outcome: Outcome, incident: Incident, alerts: Mapping[int, Alert], now: datetime) -> Incident:
    """What its alerts say: acknowledged through one of them, or all of them over."""
    firing = tuple(n for n in incident.firing if n in alerts and alerts[n].status != RESOLVED)
    for number in sorted(set(incident.firing) - set(firing)):
        outcome.events.append(Event(incident.number, now, IncidentReason.ALERT_RESOLVED, "", f"alert {number}"))
    incident = replace(incident, firing=firing)
    if not firing:
        ended, events = recover(incident, now)
        outcome.events += events
        if ended.paged:
            outcome.calls.append(_all_clear(ended, now))
        return ended
    worst = [alerts[n] for n in firing if alerts[n].severity == incident.severity] or [alerts[n] for n in firing]
    given_back = incident.unacknowledged_at
    seen = [a for a in worst if a.acknowledged_at and (given_back is None or a.acknowledged_at > given_back)]
    if incident.status == TRIGGERED and worst and len(seen) == len(worst):
        last = max(seen, key=lambda a: a.acknowledged_at or now)
        incident, events = acknowledge(
            incident, last.acknowledged_by, last.acknowledged_note, last.acknowledged_at or now
        )
        outcome.events += events
    return incident


def _all_clear(incident: Incident, now: datetime) -> Call:
    """Tell the people who were called that the incident has ended."""
    return Call(
        incident=incident.number,
        kind="resolved",
        who=incident.paged,
        subject=f"[resolved] incident {incident.number}: {incident.title}",
        text=f"The incident is resolved: {incident.reason}. Nothing more is asked of you."
        + (
            f" A post-mortem is due by {incident.postmortem_due:%Y-%m-%d %H:%M} UTC." if incident.postmortem_due else ""
        ),
        page=False,
        occurrence=f"{len(incident.times)}:{now.isoformat()}",
    )


def _pagers(outcome: Outcome, incident: Incident, setting: Setting, now: datetime) -> Incident:
    """Stand down for a service that escalates by itself, once it has taken the page."""
    taken = next((setting.pagers[n] for n in incident.firing if n in setting.pagers), "")
    if taken and not incident.stands_down and incident.policy.steps:
        words = f"{taken} has the page and escalates by itself; ladder {incident.policy.ladder} stands down"
        outcome.events.append(Event(incident.number, now, IncidentReason.STANDS_DOWN, "", words))
        return replace(incident, stands_down=taken)
    return incident


def _postmortem(outcome: Outcome, incident: Incident, setting: Setting, now: datetime) -> Incident:
    """Ask for a late post-mortem; each reminder goes to the next higher role."""
    due = incident.postmortem_due
    if due is None or incident.postmortem_at is not None:
        return incident
    while incident.postmortem_told < len(incident.policy.overdue):
        after, to = incident.policy.overdue[incident.postmortem_told]
        if now < due + timedelta(seconds=after):
            break
        found = resolve(to, about(incident), frozen_roles(incident, setting.around), now)
        told = ", ".join(found.who) or "nobody"
        words = f"was due {due:%Y-%m-%d %H:%M} UTC; told: {told}"
        outcome.events.append(Event(incident.number, now, IncidentReason.POSTMORTEM_OVERDUE, "", words))
        if found.who:
            outcome.calls.append(
                Call(
                    incident=incident.number,
                    kind="postmortem",
                    who=found.who,
                    subject=f"[overdue] post-mortem of incident {incident.number}: {incident.title}",
                    text=f"The post-mortem {words}. Its draft: `ops incidents postmortem {incident.number}`.",
                    page=False,
                    occurrence=f"{len(incident.times)}:{incident.postmortem_told}",
                )
            )
        incident = replace(incident, postmortem_told=incident.postmortem_told + 1)
    return incident


def next_due(incidents: Iterable[Incident]) -> datetime | None:
    """When something is due next by the clock alone."""
    times = [at for incident in incidents if (at := incident.step_due()) is not None]
    for incident in incidents:
        if incident.postmortem_due is not None and incident.postmortem_at is None:
            left = incident.policy.overdue[incident.postmortem_told :]
            times += [incident.postmortem_due + timedelta(seconds=after) for after, _ in left[:1]]
    return min(times, default=None)
