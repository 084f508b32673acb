"""The stage of the cycle between deciding and sending. Alerts become incidents, and the steps of escalation ladders are
taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ops_project.catalog import Catalog
from ops_project.lineage import Lineage
from ops_project.model.alerting.alert import FIRING, Alert
from ops_project.operations.alerting.decide import message as messages
from ops_project.operations.alerting.decide.state import AlertConfig
from ops_project.operations.incidents.decide.decide import decide, next_due
from ops_project.operations.incidents.decide.incident import Call, Incident
from ops_project.operations.incidents.decide.setting import Setting
from ops_project.operations.incidents.holds import stopped
from ops_project.operations.incidents.messages import notices_of, notifications_of
from ops_project.operations.incidents.rota import current
from ops_project.operations.ledger import Ledger
from ops_project.operations.oncall.targets import Surroundings


@dataclass
class StageReport:
    """What the stage did."""

    queued: int = 0
    changed: list[int] = field(default_factory=list)
    next_due: datetime | None = None


def run(
    ledger: Ledger,
    catalog: Catalog,
    config: AlertConfig,
    *,
    lineage: Lineage,
    alerts: Sequence[Alert],
    now: datetime,
    lease: tuple[str, str, int] | None = None,
) -> StageReport:
    """Run the stage. `alerts`: the alerts that fire, and those that ended in this cycle."""
    told_of_holds = _holds(ledger, config, lineage, now)
    escalation = catalog.escalation
    back = max(escalation.reopen_within, escalation.repeats.within)
    book = ledger.load_incidents(now, back + timedelta(minutes=1))
    if not book and not any(alert.status == FIRING for alert in alerts):
        return StageReport(told_of_holds)
    known = ledger.incidents_of([alert.number for alert in alerts])
    setting = _setting(ledger, catalog, config, lineage=lineage, alerts=alerts, book=book)
    outcome = decide(book, alerts, known=known, next_number=ledger.next_incident(), setting=setting, now=now)
    after = {**book, **outcome.changed}
    report = StageReport(told_of_holds, next_due=next_due(after.values()))
    if outcome.empty:
        return report
    calls: dict[int, list[Call]] = {}
    for call in outcome.calls:
        calls.setdefault(call.incident, []).append(call)
    around = messages.around(alerts)
    told = {
        number: [
            notification
            for call in asked
            for notification in notifications_of(call, after[number], around, config, now)
        ]
        for number, asked in calls.items()
    }
    report.queued += ledger.record_incidents(
        outcome.changed, joined=outcome.joined, events=outcome.events, notifications=told, now=now, lease=lease
    )
    report.changed = sorted(outcome.changed)
    return report


def _holds(ledger: Ledger, config: AlertConfig, lineage: Lineage, now: datetime) -> int:
    """Queue notices about holds that have passed their limit. Returns how many messages are new."""
    past = ledger.holds_past(now)
    if not past:
        return 0
    told = {hold.number: notices_of(hold, sorted(stopped(hold, lineage)), config, now) for hold in past}
    return ledger.tell_of_holds(told, now)


def _setting(
    ledger: Ledger,
    catalog: Catalog,
    config: AlertConfig,
    *,
    lineage: Lineage,
    alerts: Sequence[Alert],
    book: Mapping[int, Incident],
) -> Setting:
    firing = [alert for alert in alerts if alert.status == FIRING]
    waiting = [n for i in book.values() if i.open and i.policy.steps and not i.stands_down for n in i.firing]
    pagers = [
        name
        for receiver, found in config.receivers.items()
        for name, channel in found.named(receiver)
        if channel.type == "pagerduty" and channel.escalates and name not in config.unconfigured
    ]
    return Setting(
        escalation=catalog.escalation,
        around=Surroundings(
            catalog.owners, current(catalog, ledger), catalog.oncall.main(), dict(catalog.escalation.class_roles)
        ),
        lineage=lineage,
        paged=config.on_call,
        slas=config.slas,
        tiers={name: domain.tier for name, domain in catalog.domains.domains.items()},
        main_jobs={name: catalog.domains.main_job(name) for name in catalog.domain_ids()},
        runbooks={alert.number: messages.runbook(alert, config) for alert in firing},
        pagers=ledger.paged_elsewhere(waiting, pagers),
    )
