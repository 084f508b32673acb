"""Leaves out parts of each dbt command whose results this process does not use. A command that builds nothing takes a
third less CPU time, and a run has two to five commands. Building the models of the shop domain takes a fifth less.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any


@dataclass(frozen=True)
class Listener:
    """A callback for dbt that gets only the events of some names. dbt then need not prepare other events for it."""

    hear: Callable[[Any], None]
    names: frozenset[str]

    def __call__(self, event: Any) -> None:
        if event.info.name in self.names:
            self.hear(event)


_turn = threading.Lock()


def take() -> None:
    """Change dbt for the rest of this process:

    - It looks for its plugins only once. Nothing is installed while a process runs.
    - It writes no summary of its graph. Only the developers of dbt use this file.
    - It prepares an event only if somebody reads the event.
    - It prepares the regular expressions that recognise dates only once.
    - It asks each caller for its name, and not for its source code, when it reads the flags of an adapter.
    - It collects the macros for a model, and for each call of a macro, in fewer steps.
    - It keeps the warehouse open within `warehouse_opened_once`.
    """
    with _turn:
        # A shortcut that has been taken is not taken a second time, also if the next one fails.
        while _left:
            _left[0]()
            del _left[0]


def _plugins_once() -> None:
    from dbt.plugins.manager import PluginManager

    found = PluginManager.get_prefixed_modules()  # type: ignore[no-untyped-call]  # dbt gives it no types

    def plugins(_manager: type[PluginManager]) -> Any:
        return found

    PluginManager.get_prefixed_modules = classmethod(plugins)  # type: ignore[method-assign, assignment]  # replaced in dbt


def _no_summary() -> None:
    from dbt.compilation import Linker

    def summary(_linker: Linker, manifest: Any) -> dict[int, dict[str, Any]]:  # noqa: ARG001  # dbt names it
        return {}

    Linker.get_graph_summary = summary  # type: ignore[method-assign, assignment]  # replaced in dbt


def _events_on_demand() -> None:
    """Prepare an event only if somebody reads it. dbt turns each event into a protobuf message, and then into a second
    one that says when and where it happened. dbt does so even if no log and no callback reads the event. This took 15 %
    of the time in which models are built. Now an event keeps its arguments until somebody asks for the message, and an
    event that nobody reads is dropped. Warnings and errors are reported as before.
    """
    from dbt.tracking import track_behavior_change_warn
    from dbt_common.events.base_types import BaseEvent, EventLevel
    from dbt_common.events.event_manager import EventManager

    convert, fire = BaseEvent.__init__, EventManager.fire_event
    unimportant = (EventLevel.DEBUG, EventLevel.TEST, EventLevel.INFO)

    def begin(event: BaseEvent, *words: Any, **values: Any) -> None:
        event.__dict__["_words"] = (words, values)

    def message(event: BaseEvent) -> Any:
        if "pb_msg" not in event.__dict__:
            words, values = event.__dict__["_words"]
            convert(event, *words, **values)
        return event.__dict__["pb_msg"]

    def read(event: BaseEvent, name: str) -> Any:
        if name.startswith("__"):  # `copy` and `pickle` ask for these names before the event has its arguments.
            raise AttributeError(name)
        return message(event) if name == "pb_msg" else getattr(message(event), name)

    def write(event: BaseEvent, name: str, value: Any) -> None:
        if name == "pb_msg":
            event.__dict__[name] = value
        else:
            setattr(message(event), name, value)

    def tell(
        manager: EventManager,
        e: BaseEvent,
        level: EventLevel | None = None,
        node: Any = None,
        force_warn_or_error_handling: bool = False,
    ) -> None:
        name = type(e).__name__
        unread = not manager.loggers and all(
            name not in callback.names
            if isinstance(callback, Listener)
            # This callback sends statistics about warnings, and only with permission.
            else callback is track_behavior_change_warn
            for callback in manager.callbacks
        )
        if unread and not force_warn_or_error_handling and (level or e.level_tag()) in unimportant:
            return
        fire(manager, e, level, node, force_warn_or_error_handling)

    BaseEvent.__init__ = begin  # type: ignore[method-assign, assignment]  # replaced in dbt
    BaseEvent.__getattr__ = read  # type: ignore[method-assign]  # replaced in dbt
    BaseEvent.__setattr__ = write  # type: ignore[method-assign]  # replaced in dbt
    EventManager.fire_event = tell  # type: ignore[method-assign, assignment]  # replaced in dbt


def _words_of_dates_once() -> None:
    """Prepare the regular expressions that recognise dates once for each thread. dbt makes an agate table from the
    answer of each query. For each table, agate asks parsedatetime twice to prepare about a hundred regular expressions.
    This took 5 % of the time in which models are built. The expressions depend only on the language. Each thread has
    its own, because parsedatetime does not say whether threads may share them.
    """
    import parsedatetime  # type: ignore[import-untyped]  # it has no types

    prepare = parsedatetime.Constants
    own = threading.local()

    def words(localeID: str | None = None, **rest: Any) -> Any:  # noqa: N803  # parsedatetime names it
        prepared: dict[Any, Any] = own.__dict__
        key = repr((localeID, sorted(rest.items())))
        if key not in prepared:
            prepared[key] = prepare(localeID=localeID, **rest)
        return prepared[key]

    parsedatetime.Constants = words


def _callers_by_name() -> None:
    """Find the module that makes a flag by the names of the callers. Each command makes the flags of its adapter. For
    each flag, dbt read the source code of all callers and then used only the name of a module. This took a fifth of the
    time of a command that builds nothing.
    """
    from dbt_common import behavior_flags

    def source() -> str:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            name = str(frame.f_globals.get("__name__", behavior_flags.__name__))
            if name != behavior_flags.__name__:
                return name
            frame = frame.f_back
        return "Unknown"

    behavior_flags.BehaviorFlagRendered._default_source = staticmethod(source)  # type: ignore[method-assign]  # replaced in dbt


def _macros_in_fewer_steps() -> None:
    """Collect the macros in fewer steps. For each model, and for each macro that the adapter calls, dbt puts its 640
    macros into a new dictionary. It looked for each name in five dictionaries in turn, and wrapped the same Python
    functions each time. This took 15 % of the time in which models are built.
    """
    from dbt.clients.jinja import MacroGenerator
    from dbt.context import base
    from dbt.context.macros import MacroNamespace, MacroNamespaceBuilder

    class Flat(MacroNamespace):
        """The names and macros of MacroNamespace, in one dictionary."""

        def __init__(self, *places: Any) -> None:
            super().__init__(*places)
            self._all: dict[str, Any] = {}
            for place in reversed(list(self._search_order())):
                self._all.update(place)

        def __iter__(self) -> Iterator[str]:
            return iter(self._all)

        def __len__(self) -> int:
            return len(self._all)

        def __getitem__(self, key: str) -> Any:
            return self._all[key]

    class Bound(MacroGenerator):
        """MacroGenerator with a shorter constructor. The original one calls two other constructors."""

        def __init__(self, macro: Any, context: dict[str, Any], node: Any, stack: Any) -> None:
            self.macro = macro
            self.context = context
            self.node = node
            self.stack = stack

    def build(builder: MacroNamespaceBuilder, macros_by_package: Any, ctx: dict[str, Any]) -> MacroNamespace:
        node, stack = builder.node, builder.thread_ctx
        found = {
            package: {name: Bound(macro, ctx, node, stack) for name, macro in macros.items()}
            for package, macros in macros_by_package.items()
        }
        internal: dict[str, Any] = {}
        for package in reversed(builder.internal_package_names_order):
            internal.update(found.get(package, {}))
        others = {name: macros for name, macros in found.items() if name not in builder.internal_package_names}
        local = others.get(builder.search_package, {})
        root = others.get(builder.root_package, {}) if builder.root_package != builder.search_package else {}
        return Flat(root, local, internal, others)

    modules = base.get_context_modules()

    def context_modules() -> dict[str, dict[str, Any]]:
        return modules

    base.get_context_modules = context_modules
    MacroNamespaceBuilder.build_namespace = build  # type: ignore[method-assign, assignment]  # replaced in dbt


_commands: list[list[Any]] = []
"""For each command that runs, the databases that it keeps open."""


@contextmanager
def warehouse_opened_once() -> Iterator[None]:
    """Within this context, dbt opens the warehouse once. At the end the warehouse is closed."""
    kept: list[Any] = []
    _commands.append(kept)
    try:
        yield
    finally:
        _commands[:] = [other for other in _commands if other is not kept]
        for environment in kept:
            environment.notify_closed()


def _databases_kept_open() -> None:
    """Keep a database open until its command ends. dbt closes it whenever none of its threads has a connection, which
    happens after most models. Opening and closing took 15 % of the time in which models are built. A database that was
    closed must also read its blocks again.
    """
    from dbt.adapters.duckdb.environments.local import LocalEnvironment

    open_one: Callable[[LocalEnvironment], Any] = LocalEnvironment.handle

    def handle(environment: LocalEnvironment) -> Any:
        # dbt makes the settings of the profile for each connection, because the hook of a model may have changed them.
        opened = open_one(environment)
        with environment.lock:
            # A command that its caller has abandoned may still run and open a database. The next command then keeps
            # this database open.
            if _commands and not any(environment in kept for kept in _commands):
                environment.handle_count += 1
                _commands[-1].append(environment)
        return opened

    LocalEnvironment.handle = handle  # type: ignore[method-assign]  # replaced in dbt


_left = [
    _plugins_once,
    _no_summary,
    _events_on_demand,
    _words_of_dates_once,
    _callers_by_name,
    _macros_in_fewer_steps,
    _databases_kept_open,
]
