"""The parts of a home that are not in its folder. They are in a PostgreSQL, or in a place that our backups cannot
reach.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from ops_project.pipeline.recovery.databases.connect import Database, DatabaseUnusable, is_postgres


@dataclass(frozen=True)
class Place:
    """The place of one part."""

    part: str
    """The name of the part: ledger, dagster or registry."""
    what: str
    """The name for people, for example "the ledger"."""
    url: str = ""
    """The URL of the database; empty if it is not known."""
    words: str = ""
    """Why the URL is not known."""


@dataclass(frozen=True)
class Outside:
    """The parts of a home that are not in its folder."""

    databases: Mapping[str, Database]
    """PostgreSQL databases, by the names of their copies."""
    missed: tuple[str, ...] = ()
    """Parts that our backups cannot reach, in words. A backup without them cannot be proved."""
    left_to_others: tuple[str, ...] = ()
    """Parts that another system backs up according to the configuration, in words."""


NOTHING = Outside({})
HOW = {
    "ledger": "set OPS_LEDGER_URL",
    "registry": "set OPS_REGISTRY_URL",
    "dagster": "set what `storage` in dagster.yaml names",
}


def sort_out(places: Iterable[Place], others: Collection[str]) -> Outside:
    """Sort the places into three groups: databases that are copied, parts that our backups cannot reach, and parts that
    another system backs up.

    `others`: the names of the parts that another system backs up.
    """
    databases: dict[str, Database] = {}
    missed, left = [], []
    for place in places:
        if place.part in others:
            left.append(f"{place.what} lies outside of the home, and somebody else backs it up, as platform.yaml says")
        elif is_postgres(place.url):
            _add(databases, place)
        else:
            why = place.words or "it lies outside of the home, and not in a PostgreSQL"
            missed.append(
                f"{place.what}: {why}. If somebody else backs it up, write `{place.part}` into backups.elsewhere of "
                "platform.yaml"
            )
    return Outside(databases, tuple(missed), tuple(left))


def chosen(outside: Outside, wanted: Mapping[str, str]) -> dict[str, Database]:
    """The databases into which the parts of a backup are restored. Raises DatabaseUnusable if this home has no database
    for some part. The message names every such part.

    `wanted`: name of a part → its name for people.
    """
    absent = [f"{what} ({HOW.get(name, name)})" for name, what in wanted.items() if name not in outside.databases]
    if absent:
        raise DatabaseUnusable(
            "in this backup these parts lay in a PostgreSQL, and this home names no PostgreSQL for them: "
            f"{'; '.join(absent)}. Give "
            "the address of one for each, as when the backup was taken"
        )
    return {name: outside.databases[name] for name in wanted}


def _add(databases: dict[str, Database], place: Place) -> None:
    """Add a part. If two parts are in one database, the database is copied once, under the name of the first part."""
    for name, known in databases.items():
        if known.url == place.url:
            databases[name] = Database(name, f"{known.what} and {place.what}", known.url)
            return
    name, number = place.part, 1
    while name in databases:
        number += 1
        name = f"{place.part}-{number}"
    databases[name] = Database(name, place.what, place.url)
