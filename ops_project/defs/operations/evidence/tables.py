"""Evidence from tables: their rows now and in the last good snapshot, and what has changed since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ops_project.counted import counted
from ops_project.defs.operations.evidence.snapshot import compared, rows_of, since_good
from ops_project.operations.diagnosis.decide.suspects import Change
from ops_project.operations.diagnosis.evidence import Item, Scene
from ops_project.pipeline.warehouse import snapshots
from ops_project.pipeline.warehouse.fingerprints import Fingerprint
from ops_project.pipeline.warehouse.snapshots import Snapshot

LISTED_ASSETS = 8
# Numbers of rows that differ by at most this share count as equal, because they differ as much between ordinary days.
VOLUME = 0.25


def items_of_tables(scene: Scene) -> Iterator[Item]:
    """The number of rows of each table now and in the last good snapshot."""
    now, before = compared(scene)
    if now is None:
        return
    parts = []
    for asset in scene.assets[:LISTED_ASSETS]:
        table = asset.replace("/", ".")
        rows, was = rows_of(now, table), rows_of(before, table)
        if rows is not None:
            parts.append(
                f"{table} {counted(rows, 'row')}" + (f" (before {was:,})" if was is not None and was != rows else "")
            )
    if parts:
        yield Item(
            "Row counts",
            "; ".join(parts),
            f"snapshot {now.id}" + (f", before: {before.id}" if before is not None else ""),
            f'ops sql "select count(*) from {scene.assets[0].replace("/", ".")}"',
        )


def changes_of_tables(scene: Scene) -> list[Change]:
    """The differences between the newest snapshot and the last good one, for the tables upstream. A change belongs to
    the first run whose snapshot shows it.
    """
    now, before = compared(scene)
    if now is None or before is None:
        return []
    later = [item for item in since_good(scene) if item.id != now.id]
    kept = [(item, item.manifest.get("code") or {}, item.tables) for item in (*later, now)]
    was_code, were = before.manifest.get("code") or {}, before.tables
    found = []
    for asset in scene.assets:
        table = asset.replace("/", ".")
        seen = [
            (item, _differences(table, (code, tables), (was_code, were), _commit(before)))
            for item, code, tables in kept
        ]
        for kind, what in seen[-1][1].items():
            first = next(item for item, differences in seen if kind in differences)
            evidence = f"snapshots {before.id} and {first.id}"
            run = str(first.manifest.get("run_id", ""))
            found.append(
                Change(
                    asset=asset,
                    kind=kind,
                    at=first.as_of,
                    what=what,
                    run_id=run,
                    commit=_commit(first),
                    evidence=evidence,
                )
            )
    return found


State = tuple[Mapping[str, str], Mapping[str, Fingerprint]]
"""Digests of the SQL and fingerprints, by table."""


def _differences(table: str, now: State, before: State, commit: str) -> dict[str, str]:
    """Kind of change → the change in words. If one of the two states does not have a table, the table counts as
    unchanged.
    """
    found = {}
    code, was_code = now[0].get(table), before[0].get(table)
    if code is not None and was_code is not None and code != was_code:
        found["code"] = f"the SQL of {table} has changed since commit {commit[:12]}"
    here, there = now[1].get(table), before[1].get(table)
    if here is None or there is None:
        return found
    if here.columns != there.columns:
        added = [f"+{name} {kind}" for name, kind in sorted(set(here.columns) - set(there.columns))]
        gone = [f"-{name} {kind}" for name, kind in sorted(set(there.columns) - set(here.columns))]
        found["schema"] = f"columns of {table}: {', '.join([*added, *gone])}"
    elif there.rows and abs(here.rows - there.rows) > VOLUME * there.rows:
        found["volume"] = f"{table} has {counted(here.rows, 'row')}, and had {there.rows:,} before"
    return found


def _commit(snapshot: Snapshot) -> str:
    return str(snapshot.manifest.get("commit", ""))


def commits_of_runs(scene: Scene) -> dict[str, str]:
    """Run → commit, for the runs whose snapshots still exist."""
    found = snapshots.existing(scene.settings)
    return {str(item.manifest.get("run_id", "")): str(item.manifest.get("commit", "")) for item in found}
