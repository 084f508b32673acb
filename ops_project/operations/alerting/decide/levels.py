"""The level of each series: its newest ok, and the failures since then. The order in which signals are read does not
matter. A series is (kind, asset or pipeline, partition, check). Alerts follow from levels alone. So a rule that is
switched on again, a late signal and a repeated failure need no further history.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ops_project.lineage import Lineage
from ops_project.model.alerting.matcher import all_match
from ops_project.model.alerting.rule import Condition
from ops_project.model.alerting.signal import OK, Signal, digest
from ops_project.operations.alerting.decide import windows

# At most this many different failures are kept between two repairs. Rules distinguish failures by their labels, so the
# last failure of a set of labels is the last to go.
MOST = 8
# These labels differ from one failure to the next, and no rule asks for them.
_VOLATILE = frozenset({"dates", "partition", "partitions", "file", "archived", "batch"})


@dataclass(frozen=True, slots=True)
class Level:
    """One series. A failure that a rule names ends only with an ok. A later failure that no rule names does not
    replace it.
    """

    firing: tuple[Signal, ...] = ()
    """The newest failure of each failure class and set of labels since the last ok, oldest first."""
    ok: Signal | None = None
    """The newest ok. For a gauge it is the newest reading, which is never in `firing`."""

    @property
    def candidates(self) -> tuple[Signal, ...]:
        """Signals that can make a condition true, the oldest first."""
        return self.firing or ((self.ok,) if self.ok is not None else ())

    @property
    def signals(self) -> tuple[Signal, ...]:
        """All signals of this level."""
        return (*self.firing, self.ok) if self.ok is not None else self.firing


UNKNOWN = Level()


def fold(level: Level, signal: Signal, metric_type: str) -> Level:
    """The level after `signal`. The same object is returned if the signal changes nothing, because the signal is older
    or its value is unknown.
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
    """The level without events after `latest`. The same object is returned if there are no such events."""
    believed = level.ok is None or level.ok.event_at <= latest
    # This is the usual case when a backlog is read: most series are well and stay well.
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
    """The oldest failure that has the labels of a newer one, or else the oldest. `failures`: the oldest first."""
    newer: set[tuple[object, ...]] = set()
    repeated = failures[0]
    for signal in reversed(failures):
        if (labels := _told_apart(signal)) in newer:
            repeated = signal
        newer.add(labels)
    return repeated


def speaker(level: Level, condition: Condition, lineage: Lineage, dismissed: datetime | None) -> Signal | None:
    """The newest signal for which `condition` holds now; None if the condition does not hold, or nothing is known.
    `dismissed`: the moment up to which a person said that everything is over.
    """
    for signal in reversed(level.candidates):
        if dismissed is not None and signal.event_at <= dismissed:
            continue
        if holds(signal, condition, lineage):
            return signal
    return None


def holds(signal: Signal, condition: Condition, lineage: Lineage) -> bool:
    """Whether this signal alone makes a condition on the last reading true."""
    # The reading is older than its window, so it says nothing about the present.
    if condition.window is not None and signal.event_at <= signal.observed_at - condition.window:
        return False
    return windows.holds(condition, windows.value_of(signal)) is True and (
        not condition.match or all_match(condition.match, labels_of(signal, lineage))
    )


def labels_of(signal: Signal, lineage: Lineage) -> dict[str, str]:
    """The signal's labels, with the facts that the asset graph has about its asset."""
    labels = signal.labelset()
    if signal.asset and (facts := lineage.assets.get(signal.asset)) is not None:
        for label, value in (("domain", facts.domain), ("layer", facts.layer), ("tier", facts.tier)):
            if value:
                labels.setdefault(label, value)
    return labels


def window_name(rule: str, index: int, key: str) -> str:
    """The name of a window over one subject, by which a person's statement about it is stored."""
    return digest("window", rule, str(index), key)
