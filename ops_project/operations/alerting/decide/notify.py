"""Makes messages from groups of alerts. As in Alertmanager, a notification log says what was sent before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from ops_project.model.alerting.alert import FIRING, RESOLVED, Alert
from ops_project.model.alerting.receiver import Channel, ConsoleChannel
from ops_project.model.alerting.signal import digest
from ops_project.model.severity import RANK
from ops_project.operations.alerting.decide import message as messages
from ops_project.operations.alerting.decide import recipients
from ops_project.operations.alerting.decide.due import groups_due, make_due
from ops_project.operations.alerting.decide.elsewhere import KnownElsewhere
from ops_project.operations.alerting.decide.grouping import (
    LogEntry,
    LogKey,
    following_flush,
    needs_update,
)
from ops_project.operations.alerting.decide.intervals import any_holds
from ops_project.operations.alerting.decide.kept_alerts import SLA_LABEL
from ops_project.operations.alerting.decide.reasons import SILENT_UNDER_ANOTHER, AlertReason
from ops_project.operations.alerting.decide.routing import ENDS, SYMPTOMS, Node
from ops_project.operations.alerting.decide.state import AlertConfig, Decision, Notification


def flush(decision: Decision, config: AlertConfig, now: datetime) -> None:
    """Make the messages of every group that is due."""
    state, memory = decision.state, decision.look()
    settled, log = memory.groups.settled, memory.log
    others = _others(decision)
    make_due(decision, config, now)
    due = groups_due(decision, config, now)
    elsewhere = KnownElsewhere(state.log)
    for _, key, group in due:
        node = config.nodes[group.route]
        members = [state.alerts[number] for number in sorted(group.members) if number in state.alerts]
        quiet = _quiet_time(node, config, now)
        told_now = quiet is None and node.kind != ENDS
        firing = [alert for alert in members if alert.status == FIRING and not alert.muted and told_now]
        if quiet is not None:
            for alert in members:
                if alert.status == FIRING and not alert.muted:
                    decision.note(alert.number, now, quiet[0], quiet[1])
        resolved = [alert for alert in members if alert.status == RESOLVED]
        muted = frozenset(a.number for a in members if a.status == FIRING) - {a.number for a in firing}
        flushed = messages.Flush(
            group=group,
            node=node,
            receiver=config.receivers[node.receiver],
            firing=firing,
            resolved=resolved,
            muted=muted,
            others=others,
            on_time=group.next_flush <= now,
            now=now,
        )
        for name, channel in flushed.receiver.named(node.receiver):
            if name not in config.unconfigured:
                known = log.recipients(key, name)
                _tell(decision, config, flushed, channel=channel, name=name, told_before=known, elsewhere=elsewhere)
        left = frozenset(alert.number for alert in members if alert.status != RESOLVED)
        left |= _owed(decision, config, flushed)
        following = following_flush(node, config.zone, now)
        decision.put_group(replace(state.groups[key], members=left, next_flush=following))
        if resolved or quiet is not None or node.digest or node.group_interval > node.repeat_interval:
            continue
        if key in state.groups:
            settled.settle(key, node.id, following, _repeats_at(decision, flushed))
    for key in decision.look().log.of_group.keys() - state.groups.keys():
        for entry_key in sorted(log.of_group[key]):
            if state.log[entry_key].expires_at <= now:
                del state.log[entry_key]
                decision.log_changed.add(entry_key)


def _others(decision: Decision) -> messages.Around:
    """Gather the facts about other alerts that messages need. If an alert has changed, or if other alerts have become
    silent because of it or are no longer silent, its groups are looked at in their next regular flush.
    """
    state, memory = decision.state, decision.state.memory
    under: dict[int, list[Alert]] = {}
    for alert in [state.alerts[number] for number in sorted(memory.alerts.silent)]:
        if alert.cause is not None:
            under.setdefault(alert.cause, []).append(alert)
    shown = {number: [(alert.number, alert.muted) for alert in below] for number, below in under.items()}
    changed = memory.alerts.news_for("flush")
    if shown != memory.under:
        changed |= {n for n in {*shown, *memory.under} if shown.get(n) != memory.under.get(n)}
        memory.under = shown
    for number in changed:
        for key in memory.groups.of_alert.get(number, ()):
            memory.groups.settled.changed(key)
    promised = (state.alerts[number] for number in memory.alerts.promised)
    near = frozenset(alert.labels[SLA_LABEL] for alert in promised if alert.status == FIRING)
    return messages.Around(state.alerts, under, near)


def _repeats_at(decision: Decision, flushed: messages.Flush) -> datetime:
    """The earliest time at which a recipient of this group gets a repeat."""
    state, node = decision.state, flushed.node
    names = {name for name, _ in flushed.receiver.named(node.receiver)}
    entries = [state.log.get(key) for key in _entries(decision, flushed) if key[1] in names]
    at = [flushed.now]
    for entry in entries:
        if entry is not None:
            at.append(entry.at)
            at.extend(entry.told_at(alert.number) for alert in flushed.firing if alert.number in entry.own_times)
    return min(at) + node.repeat_interval


def _entries(decision: Decision, flushed: messages.Flush) -> list[LogKey]:
    """The group's entries in the notification log, as they were before this flush."""
    return sorted(decision.state.memory.log.of_group.get(flushed.group.key, ()))


