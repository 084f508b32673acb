"""The content of a message: what broke, where and since when, its severity, its owners, what depends on it, and what to
do first.

It is plain data, which the outbox stores. The modules of `rendering` give it the form of each channel.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ops_project.masking import mask
from ops_project.model.alerting.alert import FIRING, Alert
from ops_project.model.alerting.matcher import all_match
from ops_project.model.alerting.receiver import Receiver
from ops_project.model.alerting.rule import FirstResponse
from ops_project.model.alerting.silence import Silence
from ops_project.model.alerting.sla import Sla
from ops_project.model.severity import RANK
from ops_project.operations.alerting.decide.grouping import Group
from ops_project.operations.alerting.decide.inhibition import subjects
from ops_project.operations.alerting.decide.reasons import AlertReason
from ops_project.operations.alerting.decide.recipients import owner_name
from ops_project.operations.alerting.decide.routing import Node
from ops_project.operations.alerting.decide.state import AlertConfig

LISTED = 20
OPEN_ALERTS = "Open alerts"
READ = ("gold", "serving")
# The schema of landed tables. Each of them has the name of its feed.
LANDED = "bronze"
# The name of a check that compares a reconciliation consists of this prefix and the name of the reconciliation.
CHAIN = "reconciliation_"


@dataclass(frozen=True)
class Around:
    """The facts about other alerts that the messages of one decision need. They are gathered once."""

    alerts: Mapping[int, Alert]
    under: Mapping[int, Sequence[Alert]]
    """Number of a cause → the alerts that are silent because of it."""
    near: frozenset[str]
    """The service levels that open alerts are about."""


def around(alerts: Iterable[Alert]) -> Around:
    """Gather the facts of `Around` from all `alerts`."""
    known = {alert.number: alert for alert in alerts}
    under: dict[int, list[Alert]] = {}
    for alert in known.values():
        if alert.cause is not None and alert.muted and alert.status == FIRING:
            under.setdefault(alert.cause, []).append(alert)
    near = frozenset(a.labels["sla"] for a in known.values() if a.status == FIRING and "sla" in a.labels)
    return Around(known, under, near)


@dataclass(frozen=True)
class Flush:
    """One group at the moment at which its messages are made."""

    group: Group
    node: Node
    receiver: Receiver
    firing: Sequence[Alert]
    resolved: Sequence[Alert]
    muted: frozenset[int]
    others: Around
    on_time: bool
    """Whether the regular time of the group has come. If not, the group is looked at early because no later cycle will
    come, and then nothing is repeated.
    """
    now: datetime


def of_group(
    flushed: Flush,
    config: AlertConfig,
    *,
    firing: Sequence[Alert],
    resolved: Sequence[Alert],
    reason: AlertReason,
    told: frozenset[int] = frozenset(),
) -> dict[str, Any]:
    """The payload for one recipient of one group.

    `firing` and `resolved`: the alerts that this recipient gets. `told`: the numbers of the alerts in the last message.
    New alerts are listed before these.
    """
    node = flushed.node
    alerts = sorted(
        [*firing, *resolved],
        key=lambda a: (
            a.status != FIRING,
            -RANK[a.severity],
            a.number in told,
            a.acknowledged_at is not None,
            a.number,
        ),
    )
    worst = max((a.severity for a in alerts), key=lambda s: RANK[s])
    return {
        "kind": "alert",
        "status": "firing" if firing else "resolved",
        "severity": worst,
        "page": flushed.receiver.page and bool(firing),
        "receiver": node.receiver,
        "group_key": flushed.group.key,
        "group": dict(flushed.group.labels),
        "reason": reason.value,
        "at": flushed.now.isoformat(),
        "subject": _subject(alerts, len(firing), worst, bool(node.digest)),
        "digest": bool(node.digest),
        "ui_url": config.ui_url,
        "zone": config.zone.key,
        "alerts": [of_alert(alert, flushed.others, config) for alert in alerts],
    }


def _subject(alerts: Sequence[Alert], firing: int, worst: str, digest: bool) -> str:
    if digest:
        return f"[digest] {firing} open, {len(alerts) - firing} resolved"
    first = alerts[0]
    more = f" and {len(alerts) - 1} more" if len(alerts) > 1 else ""
    state = f"{worst.upper()}" if firing else "RESOLVED"
    return f"[{state}] {first.summary}{more}"


def of_alert(alert: Alert, others: Around, config: AlertConfig) -> dict[str, Any]:
    """One alert with everything that a reader needs to know about it."""
    below = sorted(
        {d for asset in subjects(alert) for d in config.lineage.descendants(asset)} - set(subjects(alert)),
        # Tables that people read come first, followed by the tables in between.
        key=lambda asset: (asset.partition("/")[0] not in READ, asset),
    )
    touched = {*below, *subjects(alert)}
    # A service level is named only if an open alert is about it. It is not enough if a table of it depends on the
    # failure: if every alert claimed a danger, nobody would believe the claims.
    near = others.near | {alert.labels["sla"]} if alert.status == FIRING and "sla" in alert.labels else others.near
    suspect = others.alerts.get(alert.suspect) if alert.suspect is not None else None
    exposures = sorted({e for asset in touched for e in config.lineage.get(asset).exposures})
    return {
        "number": alert.number,
        "rule": alert.rule,
        "status": alert.status,
        "severity": alert.severity,
        "summary": alert.summary,
        "message": mask(alert.message),
        "domain": alert.labels.get("domain", ""),
        "pipeline": alert.labels.get("pipeline", ""),
        "assets": list(subjects(alert)),
        "partition": alert.labels.get("partition", ""),
        "check": alert.labels.get("check", ""),
        "value": alert.value,
        "since": (alert.starts_at).isoformat(),
        "until": alert.resolved_at.isoformat() if alert.resolved_at else None,
        "owners": [owner_name(owner, config) for owner in alert.owners],
        "owner_ids": list(alert.owners),
        "failure_class": alert.failure_class,
        "response": response(alert, config),
        "runbook": runbook(alert, config),
        "run_id": alert.run_id,
        "batch_id": alert.batch_id,
        "evidence": alert.evidence_ref,
        "flaps": alert.flaps,
        "acknowledged": acknowledgement(alert),
        "blast_radius": {
            "assets": below[:LISTED],
            "asset_count": len(below),
            "exposures": exposures,
            "slas": [
                _promise(sla)
                for name, sla in sorted(config.slas.items(), key=lambda item: item[1].due)
                if touched.intersection(sla.assets) and name not in near
            ],
            "slas_at_risk": [
                _promise(sla)
                for name, sla in sorted(config.slas.items(), key=lambda item: item[1].due)
                if name in near and (touched.intersection(sla.assets) or name == alert.labels.get("sla"))
            ],
        },
        "silent_under_it": [
            {"number": other.number, "summary": other.summary} for other in others.under.get(alert.number, ())
        ],
        "suspected_cause": ""
        if alert.suspect is None
        else f"#{alert.suspect} {suspect.summary if suspect is not None else ''}".strip(),
        "labels": dict(alert.labels),
    }


def _promise(sla: Sla) -> str:
    return sla.title if sla.due in sla.title else f"{sla.title} ({sla.due})"


def acknowledgement(alert: Alert) -> str:
    """Who works on the alert, and since when; empty if it is not acknowledged."""
    if alert.acknowledged_at is None:
        return ""
    note = f": {alert.acknowledged_note}" if alert.acknowledged_note else ""
    return f"by {alert.acknowledged_by}, {alert.acknowledged_at:%Y-%m-%d %H:%M} UTC{note}"


def of_class(alert: Alert, config: AlertConfig) -> FirstResponse | None:
    """The first response for the alert's failure class, with its placeholders filled in; None if the response of the
    rule applies.
    """
    rule = config.rules.get(alert.rule)
    found = config.first_responses.get(alert.failure_class)
    if rule is None or not rule.generic or found is None:
        return None
    schema, _, name = alert.asset.partition("/")
    check = alert.labels.get("check", "")
    words = found.about(
        feed=alert.labels.get("feed", "") or (name if schema == LANDED else ""),
        table=alert.asset.replace("/", "."),
        check=check,
        number=str(alert.number),
        file=shlex.quote(archived) if (archived := alert.labels.get("archived", "")) else "",
        chain=check.removeprefix(CHAIN) if check.startswith(CHAIN) else "",
        date=alert.labels.get("partition", ""),
    )
    return None if words is None else found.model_copy(update={"response": words})


def response(alert: Alert, config: AlertConfig) -> str:
    """What to do first: the response for the failure class, otherwise the response of the rule."""
    rule, own = config.rules.get(alert.rule), of_class(alert, config)
    return own.response if own else rule.response if rule else ""


def runbook(alert: Alert, config: AlertConfig) -> str:
    """The slug of the runbook: that of the failure class; otherwise that of the rule, first its runbook for this class
    and then its general one. If the rule no longer exists, it is the asset's runbook.
    """
    rule, own = config.rules.get(alert.rule), of_class(alert, config)
    if own and own.runbook:
        return own.runbook
    if rule is None:
        return config.lineage.get(alert.asset).runbook
    return next((slug for name, slug in rule.runbooks.items() if name == alert.failure_class), rule.runbook)


def of_silence(silence: Silence, firing: Sequence[Alert], now: datetime) -> dict[str, Any]:
    """The notice that a silence is about to end. It lists the alerts that would be sent afterwards."""
    matchers = ", ".join(map(str, silence.matchers))
    waiting = [alert for alert in firing if all_match(silence.matchers, alert.labels)]
    listed = "".join(f"\n#{alert.number} {alert.summary}" for alert in waiting[:LISTED])
    return {
        "kind": "silence",
        "status": "notice",
        "severity": "low",
        "at": now.isoformat(),
        "subject": f"[silence] number {silence.number} ends at {silence.ends_at:%Y-%m-%d %H:%M} UTC",
        "text": f"Silence {silence.number} ({matchers}), asked for by {silence.owner}: {silence.reason}. It ends at "
        f"{silence.ends_at:%Y-%m-%d %H:%M} UTC; an alert that still fires then is sent again. "
        + (
            f"{len(waiting)} alert{'s are' if len(waiting) > 1 else ' is'} silent under it now:{listed}"
            if waiting
            else "Nothing is silent under it now."
        ),
        "alerts": [],
    }


def of_success(
    title: str, *, pipeline: str, run_id: str, facts: Sequence[tuple[str, str]], at: datetime, ui_url: str
) -> dict[str, Any]:
    """The daily success notice. Its subject also names the number of open alerts, so that nobody takes it for an
    all-clear.
    """
    open_now = int(dict(facts).get(OPEN_ALERTS, 0))
    others = f", {open_now} alert{'s' if open_now > 1 else ''} open" if open_now else ""
    return {
        "kind": "success",
        "status": "success",
        "severity": "low",
        "at": at.isoformat(),
        "subject": f"[success{others}] {title}",
        "text": f"{pipeline} succeeded at {at:%Y-%m-%d %H:%M} UTC.",
        "facts": [list(fact) for fact in facts],
        "run_id": run_id,
        "ui_url": ui_url,
        "alerts": [],
    }
