"""Which snapshots stay. Each holds the whole warehouse, so one can stand for runs of several domains."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

SEVERAL = ""
"""Stands for the domain of a change of several domains, such as a restore."""


def is_good(manifest: Mapping[str, Any]) -> bool:
    """Whether nothing had failed in the last run of each domain when this snapshot was made. An earlier version
    recorded only whether the run that made the snapshot failed.
    """
    return not manifest["failed"] if "failed" in manifest else bool(manifest.get("good", True))


def standing(
    before: Sequence[Mapping[str, Any]],
    name: str,
    domain: str | None,
    *,
    good: bool,
    whole: bool = True,
    failed: Collection[str] | None = None,
) -> dict[str, Any]:
    """What the manifest of a new snapshot says about the last run of each domain.

    `before`: the manifests of the existing snapshots, the oldest first. `failed`: the domains whose last run failed;
    None if the run that makes the snapshot adds or removes its own domain. `whole`: whether the run built its whole
    domain. A run of a part says nothing about what had failed elsewhere in the domain.
    """
    new = {"id": name, "domain": domain}
    if failed is None:
        own = domain or SEVERAL
        mended = {own, SEVERAL} if whole else set()
        failed = _failed_before(before) - mended | (set() if good else {own})
    return {"runs": runs_of([*before, new])[-1], "failed": sorted(failed)}


def _failed_before(before: Sequence[Mapping[str, Any]]) -> set[str]:
    if not before or "failed" in before[-1]:
        return {*failed_in(before[-1])} if before else set()
    # An earlier version recorded only its own domain in each snapshot.
    newest = {manifest.get("domain") or SEVERAL: manifest for manifest in before}
    return {domain for domain, manifest in newest.items() if not is_good(manifest)}


def failed_in(manifest: Mapping[str, Any]) -> list[str]:
    """The domains whose last run had failed when this snapshot was made, sorted."""
    if "failed" in manifest:
        return list(manifest["failed"])
    return [] if is_good(manifest) else [manifest.get("domain") or SEVERAL]


def stay(manifests: Sequence[Mapping[str, Any]], keep: int) -> set[str]:
    """The ids of the snapshots that stay, as few as are needed. `manifests`: the oldest first. These can be restored:

    - each domain after each of its last `keep` runs;
    - each domain after each of its last `keep` good runs, whatever had failed in the other domains. So a week of
      failing runs does not displace a good result, and a domain that always fails does not spoil those of the others;
    - each domain after its last `keep` runs with a good snapshot, so that the whole warehouse can go back.
    """
    runs, failed = runs_of(manifests), _failed_in_each(manifests)
    good = [index for index in range(len(manifests)) if not failed[index]]
    found = {good[index] for index in needed([runs[index] for index in good], keep)}
    spans = _last_spans(runs, keep)
    for domain in {domain for item in runs for domain in item}:
        well = [index for index, item in enumerate(failed) if not item & {domain, SEVERAL}]
        spans += _spans_of(domain, [(index, runs[index]) for index in well])[-keep:]
    found |= _fewest([(last, first) for last, first in spans if not any(first <= index <= last for index in found)])
    return {str(manifests[index]["id"]) for index in found}


def _failed_in_each(manifests: Sequence[Mapping[str, Any]]) -> list[set[str]]:
    """For each snapshot, the oldest first: the domains whose last run had failed. An earlier version recorded only its
    own domain in each snapshot, so the other domains are looked up in the snapshots before.
    """
    return [_failed_before(manifests[: index + 1]) for index in range(len(manifests))]


def runs_of(manifests: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """For each snapshot, the oldest first: domain → the id of the snapshot that its last run made. That snapshot may
    have been removed. A change of several domains counts as a run of each of them, because their tables may differ
    after it. An earlier version recorded only the domain of each snapshot.
    """
    found: list[dict[str, str]] = []
    runs: dict[str, str] = {}
    for manifest in manifests:
        own = manifest.get("domain")
        changed = [own] if own else [*runs, SEVERAL]
        runs = {**runs, **manifest.get("runs", dict.fromkeys(changed, manifest["id"]))}
        found.append(runs)
    return found


def needed(runs: Sequence[Mapping[str, str]], keep: int) -> set[int]:
    """The indices of the fewest snapshots that hold, for each domain, its tables after each of its last `keep` runs.

    `runs`: as `runs_of` gives them. A domain's tables stay as one of its runs left them until its next run. So any
    snapshot of that time holds them, and the last one is taken: the five snapshots of one `ops run` of five domains
    count as one.
    """
    return _fewest(_last_spans(runs, keep))


def _last_spans(runs: Sequence[Mapping[str, str]], keep: int) -> list[tuple[int, int]]:
    domains = {domain for item in runs for domain in item}
    return [span for domain in domains for span in _spans_of(domain, list(enumerate(runs)))[-keep:]]


def _spans_of(domain: str, runs: Sequence[tuple[int, Mapping[str, str]]]) -> list[tuple[int, int]]:
    """For each run of a domain, the oldest first: the indices of the last and of the first snapshot with its result."""
    span: dict[str, tuple[int, int]] = {}
    for index, item in runs:
        if domain in item:
            span[item[domain]] = index, span.get(item[domain], (0, index))[1]
    return list(span.values())


def _fewest(spans: Iterable[tuple[int, int]]) -> set[int]:
    """The fewest indices of which each span contains one."""
    found: list[int] = []
    for last, first in sorted(spans):
        if not found or found[-1] < first:
            found.append(last)
    return set(found)
