"""The parts of a home that do not lie in its folder: in a PostgreSQL, or where no backup of ours reaches."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from ops_project.pipeline.recovery.databases.connect import Database, DatabaseUnusable, is_postgres


@dataclass(frozen=True)
class Place:
    """Where a part lies."""

    part: str
    """ledger, dagster, registry."""
    what: str
    """For people: the ledger."""
    url: str = ""
    """Empty where it is not known."""
    words: str = ""
    """Why it is not known."""


@dataclass(frozen=True)
class Outside:
    """What of a home lies elsewhere."""

    databases: Mapping[str, Database]
    """PostgreSQLs, by the name that their copies have."""
    missed: tuple[str, ...] = ()
    """What no backup of ours reaches, in words: a backup without it cannot be proved."""
    left_to_others: tuple[str, ...] = ()
    """What somebody else backs up, as the configuration says, in words."""


NOTHING = Outside({})
HOW = {
    "ledger": "set OPS_LEDGER_URL",
    "registry": "set OPS_REGISTRY_URL",
    "dagster": "set what `storage` in dagster.yaml names",
}


def sort_out(places: Iterable[Place], others: Collection[str]) -> Outside:
    """Which of the places are copied. `others`: the parts that somebody else backs up."""
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
    """The databases that take the parts of a backup; `wanted`: name → for people. Raises DatabaseUnusable, which names
    every part that this home has none for.
    """
    absent = [f"{what} ({HOW.get(name, name)})" for name, what in wanted.items() if name not in outside.databases]
    if absent:
        raise DatabaseUnusable(
            f"in this backup these lay in a PostgreSQL, and this home names none for them: {'; '.join(absent)}. Give "
            "the address of one for each, as when the backup was taken"
        )
    return {name: outside.databases[name] for name in wanted}


def _add(databases: dict[str, Database], place: Place) -> None:
    """Two parts in one database are copied once, under the name of the first."""
    for name, known in databases.items():
        if known.url == place.url:
            databases[name] = Database(name, f"{known.what} and {place.what}", known.url)
            return
    name, number = place.part, 1
    while name in databases:
        number += 1
        name = f"{place.part}-{number}"
    databases[name] = Database(name, place.what, place.url)
