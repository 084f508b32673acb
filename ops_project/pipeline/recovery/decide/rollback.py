"""Decides what a rollback to an earlier version of the code changes, and whether it is forbidden. The module is
pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ops_project.counted import counted


@dataclass(frozen=True)
class Affected:
    """The models that the two versions build differently, as `schema.table`, sorted."""

    changed: tuple[str, ...]
    """Models that both versions have, with different SQL, settings or macros."""
    only_now: tuple[str, ...]
    """Models that the earlier version does not have. Their tables stay, but are no longer built."""
    only_then: tuple[str, ...]
    """Models that the present version does not have."""
    downstream: tuple[str, ...]
    """Other models of the earlier version that are built from the changed ones."""

    @property
    def rebuilt(self) -> tuple[str, ...]:
        """The tables that the earlier version must build anew."""
        return tuple(sorted({*self.changed, *self.only_then}))


def affected(then: Mapping[str, str], now: Mapping[str, str], children: Mapping[str, Collection[str]]) -> Affected:
    """Compare two versions of the code.

    `then`, `now`: table → digest of everything that builds the table, in the earlier and in the present version.
    `children`: table → the tables that the earlier version builds from it.
    """
    changed = {table for table in then.keys() & now.keys() if then[table] != now[table]}
    only_then = then.keys() - now.keys()
    reached: set[str] = set()
    waiting = [*changed, *only_then]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in reached:
                reached.add(child)
                waiting.append(child)
    return Affected(
        changed=tuple(sorted(changed)),
        only_now=tuple(sorted(now.keys() - then.keys())),
        only_then=tuple(sorted(only_then)),
        downstream=tuple(sorted(reached - changed - only_then)),
    )


def forbidden(
    *, dirty: Collection[str], is_ancestor: bool, migrations: Collection[str], loads: str | None
) -> list[str]:
    """Why the rollback may not be done, in words; empty if it may be done.

    `dirty`: changed files that are not committed.
    `is_ancestor`: whether the target is an earlier version of the present code.
    `migrations`: migrations of the ledger that the earlier version does not know.
    `loads`: the error when the earlier version was loaded here; None if it loaded.
    """
    found = []
    if dirty:
        found.append(
            f"{counted(len(dirty), 'file of the code is', 'files of the code are')} changed and not committed "
            f"({', '.join(sorted(dirty)[:5])}): commit or "
            "undo them first"
        )
    if not is_ancestor:
        found.append("it is not an earlier version of the present one: a rollback goes back along the history")
    if migrations:
        found.append(
            f"the ledger has been migrated since ({', '.join(sorted(migrations))}), and the earlier version cannot "
            "open it: correct the error in a newer version, or restore the home from a backup of that time (`ops "
            "backup list`)"
        )
    if loads is not None:
        found.append(f"the earlier version does not load in this environment: {loads}")
    return found
