"""What people were told, and whether it was true, enough and not too much. It does not know how the engine decides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ops_project.lineage import Lineage
from ops_project.model.alerting.alert import FIRING, Alert
from ops_project.model.alerting.matcher import all_match
from ops_project.operations.alerting.decide.reasons import AlertReason
from ops_project.operations.alerting.decide.state import AlertConfig, Decision, Notification, State

ROUTE_TIME = timedelta(minutes=10)
"""The longest group wait and group interval of a route that does not collect for a digest, and a slow cycle."""
Ear = tuple[str, str]
"""Channel and recipient."""


@dataclass
class Heard:
    """Every message so far, as the people who got them remember it."""

    owners: dict[str, str]
    """Asset → the team that must hear of it."""
    fired: dict[int, datetime] = field(default_factory=dict)
    """Number of an alert → the time since which it fires and is not silent."""
    silent: dict[int, datetime] = field(default_factory=dict)
    """Number of an alert → the time since which it fires and is silent without a person's request."""
    told: dict[int, set[Ear]] = field(default_factory=dict)
    """Number of an alert → the recipients who were told that it fires, by name or in the list under its cause."""
    named: dict[int, set[Ear]] = field(default_factory=dict)
    """The same without the lists: the recipients who must be told about the end."""
    owed: dict[tuple[int, Ear], datetime] = field(default_factory=dict)
    """Recipients who were told that it fires, but not yet that it ended → the time since then."""
    last: dict[tuple[str, Ear], tuple[datetime, frozenset[int]]] = field(default_factory=dict)
    """Group and ear → the time of the last message, and the alerts in it."""
    under: dict[tuple[str, Ear], dict[int, int]] = field(default_factory=dict)
    """Group and ear → the alerts that the last message only listed, each with the cause that it was listed under."""
    again: dict[tuple[int, str], datetime] = field(default_factory=dict)
    """Alert and recipient → the latest time at which it must be named again, by the last of its groups."""

    def hear(self, decision: Decision, config: AlertConfig, now: datetime) -> None:
        """Read the messages of one decision. Fails if one of them is false or is sent too often."""
        state = decision.state
        firing = {number for number, alert in state.alerts.items() if alert.status == FIRING}
        self.fired = {n: now if state.alerts[n].muted else self.fired.get(n, now) for n in firing}
        asked = {n for n in firing if is_silenced(state.alerts[n], state, now)}
        self.silent = {n: now if n in asked else self.silent.get(n, now) for n in firing if state.alerts[n].muted}
        self.again = {key: at for key, at in self.again.items() if key[0] in firing}
        # A recipient who was not told of the end still believes that the alert fires. If it fires again, that is true
        # again.
        self.told = {number: ears for number, ears in self.told.items() if number in state.alerts}
        for number in self.named.keys() - firing:
            for channel, recipient in self.named.pop(number):
                if _send_resolved(config, channel):
                    self.owed.setdefault((number, (channel, recipient)), now)
        for key in [key for key in self.owed if key[0] in firing]:
            self.named.setdefault(key[0], set()).add(key[1])
            del self.owed[key]
        for message in decision.notifications:
            if message.kind == "alert":
                self._take(message, state, config, now, firing)

    def _take(self, message: Notification, state: State, config: AlertConfig, now: datetime, firing: set[int]) -> None:
        ear = (message.channel, message.recipient)
        named = frozenset(item["number"] for item in message.payload["alerts"] if item["status"] == FIRING)
        listed = frozenset(under["number"] for item in message.payload["alerts"] for under in item["silent_under_it"])
        assert listed <= firing, "nothing is told as silent that does not fire"
        ended = [item["number"] for item in message.payload["alerts"] if item["status"] != FIRING]
        assert named <= firing, "nothing is told as firing that does not fire"
        assert not firing.intersection(ended), "nothing is told as ended that fires"
        for number in named:
            assert not is_silenced(state.alerts[number], state, now), f"alert {number} is silenced, and was told"
        before = self.last.get((message.group, ear))
        group = state.groups.get(message.group)
        # An alert that a person silenced is only listed. Its own message is sent when the silence ends.
        heard = named | {n for n in listed if not is_silenced(state.alerts[n], state, now)}
        listed_before = {} if _to_owner(config, ear) else self.under.get((message.group, ear), {})
        # A message that is addressed to an owner tells that owner of its alerts, named or listed. For anybody else, a
        # list says that these alerts need no message of their own while their cause fires. Once an alert has another
        # cause or none, that is not true any more, and the alert is named for the first time.
        on_its_own = {n for n in named if n in listed_before and state.alerts[n].cause != listed_before[n]}
        if before is not None and group is not None and not ended and not on_its_own and heard <= before[1]:
            wait = config.nodes[group.route].repeat_interval
            assert now - before[0] >= wait, f"{named} was told again after {now - before[0]}, not after {wait}"
            unclaimed = [n for n in named if state.alerts[n].acknowledged_at is None]
            assert unclaimed, f"{named} is acknowledged, and was repeated"
        self.last[message.group, ear] = now, heard
        self.under[message.group, ear] = {
            under["number"]: item["number"]
            for item in message.payload["alerts"]
            for under in item["silent_under_it"]
            if under["number"] not in named
        }
        for number in named | listed:
            self.told.setdefault(number, set()).add(ear)
        wait = config.nodes[group.route].repeat_interval if group is not None else timedelta(days=1)
        for item in message.payload["alerts"]:
            number = item["number"]
            if number not in named:
                continue
            if cause := _old_cause(state.alerts[number], state, config):
                assert item["suspected_cause"], f"alert {number} came after alert {cause.number}, and does not say so"
            self.named.setdefault(number, set()).add(ear)
            due = now + wait + ROUTE_TIME
            self.again[number, ear[1]] = max(self.again.get((number, ear[1]), due), due)
        for number in ended:
            self.told.get(number, set()).discard(ear)
            self.owed.pop((number, ear), None)
        if ended:
            # The message about the end can come from another group than the last message about the failure. Whichever
            # group it was, an alert that fires again after that is news for this recipient.
            for key, (at, heard_before) in self.last.items():
                if key[1] == ear:
                    self.last[key] = at, heard_before.difference(ended)

    def untold_ends(self, now: datetime) -> list[tuple[int, Ear]]:
        """Recipients who were told that an alert fires, but were not told in time that it has ended."""
        return [key for key, since in self.owed.items() if now - since > ROUTE_TIME]

    def unheard(self, state: State, config: AlertConfig, now: datetime) -> Iterator[tuple[Alert, str]]:
        """Alerts whose owner was not told in time without a true reason, and what is wrong with each."""
        for number, alert in state.alerts.items():
            since = self.silent.get(number) or self.fired.get(number, now)
            if alert.status != FIRING or now - since < ROUTE_TIME:
                continue
            owner = self.owners[alert.asset]
            if any(recipient == owner for _, recipient in self.named.get(number, ())):
                due = max(self.again.get((number, owner), now), since + ROUTE_TIME)
                if now > due and not alert.muted and alert.acknowledged_at is None and alert.suspect is None:
                    yield alert, f"it was to be repeated by {due}"
                continue
            listed = any(recipient == owner for _, recipient in self.told.get(number, ()))
            if listed and not alert.muted:
                continue
            if wrong := _wrong_reason(alert, state, config, now, listed):
                yield alert, wrong