def _owed(decision: Decision, config: AlertConfig, flushed: messages.Flush) -> frozenset[int]:
    """Resolved alerts whose end must still be sent through a channel whose secrets this process lacks.

    Another process has the secrets and sends the end. For example, a person's shell must not discard the end of a page
    that the daemon sends. If no process has the secrets any more, the end is dropped when the entry in the log expires.
    """
    if not flushed.resolved:
        return frozenset()
    log, group = decision.state.log, flushed.group.key
    owed = {
        number
        for name, channel in flushed.receiver.named(flushed.node.receiver)
        if name in config.unconfigured and channel.send_resolved
        for recipient in decision.state.memory.log.recipients(group, name)
        if (entry := log.get((group, name, recipient))) is not None and entry.expires_at > flushed.now
        for number in entry.firing
    }
    return frozenset(alert.number for alert in flushed.resolved if alert.number in owed)


def _quiet_time(node: Node, config: AlertConfig, now: datetime) -> tuple[AlertReason, str] | None:
    if node.active and any_holds(node.active, config.intervals, now) is None:
        return AlertReason.OUTSIDE_ACTIVE_TIME, ", ".join(node.active)
    if (name := any_holds(node.mute, config.intervals, now)) is not None:
        return AlertReason.MUTED_BY_TIME, name
    return None


