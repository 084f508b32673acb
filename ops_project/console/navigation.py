"""The sections of the console, in the order in which people look at them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    """One section of the console. `key`: the letter that opens the section if it is typed after `g`."""

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
"""Section → the beginnings of the paths that belong to it, where these are not simply the paths below it."""


OF_PIPELINES = frozenset({"/boards", "/feeds", "/recovery"})
"""Sections that are only about our own pipelines and their warehouse."""


def sections(path: str, watches: bool = False) -> list[Section]:
    """Every section; that of `path` is current. `watches`: whether the home watches another project."""
    return [
        Section(target, title, key, path == target or path.startswith(BELOW.get(target, (f"{target}/",))))
        for target, title, key in SECTIONS
        if not (watches and target in OF_PIPELINES)
    ]
