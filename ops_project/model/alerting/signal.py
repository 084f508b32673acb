"""One observation: something failed, was repaired, or has a value. Signals are plain slotted values without pydantic,
because a cycle may move 100,000 of them. They are not validated, because all producers are in this package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b

FIRING = "firing"
OK = "ok"


def digest(*parts: str) -> str:
    """A stable 16-digit name for `parts`."""
    return blake2b("\x1f".join(parts).encode(), digest_size=8).hexdigest()


# The names are cached, because the same series report again and again.
_series = lru_cache(maxsize=4096)(digest)


@dataclass(frozen=True, slots=True)
class Signal:
    """A reading of one metric (`kind`) for one subject, at `event_at` (UTC)."""

    kind: str
    """Id of a metric in metrics.yaml."""
    state: str
    """The state: firing or ok. A reading of a gauge always has the state ok, because the rule judges its value."""
    event_at: datetime
    observed_at: datetime
    occurrence: str
    """The text that distinguishes two events of one fingerprint: a run, an event id, a finding. Because of this text,
    a signal that is reported twice is stored only once.
    """
    value: float | None = None
    """None if the value could not be read (unknown)."""
    total: float | None = None
    """The denominator, if the metric is a ratio over a window."""
    domain: str = ""
    pipeline: str = ""
    asset: str = ""
    partition: str = ""
    check: str = ""
    owners: tuple[str, ...] = ()
    run_id: str = ""
    batch_id: str = ""
    failure_class: str = ""
    evidence_ref: str = ""
    message: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    assets: tuple[str, ...] = ()
    """All assets of the signal, if it is about several (the failed assets of a run)."""
    seq: int = field(default=0, compare=False)
    """The number of the signal in the ledger; 0 if the signal was not read from the ledger."""
    _fingerprint: str = field(default="", init=False, compare=False, repr=False)
    """The fingerprint. It is computed once and kept, because a cycle needs it four times for each signal. A changed
    copy of a signal computes its own fingerprint.
    """

    @property
    def fingerprint(self) -> str:
        """The hash of kind, asset, partition and check. If the signal has no asset, its pipeline takes the place of the
        asset.
        """
        if not self._fingerprint:
            name = _series(self.kind, self.asset or f"pipeline:{self.pipeline}", self.partition, self.check)
            object.__setattr__(self, "_fingerprint", name)
        return self._fingerprint

    @property
    def id(self) -> str:
        """The hash of fingerprint, state and occurrence. Of several signals with the same id, only one is stored."""
        return digest(self.fingerprint, self.state, self.occurrence)

    def labelset(self) -> dict[str, str]:
        """All labels that a matcher can name; empty values are left out."""
        fixed = {
            "kind": self.kind,
            "domain": self.domain,
            "pipeline": self.pipeline,
            "asset": self.asset,
            "partition": self.partition,
            "check": self.check,
            "failure_class": self.failure_class,
        }
        said = {name: value for name, value in fixed.items() if value}
        # A check of a whole table may name the wrong partition in `labels`. The signal itself has no partition then,
        # because it belongs to the series of the whole table.
        return {name: value for name, value in {**self.labels, **said}.items() if value}
