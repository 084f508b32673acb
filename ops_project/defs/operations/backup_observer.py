"""Observer: the age of the newest proved backup, from what the home knows. It never contacts the store."""

from __future__ import annotations

from ops_project.operations.alerting.observers.observer import Observation, View
from ops_project.pipeline.recovery.backup.shelf import expect
from ops_project.pipeline.recovery.decide.backups import Outcome, age


def look(view: View) -> Observation:
    """The signal; nothing if no destination is configured."""
    destination = view.catalog.platform.backups.destination
    if destination is None:
        return Observation()
    known = expect(view.settings, destination, view.now)
    hours = age(known.backups, known.proofs or {}, known.since, view.now).total_seconds() / 3600
    proof = known.last_proof
    failed = proof is not None and proof.outcome is Outcome.FAILED
    return Observation(
        [
            view.reading("backup.proved_age_hours", hours, check="backup", message=f"backups go to {destination}"),
            view.state(
                "backup.failed",
                failed,
                check="backup",
                message=f"the newest backup failed its proof: {proof.words}" if proof is not None and failed else "",
            ),
        ]
    )
