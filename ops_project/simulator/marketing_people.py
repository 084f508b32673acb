"""The people of the marketing mart on a day: customers, their contact points and their consents, and what has changed.

This module computes arrays and writes no files. The operation of a row on a day is I if the row begins, D if it ends,
and U if it changes. In an initial load, every existing row has the operation I.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from ops_project.simulator import people
from ops_project.simulator.outbox import Columns
from ops_project.simulator.people import choice
from ops_project.simulator.population import Population
from ops_project.simulator.world import Floats, Ints, World, days_since_epoch

OPS = ("-", "I", "U", "D")
CHANNELS = ("email", "sms", "post", "push")
STATUSES = ("active", "dormant")
BANDS = ("low", "medium", "high")
GENDERS = ("F", "M", "X")
CONSENT_SOURCES = ("web_form", "call_centre", "store", "import")
CONSENTED = np.array([0.80, 0.62, 0.74, 0.55])
# For each channel, the share of customers that have a contact point of this channel.
REACHED = np.array([1.0, 0.75, 1.0, 0.45])
SECOND_EMAIL = 0.2


def operation(births: Ints, ends: Ints, changed: Ints, day: int, *, first: bool) -> Ints:
    """For each row, the index of its operation in OPS. 0 if the day's file does not contain the row."""
    exists = (births <= day) & (ends > day)
    if first:
        return np.where(exists, 1, 0)
    updated = exists & (changed == day)
    return np.select([births == day, ends == day, updated], [1, 3, 2], 0)


