"""Decides whether a run is slow, compared with the median of the job's successful runs. A run can be judged before it
ends.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

# If fewer runs than this have succeeded, the usual duration is not known.
MIN_SAMPLES = 5
# If a run usually takes three seconds, a run of 3.6 seconds (120 %) is normal on any machine. So a run counts as slow
# only if it also exceeds the usual duration by this many seconds.
NOTABLE_SECONDS = 60.0


@dataclass(frozen=True)
class Baseline:
    """How long the successful runs of a job took, in seconds. Runs that did not succeed are not counted."""

    newest: str = ""
    """The id of the newest successful run that was counted."""
    runs: Sequence[float] = ()
    steps: Mapping[str, Sequence[float]] = field(default_factory=dict)
    assets: Mapping[str, str] = field(default_factory=dict)
    """Asset → the step that builds it."""

    def usual(self) -> float | None:
        """The usual duration of a whole run, in seconds; None if too few runs have succeeded."""
        return median(self.runs) if len(self.runs) >= MIN_SAMPLES else None

    def usual_step(self, step: str) -> float | None:
        samples = self.steps.get(step, ())
        return median(samples) if len(samples) >= MIN_SAMPLES else None

    def dump(self) -> dict[str, Any]:
        return {
            "newest": self.newest,
            "runs": list(self.runs),
            "steps": {k: list(v) for k, v in self.steps.items()},
            "assets": dict(self.assets),
        }

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Baseline:
        return cls(
            data["newest"], tuple(data["runs"]), {k: tuple(v) for k, v in data["steps"].items()}, dict(data["assets"])
        )


@dataclass(frozen=True)
class Pace:
    """A duration, compared with its baseline."""

    seconds: float
    ratio: float | None
    """The seconds so far, divided by the usual seconds; None if the usual duration is not known."""
    notable: bool
    """Whether the run exceeds its usual duration by enough seconds to matter."""


def pace(seconds: float, usual: float | None) -> Pace:
    """Compare the seconds so far with the usual duration of the whole run. While a run continues, the ratio can only
    grow, so a rule can fire before the run ends.
    """
    if usual is None or usual <= 0:
        return Pace(seconds, None, False)
    return Pace(seconds, seconds / usual, seconds - usual >= NOTABLE_SECONDS)


def p90(samples: Sequence[float]) -> float:
    """The duration that nine of ten runs did not exceed; 0 if there is no sample."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(0.9 * len(ordered)) - 1)] if ordered else 0.0


def slowest_step(
    wanted: Sequence[str],
    built: frozenset[str],
    upstream: Mapping[str, Sequence[str]],
    baseline: Baseline,
    running: Mapping[str, float] | None = None,
) -> str:
    """Among the steps that must still run before `wanted` is built, the one with the most time left. Empty if there is
    none.
    """
    left: dict[str, float] = {}
    seen: set[str] = set()
    waiting = list(wanted)
    while waiting:
        asset = waiting.pop()
        if asset in seen or asset in built or asset not in upstream:
            continue
        seen.add(asset)
        step = baseline.assets.get(asset, "")
        if step:
            left[step] = max(0.0, p90(baseline.steps.get(step, ())) - (running or {}).get(step, 0.0))
        waiting += upstream[asset]
    found = max(left.items(), key=lambda item: (item[1], item[0]), default=("", 0.0))
    return found[0] if found[1] > 0 else ""


def critical_path(
    wanted: Sequence[str],
    built: frozenset[str],
    upstream: Mapping[str, Sequence[str]],
    baseline: Baseline,
    running: Mapping[str, float] | None = None,
) -> float:
    """How many seconds pass until all of `wanted` are built, if every remaining step takes its p90. This is the length
    of the longest chain of steps that must still run.

    A step that builds several assets of the chain counts once. `running`: step that runs now → its seconds so far; only
    the rest of its p90 counts. A step without a baseline counts as zero.
    """
    running = running or {}
    memory: dict[str, tuple[float, str]] = {}

    def reach(asset: str) -> tuple[float, str]:
        """The seconds until the asset is built, and the step that builds it."""
        if asset in built or asset not in upstream:
            return 0.0, ""
        if asset not in memory:
            memory[asset] = (0.0, "")
            step = baseline.assets.get(asset, "")
            before, same = 0.0, 0.0
            for parent in upstream[asset]:
                seconds, parent_step = reach(parent)
                if parent_step == step and step:
                    same = max(same, seconds)
                else:
                    before = max(before, seconds)
            own = p90(baseline.steps.get(step, ()))
            own = max(0.0, own - running.get(step, 0.0))
            memory[asset] = (max(before + own, same), step)
        return memory[asset]

    return max((reach(asset)[0] for asset in wanted), default=0.0)