def _tell(
    decision: Decision,
    config: AlertConfig,
    flushed: messages.Flush,
    *,
    channel: Channel,
    name: str,
    told_before: set[str],
    elsewhere: KnownElsewhere,
) -> None:
    state = decision.state
    group, node, now = flushed.group, flushed.node, flushed.now
    firing, resolved, muted = flushed.firing, flushed.resolved, flushed.muted
    # Through a route outside the tree, only those owners get the message whose alerts it lists.
    shares = {} if node.kind == SYMPTOMS else recipients.shares(channel, [*firing, *resolved], config)
    listed = _listed(
        config,
        flushed,
        channel=channel,
        name=name,
        shares=shares,
        elsewhere=elsewhere if node.kind == SYMPTOMS else None,
    )
    # There may be many recipients. So the alerts are indexed once, and not walked through for each recipient.
    open_by_number = {alert.number: alert for alert in firing}
    ended_by_number = {alert.number: alert for alert in resolved}
    open_now, ended_now = frozenset(open_by_number), frozenset(ended_by_number)
    for recipient in sorted({*shares, *told_before}):
        entry = state.log.get((group.key, name, recipient))
        firing_now = open_now & shares.get(recipient, frozenset())
        # A recipient who was told that an alert fires must also be told that it has ended.
        resolved_now = ended_now & entry.firing if entry is not None else frozenset()
        still_muted = muted & entry.firing if entry is not None else frozenset()
        # An alert may have got another owner, or may no longer be listed under its cause. Its former recipients are
        # still told when it ends.
        known_before = entry.firing & open_now if entry is not None else frozenset()
        if not firing_now and not resolved_now:
            continue
        heard = firing_now | (listed.get(recipient, frozenset()) if firing_now else frozenset())
        if not firing_now and still_muted:
            # Some of these alerts are repaired and others are silent. The recipient is told of the repair, and still
            # counts as told of the silent ones.
            due, reason = channel.send_resolved, AlertReason.NEW_RESOLVED
        else:
            news = firing_now & decision.joined
            known = entry.without(news) if entry is not None and news else entry
            waiting = [state.alerts[number] for number in sorted(firing_now)]
            due, reason = needs_update(
                known,
                heard | still_muted,
                resolved_now,
                send_resolved=channel.send_resolved,
                node=node,
                now=now,
                zone=config.zone,
                told_at=None if entry is None else _told_at(entry, waiting),
            )
            if due and reason is AlertReason.REPEAT and not (flushed.on_time and any(map(_repeated, waiting))):
                continue
        if not due:
            continue
        stamp = LogEntry(
            group=group.key,
            channel=name,
            recipient=recipient,
            firing=heard | still_muted | known_before,
            resolved=resolved_now,
            at=now,
            expires_at=now + 2 * node.repeat_interval,
            own_times={}
            if entry is None
            else {number: entry.told_at(number) for number in (still_muted | known_before) - heard},
        )
        elsewhere.note(entry, stamp)
        state.log[(group.key, name, recipient)] = stamp
        decision.log_changed.add((group.key, name, recipient))
        chosen = [open_by_number[number] for number in sorted(firing_now)]
        mended = [ended_by_number[number] for number in sorted(resolved_now)] if channel.send_resolved else []
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
                        flushed,
                        config,
                        firing=chosen,
                        resolved=mended,
                        reason=reason,
                        told=entry.firing if entry is not None else frozenset(),
                    ),
                    "to": recipients.named(channel, [*chosen, *mended], config),
                    **({"page": False} if channel.inform else {}),
                },
            )
        )
        for alert in (*chosen, *mended):
            decision.note(alert.number, now, reason, f"{name} {recipient}".strip())


def _repeated(alert: Alert) -> bool:
    """Whether this alert is repeated: nobody has acknowledged it, and it is not the symptom of another open alert."""
    return alert.acknowledged_at is None and (alert.suspect is None or alert.cause is None)


def _told_at(entry: LogEntry, alerts: Iterable[Alert]) -> datetime | None:
    """When the recipient was last told of the alerts that are repeated: the earliest such time. None if no alert is
    repeated and the alerts have times of their own.
    """
    if not entry.own_times:
        return entry.at
    return min((entry.told_at(alert.number) for alert in alerts if _repeated(alert)), default=None)


def _listed(
    config: AlertConfig,
    flushed: messages.Flush,
    *,
    channel: Channel,
    name: str,
    shares: dict[str, frozenset[int]],
    elsewhere: KnownElsewhere | None,
) -> dict[str, frozenset[int]]:
    """Owner → the numbers of its silent alerts that a message about their cause lists. So that the owner gets this
    message, the cause is added to the alerts of the owner in `shares`.

    Nothing is returned for a channel that does not address owners. Nothing is returned for a page either, because a
    page is not sent again when further symptoms come. `elsewhere`: if given, a symptom is left out if another group has
    already reported it to the owner.
    """
    if channel.to != "owners" or flushed.receiver.page or isinstance(channel, ConsoleChannel):
        return {}
    found: dict[str, set[int]] = {}
    for alert in flushed.firing:
        for symptom in flushed.others.under.get(alert.number, ()):
            if symptom.muted not in SILENT_UNDER_ANOTHER:
                # A person has silenced this symptom. A message may list it, but no message is sent because of it.
                continue
            for recipient in recipients.of_symptom(channel, alert, symptom, flushed.node, config):
                if elsewhere and elsewhere.has(symptom.number, flushed.group.key, name, recipient):
                    continue
                found.setdefault(recipient, set()).add(symptom.number)
                shares[recipient] = shares.get(recipient, frozenset()) | {alert.number}
    return {recipient: frozenset(numbers) for recipient, numbers in found.items()}
