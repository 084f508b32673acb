"""The state of the backups: could this home be rebuilt from one? The module is pure: it decides from what the home has
recorded about its backups.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ops_project.console.health import UNKNOWN, WELL, WRONG, State
from ops_project.pipeline.recovery.backup.shelf import Register
from ops_project.pipeline.recovery.decide.backups import Backup, Outcome

CREATE = "`ops backup create` takes one and proves it"


def newest_proved(found: Register) -> Backup | None:
    """The newest backup that its last proof restored completely."""
    proofs = found.proofs or {}
    proved = [item for item in found.backups if item.id in proofs and proofs[item.id].outcome is Outcome.PROVED]
    return max(proved, key=lambda item: item.at, default=None)


def of_backups(found: Register | None, oldest: timedelta | None, now: datetime) -> State:
    """The state of the backups.

    `found`: what is recorded; None if no destination is configured. `oldest`: the highest age that the newest proved
    backup may have; None if no rule limits it.
    """
    if found is None:
        return State(
            UNKNOWN,
            "No backup is taken: write backups.destination in platform.yaml, or give `ops backup create --at FOLDER`.",
        )
    last, proved = found.last_proof, newest_proved(found)
    if last is not None and last.outcome is Outcome.FAILED:
        return State(WRONG, f"The newest backup failed its proof: {last.words}. {CREATE}.", last.at)
    if proved is None:
        what = (
            "There is no backup yet" if not found.backups else "No backup is proved yet, and only a proved one counts"
        )
        late = oldest is not None and now - found.since > oldest
        return State(WRONG if late else UNKNOWN, f"{what}: {CREATE}.", found.since)
    if oldest is not None and now - proved.at > oldest:
        number = oldest.total_seconds() / 3600
        hours = "1 hour" if number == 1 else f"{number:g} hours"
        return State(WRONG, f"The newest proved backup is older than {hours}: {CREATE}.", proved.at)
    return State(WELL, f"Backup {proved.id} was restored into an empty home, and every table compared.", proved.at)
