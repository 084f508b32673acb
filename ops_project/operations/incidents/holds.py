"""Finds the assets that a hold stops: every asset that is built from its subject. An asset that is the subject itself
can still be built, so that it can be repaired.
"""

from __future__ import annotations

from collections.abc import Iterable

from ops_project.lineage import Lineage
from ops_project.operations.ledger.holds import Hold

LANDED = "bronze"


def stopped(hold: Hold, lineage: Lineage) -> frozenset[str]:
    """The assets that are not built because of a hold. If its subject is a domain, these are all tables of the domain
    except the landed ones, and everything that is built from the domain's tables.
    """
    if hold.subject in lineage.assets:
        return lineage.descendants(hold.subject)
    own = {key for key, facts in lineage.assets.items() if facts.domain == hold.subject}
    built = {key for key in own if not key.startswith(f"{LANDED}/")}
    return frozenset(built | {child for key in own for child in lineage.descendants(key)})


def held(holds: Iterable[Hold], lineage: Lineage) -> dict[str, Hold]:
    """Asset → the oldest hold that stops it."""
    found: dict[str, Hold] = {}
    for hold in holds:
        for asset in stopped(hold, lineage):
            found.setdefault(asset, hold)
    return found


def words(hold: Hold) -> str:
    """The hold in one line: who made it, since when and why, and the command that releases it."""
    until = f", until {hold.until:%Y-%m-%d %H:%M} UTC" if hold.until else ""
    since = f"held by {hold.made_by} since {hold.made_at:%Y-%m-%d %H:%M} UTC{until}"
    return f"{since}: {hold.why} (`ops release {hold.subject}`)"
