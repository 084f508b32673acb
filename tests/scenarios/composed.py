"""The definitions of the shipped configuration, made once in the process from which the commands are forked.

They take 0.3 s, a tenth of a small run. They hold the settings as one object and read it only when something is carried
out, so a child puts the settings of its own home into that object. A home with a configuration of its own makes its own.
"""

from __future__ import annotations

import functools
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from ops_project.defs import compose as module
from ops_project.defs.shared.site import Site
from ops_project.settings import Settings

_load, _compose = Site.load, module.compose


@functools.cache
def shipped() -> tuple[Site, dg.Definitions]:
    """The site and its definitions. Nothing is written into the home that they are made for."""
    site = _load(Settings(home=Path(tempfile.gettempdir()) / "nobody"))
    definitions = _compose(site)
    definitions.get_repository_def()
    return site, definitions


def use() -> None:
    """Let this process, a child that carries out one command, use the definitions that its parent has made."""
    made, definitions = shipped()

    def load(settings: Settings | None = None) -> Site:
        own = settings or Settings.load()
        # The last partition of the definitions depends on a time that lies ahead.
        ahead = own.as_of is not None and own.as_of > datetime.now(UTC)
        if own.overlay is not None or own.watched is not None or ahead:
            return _load(own)
        vars(made.settings).clear()
        vars(made.settings).update(vars(own))
        return made

    def compose(site: Site) -> dg.Definitions:
        return definitions if site is made else _compose(site)

    # A child of the tests ends after its command.
    Site.load = load  # type: ignore[method-assign]  # the commands call it by this name
    module.compose = compose
