"""The state that alerting keeps from cycle to cycle, and its configuration.

Both consist of plain values. The ledger stores the state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from ops_project.lineage import Lineage
from ops_project.model.alerting.acknowledgement import Acknowledgement
from ops_project.model.alerting.alert import Alert
from ops_project.model.alerting.calendar import Maintenance, TimeInterval
from ops_project.model.alerting.metric import Metric
from ops_project.model.alerting.receiver import Receiver
from ops_project.model.alerting.resolution import Resolution
from ops_project.model.alerting.route import GraphInhibition, InhibitRule
from ops_project.model.alerting.rule import Condition, FirstResponse, Rule
from ops_project.model.alerting.signal import digest
from ops_project.model.alerting.silence import Silence
from ops_project.model.alerting.sla import Expectation, Sla
from ops_project.model.owner import Owners
from ops_project.operations.alerting.decide.grouping import Group, LogEntry
from ops_project.operations.alerting.decide.levels import Level
from ops_project.operations.alerting.decide.memory import Memory
from ops_project.operations.alerting.decide.outside import outside
from ops_project.operations.alerting.decide.reasons import AlertReason
from ops_project.operations.alerting.decide.routing import Node, walk
from ops_project.operations.alerting.decide.windows import Reading


class Watched(NamedTuple):
    """One condition of one rule. Signals are compared with it."""

    name: str
    """The rule's name."""
    rule: Rule
    position: int
    """The condition's index in the rule."""
    condition: Condition


@dataclass(frozen=True)
class AlertConfig:
    """The configuration that decides about alerts. It is made from the catalog and the asset graph."""

    rules: Mapping[str, Rule]
    metrics: Mapping[str, Metric]
    tree: Node
    receivers: Mapping[str, Receiver]
    owners: Owners
    zone: ZoneInfo
    lineage: Lineage = field(default_factory=Lineage)
    inhibit_rules: Sequence[InhibitRule] = ()
    graph: GraphInhibition = field(default_factory=GraphInhibition)
    intervals: Mapping[str, Sequence[TimeInterval]] = field(default_factory=dict)
    maintenance: Mapping[str, Maintenance] = field(default_factory=dict)
    slas: Mapping[str, Sla] = field(default_factory=dict)
    expectations: Mapping[str, Expectation] = field(default_factory=dict)
    primary_owners: Mapping[str, str] = field(default_factory=dict)
    """Pipeline or domain → its primary owner. Without a person on call, the primary owner gets the pages."""
    pipeline_owners: Mapping[str, str] = field(default_factory=dict)
    """Pipeline → the person who is its primary owner, if a person is named."""
    watches: bool = False
    """Whether the assets belong to another Dagster project. The owners that an asset names come before its domain's."""
    on_call: tuple[str, ...] = ()
    """The ids of the people who get a critical page now; empty if there is no rota."""
    flap_window: timedelta = timedelta(hours=1)
    flap_hold: timedelta = timedelta(minutes=30)
    first_responses: Mapping[str, FirstResponse] = field(default_factory=dict)
    """Failure class → what to do first. It applies to rules that are generic."""
    ui_url: str = ""
    """The address of the Dagster UI, for links. If it is empty, messages name a run without a link."""
    flush_now: bool = False
    """True if no daemon runs, so that no later cycle will come in a few seconds. Then this cycle sends everything new,
    except digests.
    """
    unconfigured: frozenset[str] = frozenset()
    """Channels (receiver/index-type) whose secrets are missing. They are left out, and this is reported."""
    switched_off: frozenset[str] = frozenset()
    """Domains that are switched off, and the jobs that build them. Their alerts are closed."""
    removed: frozenset[str] = frozenset()
    """Assets, checks, jobs and sensors that were once in the asset graph and no longer are. subjects.py defines their
    names.
    """

    def __post_init__(self) -> None:
        by_metric: dict[str, list[Watched]] = {}
        for name, rule in self.rules.items():
            if rule.enabled:
                for index, condition in enumerate(rule.conditions):
                    by_metric.setdefault(condition.metric, []).append(Watched(name, rule, index, condition))
        object.__setattr__(self, "by_metric", by_metric)
        places = (*walk(self.tree), *outside(self.tree, self.receivers))
        object.__setattr__(self, "nodes", {node.id: node for node in places})

    by_metric: Mapping[str, Sequence[Watched]] = field(init=False, repr=False)
    nodes: Mapping[str, Node] = field(init=False, repr=False)
    """Id → the route. Routes outside the tree are included."""

    @cached_property
    def token(self) -> object:
        """An object that identifies this configuration within the process."""
        return object()

    @cached_property
    def version(self) -> str:
        """A digest of everything that turns levels into alerts. Receivers and channels are not part of it."""
        facts = [(f.key, f.domain, f.layer, f.tier) for f in self.lineage.assets.values()]
        return digest(
            repr(sorted(self.rules.items())),
            repr(sorted((name, metric.type) for name, metric in self.metrics.items())),
            repr(sorted(facts)),
            repr(sorted(self.removed)),
            *([repr(sorted(self.switched_off))] if self.switched_off else []),
        )

    @cached_property
    def routes_version(self) -> str:
        """A digest of everything that determines the groups of an alert: the routes of the tree, and the routes outside
        it. A version of the program that does not know the routes outside the tree computes another digest and removes
        their groups.
        """
        routes = (f"{n.id}|{n.receiver}|{n.group_by}|{n.continues}" for n in walk(self.tree))
        return digest(*routes, *(n.id for n in self.nodes.values() if n.kind))

    def windowed(self) -> dict[str, timedelta]:
        """Each metric that a rule aggregates over a window → the longest of these windows."""
        result: dict[str, timedelta] = {}
        for metric, entries in self.by_metric.items():
            for watched in entries:
                if watched.condition.window is not None:
                    result[metric] = max(result.get(metric, timedelta()), watched.condition.window)
        return result


