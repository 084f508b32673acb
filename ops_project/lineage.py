"""The asset graph as plain values: who owns what, and what lies upstream of what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import Any


@dataclass(frozen=True, slots=True)
class AssetFacts:
    """The facts about one asset that alerting needs. The key is schema/table."""

    key: str
    upstream: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    domain: str = ""
    layer: str = ""
    tier: str = ""
    group: str = ""
    runbook: str = ""
    exposures: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    """Names of the asset's checks."""
    freshness: bool = False
    """Whether Dagster judges the asset's freshness."""
    external: bool = False
    """Whether no step of the code location builds the asset."""


@dataclass(frozen=True)
class Lineage:
    """A directed acyclic graph. Ancestors and descendants are computed once and then kept."""

    assets: Mapping[str, AssetFacts] = field(default_factory=dict)
    jobs: tuple[str, ...] = ()
    """Every job of the code location, including jobs that build nothing. Empty if the jobs are not known."""
    sensors: tuple[str, ...] = ()
    """Every sensor of the code location; empty if the sensors are not known."""
    stated: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Job, schedule or sensor → the owners that its definition names."""
    implied: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Job, schedule or sensor → the owners of the assets that it builds."""
    _up: dict[str, frozenset[str]] = field(default_factory=dict, repr=False, compare=False)
    _down: dict[str, frozenset[str]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        facts: Iterable[AssetFacts],
        jobs: Iterable[str] = (),
        sensors: Iterable[str] = (),
        *,
        stated: Mapping[str, Sequence[str]] | None = None,
        implied: Mapping[str, Sequence[str]] | None = None,
    ) -> Lineage:
        return cls(
            {fact.key: fact for fact in facts},
            tuple(sorted(jobs)),
            tuple(sorted(sensors)),
            {name: tuple(owners) for name, owners in sorted((stated or {}).items())},
            {name: tuple(owners) for name, owners in sorted((implied or {}).items())},
        )

    def get(self, key: str) -> AssetFacts:
        """The facts of `key`; empty facts if it is not known."""
        return self.assets.get(key) or AssetFacts(key)

    def joined(self, other: Lineage) -> Lineage:
        """Both graphs together. For an asset that both graphs have, the facts of `other` are used."""
        if not self.assets or not other.assets:
            return other if other.assets else self
        facts = {**self.assets, **other.assets}.values()
        return Lineage.of(
            facts,
            {*self.jobs, *other.jobs},
            {*self.sensors, *other.sensors},
            stated={**self.stated, **other.stated},
            implied={**self.implied, **other.implied},
        )

    def ancestors(self, key: str) -> frozenset[str]:
        """Everything strictly upstream of `key`."""
        if key not in self._up:
            self._up[key] = self._reach(key, lambda k: self.get(k).upstream)
        return self._up[key]

    def descendants(self, key: str) -> frozenset[str]:
        """Everything strictly downstream of `key`."""
        if key not in self._down:
            self._down[key] = self._reach(key, lambda k: tuple(self.children.get(k, ())))
        return self._down[key]

    @cached_property
    def children(self) -> Mapping[str, Sequence[str]]:
        """Asset → the assets that are built directly from it."""
        found: dict[str, list[str]] = {}
        for fact in self.assets.values():
            for parent in fact.upstream:
                found.setdefault(parent, []).append(fact.key)
        return found

    @staticmethod
    def _reach(key: str, step: Any) -> frozenset[str]:
        seen: set[str] = set()
        queue = list(step(key))
        while queue:
            node = queue.pop()
            if node not in seen:
                seen.add(node)
                queue.extend(step(node))
        return frozenset(seen - {key})

    def dump(self) -> dict[str, Any]:
        """Plain data, in the order of the keys."""
        assets = [asdict(self.assets[key]) for key in sorted(self.assets)]
        return {
            "assets": assets,
            "jobs": list(self.jobs),
            "sensors": list(self.sensors),
            "stated": {name: list(owners) for name, owners in self.stated.items()},
            "implied": {name: list(owners) for name, owners in self.implied.items()},
        }

    @classmethod
    def parse(cls, data: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Lineage:
        """The inverse of `dump`. It also reads a bare list of assets, which earlier versions stored."""
        if isinstance(data, Mapping):
            return cls.of(
                map(_facts, data.get("assets", ())),
                data.get("jobs", ()),
                data.get("sensors", ()),
                stated=data.get("stated"),
                implied=data.get("implied"),
            )
        return cls.of(_facts(item) for item in data)


_FIELDS = frozenset(item.name for item in fields(AssetFacts))


def _facts(item: Mapping[str, Any]) -> AssetFacts:
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in item.items() if name in _FIELDS
    }
    return AssetFacts(**values)
