"""dbt leaves out some work in this process. Its plugins, macros, events and values are the same as before."""

from __future__ import annotations

import copy
import pkgutil
import threading
from collections.abc import Callable, Iterator
from typing import Any

import agate
import parsedatetime  # type: ignore[import-untyped]  # it has no types
import pytest
from dbt.adapters.duckdb.environments.local import LocalEnvironment
from dbt.compilation import Linker
from dbt.context import base
from dbt.context.macros import MacroNamespace, MacroNamespaceBuilder
from dbt.plugins.manager import PluginManager
from dbt_common import behavior_flags
from dbt_common.clients import agate_helper
from dbt_common.events.base_types import BaseEvent, EventLevel
from dbt_common.events.event_manager import EventManager
from dbt_common.events.types import Note
from dbt_common.exceptions.events import EventCompilationError
from dbt_common.helper_types import WarnErrorOptionsV2

from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from ops_project.pipeline.dbt_engine import shortcuts

INTERNAL = ["dbt_duckdb", "dbt"]


def test_the_plugins_that_are_installed_are_found_without_a_second_search() -> None:
    shortcuts.take()
    installed = {name for _, name, _ in pkgutil.iter_modules() if name.startswith(PluginManager.PLUGIN_MODULE_PREFIX)}
    found = PluginManager.get_prefixed_modules()
    assert set(found) == installed
    assert PluginManager.get_prefixed_modules() is found
    assert PluginManager.from_modules("ops_project").hooks == {}


def test_dbt_names_what_is_replaced_as_it_is_replaced() -> None:
    """If a new version of dbt renames one of the replaced functions, the replacement has no effect. Then this test
    fails.
    """
    shortcuts.take()
    for replaced in (
        Linker.get_graph_summary,
        BaseEvent.__init__,
        EventManager.fire_event,
        MacroNamespaceBuilder.build_namespace,
        base.get_context_modules,
        parsedatetime.Constants,
        LocalEnvironment.handle,
    ):
        assert replaced.__module__ == shortcuts.__name__, replaced
    assert Linker().get_graph_summary(manifest=None) == {}  # type: ignore[arg-type]  # it is not looked at


@pytest.fixture
def manager() -> Iterator[EventManager]:
    shortcuts.take()
    yield EventManager()


def test_an_event_that_is_read_says_what_it_said_before(manager: EventManager) -> None:
    heard: list[Any] = []
    manager.add_callback(shortcuts.Listener(heard.append, frozenset({"Note"})))
    manager.fire_event(Note(msg="three rows"), level=EventLevel.DEBUG)
    assert [(event.info.name, event.info.level, event.info.msg, event.data.msg) for event in heard] == [
        ("Note", "debug", "three rows", "three rows")
    ]
    event = Note(msg="three rows")
    assert (event.msg, event.message(), event.to_dict()) == ("three rows", "three rows", {"msg": "three rows"})
    event.msg = "four rows"
    assert event.pb_msg.msg == "four rows"
    assert copy.copy(event).msg == "four rows"
    with pytest.raises(AttributeError):
        _ = event.rows


def test_an_event_that_nobody_reads_is_not_prepared(manager: EventManager) -> None:
    manager.add_callback(shortcuts.Listener(pytest.fail, frozenset({"LogTestResult"})))
    event = Note(msg="three rows")
    manager.fire_event(event, level=EventLevel.INFO)
    assert "pb_msg" not in event.__dict__


def test_whoever_listens_to_everything_hears_everything(manager: EventManager) -> None:
    heard: list[Any] = []
    manager.add_callback(shortcuts.Listener(pytest.fail, frozenset()))
    manager.add_callback(heard.append)
    manager.fire_event(Note(msg="three rows"), level=EventLevel.DEBUG)
    assert [event.data.msg for event in heard] == ["three rows"]


