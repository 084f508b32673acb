"""What a way back to an earlier version of the code changes, and what forbids it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Affected:
    """Models that the two versions build differently; `schema.table`, sorted."""

    changed: tuple[str, ...]
    """Both versions have them, with other SQL, settings or macros."""
    only_now: tuple[str, ...]
    """The earlier version does not build them: their tables stay, and nobody builds them any more."""
    only_then: tuple[str, ...]
    """The present version does not build them."""
    downstream: tuple[str, ...]
    """Built from changed ones, in the earlier version."""

    @property
    def rebuilt(self) -> tuple[str, ...]:
        """What the earlier version has to build anew."""
        return tuple(sorted({*self.changed, *self.only_then}))


def affected(then: Mapping[str, str], now: Mapping[str, str], children: Mapping[str, Collection[str]]) -> Affected:
    """Compare two versions: table → digest of all that builds it. `children`: table → tables built from it, then."""
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
    """Why the way back may not be taken, in words; nothing where it may.

    `migrations`: of the ledger, which the earlier version does not know. `loads`: what the earlier version said when it
    was loaded here; None where it loaded.
    """
    found = []
    if dirty:
        found.append(
            f"{len(dirty)} files of the code are changed and not committed ({', '.join(sorted(dirty)[:5])}): commit or "
            "undo them first"
        )
    if not is_ancestor:
        found.append("it is no earlier version of what is checked out: a rollback goes back along the history")
    if migrations:
        found.append(
            f"the ledger has been migrated since ({', '.join(sorted(migrations))}), and the earlier version cannot "
            "open it: mend forward, or restore the home from a backup of that time (`ops backup list`)"
        )
    if loads is not None:
        found.append(f"the earlier version does not load in this environment: {loads}")
    return found
