"""Reads snapshots for evidence: chooses the two that are compared, and runs queries with limits of time and memory."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ops_project.masking import mask
from ops_project.operations.diagnosis.evidence import Scene
from ops_project.pipeline.warehouse import snapshots
from ops_project.pipeline.warehouse.snapshots import Snapshot
from ops_project.pipeline.warehouse.time_limit import limited
from ops_project.visible import visible_line

# These are the limits of one query.
QUERY_SECONDS, MEMORY = 2.0, "300MB"
LONGEST = 240


def compared(scene: Scene) -> tuple[Snapshot | None, Snapshot | None]:
    """The newest snapshot, and the newest good snapshot from before the problem began. A snapshot that does not exist
    is None.

    The time of a snapshot is the start of its run. The bad run may have started before the good run and then waited for
    it. So the snapshot of the bad run is found by the id of the run, and not by its time.
    """
    found = snapshots.existing(scene.settings)
    if not found:
        return None, None
    runs = [item.manifest.get("run_id") for item in found[:-1]]
    until = runs.index(scene.wrong_in) if scene.wrong_in in runs else len(runs)
    earlier = [item for item in found[:until] if item.manifest.get("good", True) and _before(item.as_of, scene.since)]
    return found[-1], earlier[-1] if earlier else None


def since_good(scene: Scene) -> list[Snapshot]:
    """The snapshots of the table's domain since the last good snapshot, the oldest first. The first is that of the
    first bad run. If the domain has no snapshot since then, the snapshots of all domains are returned.
    """
    _, before = compared(scene)
    if before is None or not scene.assets:
        return []
    domain = scene.lineage.get(scene.assets[0]).domain
    later = [item for item in snapshots.existing(scene.settings) if item.id > before.id]
    return [item for item in later if not domain or item.manifest.get("domain") in (None, domain)] or later


def _before(moment: datetime, since: datetime | None) -> bool:
    return since is None or moment <= since


def newest(scene: Scene) -> Snapshot | None:
    """The newest snapshot; None if no run has ended yet."""
    found = snapshots.existing(scene.settings)
    return found[-1] if found else None


def rows_of(snapshot: Snapshot | None, table: str) -> int | None:
    """The number of rows of a table; None if the snapshot does not have the table."""
    found = snapshot.tables.get(table) if snapshot is not None else None
    return None if found is None else found.rows


def asked(snapshot: Snapshot, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query on a snapshot. Raises duckdb.Error if the query takes too long."""
    with snapshots.open(snapshot, MEMORY, threads=1) as connection, limited(connection, QUERY_SECONDS):
        return connection.execute(query).fetchall()


def line(text: str) -> str:
    """The text as one masked line of limited length, with control characters replaced by escapes."""
    plain = visible_line(mask(" ".join(text.split())))
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 1]}…"