def test_a_warning_that_is_to_be_an_error_is_one_though_nobody_listens(manager: EventManager) -> None:
    manager.warn_error_options = WarnErrorOptionsV2(error="all")
    manager.require_warn_or_error_handling = True
    with pytest.raises(EventCompilationError, match="three rows"):
        manager.fire_event(Note(msg="three rows"), level=EventLevel.WARN)
    manager.require_warn_or_error_handling = False
    with pytest.raises(EventCompilationError, match="three rows"):
        manager.fire_event(Note(msg="three rows"), level=EventLevel.INFO, force_warn_or_error_handling=True)


@pytest.mark.parametrize("package", ["ops_project", "dbt", "dbt_duckdb", "another"])
def test_a_model_finds_the_macros_that_it_found_before(package: str) -> None:
    """The test compares with `add_macros`, which is dbt's own way of collecting the macros and is not replaced."""
    shortcuts.take()
    macros = dbt_manifest.load().to_run().get_macros_by_package()
    ours = MacroNamespaceBuilder("ops_project", package, None, INTERNAL).build_namespace(macros, {})  # type: ignore[arg-type]  # no stack of calls
    theirs = _as_dbt_does(MacroNamespaceBuilder("ops_project", package, None, INTERNAL), macros)  # type: ignore[arg-type]  # the same
    assert _ids({**ours}) == _ids({**theirs})
    assert len(ours) == len(theirs) == len(_ids({**ours}))
    for name in ("global_namespace", "local_namespace", "global_project_namespace", "packages"):
        assert _ids(getattr(ours, name)) == _ids(getattr(theirs, name)), name
    for name in ("create_table_as", "duckdb__create_table_as", "touched_dates", "no_such_macro"):
        for of in (None, "dbt", "ops_project"):
            found = [namespace.get_from_package(of, name) for namespace in (ours, theirs)]
            assert _id(found[0]) == _id(found[1]), (of, name)


def _as_dbt_does(builder: MacroNamespaceBuilder, macros: dict[str, dict[str, Any]]) -> MacroNamespace:
    for package in macros.values():
        builder.add_macros(package.values(), {})
    internal: dict[str, Any] = {}
    for name in reversed(INTERNAL):
        internal.update(builder.internal_packages[name])
    return MacroNamespace(builder.globals, builder.locals, internal, builder.packages)


def _ids(found: dict[str, Any]) -> dict[str, Any]:
    return {name: _ids(one) if isinstance(one, dict) else _id(one) for name, one in found.items()}


def _id(found: Any) -> str | None:
    return found and found.macro.unique_id


def test_values_are_read_as_before() -> None:
    shortcuts.take()
    rows = [{"day": "2026-03-01", "at": "2026-03-01 10:00:00", "n": 1}]
    table = agate_helper.table_from_data(rows, ["day", "at", "n"])
    kinds = [type(kind).__name__ for kind in table.column_types]
    assert kinds == ["Date", "DateTime", "Integer"]
    assert agate.Date().cast("March 1st 2026").isoformat() == "2026-03-01"


def test_the_words_of_dates_are_prepared_once_in_each_thread() -> None:
    shortcuts.take()
    found = [parsedatetime.Constants(localeID="en_US"), parsedatetime.Constants(localeID="en_US")]
    assert found[0] is found[1] is not parsedatetime.Constants(localeID="de_DE")
    elsewhere = _in_a_thread(lambda: parsedatetime.Constants(localeID="en_US"))
    assert elsewhere is not found[0]
    assert elsewhere.localeID == found[0].localeID == "en_US"


def _in_a_thread(work: Callable[[], Any]) -> Any:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


def test_the_module_that_makes_a_flag_is_found_without_its_source() -> None:
    shortcuts.take()
    flag = behavior_flags.BehaviorFlagRendered({"name": "flag", "default": True, "description": "what it does"}, {})
    assert flag._behavior_change_event.flag_source == __name__


def test_shortcuts_are_taken_once_by_whoever_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []

    def fails_once() -> None:
        taken.append("second")
        if taken.count("second") == 1:
            raise ImportError("not yet")

    monkeypatch.setattr(shortcuts, "_left", [lambda: taken.append("first"), fails_once])
    with pytest.raises(ImportError):
        shortcuts.take()
    threads = [threading.Thread(target=shortcuts.take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert taken == ["first", "second", "second"]
