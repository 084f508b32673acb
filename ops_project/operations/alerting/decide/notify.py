"""Alerts → groups → messages: Alertmanager's pipeline, stage by stage, against the notification log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from ops_project.model.alerting.alert import FIRING, RESOLVED, Alert
from ops_project.model.alerting.receiver import Channel, Receiver
from ops_project.model.alerting.signal import OK, Signal, digest
from ops_project.model.severity import RANK
from ops_project.operations.alerting.decide import message as messages
from ops_project.operations.alerting.decide import recipients
from ops_project.operations.alerting.decide.acknowledge import acknowledged
from ops_project.operations.alerting.decide.grouping import Group, LogEntry, first_flush, following_flush, needs_update
from ops_project.operations.alerting.decide.inhibition import inhibitions, subjects
from ops_project.operations.alerting.decide.intervals import any_holds
from ops_project.operations.alerting.decide.lifecycle import store
from ops_project.operations.alerting.decide.reasons import AlertReason
from ops_project.operations.alerting.decide.routing import Node, match
from ops_project.operations.alerting.decide.silences import due_for_notice, silenced
from ops_project.operations.alerting.decide.state import AlertConfig, Decision, Notification

SLA_RULE_LABEL = "sla"


def mark_sla_risk(decision: Decision, config: AlertConfig) -> None:
    """Label what endangers an SLA: holidays do not make such an alert wait."""
    state = decision.state
    endangered: set[str] = set()
    for alert in state.alerts.values():
        sla = config.slas.get(alert.labels.get(SLA_RULE_LABEL, ""))
        if sla is not None and alert.status == FIRING:
            for asset in sla.assets:
                endangered |= {asset, *config.lineage.ancestors(asset)}
    for alert in list(state.alerts.values()):
        risky = (
            "true"
            if alert.open and (SLA_RULE_LABEL in alert.labels or endangered.intersection(subjects(alert)))
            else "false"
        )
        if alert.labels and alert.status != RESOLVED and alert.labels.get("sla_at_risk") != risky:
            store(decision, replace(alert, labels={**alert.labels, "sla_at_risk": risky}))


def mute(decision: Decision, config: AlertConfig, now: datetime) -> None:
    """Decide for each firing alert whether it is silent, and under which cause."""
    state = decision.state
    firing = [alert for alert in state.alerts.values() if alert.status == FIRING]
    causes = inhibitions(firing, config.inhibit_rules, config.lineage, config.graph)
    active = [silence for silence in state.silences.values() if silence.active(now)]
    for alert in firing:
        cause, why, detail = None, "", ""
        if alert.number in causes:
            cause, reason = causes[alert.number]
            why, detail = reason.value, f"alert {cause}"
        elif (quiet := silenced(alert.labels, active, config.maintenance, config.intervals, now)) is not None:
            why, detail = quiet.reason.value, quiet.name
        if (alert.cause, alert.muted) != (cause, why):
            decision.note(alert.number, now, AlertReason(why) if why else AlertReason.NO_LONGER_MUTED, detail)
            store(decision, replace(alert, cause=cause, muted=why))


def dispatch(decision: Decision, config: AlertConfig, now: datetime) -> None:
    """Put firing alerts into the groups of their routes, and out of those that no longer take them."""
    state = decision.state
    version = digest(*(f"{node.id}|{node.receiver}|{node.group_by}|{node.continues}" for node in config.nodes.values()))
    everything = version != state.routes_version
    state.routes_version = version
    for key, group in list(state.groups.items()):
        if group.route not in config.nodes:
            del state.groups[key]
            decision.groups_dropped.add(key)
    grouped = {number for group in state.groups.values() for number in group.members}
    for number, alert in sorted(state.alerts.items()):
        if alert.status != FIRING or not (everything or number in decision.changed or number not in grouped):
            continue
        taken = {node.group_key(alert.labels): node for node in match(config.tree, alert.labels)}
        for key, group in list(state.groups.items()):
            if number in group.members and key not in taken:
                _set_group(decision, replace(group, members=group.members - {number}))
        for key, node in taken.items():
            existing = state.groups.get(key)
            if existing is None:
                due = first_flush(node, config.zone, alert.fired_at or alert.starts_at, now)
                _set_group(
                    decision, Group(key, node.id, node.group_labels(alert.labels), frozenset({number}), now, due)
                )
                decision.note(number, now, AlertReason.ROUTED, f"{node.receiver} by {node.id}")
            elif number not in existing.members:
                _set_group(decision, replace(existing, members=existing.members | {number}))
                decision.note(number, now, AlertReason.ROUTED, f"{node.receiver} by {node.id}")


def _set_group(decision: Decision, group: Group) -> None:
    if group.members:
        decision.state.groups[group.key] = group
        decision.groups_changed.add(group.key)
        decision.groups_dropped.discard(group.key)
    else:
        decision.state.groups.pop(group.key, None)
        decision.groups_changed.discard(group.key)
        decision.groups_dropped.add(group.key)


def flush(decision: Decision, config: AlertConfig, now: datetime) -> None:
    """Tell every group that is due."""
    state = decision.state
    for key, group in sorted(state.groups.items(), key=lambda item: (item[1].next_flush, item[0])):
        node = config.nodes[group.route]
        hurried = config.flush_now and not node.digest and key in decision.groups_changed
        if group.next_flush > now and not hurried:
            continue
        members = [state.alerts[number] for number in sorted(group.members) if number in state.alerts]
        quiet = _quiet_time(node, config, now)
        firing = [alert for alert in members if alert.status == FIRING and not alert.muted and not quiet]
        if quiet is not None:
            for alert in members:
                if alert.status == FIRING and not alert.muted:
                    decision.note(alert.number, now, quiet[0], quiet[1])
        resolved = [alert for alert in members if alert.status == RESOLVED]
        muted = frozenset(a.number for a in members if a.status == FIRING) - {a.number for a in firing}
        receiver = config.receivers[node.receiver]
        for name, channel in receiver.named(node.receiver):
            if name not in config.unconfigured:
                _tell(decision, config, node, group, receiver, channel, name, firing, resolved, muted, now)
        left = frozenset(alert.number for alert in members if alert.status != RESOLVED)
        left |= _owed(decision, config, key, receiver.named(node.receiver), resolved, now)
        _set_group(
            decision, replace(state.groups[key], members=left, next_flush=following_flush(node, config.zone, now))
        )
    for entry_key, entry in list(state.log.items()):
        if entry.expires_at <= now and entry_key[0] not in state.groups:
            del state.log[entry_key]
            decision.log_changed.add(entry_key)


def _owed(
    decision: Decision,
    config: AlertConfig,
    group: str,
    channels: Iterable[tuple[str, Channel]],
    resolved: Iterable[Alert],
    now: datetime,
) -> frozenset[int]:
    """Resolved alerts whose end a channel is still to be told that lacks its secrets here.

    Another process has them: a person's shell must not take the resolve of a page from the daemon. Where nobody has
    them any more, the log entry's end is the end of it.
    """
    waiting = {name for name, channel in channels if name in config.unconfigured and channel.send_resolved}
    told = {
        number
        for (key, name, _), entry in decision.state.log.items()
        if key == group and name in waiting and entry.expires_at > now
        for number in entry.firing
    }
    return frozenset(alert.number for alert in resolved if alert.number in told)


def _quiet_time(node: Node, config: AlertConfig, now: datetime) -> tuple[AlertReason, str] | None:
    if node.active and any_holds(node.active, config.intervals, now) is None:
        return AlertReason.OUTSIDE_ACTIVE_TIME, ", ".join(node.active)
    if (name := any_holds(node.mute, config.intervals, now)) is not None:
        return AlertReason.MUTED_BY_TIME, name
    return None


def _tell(
    decision: Decision,
    config: AlertConfig,
    node: Node,
    group: Group,
    receiver: Receiver,
    channel: Channel,
    name: str,
    firing: list[Alert],
    resolved: list[Alert],
    muted: frozenset[int],
    now: datetime,
) -> None:
    state = decision.state
    shares = recipients.shares(channel, [*firing, *resolved], config)
    told_before = {key[2] for key in state.log if key[0] == group.key and key[1] == name}
    for recipient in sorted({*shares, *told_before}):
        share = shares.get(recipient, frozenset())
        entry = state.log.get((group.key, name, recipient))
        firing_now = frozenset(alert.number for alert in firing if alert.number in share)
        resolved_now = frozenset(
            alert.number
            for alert in resolved
            if alert.number in share and entry is not None and alert.number in entry.firing
        )
        still_muted = muted & entry.firing if entry is not None else frozenset()
        if not firing_now and not resolved_now:
            continue
        if not firing_now and still_muted:
            # Some are repaired, some are silent: the repair is told and the silent stay told.
            due, reason = channel.send_resolved, AlertReason.NEW_RESOLVED
        else:
            due, reason = needs_update(entry, firing_now | still_muted, resolved_now, channel.send_resolved, node, now)
        if due and reason is AlertReason.REPEAT and acknowledged(state.alerts[number] for number in firing_now):
            continue  # somebody works on it
        if not due:
            continue
        stamp = LogEntry(
            group.key, name, recipient, firing_now | still_muted, resolved_now, now, now + 2 * node.repeat_interval
        )
        state.log[(group.key, name, recipient)] = stamp
        decision.log_changed.add((group.key, name, recipient))
        chosen = [a for a in firing if a.number in firing_now]
        mended = [a for a in resolved if a.number in resolved_now] if channel.send_resolved else []
        numbers = [str(number) for number in sorted(firing_now)]
        key = digest(
            group.key, name, recipient, now.isoformat(), ",".join(numbers), ",".join(map(str, sorted(resolved_now)))
        )
        worst = max((a.severity for a in (chosen or mended)), key=lambda s: RANK[s], default="low")
        decision.notifications.append(
            Notification(
                key=key,
                kind="alert",
                receiver=node.receiver,
                channel=name,
                recipient=recipient,
                severity=worst,
                reason=reason,
                created_at=now,
                group=group.key,
                firing=tuple(sorted(firing_now)),
                resolved=tuple(sorted(resolved_now)),
                payload={
                    **messages.of_group(
                        group,
                        node,
                        receiver,
                        chosen,
                        mended,
                        state.alerts.values(),
                        config,
                        reason,
                        now,
                        entry.firing if entry is not None else frozenset(),
                    ),
                    "to": recipients.named(channel, [*chosen, *mended], config),
                    **({"page": False} if channel.inform else {}),
                },
            )
        )
        for alert in (*chosen, *mended):
            decision.note(alert.number, now, reason, f"{name} {recipient}".strip())


def announce_successes(decision: Decision, signals: Iterable[Signal], config: AlertConfig) -> None:
    """The daily success notice: the first success of a day, once; the outbox's key keeps it at one. A run that reached
    no consumer is none."""
    signals = list(signals)
    unpublished = {s.run_id for s in signals if s.kind.startswith("publication.") and s.state != OK}
    for signal in signals:
        if signal.kind != "run.failure" or signal.state != OK or signal.run_id in unpublished:
            continue
        for name, item in config.expectations.items():
            if item.pipeline != signal.pipeline or not item.notice:
                continue
            day = signal.event_at.astimezone(config.zone).date()
            open_now = sum(alert.status == FIRING for alert in decision.state.alerts.values())
            facts = [("Run", f"{config.ui_url}/runs/{signal.run_id}"), ("Open alerts", str(open_now))]
            payload = messages.of_success(
                f"{item.title}, {day}", item.pipeline, signal.run_id, facts, signal.event_at, config.ui_url
            )
            decision.notifications += plain(
                config,
                item.receiver or config.tree.receiver,
                "success",
                f"{name}:{day}",
                payload,
                (config.primary_owners.get(item.domain, ""),),
                AlertReason.SUCCESS_NOTICE,
                signal.event_at,
            )


def remind_of_silences(decision: Decision, config: AlertConfig, now: datetime) -> None:
    """Tell the owner of a silence that it is about to end."""
    state = decision.state
    for silence in due_for_notice(list(state.silences.values()), now):
        state.silences[silence.number] = replace(silence, notice_sent_at=now)
        decision.silences_changed.add(silence.number)
        payload = messages.of_silence(silence, [a for a in state.alerts.values() if a.status == FIRING], now)
        decision.notifications += plain(
            config,
            config.tree.receiver,
            "silence",
            f"silence:{silence.number}",
            payload,
            (silence.owner,),
            AlertReason.SILENCE_EXPIRES,
            now,
        )


def plain(
    config: AlertConfig,
    receiver: str,
    kind: str,
    subject: str,
    payload: dict[str, object],
    owners: Iterable[str],
    reason: AlertReason,
    now: datetime,
) -> list[Notification]:
    """A message that is not about a group, for every channel of a receiver."""
    return [
        Notification(
            key=digest(kind, subject, name, recipient),
            kind=kind,
            receiver=receiver,
            channel=name,
            recipient=recipient,
            severity="low",
            reason=reason,
            created_at=now,
            payload=payload,
        )
        for name, channel in config.receivers[receiver].named(receiver)
        if name not in config.unconfigured
        for recipient in recipients.of_owners(channel, owners, config)
    ]