@dataclass(frozen=True, slots=True)
class Closed:
    """How a removed alert ended. This is kept as long as the alert could still count as flapping."""

    resolved_at: datetime
    flaps: int


@dataclass(frozen=True, slots=True)
class Event:
    """One line of an alert's timeline."""

    alert: int
    at: datetime
    reason: AlertReason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Notification:
    """One message for one recipient. It is written into the outbox together with the decision."""

    key: str
    """The idempotency key: the receiver can drop a message whose key it already knows."""
    kind: str
    """What the message is about: alert, acknowledge, incident, hold, success, silence or report."""
    receiver: str
    channel: str
    """The name of the channel: receiver/index-type."""
    recipient: str
    severity: str
    reason: AlertReason
    created_at: datetime
    payload: Mapping[str, Any]
    group: str = ""
    firing: tuple[int, ...] = ()
    resolved: tuple[int, ...] = ()


WindowKey = tuple[str, int, str]
_NONE: frozenset[int] = frozenset()


@dataclass
class State:
    """The state. Only a decision may change it, and it works on a `copy()`."""

    alerts: dict[int, Alert] = field(default_factory=dict)
    """The open alerts, and the resolved alerts whose end must still be sent."""
    by_key: dict[str, int] = field(default_factory=dict)
    closed: dict[str, Closed] = field(default_factory=dict)
    windows: dict[WindowKey, list[Reading]] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    log: dict[tuple[str, str, str], LogEntry] = field(default_factory=dict)
    silences: dict[int, Silence] = field(default_factory=dict)
    acknowledgements: dict[int, Acknowledgement] = field(default_factory=dict)
    """Number of an alert → an acknowledgement that no decision has applied yet."""
    resolutions: dict[int, Resolution] = field(default_factory=dict)
    """Number of an alert → a person's resolution that no decision has applied yet."""
    levels: dict[str, Level] = field(default_factory=dict)
    """Fingerprint → the level of the series. At least the series with new signals are present. If `rules_version`
    differs from the configuration's version, all series are.
    """
    dismissed: dict[str, datetime] = field(default_factory=dict)
    """Series or window → a moment. A person said that everything up to this moment is over."""
    memory: Memory = field(default_factory=Memory, repr=False, compare=False)
    """What this process remembers of the state. The ledger does not store it, and copies share it."""
    next_number: int = 1
    routes_version: str = ""
    """A digest of the routing tree for which the groups were made."""
    rules_version: str = ""
    """The version of the configuration under which the alerts were last decided."""

    def copy(self) -> State:
        return State(
            alerts=dict(self.alerts),
            by_key=dict(self.by_key),
            closed=dict(self.closed),
            windows={k: list(v) for k, v in self.windows.items()},
            groups=dict(self.groups),
            log=dict(self.log),
            silences=dict(self.silences),
            acknowledgements=dict(self.acknowledgements),
            resolutions=dict(self.resolutions),
            levels=dict(self.levels),
            dismissed=dict(self.dismissed),
            memory=self.memory,
            next_number=self.next_number,
            routes_version=self.routes_version,
            rules_version=self.rules_version,
        )


