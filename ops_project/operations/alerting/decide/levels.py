"""The level of each series: its newest ok signal, and the failures since then. A series is identified by kind, asset or
pipeline, partition, and check.

The order in which signals are read does not matter. Alerts follow from the levels alone. So no further history is
needed when a rule is switched on again, a signal comes late, or a failure is repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ops_project.lineage import Lineage
from ops_project.model.alerting.matcher import all_match
from ops_project.model.alerting.rule import Condition
from ops_project.model.alerting.signal import OK, Signal, digest
from ops_project.operations.alerting.decide import windows

# At most this many different failures are kept between two repairs. Rules distinguish failures by their labels. So as
# long as possible, one failure is kept for each set of labels.
MOST = 8
# These labels differ from one failure to the next, and no rule uses them.
_VOLATILE = frozenset({"dates", "partition", "partitions", "file", "archived", "batch"})


@dataclass(frozen=True, slots=True)
class Level:
    """The level of one series. A failure that a rule is about ends only with an ok signal. A later failure that no rule
    is about does not replace it.
    """

    firing: tuple[Signal, ...] = ()
    """The failures since the last ok signal, the oldest first: for each failure class and set of labels, the newest
    one.
    """
    ok: Signal | None = None
    """The newest ok signal. For a gauge, it is the newest reading; readings are never in `firing`."""

    @property
    def candidates(self) -> tuple[Signal, ...]:
        """The signals that can make a condition true, the oldest first."""
        return self.firing or ((self.ok,) if self.ok is not None else ())

    @property
    def signals(self) -> tuple[Signal, ...]:
        """All signals of this level."""
        return (*self.firing, self.ok) if self.ok is not None else self.firing


UNKNOWN = Level()


def fold(level: Level, signal: Signal, metric_type: str) -> Level:
    """The level after `signal`. If the signal changes nothing, because it is older or its value is unknown, the same
    object is returned.
    """
    if windows.value_of(signal) is None:
        return level
    if level.ok is not None and signal.event_at < level.ok.event_at:
        return level
    if signal.state == OK or metric_type != "state":
        if not level.firing:
            return Level((), signal)
        return Level(tuple(s for s in level.firing if s.event_at > signal.event_at), signal)
    variant = _variant(signal)
    others = []
    for known in level.firing:
        if _variant(known) != variant:
            others.append(known)
        elif signal.event_at < known.event_at:
            return level
    kept = sorted([*others, signal], key=lambda s: s.event_at)
    while len(kept) > MOST:
        kept.remove(_least_telling(kept))
    return Level(tuple(kept), level.ok)


def without_later(level: Level, latest: datetime) -> Level:
    """The level without signals after `latest`. If there are none, the same object is returned."""
    believed = level.ok is None or level.ok.event_at <= latest
    # When a backlog is read, this is the usual case: most series are ok and stay ok.
    if believed and (not level.firing or all(signal.event_at <= latest for signal in level.firing)):
        return level
    ok = level.ok if level.ok is not None and level.ok.event_at <= latest else None
    return Level(tuple(signal for signal in level.firing if signal.event_at <= latest), ok)


def _variant(signal: Signal) -> tuple[object, ...]:
    return signal.failure_class, _told_apart(signal)


def _told_apart(signal: Signal) -> tuple[object, ...]:
    labels = tuple(sorted((k, v) for k, v in signal.labels.items() if k not in _VOLATILE))
    return signal.pipeline, labels


def _least_telling(failures: list[Signal]) -> Signal:
    """The failure that can best be dropped: the oldest one whose labels are also those of a newer one; if there is
    none, the oldest.
    `failures`: the oldest first.
    """
    newer: set[tuple[object, ...]] = set()
    repeated = failures[0]
    for signal in reversed(failures):
        if (labels := _told_apart(signal)) in newer:
            repeated = signal
        newer.add(labels)
    return repeated


def speaker(level: Level, condition: Condition, lineage: Lineage, dismissed: datetime | None) -> Signal | None:
    """The newest signal for which `condition` holds now; None if the condition does not hold or nothing is known.
    `dismissed`: signals up to this moment do not count, because a person has said that they are over.
    """
    for signal in reversed(level.candidates):
        if dismissed is not None and signal.event_at <= dismissed:
            continue
        if holds(signal, condition, lineage):
            return signal
    return None


def holds(signal: Signal, condition: Condition, lineage: Lineage) -> bool:
    """Whether this signal alone makes a condition on the last reading true."""
    # A reading that is older than the condition's window says nothing about the present.
    if condition.window is not None and signal.event_at <= signal.observed_at - condition.window:
        return False
    return windows.holds(condition, windows.value_of(signal)) is True and (
        not condition.match or all_match(condition.match, labels_of(signal, lineage))
    )


def labels_of(signal: Signal, lineage: Lineage) -> dict[str, str]:
    """The labels of the signal, with those that the asset graph adds for its asset."""
    labels = signal.labelset()
    if signal.asset and (facts := lineage.assets.get(signal.asset)) is not None:
        for label, value in (("domain", facts.domain), ("layer", facts.layer), ("tier", facts.tier)):
            if value:
                labels.setdefault(label, value)
    return labels


def window_name(rule: str, index: int, key: str) -> str:
    """The name of a window over one subject. A person's statement about the window is stored under it."""
    return digest("window", rule, str(index), key)
