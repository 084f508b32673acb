"""The snapshot after a restore: its run, and how good it is."""

from __future__ import annotations

from ops_project.pipeline.recovery import journal
from ops_project.pipeline.warehouse import retention, snapshots
from ops_project.settings import Settings


def failed(settings: Settings, entry: journal.Entry) -> list[str]:
    """The domains whose last run failed, after a restore. The whole content of a snapshot is as good as the snapshot.
    No check has looked at single restored tables, or at what an undo put back, so there nothing becomes good.
    """
    existing = snapshots.existing(settings)
    whole = [item for item in existing if not entry.tables and entry.source == f"snapshot {item.id}"]
    return [domain for item in (whole or existing[-1:]) for domain in retention.failed_in(item.manifest)]


def newest_run(settings: Settings) -> str | None:
    """The run that took the newest snapshot."""
    kept = snapshots.existing(settings)
    return kept[-1].manifest.get("run_id") if kept else None


def run_id(entry: journal.Entry) -> str:
    """The id under which a restore takes its snapshot."""
    return f"restore-{entry.id}"
