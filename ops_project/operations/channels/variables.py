"""Finds out which environment variables of a channel cannot be used, and why."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from ops_project.settings import Settings

SLACK_API = "OPS_SLACK_URL"
"""The address of Slack's own service. A relay in the user's own network can take its place."""


def unusable(
    settings: Settings, wanted: Mapping[str, Callable[[str], str]], optional: Collection[str] = ()
) -> list[str]:
    """The names of those `wanted` variables that are not set or have a wrong value. A variable that is `optional` may
    be unset.

    `wanted`: variable → a function that says what is wrong with a value, or returns an empty text if nothing is wrong.
    """
    names = []
    for name, wrong in wanted.items():
        value = settings.secret(name)
        if value is None:
            names += [name] if name not in optional else []
        elif words := wrong(value):
            names.append(f"{name} ({words})")
    return names