@dataclass
class Decision:
    """The result of one cycle: the new state, what has changed, and the messages."""

    state: State
    changed: set[int] = field(default_factory=set)
    joined: set[int] = field(default_factory=set)
    """Open alerts that now concern a further date. Everybody is told of them again."""
    dropped: set[int] = field(default_factory=set)
    """Alerts that are resolved and whose end was sent. They are no longer in the state."""
    groups_changed: set[str] = field(default_factory=set)
    groups_dropped: set[str] = field(default_factory=set)
    log_changed: set[tuple[str, str, str]] = field(default_factory=set)
    silences_changed: set[int] = field(default_factory=set)
    acknowledgements_changed: set[int] = field(default_factory=set)
    resolutions_changed: set[int] = field(default_factory=set)
    levels_changed: set[str] = field(default_factory=set)
    dismissed_changed: set[str] = field(default_factory=set)
    reconciled: bool = False
    """Whether the alerts were compared with a changed configuration."""
    events: list[Event] = field(default_factory=list)
    notifications: list[Notification] = field(default_factory=list)
    final: dict[int, Alert] = field(default_factory=dict)
    """The dropped alerts, in their last form."""
    next_flush: datetime | None = None
    """When the next message is due."""

    _raised: dict[str, set[int]] = field(default_factory=dict, repr=False)
    _looked: bool = field(default=False, repr=False)

    def begin(self, config: AlertConfig, now: datetime) -> None:
        """Begin a decision. The memory forgets what it found under another configuration or a later clock."""
        if self.state.memory.begin(config.token, config.inhibit_rules, config.lineage, config.graph, now):
            self._looked = False

    def look(self) -> Memory:
        """The memory, brought up to date with the state."""
        state, memory = self.state, self.state.memory
        # Only the first call in a decision compares everything. Afterwards the decision knows what it has changed.
        memory.alerts.compare(state.alerts, {*self.changed, *self.dropped} if self._looked else None)
        memory.groups.compare(state.groups, () if self._looked else None)
        memory.log.compare(state.log, self.log_changed if self._looked else None)
        self._looked = True
        return memory

    def alerts_of(self, source: str) -> Set[int]:
        """The numbers of the alerts for which this series has made a condition true. Some of them may have ended."""
        if not self._looked:
            self.look()
        known, raised = self.state.memory.alerts.by_series.get(source, _NONE), self._raised.get(source)
        return known | raised if raised else known

    def made_true(self, source: str, alert: int) -> None:
        """Record that this series has made a condition of this alert true."""
        self._raised.setdefault(source, set()).add(alert)

    def put_group(self, group: Group) -> None:
        """Put the group into the state. If it has no members, it is removed."""
        if group.members:
            self.state.groups[group.key] = group
            self.groups_changed.add(group.key)
            self.groups_dropped.discard(group.key)
        else:
            self.state.groups.pop(group.key, None)
            self.groups_changed.discard(group.key)
            self.groups_dropped.add(group.key)
        self.state.memory.groups.follow(group.key, self.state.groups.get(group.key))

    def note(self, alert: int, at: datetime, reason: AlertReason, detail: str = "") -> None:
        self.events.append(Event(alert, at, reason, detail))

    @property
    def empty(self) -> bool:
        return not (
            self.changed
            or self.dropped
            or self.groups_changed
            or self.groups_dropped
            or self.log_changed
            or self.silences_changed
            or self.acknowledgements_changed
            or self.resolutions_changed
            or self.levels_changed
            or self.dismissed_changed
            or self.reconciled
            or self.events
            or self.notifications
        )
