"""Which snapshots stay. Each holds the whole warehouse, so one can stand for runs of several domains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

SEVERAL = ""
"""Stands for the domain of a change of several domains, such as a restore."""


def runs_of(manifests: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """For each snapshot, the oldest first: domain → the id of the snapshot that its last run made. That snapshot may
    have been removed. An earlier version recorded only the domain of each snapshot.
    """
    found: list[dict[str, str]] = []
    runs: dict[str, str] = {}
    for manifest in manifests:
        runs = {**runs, **manifest.get("runs", {manifest.get("domain") or SEVERAL: manifest["id"]})}
        found.append(runs)
    return found


def needed(runs: Sequence[Mapping[str, str]], keep: int) -> set[int]:
    """The indices of the fewest snapshots that hold, for each domain, its tables after each of its last `keep` runs.

    `runs`: as `runs_of` gives them. A domain's tables stay as one of its runs left them until its next run. So any
    snapshot of that time holds them, and the last one is taken: the five snapshots of one `ops run` of five domains
    count as one.
    """
    spans: list[tuple[int, int]] = []
    for domain in {domain for item in runs for domain in item}:
        span: dict[str, tuple[int, int]] = {}
        for index, item in enumerate(runs):
            if domain in item:
                span[item[domain]] = index, span.get(item[domain], (0, index))[1]
        spans += list(span.values())[-keep:]
    found: list[int] = []
    for last, first in sorted(spans):
        if not found or found[-1] < first:
            found.append(last)
    return set(found)
