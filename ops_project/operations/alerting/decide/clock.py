"""Corrects stored times that lie too far in the future.

A rehearsal with a later clock (`--as-of` tomorrow) writes times of tomorrow. Without a correction they would silence
today's alerts: the next flush would come a day late, and a failure of today would count as older than the repair of
tomorrow. Stored levels are not corrected, because their series may never get another signal. They are only compared up
to the present.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from ops_project.operations.alerting.decide.grouping import next_digest
from ops_project.operations.alerting.decide.state import AlertConfig, Decision

# The clocks of two machines may differ by some seconds.
SKEW = timedelta(minutes=1)


def believed_until(now: datetime) -> datetime:
    """The latest time of the stored signals that a new signal is compared with. A stored signal with a later time comes
    from a rehearsal and must not hide a signal of today. If the new signal itself has a later time, the caller uses
    that time as the limit.
    """
    return now + SKEW


def bound(decision: Decision, config: AlertConfig, now: datetime) -> None:
    """Correct the times that lie too far after `now`. Only times that have changed since the last decision are checked,
    because a time that was acceptable then is acceptable now.
    """
    state, memory = decision.state, decision.look()
    ahead = now + SKEW
    for key in sorted(memory.groups.news_for("bound")):
        group = state.groups.get(key)
        node = config.nodes.get(group.route) if group is not None else None
        if group is None or node is None:
            continue
        wait = max(node.group_wait, node.group_interval)
        latest = next_digest(node.digest, config.zone, now) if node.digest else now + wait
        if group.next_flush > latest:
            created = min(group.created_at, now)
            decision.put_group(
                replace(group, next_flush=now + node.group_wait if not node.digest else latest, created_at=created)
            )
    for entry_key in sorted(memory.log.news_for("bound")):
        entry = state.log.get(entry_key)
        if entry is None:
            continue
        if entry.at > ahead:
            # The receiver has been told, although under a later clock. So the message counts as sent just now, and is
            # repeated as usual.
            entry = replace(entry, at=now, expires_at=now + (entry.expires_at - entry.at))
            state.log[entry_key] = entry
            decision.log_changed.add(entry_key)
        if entry.own_times and any(at > ahead for at in entry.own_times.values()):
            own = {number: min(at, now) for number, at in entry.own_times.items()}
            state.log[entry_key] = replace(entry, own_times=own)
            decision.log_changed.add(entry_key)
    for number in sorted(memory.alerts.news_for("bound")):
        alert = state.alerts.get(number)
        if alert is None:
            continue
        rule = config.rules.get(alert.rule)
        hold = max(rule.keep_firing_for if rule is not None else timedelta(), config.flap_hold)
        changes: dict[str, datetime] = {
            name: now
            for name in ("starts_at", "fired_at", "resolved_at", "updated_at", "acknowledged_at")
            if (at := getattr(alert, name)) is not None and at > ahead
        }
        if alert.clears_at is not None and alert.clears_at > ahead + hold:
            changes["clears_at"] = now + hold
        if changes:
            state.alerts[number] = replace(alert, **changes)  # type: ignore[arg-type]  # times of an alert
            decision.changed.add(number)
    for name, closed in list(state.closed.items()):
        if closed.resolved_at > ahead:
            state.closed[name] = replace(closed, resolved_at=now)
