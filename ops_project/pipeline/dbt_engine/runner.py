"""Runs dbt in this process, on a manifest that is already parsed. A subprocess for each call would cost a Python start,
a parse and a second connection to the warehouse. dbt runs in a thread. Its events come through a queue, so that the
caller can handle them while dbt works. This module does not know Dagster.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from ops_project.pipeline.dbt_engine import shortcuts, tested
from ops_project.pipeline.dbt_engine.compile import QUIET, folders
from ops_project.pipeline.dbt_engine.manifest import DbtManifest
from ops_project.settings import Settings

# Two threads are enough on every machine: DuckDB uses the other cores within each query.
DEFAULT_THREADS = 2


@dataclass(frozen=True)
class DbtResult:
    """How a command ended. Failing tests are in `failed_tests`, and all other failures are in `errors`."""

    errors: tuple[str, ...] = ()
    failed_tests: tuple[str, ...] = ()
    exception: BaseException | None = None
    skipped: tuple[str, ...] = ()
    """Models that were not built because a model above them failed."""


@dataclass
class Invocation:
    """One dbt command. Iterating over it runs the command and gives its events: dictionaries as in dbt's JSON log.
    After that, `result` says how the command ended.
    """

    arguments: Sequence[str]
    manifest: Any
    settings: Settings
    as_of: datetime
    result: DbtResult = field(default_factory=DbtResult)
    _events: queue.SimpleQueue[dict[str, Any] | None] = field(default_factory=queue.SimpleQueue, repr=False)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        settle()
        thread = threading.Thread(target=self._run, name="dbt", daemon=True)
        _threads[:] = [thread]
        thread.start()
        try:
            while (event := self._events.get()) is not None:
                yield event
        except BaseException:
            # Python closes an unfinished generator only when it collects the generator. By then another command may be
            # running. So queries are cancelled only if the thread of this command still runs.
            if thread.is_alive():
                cancel()
                thread.join(timeout=30)
            raise
        thread.join()

    def _run(self) -> None:
        _running.set()
        try:
            from dbt.cli.main import dbtRunner

            shortcuts.take()
            listener = shortcuts.Listener(self._event, _READ)
            with shortcuts.warehouse_opened_once():
                outcome = dbtRunner(manifest=self.manifest, callbacks=[listener]).invoke(list(self.arguments))
            self.result = _result(outcome)
            tested.record(self.settings, tested.passed(getattr(outcome.result, "results", None) or []), self.as_of)
        except BaseException as error:
            self.result = DbtResult(exception=error)
        finally:
            _running.clear()
            self._events.put(None)

    def _event(self, event: Any) -> None:
        from google.protobuf.json_format import MessageToDict

        self._events.put(
            MessageToDict(event, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
        )


_running = threading.Event()
_threads: list[threading.Thread] = []


def _forget() -> None:
    """Forget the thread of dbt after a fork: the new process does not have it."""
    _running.clear()
    _threads.clear()


os.register_at_fork(after_in_child=_forget)
# Only these events are read. dbt sends about thirty others for each of them.
_READ = frozenset({"LogModelResult", "LogSeedResult", "LogSnapshotResult", "LogTestResult", "LogSkipBecauseError"})


def build(
    manifest: DbtManifest,
    settings: Settings,
    *,
    select: Sequence[str],
    as_of: datetime,
    exclude: Sequence[str] = (),
    rebuild: tuple[date, date] | None = None,
    command: str = "build",
    with_tests: bool = True,
    memory_limit: str = "3GB",
    threads: int = 0,
    extra_vars: Mapping[str, Any] | None = None,
) -> Invocation:
    """A dbt command over `select`.

    `rebuild`: the first and the last business date of a range that is built anew, besides the touched dates.
    """
    settings.export(OPS_MEMORY_LIMIT=memory_limit, OPS_DBT_THREADS=str(threads or DEFAULT_THREADS))
    variables: dict[str, Any] = {"as_of": as_of.isoformat(), **(extra_vars or {})}
    if rebuild is not None:
        variables |= {"rebuild_from": rebuild[0].isoformat(), "rebuild_to": rebuild[1].isoformat()}
    arguments = [
        *QUIET,
        command,
        *folders(manifest.project_dir),
        "--target-path",
        str(manifest.project_dir / "target" / "runs"),
        "--no-write-json",
        "--vars",
        json.dumps(variables),
        "--indirect-selection",
        "buildable",
        "--select",
        *select,
    ]
    if exclude:
        arguments += ["--exclude", *exclude]
    if command == "build":
        # Unit tests check the SQL and not the data. `make test` runs them.
        arguments += ["--exclude-resource-types", "unit_test", *([] if with_tests else ["test"])]
    return Invocation(arguments, manifest.to_run(select), settings, as_of)


def settle() -> None:
    """Wait until dbt has ended. Queries of a command that its caller has abandoned are interrupted."""
    for thread in _threads:
        if thread.is_alive():
            cancel()
            thread.join(timeout=60)


def cancel() -> None:
    """Interrupt the queries that dbt runs in this process, if there are any."""
    if not _running.is_set():
        return
    from dbt.adapters.factory import FACTORY

    for adapter in list(FACTORY.adapters.values()):
        with contextlib.suppress(Exception):
            list(adapter.cancel_open_connections())  # type: ignore[attr-defined]  # SQL adapters have it, the protocol lacks it


def _result(outcome: Any) -> DbtResult:
    results = getattr(outcome.result, "results", None) or []
    errors, failed, skipped = [], [], []
    for item in results:
        status, name = str(item.status), item.node.name
        if status == "error" or status == "runtime error":
            errors.append(f"{name}: {item.message or 'failed without a message'}")
        elif status == "fail":
            failed.append(name)
        elif status == "skipped" and item.node.resource_type != "test":
            skipped.append(name)
    return DbtResult(tuple(errors), tuple(failed), outcome.exception, tuple(skipped))


logging.getLogger("dbt").setLevel(logging.ERROR)
