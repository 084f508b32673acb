"""Decisions about backups: which backup a user means, which backups may be removed, and how old the newest proved
backup is. The module is pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from ops_project.pipeline.recovery.decide.target import GOOD, RestoreError


class Outcome(Enum):
    """The outcome of a backup's proof."""

    PROVED = "proved"
    """The backup was restored into an empty home and opened. Every table's checksum is equal to the recorded one."""
    FAILED = "failed"
    """The restored home lacks something, or differs from the recorded state."""
    INCONCLUSIVE = "inconclusive"
    """The proof did not finish, or could not judge the backup."""


@dataclass(frozen=True)
class Proof:
    """The last proof of a backup."""

    outcome: Outcome
    at: datetime
    words: str
    seconds: float = 0.0
    damaged: tuple[str, ...] = ()
    """Objects of the store that are missing or changed."""


@dataclass(frozen=True)
class Backup:
    """One backup, from its summary."""

    id: str
    at: datetime
    """The time at which the backup was taken. Later changes are not in it."""
    as_of: datetime | None
    """The as-of time of the snapshot in the backup; None if there was no warehouse yet."""
    files: int
    size_bytes: int
    new_bytes: int
    """The number of bytes that the store did not have before."""
    left_out: tuple[str, ...] = ()
    good: bool = True
    """Whether the backup's snapshot was good: nothing had failed in the last run of each domain."""


def choose(wanted: str | None, backups: Sequence[Backup], proofs: Mapping[str, Proof]) -> Backup:
    """The backup that `wanted` names. Raises RestoreError, whose message lists the backups.

    `wanted` is an id, the number of an id, or `newest`. None means the newest proved backup. `good` means the newest
    proved backup among those whose snapshot was made after no failure.
    """
    if not backups:
        raise RestoreError("there is no backup: `ops backup create` makes one")
    if wanted == "newest":
        return backups[-1]
    if wanted is None or wanted == GOOD:
        proved = [item for item in backups if _outcome(proofs, item) is Outcome.PROVED]
        fit = [item for item in proved if item.good or wanted is None]
        if fit:
            return fit[-1]
        what = "no backup of a good run is proved" if proved else "no backup is proved"
        raise RestoreError(f"{what}: `ops backup verify` proves one, or name one. {_listed(backups)}")
    for item in backups:
        if wanted == item.id or (wanted.isdecimal() and wanted.lstrip("0") == item.id.partition("-")[0].lstrip("0")):
            return item
    raise RestoreError(f"there is no backup {wanted!r}. {_listed(backups)}")


def to_remove(backups: Sequence[Backup], proofs: Mapping[str, Proof], keep: int) -> list[str]:
    """The ids of the backups that may be removed. The newest `keep` backups and the newest `keep` proved backups stay.

    `backups`: oldest first.
    """
    proved = [item.id for item in backups if _outcome(proofs, item) is Outcome.PROVED]
    stay = {*(item.id for item in backups[-keep:]), *proved[-keep:]}
    return [item.id for item in backups if item.id not in stay]


def age(backups: Sequence[Backup], proofs: Mapping[str, Proof], watched_since: datetime, now: datetime) -> timedelta:
    """The age of the newest proved backup. If no backup is proved, the time since `watched_since`.

    `watched_since`: when backups were first expected.
    """
    proved = [item.at for item in backups if _outcome(proofs, item) is Outcome.PROVED]
    return now - (max(proved) if proved else watched_since)


def next_id(backups: Sequence[Backup], suffix: str) -> str:
    """The id of the next backup: a number that grows, and a suffix.

    `suffix`: random digits, so that two processes choose different ids.
    """
    newest = max((int(item.id.partition("-")[0]) for item in backups), default=0)
    return f"{newest + 1:06d}-{suffix}"


def judged(
    damaged: Sequence[str], differences: Sequence[str], unreadable: Sequence[str], missed: Sequence[str] = ()
) -> tuple[Outcome, str]:
    """The outcome of a proof that finished, and the reason.

    `damaged`: objects that are missing or changed in the store.
    `differences`: differences between the restored home and the backup.
    `unreadable`: parts that could not be read when the backup was taken.
    `missed`: parts outside the home folder that the backup does not contain.
    """
    if damaged:
        listed = f"{damaged[0]} and {len(damaged) - 1} more" if len(damaged) > 1 else damaged[0]
        return Outcome.FAILED, f"missing or changed in the store: {listed}"
    if differences:
        more = f" (and {len(differences) - 1} more)" if len(differences) > 1 else ""
        return Outcome.FAILED, f"{differences[0]}{more}"
    if unreadable:
        return Outcome.FAILED, f"not in it, because it could not be read: {'; '.join(unreadable)}"
    if missed:
        return Outcome.INCONCLUSIVE, f"not in it: {'; '.join(missed)}"
    return Outcome.PROVED, "restored into an empty home, opened, every table's checksum compared"


def _outcome(proofs: Mapping[str, Proof], backup: Backup) -> Outcome | None:
    proof = proofs.get(backup.id)
    return proof.outcome if proof is not None else None


def _listed(backups: Sequence[Backup]) -> str:
    return "There is: " + ", ".join(f"{item.id} ({item.at:%Y-%m-%d %H:%M} UTC)" for item in backups[-10:]) + "."
