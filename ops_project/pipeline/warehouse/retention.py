"""Decides which snapshots stay. Each snapshot holds the whole warehouse, so one snapshot can hold the results of runs
of several domains.
"""

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


def is_well(manifest: Mapping[str, Any], domain: str) -> bool:
    """Whether nothing had failed in the last run of this domain when this snapshot was made. A failure of several
    domains counts for this domain until the domain has had a whole run.
    """
    failed = failed_in(manifest)
    return domain not in failed and (SEVERAL not in failed or domain in manifest.get("whole_since", ()))


def standing(
    before: Sequence[Mapping[str, Any]],
    name: str,
    domain: str | None,
    *,
    good: bool,
    whole: bool = True,
    failed: Collection[str] | None = None,
    unfinished: Collection[str] = (),
    landed: Collection[str] | None = None,
) -> dict[str, Any]:
    """What the manifest of a new snapshot says about the last run of each domain.

    `before`: the manifests of the existing snapshots, the oldest first. `failed`: the domains whose last run failed;
    None if they are the failed domains of the newest snapshot, except that this run decides about its own domain.
    `whole`: whether the run built its whole domain. A run of a part says nothing about what had failed elsewhere in the
    domain. `unfinished`: the domains of runs that ended without a snapshot. Their tables may be half built. `landed`:
    every domain that has data; None for the domains that had a run. A failure of several domains stands until each of
    them has had a whole run.
    """
    runs = runs_of([*before, {"id": name, "domain": domain}])[-1]
    runs |= dict.fromkeys([*runs, SEVERAL] if SEVERAL in unfinished else unfinished, name)
    if failed is not None:
        return {"runs": runs, "failed": sorted(failed), "whole_since": []}
    own = domain or SEVERAL
    found = _failed_before(before) | {*unfinished}
    since = {*before[-1].get("whole_since", ())} if before and SEVERAL not in unfinished else set()
    if whole:
        found, since = found - {own}, since | {own}
    if since >= (runs.keys() if landed is None else {*landed}) - {SEVERAL}:
        found -= {SEVERAL}
    if not good:
        found.add(own)
        since = set() if own == SEVERAL else since
    return {"runs": runs, "failed": sorted(found), "whole_since": sorted(since) if SEVERAL in found else []}


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
      failing runs does not displace a good result, and a domain that always fails does not spoil the results of the
      other domains;
    - each domain after its last `keep` runs with a good snapshot, so that the whole warehouse can go back.
    """
    runs = runs_of(manifests)
    good = [index for index, manifest in enumerate(manifests) if is_good(manifest)]
    found = {good[index] for index in needed([runs[index] for index in good], keep)}
    spans = _last_spans(runs, keep)
    for domain in {domain for item in runs for domain in item}:
        well = [(index, item) for index, item in enumerate(runs) if _was_well(manifests[: index + 1], domain)]
        spans += _spans_of(domain, well)[-keep:]
    found |= _fewest([(last, first) for last, first in spans if not any(first <= index <= last for index in found)])
    return {str(manifests[index]["id"]) for index in found}


def _was_well(manifests: Sequence[Mapping[str, Any]], domain: str) -> bool:
    """Whether nothing had failed in the last run of this domain when the last of these snapshots was made."""
    if "failed" in manifests[-1]:
        return is_well(manifests[-1], domain)
    return not _failed_before(manifests) & {domain, SEVERAL}


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
