"""Describes whether and why two tables differ. Control totals are compared with tolerances, and classes explain a
difference. A difference is always source − target.

Every row of either side belongs to exactly one class. So the amounts that the classes explain add up to the whole
difference, to the last digit; `Comparison.unexplained` proves this. Differences are never offset against each other:
two errors that cancel out are two breaks. A break is a difference that a person must look at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from ops_project.counted import counted
from ops_project.model.reconciliation import Tolerance

Number = int | Decimal
ZERO = Decimal(0)
SHOWN_DATES = 3


class KeyClass(StrEnum):
    """What happened to a key between source and target."""

    MISSING = "missing"
    """The key is in the source and not in the target."""
    QUARANTINED = "quarantined"
    """Landing refused a row of the key and gave a reason. So the target lacks the key, or has an earlier state of
    it.
    """
    EXTRA = "extra"
    """The key is in the target and not in the source."""
    CHANGED = "changed"
    """The key occurs once on each side, with different values."""
    DUPLICATE = "duplicate"
    """The key occurs more than once on at least one side. Its rows are compared as a group, and not row by row."""
    NULL_KEY = "null_key"
    """A part of the key is NULL. Such rows match no other rows. All of them are compared as one group."""


class BreakReason(StrEnum):
    """Why the result is a break."""

    ABSOLUTE_EXCEEDED = "absolute_exceeded"
    PERCENT_EXCEEDED = "percent_exceeded"
    KEYS_DIFFER = "keys_differ"
    OFFSETTING = "offsetting_errors"
    """The totals agree within their tolerances although keys differ. A comparison of totals alone would not notice
    this.
    """


@dataclass(frozen=True)
class ControlTotal:
    """One number that is computed on both sides. If `tolerance` is None, the total is only shown. The keys then decide
    whether there is a break.
    """

    name: str
    source: Number | None
    target: Number | None
    tolerance: Tolerance | None = None
    refused: Number = 0
    """The part of the source that landing quarantined. Its reason is known, so this part is not judged."""

    @property
    def difference(self) -> Number:
        """The difference source − target. A side without rows counts as zero."""
        return (self.source or 0) - (self.target or 0)

    @property
    def unexpected(self) -> Number:
        """The difference without the rows that landing refused."""
        return self.difference - self.refused

    @property
    def percent(self) -> Decimal | None:
        """The unexpected difference in percent of the source. None if the source is zero and the difference is not."""
        if not self.unexpected:
            return ZERO
        return abs(Decimal(self.unexpected)) / abs(Decimal(self.source)) * 100 if self.source else None

    @property
    def reasons(self) -> tuple[BreakReason, ...]:
        return beyond(self)


def beyond(total: ControlTotal) -> tuple[BreakReason, ...]:
    """The limits of the tolerance that a control total exceeds. A value equal to the limit does not exceed it."""
    if total.tolerance is None or not total.unexpected:
        return ()
    reasons = []
    if abs(Decimal(total.unexpected)) > total.tolerance.absolute:
        reasons.append(BreakReason.ABSOLUTE_EXCEEDED)
    if total.percent is None or total.percent > total.tolerance.percent:
        reasons.append(BreakReason.PERCENT_EXCEEDED)
    return tuple(reasons)


@dataclass(frozen=True)
class Explained:
    """The part of the difference that one class explains. For each measure, over the keys of the class:

    `net`: Σ(source − target).
    `absolute`: Σ|source − target|.
    """

    key_class: KeyClass
    keys: int
    differing: int
    """The number of keys whose two sides differ. A duplicate that is the same on both sides is reported, but does not
    count here.
    """
    source_rows: int
    target_rows: int
    net: Mapping[str, Decimal] = field(default_factory=dict)
    absolute: Mapping[str, Decimal] = field(default_factory=dict)
    samples: Sequence[Mapping[str, Any]] = ()

    @property
    def is_break(self) -> bool:
        """Whether the class is a break. Refused rows are not a break: they are in quarantine, so the difference that
        they cause is explained.
        """
        return self.differing > 0 and self.key_class is not KeyClass.QUARANTINED


@dataclass(frozen=True)
class Comparison:
    """The result of the comparison of one hop."""

    source: str
    target: str
    key: tuple[str, ...]
    totals: tuple[ControlTotal, ...]
    classes: tuple[Explained, ...]
    dates: tuple[str, ...] = ()
    """The business dates of the keys that differ, in ascending order. Empty if they are not known."""

    @property
    def differing_keys(self) -> int:
        return sum(item.differing for item in self.classes if item.is_break)

    @property
    def reasons(self) -> tuple[BreakReason, ...]:
        """Why this hop is a break. Empty if it is not a break."""
        found = {reason for total in self.totals for reason in total.reasons}
        if self.differing_keys:
            if not found:
                found.add(BreakReason.OFFSETTING)
            found.add(BreakReason.KEYS_DIFFER)
        return tuple(reason for reason in BreakReason if reason in found)

    @property
    def is_break(self) -> bool:
        return bool(self.reasons)

    def total(self, name: str) -> ControlTotal:
        return next(total for total in self.totals if total.name == name)

    def explained(self, key_class: KeyClass) -> Explained | None:
        return next((item for item in self.classes if item.key_class is key_class), None)

    def unexplained(self, measure: str) -> Decimal:
        """The part of a measure's difference that the classes do not explain. It is always zero, and tests check
        this.
        """
        explained = sum((item.net.get(measure, ZERO) for item in self.classes), ZERO)
        return Decimal(self.total(measure).difference) - explained


@dataclass(frozen=True)
class FirstHop:
    """Keys of one class that differ at this hop and at no hop before it, and the amounts that these keys explain."""

    source: str
    target: str
    key_class: KeyClass
    keys: int
    absolute: Mapping[str, Decimal] = field(default_factory=dict)
    samples: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class ChainResult:
    """The results of a chain, hop by hop."""

    name: str
    title: str
    date: str | None
    hops: tuple[Comparison, ...]
    first_hops: tuple[FirstHop, ...] = ()

    @property
    def is_break(self) -> bool:
        return any(hop.is_break for hop in self.hops)


def describe(comparison: Comparison) -> str:
    """One sentence about a hop, for an alert."""
    where = f"{comparison.source} → {comparison.target}"
    if not comparison.is_break:
        return f"{where}: agree"
    parts = [
        f"{counted(item.differing, f'{item.key_class.value} key')}"
        + "".join(f", {name} {net:+}" for name, net in item.net.items())
        for item in comparison.classes
        if item.is_break
    ]
    parts += [
        f"{total.name} {total.source} against {total.target} ({', '.join(total.reasons)})"
        for total in comparison.totals
        if total.reasons
    ]
    return f"{where}{_on(comparison.dates)}: " + "; ".join(parts)


def _on(dates: Sequence[str]) -> str:
    if len(dates) <= SHOWN_DATES:
        return f" on {', '.join(dates)}" if dates else ""
    return f" on {len(dates)} dates from {dates[0]} to {dates[-1]}"
