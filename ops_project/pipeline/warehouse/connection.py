"""The warehouse: one DuckDB file that only one process at a time opens. This module gives a connection with the
platform's settings. Readers open snapshots, never this file, because a read-only handle would block the writer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import duckdb

from ops_project.model.platform import Platform
from ops_project.pipeline.warehouse import standing, unseen
from ops_project.process import locks
from ops_project.settings import Settings
from ops_project.sql_text import literal


@dataclass
class Warehouse:
    """The writer's handle; exists only while this process holds the lock."""

    settings: Settings
    platform: Platform
    changed_unseen: bool = False
    """Whether tables were changed since the last snapshot without an entry in a journal of dates."""
    _connection: duckdb.DuckDBPyConnection | None = field(default=None, repr=False)

    def connection(self) -> duckdb.DuckDBPyConnection:
        """The one connection of this process, opened on first use. It is opened without options on purpose. DuckDB
        then shares its instance with dbt's own handle in this process, so that buffers stay warm between layers and
        memory is limited once. This works only if both are opened in the same way.
        """
        if self._connection is None:
            self._connection = duckdb.connect(str(self.settings.warehouse))
            configure(self._connection, self.platform, self.settings.warehouse.parent)
        return self._connection

    def checkpoint(self) -> None:
        """Move everything from the write-ahead log into the file, so that the file alone is the warehouse."""
        self.connection().execute("CHECKPOINT")

    def close(self) -> None:
        """Close the file; the next `connection()` opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def configure(connection: duckdb.DuckDBPyConnection, platform: Platform, folder: Path) -> None:
    """Set the limits of the machine. Above the memory limit DuckDB spills into `folder`/spill."""
    spill = literal(str(folder / "spill"))
    connection.execute(
        f"SET GLOBAL memory_limit = '{platform.warehouse.memory_limit}';"
        f"SET GLOBAL temp_directory = {spill};"
        "SET GLOBAL TimeZone = 'UTC';"
        "SET GLOBAL autoinstall_known_extensions = false;"
    )
    if platform.warehouse.threads:
        connection.execute(f"SET GLOBAL threads = {platform.warehouse.threads}")


@contextmanager
def writer(
    settings: Settings,
    platform: Platform,
    *,
    owner: str,
    now: datetime,
    run: str | None = None,
    timeout: float | None = None,
    on_wait: Callable[[locks.Holder | None], None] | None = None,
) -> Iterator[Warehouse]:
    """Hold the writer lock and the warehouse. The call waits while another process holds them. Raises locks.LockTimeout
    after `timeout` s. Raises standing.WarehouseUnusable if the warehouse was lost, replaced or damaged, because no
    process may write to it then, or if another program has it open.
    """
    with locks.hold(settings.lock, owner=owner, now=now, run=run, timeout=timeout, on_wait=on_wait):
        settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
        warehouse = Warehouse(settings, platform, changed_unseen=unseen.changed(settings))
        try:
            standing.require(settings, warehouse.connection, now)
            yield warehouse
        finally:
            warehouse.close()
            unseen.note(settings, warehouse.changed_unseen)