@dataclass(frozen=True)
class Mart:
    """The mart at the end of one day."""

    world: World
    day: date

    @cached_property
    def today(self) -> int:
        return days_since_epoch(self.day)

    @cached_property
    def people(self) -> Population:
        return Population(self.world, "marketing/customer", 6_000 * self.world.breadth)

    @cached_property
    def births(self) -> Ints:
        return self.people.births(self.day)

    @cached_property
    def keys(self) -> Ints:
        return np.arange(len(self.births))

    @cached_property
    def ends(self) -> Ints:
        """For each customer, the day on which the customer is deleted."""
        return self.births + self.people.lifetime("lifetime", self.keys, 4_000.0)

    @cached_property
    def alive(self) -> np.ndarray:
        return self.ends > self.today

    @cached_property
    def moves(self) -> tuple[Ints, Ints]:
        return self.people.changes("address", self.keys, self.births, self.day, every=900)

    @cached_property
    def purchases(self) -> tuple[Ints, Ints]:
        return self.people.changes("value", self.keys, self.births, self.day, every=80)

    @cached_property
    def awakenings(self) -> tuple[Ints, Ints]:
        return self.people.changes("status", self.keys, self.births, self.day, every=420)

    @cached_property
    def value_cents(self) -> Ints:
        spend = 2_500.0 * np.exp(0.8 * self.people.normal("spend", self.keys))
        return (spend * (1 + self.purchases[0])).astype(np.int64)

    @cached_property
    def band(self) -> Ints:
        return np.searchsorted([50_000, 200_000], self.value_cents, "right")

    @cached_property
    def loyalty(self) -> Floats:
        """For each customer, a factor around 1 for the probability of a response."""
        loyalty: Floats = np.exp(0.6 * self.people.normal("loyalty", self.keys) - 0.18) * (0.8 + 0.25 * self.band)
        return loyalty

    def customers(self, *, first: bool) -> Columns:
        changed = np.maximum.reduce([self.moves[1], self.purchases[1], self.awakenings[1]])
        op = operation(self.births, self.ends, changed, self.today, first=first)
        keys = np.flatnonzero(op)
        born = self.births[keys]
        return {
            "op": choice(OPS, op[keys]),
            "key": keys + 1,
            **people.names(self.people, keys),
            **people.addresses(self.people, keys, self.moves[0][keys]),
            "age_days": 6_600 + self.people.pick("age", keys, 22_000),
            "born": born,
            "gender": choice(GENDERS, np.searchsorted([0.50, 0.97], self.people.unit("gender", keys), "right")),
            "customer_status": choice(STATUSES, (self.awakenings[0][keys] + 1) // 2 % 2),
            "value_band": choice(BANDS, self.band[keys]),
            "value_cents": self.value_cents[keys],
            "updated": _updated(op[keys], changed[keys], self.today),
        }

    def points(self, *, first: bool) -> Columns:
        """One contact point for each channel that reaches the customer. Some customers also have a second e-mail
        address, which exists at some times and not at others.
        """
        parts = [self._point(channel, 1, first=first) for channel in range(len(CHANNELS))]
        parts.append(self._point(0, 2, first=first))
        merged = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        order = np.lexsort((merged["number"], merged["channel"], merged["key"]))
        columns = {name: values[order] for name, values in merged.items()}
        keys = columns["key"] - 1
        return {
            "op": choice(OPS, columns["op"]),
            "key": columns["key"],
            **people.names(self.people, keys),
            **people.addresses(self.people, keys, columns["version"]),
            "contact_point_type": choice(CHANNELS, columns["channel"]),
            "number": columns["number"],
            "version": columns["version"],
            "is_preferred": columns["preferred"].astype(bool),
            "is_valid": columns["valid"].astype(bool),
            "updated": columns["updated"],
        }

    def _point(self, channel: int, number: int, *, first: bool) -> dict[str, np.ndarray]:
        name = f"point/{channel}/{number}"
        share = SECOND_EMAIL if number == 2 else REACHED[channel]
        has = self.people.unit(f"{name}/has", self.keys) < share
        version, changed = self.people.changes(name, self.keys, self.births, self.day, every=700)
        op = operation(self.births, self.ends, changed, self.today, first=first)
        if number == 2:
            # Each change makes the second address appear or disappear, so it exists after an odd number of changes.
            there = version % 2 == 1
            op = np.select(
                [op == 2, op == 1], [np.where(there, 1, 3), there * 1], np.where(there | (changed == self.today), op, 0)
            )
            op = np.where((op == 3) & (version == 0), 0, op)
        keys = np.flatnonzero((op > 0) & has)
        preferred = self.people.pick("preferred", keys, len(CHANNELS))
        reached = np.stack([self.people.unit(f"point/{c}/1/has", keys) < REACHED[c] for c in range(len(CHANNELS))])
        preferred = np.where(reached[preferred, np.arange(len(keys))], preferred, 0)
        return {
            "op": op[keys],
            "key": keys + 1,
            "channel": np.full(len(keys), channel),
            "number": np.full(len(keys), number),
            "version": version[keys],
            "preferred": (preferred == channel) & (number == 1),
            "valid": self.people.unit(f"{name}/valid", keys, version[keys]) < 0.97,
            "updated": _updated(op[keys], changed[keys], self.today),
        }

    def consent(self, channel: int) -> tuple[np.ndarray, Ints]:
        """Whether each customer may be contacted over the channel, and the day of the last change."""
        count, changed = self.people.changes(f"consent/{channel}", self.keys, self.births, self.day, every=600)
        given = self.people.unit(f"consent/{channel}/given", self.keys, count) < CONSENTED[channel]
        return given, changed

    def consents(self, *, first: bool) -> Columns:
        parts = []
        for channel in range(len(CHANNELS)):
            given, changed = self.consent(channel)
            op = operation(self.births, self.ends, changed, self.today, first=first)
            keys = np.flatnonzero(op)
            parts.append(
                {
                    "op": op[keys],
                    "key": keys + 1,
                    "channel": np.full(len(keys), channel),
                    "given": given[keys],
                    "consented": changed[keys],
                    "updated": _updated(op[keys], changed[keys], self.today),
                }
            )
        merged = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        order = np.lexsort((merged["channel"], merged["key"]))
        columns = {name: values[order] for name, values in merged.items()}
        source = self.people.pick("consent/source", columns["key"] * 4 + columns["channel"], len(CONSENT_SOURCES))
        return {
            "op": choice(OPS, columns["op"]),
            "key": columns["key"],
            "channel": choice(CHANNELS, columns["channel"]),
            "consent_status": choice(("opted_out", "opted_in"), columns["given"].astype(int)),
            "consent_source": choice(CONSENT_SOURCES, source),
            "consented": columns["consented"],
            "updated": columns["updated"],
        }


def _updated(op: Ints, changed: Ints, today: int) -> Ints:
    """The day of the last change of each row. For a deletion, this is today."""
    return np.where(op == 3, today, changed)
