"""The snapshot after a restore: its run, and how good it is."""

from __future__ import annotations

from ops_project.pipeline.recovery import journal
from ops_project.pipeline.warehouse import retention, snapshots
from ops_project.settings import Settings


def failed(settings: Settings, entry: journal.Entry) -> list[str]:
    """The domains whose last run counts as failed after a restore. If the whole warehouse was restored from a snapshot,
    these are the domains that had failed in the snapshot. If only some tables were restored, these domains are added to
    those that count as failed now, because no check has looked at the restored tables together with the other tables.
    After an undo, or if the content came from a backup, every domain counts as failed until its next whole run.
    """
    existing = snapshots.existing(settings)
    standing = {domain for item in existing[-1:] for domain in retention.failed_in(item.manifest)}
    standing |= snapshots.unfinished(settings)
    source = [item for item in existing if entry.source == f"snapshot {item.id}"]
    if not source:
        return sorted({*standing, retention.SEVERAL})
    brought = {*retention.failed_in(source[0].manifest)}
    return sorted(standing | brought if entry.tables else brought)


def newest_run(settings: Settings) -> str | None:
    """The run that took the newest snapshot."""
    kept = snapshots.existing(settings)
    return kept[-1].manifest.get("run_id") if kept else None


def run_id(entry: journal.Entry) -> str:
    """The id under which a restore takes its snapshot."""
    return f"restore-{entry.id}"
