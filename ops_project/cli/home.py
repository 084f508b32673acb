"""Checks that the home of a command exists and can be used, before the command does anything else. If it cannot, the
command ends with a message of one line.

A mistyped `--home` must not look like a home without alerts. So only four commands may make a new home, and each of
these four says so when it makes one.
"""

from __future__ import annotations

import os
from enum import Enum
from pathlib import Path

import click

from ops_project.cli.faults import say
from ops_project.settings import Settings


class Use(Enum):
    """What a command requires of its home."""

    MAKES = "makes it if it is missing, and says so"
    READS = "fails if it is missing"
    LOOKS = "reads it, and has an answer also if the default home is missing"
    NONE = "does not look at it"


# The keys are the words of commands. If several keys match a command, the longest counts. A command that matches none
# only reads.
USES: dict[str, Use] = {
    "run": Use.MAKES,
    "simulate": Use.MAKES,
    "ui": Use.MAKES,
    "backup restore": Use.MAKES,
    "reference": Use.NONE,
    "metadata": Use.NONE,
    "config": Use.NONE,
    "route export": Use.NONE,
    "rules list": Use.NONE,
    "rules lint": Use.NONE,
    "feed list": Use.LOOKS,
    "feed check": Use.NONE,
    "feed init": Use.NONE,
}
# The commands that work on our own pipelines. A home that watches another Dagster project has none.
OF_PIPELINES = frozenset(
    {
        "run",
        "ui",
        "simulate",
        "feed",
        "sql",
        "lineage",
        "reconcile",
        "metadata",
        "queries",
        "model",
        "hold",
        "release",
        "rerun",
        "backfill",
        "rollback",
        "replay",
        "restore",
        "archive",
        "backup",
        "drill",
    }
)
MADE_BY = "`ops run`, `ops simulate`, `ops ui` and `ops backup restore` make one"


def use_of(words: tuple[str, ...]) -> Use:
    """What the command with these words requires of its home."""
    for length in range(len(words), 0, -1):
        if (found := USES.get(" ".join(words[:length]))) is not None:
            return found
    return Use.READS


def require(settings: Settings, words: tuple[str, ...], *, named: bool) -> None:
    """Raises ClickException if the home does not meet the command's requirement.

    `named`: whether the caller has named the home. Without a name, it is the default home.
    """
    use, home = use_of(words), settings.home
    if settings.watched is not None and words and words[0] in OF_PIPELINES:
        raise click.ClickException(
            f"`ops {words[0]}` works on our own pipelines, and {home} watches the Dagster project of "
            f"{settings.watched}. Do it there, with Dagster's own commands or UI."
        )
    if use is Use.NONE or (use is Use.LOOKS and not named and not home.exists()):
        return
    reason = _unusable(home)
    if reason is not None:
        raise click.ClickException(f"the home {home} cannot be used: {reason}. --home DIR takes a folder.")
    if home.is_dir():
        if not os.access(home, os.R_OK | os.X_OK):
            raise click.ClickException(f"the home {home} may not be read by this user; change its owner or mode")
        if use is Use.MAKES and not os.access(home, os.W_OK):
            raise click.ClickException(
                f"the home {home} cannot be written to: it is read-only, or belongs to another user. "
                "Make it writable, or choose another with --home DIR."
            )
        return
    if use is not Use.MAKES:
        raise click.ClickException(f"there is no home {home}: compare the path of --home or OPS_HOME; {MADE_BY}")
    try:
        home.mkdir(parents=True)
    except OSError as error:
        raise click.ClickException(
            f"the home {home} cannot be made: {error.strerror}. Choose another with --home DIR."
        ) from None
    say(f"made a new home: {home}")


def _unusable(home: Path) -> str | None:
    """Why `home` cannot be used as a home; None if it is a folder, or can become one."""
    try:
        if home.is_dir():
            return None
        if home.exists():
            return "it is a file, not a folder"
        above = next(parent for parent in home.parents if parent.exists())
        return None if above.is_dir() else f"{above} is a file, not a folder"
    except OSError as error:
        return error.strerror or str(error)
    except ValueError as error:
        return str(error)
