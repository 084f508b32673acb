"""Decides which snapshot `--to` means, and which of its tables a user means."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

NEWEST, GOOD = "newest", "good"
_NUMBER = re.compile(r"^\d{1,6}$")


class RestoreError(Exception):
    """The requested restore is not possible. The message says why, and what is possible."""


class NothingLeft(RestoreError):
    """Everything that was asked for is already done."""


@dataclass(frozen=True)
class Candidate:
    """A snapshot that may be restored."""

    id: str
    as_of: datetime
    tables: frozenset[str]
    """The tables and views, as `schema.table`."""
    good: bool = True
    """Whether the last run of each domain before it failed nowhere: no step, and nothing that forbids publishing."""


def choose(to: str, moment: datetime | None, candidates: Sequence[Candidate]) -> Candidate:
    """The snapshot that `to` means. Raises RestoreError.

    `to` is an id, the number of an id, `newest`, `good` or a time. `good` means the newest snapshot before which
    nothing failed. For a time, `moment` is its value. A time means the last snapshot with this as-of time or an earlier
    one.
    """
    if not candidates:
        raise RestoreError(
            "there is no snapshot to restore from; copy the warehouse back from a backup, as the runbook "
            "warehouse-lost shows"
        )
    if not to:
        raise RestoreError(f"--to is needed: a snapshot, `newest`, `good` or a time. {_there_is(candidates)}")
    if to == NEWEST:
        return candidates[-1]
    if to == GOOD:
        good = [candidate for candidate in candidates if candidate.good]
        if not good:
            raise RestoreError(
                f"every snapshot was made after a failure. {_there_is(candidates)} `ops backup restore good` looks for "
                "a backup of a good run"
            )
        return good[-1]
    by_number = f"{int(to):06d}-" if _NUMBER.match(to) else None
    for candidate in reversed(candidates):
        if candidate.id == to or (by_number is not None and candidate.id.startswith(by_number)):
            return candidate
    if moment is None:
        raise RestoreError(f"--to {to!r} is neither a snapshot nor a time. {_there_is(candidates)}")
    before = [candidate for candidate in candidates if candidate.as_of <= moment]
    if not before:
        raise RestoreError(f"no snapshot is as old as {moment:%Y-%m-%d %H:%M} UTC. {_there_is(candidates)}")
    return before[-1]


def qualify(names: Collection[str], chosen: Candidate, candidates: Sequence[Candidate]) -> tuple[str, ...]:
    """The tables of the snapshot `chosen` to which `names` refer, sorted. A name is written `fact_orders` or
    `silver.fact_orders`. Raises RestoreError.
    """
    return tuple(sorted({_qualify(name.replace("/", "."), chosen, candidates) for name in names}))


def _qualify(name: str, chosen: Candidate, candidates: Sequence[Candidate]) -> str:
    found = _matches(name, chosen.tables)
    if len(found) > 1:
        raise RestoreError(f"{name!r} may be {' or '.join(found)}: write the schema too")
    if found and found[0].startswith("ops."):
        raise RestoreError(
            f"{found[0]} is the warehouse's own journal, which only fits the tables it was written with; "
            "`ops restore --all` restores it together with them"
        )
    if found:
        return found[0]
    elsewhere = [candidate.id for candidate in candidates if _matches(name, candidate.tables)]
    if elsewhere:
        raise RestoreError(f"snapshot {chosen.id} holds no table {name!r}; these do: {', '.join(elsewhere)}")
    known = {table for candidate in candidates for table in candidate.tables}
    by_name = {table.partition(".")[2]: table for table in known} | {table: table for table in known}
    near = [by_name[item] for item in get_close_matches(name, by_name, n=3, cutoff=0.6)]
    meant = f"; did you mean {', '.join(dict.fromkeys(near))}?" if near else ""
    raise RestoreError(f"no snapshot holds a table {name!r}{meant}")


def _matches(name: str, tables: Collection[str]) -> list[str]:
    return sorted(table for table in tables if name in (table, table.partition(".")[2]))


def _there_is(candidates: Sequence[Candidate]) -> str:
    listed = ", ".join(
        f"{item.id} (as of {item.as_of:%Y-%m-%d %H:%M} UTC{'' if item.good else ', after a failure'})"
        for item in candidates
    )
    return f"There is: {listed}. A time is written 2026-03-04T12:00."
