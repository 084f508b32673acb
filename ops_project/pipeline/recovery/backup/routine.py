"""The work of each night: take a backup, prove it, remove old backups, and store in the home which backups there
are.
"""

from __future__ import annotations

from ops_project.counted import counted
from ops_project.pipeline.recovery.backup import shelf as shelves
from ops_project.pipeline.recovery.backup.create import Taker, create
from ops_project.pipeline.recovery.backup.manifest import Manifest
from ops_project.pipeline.recovery.backup.proof import prove
from ops_project.pipeline.recovery.backup.shelf import Shelf
from ops_project.pipeline.recovery.decide.backups import Outcome, Proof, to_remove


def routine(taker: Taker, shelf: Shelf, destination: str, *, verify: bool = True) -> tuple[Manifest, Proof | None]:
    """Take a backup, prove it and remove older ones. Call this within `create.alone`. Raises RestoreError if no backup
    could be taken. Older backups are removed only if the new one is proved.
    """
    manifest = create(taker, shelf)
    proof = (
        prove(taker.settings, shelf, manifest, now=taker.now, tell=taker.tell, outside=taker.outside)
        if verify
        else None
    )
    if proof is not None and proof.outcome is Outcome.PROVED:
        gone = to_remove(shelf.backups(), shelf.proofs(), taker.platform.backups.keep)
        if gone:
            shelf.remove(gone)
            taker.tell(f"removed {counted(len(gone), 'older backup')}: {', '.join(gone)}")
    shelves.remember(taker.settings, destination, shelf, taker.now)
    return manifest, proof