def _wrong_reason(alert: Alert, state: State, config: AlertConfig, now: datetime, listed: bool) -> str:
    """The engine states a reason why the owner of the alert got no message about the alert itself. Returns why this
    reason is false; empty if the reason is true. `listed`: a message about the cause named the alert to the owner.
    """
    if is_silenced(alert, state, now):
        return ""
    if alert.muted == AlertReason.SILENCED.value:
        return "no silence covers it"
    cause = state.alerts.get(alert.cause) if alert.cause is not None else None
    if alert.muted not in (AlertReason.INHIBITED_BY_RULE.value, AlertReason.INHIBITED_BY_CAUSE.value):
        return f"it was not told; the engine says {alert.muted!r}"
    if cause is None or cause.status != FIRING:
        return "its cause does not fire"
    if alert.muted == AlertReason.INHIBITED_BY_RULE.value:
        return ""
    if not _is_upstream(cause, alert, config.lineage):
        return "its cause does not lie upstream of it"
    if alert.starts_at > cause.starts_at + config.graph.together:
        return "it came long after its cause, and is news"
    return "" if listed else "no message about its cause lists it"


def _is_upstream(cause: Alert, symptom: Alert, lineage: Lineage) -> bool:
    return cause.asset == symptom.asset or cause.asset in lineage.ancestors(symptom.asset)


def _old_cause(alert: Alert, state: State, config: AlertConfig) -> Alert | None:
    """A failure of the same kind upstream that began long before this one."""
    above = config.lineage.ancestors(alert.asset)
    return next(
        (
            other
            for other in state.alerts.values()
            if other.status == FIRING
            and other.asset in above
            and other.rule == alert.rule
            and alert.starts_at > other.starts_at + config.graph.together
        ),
        None,
    )


def is_silenced(alert: Alert, state: State, now: datetime) -> bool:
    """Whether a person asked for silence about this alert for the present time."""
    return any(
        silence.starts_at <= now < silence.ends_at and all_match(silence.matchers, alert.labels)
        for silence in state.silences.values()
    )


def _to_owner(config: AlertConfig, ear: Ear) -> bool:
    """Whether the message is addressed to an owner. A console or a chat channel has no addressee."""
    channel, recipient = ear
    receiver = channel.split("/")[0]
    return bool(recipient) and dict(config.receivers[receiver].named(receiver))[channel].to == "owners"


def _send_resolved(config: AlertConfig, channel: str) -> bool:
    receiver = config.receivers[channel.split("/")[0]]
    return dict(receiver.named(channel.split("/")[0]))[channel].send_resolved
