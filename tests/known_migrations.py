"""Alembic reads the scripts of a database once, and not again for each file. Dagster has 88 of them, and reading their
names and order for each new storage took 2 % of the suite's processor time.
"""

from __future__ import annotations

from typing import Any

from alembic.config import Config
from alembic.script import ScriptDirectory


def shared() -> None:
    """From now on this process and its forks know the scripts of a folder that they have read."""
    if getattr(ScriptDirectory.from_config, "known", None) is not None:
        return
    read: Any = ScriptDirectory.from_config
    known: dict[tuple[str | None, ...], ScriptDirectory] = {}

    def from_config(_kind: type[ScriptDirectory], config: Config) -> ScriptDirectory:
        names = ("script_location", "version_locations", "path_separator", "version_path_separator", "file_template")
        told = tuple(config.get_main_option(name) for name in names)
        if told not in known:
            known[told] = read(config)
        return known[told]

    from_config.known = known  # type: ignore[attr-defined]  # a mark that it has been replaced
    ScriptDirectory.from_config = classmethod(from_config)  # type: ignore[assignment, method-assign]  # replaced in Alembic
