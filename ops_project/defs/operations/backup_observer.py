"""Observer of backups: reports the age of the newest proved backup. It reads the home only, not the backups' store."""

from __future__ import annotations

from ops_project.model.alerting.signal import FIRING
from ops_project.operations.alerting.observers.observer import Observation, View
from ops_project.pipeline.recovery.backup.shelf import expect
from ops_project.pipeline.recovery.decide.backups import Outcome, age

AGE, FAILED = "backup.proved_age_hours", "backup.failed"


def look(view: View) -> Observation:
    """The age and the state of the newest backup. If no destination is configured any more, there are only signals that
    end earlier reports.
    """
    destination = view.catalog.platform.backups.destination
    if destination is None:
        words = "no destination is configured any more"
        aged = any(signal.value for signal in view.ledger.latest(AGE).values())
        broken = any(signal.state == FIRING for signal in view.ledger.latest(FAILED).values())
        return Observation(
            [
                *([view.reading(AGE, 0.0, check="backup", message=words)] if aged else []),
                *([view.state(FAILED, False, check="backup", message=words)] if broken else []),
            ]
        )
    known = expect(view.settings, destination, view.now)
    hours = age(known.backups, known.proofs or {}, known.since, view.now).total_seconds() / 3600
    proof = known.last_proof
    failed = proof is not None and proof.outcome is Outcome.FAILED
    return Observation(
        [
            view.reading(AGE, hours, check="backup", message=f"backups go to {destination}"),
            view.state(
                FAILED,
                failed,
                check="backup",
                message=f"the newest backup failed its proof: {proof.words}" if proof is not None and failed else "",
            ),
        ]
    )
