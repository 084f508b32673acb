"""What dbt leaves out in this process is not missed: its plugins are still found, and a command works as before."""

from __future__ import annotations

import pkgutil

from dbt.compilation import Linker
from dbt.plugins.manager import PluginManager

from ops_project.pipeline.dbt_engine import shortcuts


def test_the_plugins_that_are_installed_are_found_without_a_second_search() -> None:
    shortcuts.take()
    installed = {name for _, name, _ in pkgutil.iter_modules() if name.startswith(PluginManager.PLUGIN_MODULE_PREFIX)}
    found = PluginManager.get_prefixed_modules()
    assert set(found) == installed
    assert PluginManager.get_prefixed_modules() is found
    assert PluginManager.from_modules("ops_project").hooks == {}


def test_dbt_names_what_is_replaced_as_it_is_replaced() -> None:
    """A new version of dbt that renames either of them would keep the cost, and this test fails."""
    shortcuts.take()
    assert Linker.get_graph_summary.__module__ == shortcuts.__name__
    assert Linker().get_graph_summary(manifest=None) == {}  # type: ignore[arg-type]  # it is not looked at
