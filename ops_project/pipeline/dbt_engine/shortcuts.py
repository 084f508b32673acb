"""Leaves out two parts of each dbt command, because this process does not use their results. Together they take a third
of the CPU time of a command that builds nothing, and a run has two to five commands.
"""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def take() -> None:
    """From now on dbt looks for its plugins in the installed packages only once, and writes no summary of its graph.

    Nothing is installed while a process runs. The summary goes into a file for the developers of dbt.
    """
    from dbt.compilation import Linker
    from dbt.plugins.manager import PluginManager

    found = PluginManager.get_prefixed_modules()  # type: ignore[no-untyped-call]  # dbt gives it no types

    def plugins(_manager: type[PluginManager]) -> Any:
        return found

    def summary(_linker: Linker, manifest: Any) -> dict[int, dict[str, Any]]:  # noqa: ARG001  # dbt names it
        return {}

    PluginManager.get_prefixed_modules = classmethod(plugins)  # type: ignore[method-assign, assignment]  # replaced in dbt
    Linker.get_graph_summary = summary  # type: ignore[method-assign, assignment]  # replaced in dbt
