"""The places of the console, in the order in which people look."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    """One place. `key`: the letter that opens the place, typed after `g`."""

    path: str
    title: str
    key: str
    current: bool = False


SECTIONS = (
    ("/", "Home", "h"),
    ("/incidents", "Incidents", "i"),
    ("/alerts", "Alerts", "a"),
    ("/silences", "Silences", "s"),
    ("/routes", "Routes", "r"),
    ("/boards", "Boards", "b"),
    ("/feeds", "Feeds", "f"),
    ("/assets", "Assets", "t"),
    ("/oncall", "On call", "o"),
    ("/recovery", "Recovery", "v"),
    ("/reports", "Reports", "p"),
    ("/runbooks", "Runbooks", "k"),
)

BELOW = {
    "/": ("//",),
    "/boards": ("/boards/", "/figures/"),
    "/feeds": ("/feeds/", "/batches/"),
}
"""Place → the beginnings of the paths that belong to it, where these are not simply the paths below it."""


def sections(path: str) -> list[Section]:
    """Every place; the one that holds `path` is current."""
    return [
        Section(target, title, key, path == target or path.startswith(BELOW.get(target, (f"{target}/",))))
        for target, title, key in SECTIONS
    ]
