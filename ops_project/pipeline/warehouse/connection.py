"""Opens the warehouse: one DuckDB file that only one process at a time opens. The connection has the platform's
settings. Readers open snapshots and never this file, because even a read-only connection would block the writer.
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
    """The writer's access to the warehouse. It exists only while this process holds the lock."""

    settings: Settings
    platform: Platform
    changed_unseen: bool = False
    """Whether tables were changed since the last snapshot in a way that no journal of dates records."""
    _connection: duckdb.DuckDBPyConnection | None = field(default=None, repr=False)

    def connection(self) -> duckdb.DuckDBPyConnection:
        """The only connection of this process to the warehouse. It is opened when it is first used, and without
        options. dbt opens its own connection in the same way, so DuckDB shares one instance between the two. Buffers
        then stay warm between layers, and the memory limit applies only once.
        """
        if self._connection is None:
            self._connection = duckdb.connect(str(self.settings.warehouse))
            configure(self._connection, self.platform, self.settings.warehouse.parent)
        return self._connection

    def checkpoint(self) -> None:
        """Write everything from the write-ahead log into the file, so that the file alone contains the whole
        warehouse.
        """
        self.connection().execute("CHECKPOINT")

    def close(self) -> None:
        """Close the file. The next `connection()` opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def configure(connection: duckdb.DuckDBPyConnection, platform: Platform, folder: Path) -> None:
    """Set the limits for the machine. Above the memory limit, DuckDB writes temporary data into `folder`/spill."""
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
    """Hold the writer's lock and the warehouse. The call waits while another process holds the lock.

    Raises locks.LockTimeout after `timeout` seconds. Raises standing.WarehouseUnusable if another program has the
    warehouse open, or if the warehouse was lost, replaced or damaged. No process may write to such a warehouse.
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
