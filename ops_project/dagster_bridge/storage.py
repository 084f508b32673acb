"""Dagster's SQLite event log, without a new connection and a disk sync for every event.

The stock class makes an engine, a connection and an fsync for each event. That takes 7 ms on an idle machine and 55 ms
on a busy disk, and a run of 20 tables has 500 events. Here a connection stays open, and SQLite syncs only at
checkpoints (`synchronous=NORMAL` in WAL mode). An event then takes 3 to 6 ms.

A power cut may lose the last events, but cannot damage the file. If a process is killed, nothing is lost.

The module uses Dagster's internal API. A test fails if that API changes.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import dagster
import sqlalchemy as db
from dagster import EventLogEntry
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage
from dagster._core.storage.schedules.sqlite.sqlite_schedule_storage import SqliteScheduleStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS, create_db_conn_string
from dagster._core.storage.sqlite_storage import (
    DagsterSqliteStorage,
    _event_logs_directory,
    _runs_directory,
    _schedule_directory,
)
from dagster._serdes import deserialize_value
from sqlalchemy.pool import StaticPool

from ops_project.dagster_bridge.event_rows import INDEXED, INSERT_EVENT, event_row, is_noted, texts_about_assets
from ops_project.dagster_bridge.masked_events import MaskedEvents, masked_text

OPEN_SHARDS = 16
"""The number of shards that stay open. A shard is the file of one run. A sensor that reads many runs keeps the newest
shards open.
"""


class EventLog(MaskedEvents, SqliteEventLogStorage):
    """Like SqliteEventLogStorage, with the same files. Connections stay open, and no event holds personal data."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._engines: OrderedDict[str, db.Engine] = OrderedDict()
        self._known_tables: set[str] = set()
        self._known_columns: set[str] = set()
        self._known_indexes: set[str] = set()
        self._in_transaction: dict[str, db.Connection] = {}
        super().__init__(*args, **kwargs)
        # The lock is reentrant, because code inside a transaction asks for its connection again.
        self._db_lock = threading.RLock()  # type: ignore[assignment]  # it is taken and given back like theirs

    def has_table(self, table_name: str) -> bool:
        """Whether the table exists. Dagster asks this for each check that is stored, with a new connection each
        time.
        """
        if table_name not in self._known_tables and super().has_table(table_name):
            self._known_tables.add(table_name)
        return table_name in self._known_tables

    def has_secondary_index(self, name: str) -> bool:
        """Whether a migration of the data has been completed. Dagster asks this several times for each check."""
        if name not in self._known_indexes and super().has_secondary_index(name):
            self._known_indexes.add(name)
        return name in self._known_indexes

    def _has_asset_key_col_on_connection(self, conn: Any, column_name: str) -> bool:
        """Whether the column exists. Dagster asks this for each event of an asset, and a column is never removed
        again.
        """
        if column_name not in self._known_columns and super()._has_asset_key_col_on_connection(conn, column_name):
            self._known_columns.add(column_name)
        return column_name in self._known_columns

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event, with one transaction for all of its entries in the index. The stock class uses up to three
        transactions. It also serializes the event for each entry, and compiles each statement again.
        """
        event, text = masked_text(event)
        indexed = event.is_dagster_event and event.dagster_event_type in INDEXED
        with self._transaction(INDEX_SHARD_NAME) if indexed else nullcontext():
            with self.run_connection(event.run_id) as connection:
                connection.exec_driver_sql(INSERT_EVENT, event_row(event, text))
            if indexed:
                self._index(event, text)

    def _index(self, event: EventLogEntry, text: str) -> None:
        kind, row = event.dagster_event_type, event_row(event, text)
        with self.index_connection() as connection:
            number = connection.exec_driver_sql(INSERT_EVENT, row).lastrowid
            if kind in ASSET_EVENTS:
                self._store_asset_event_tags(connection, [event], [number])
                self._store_asset_event(connection, event, number)
            elif kind in ASSET_CHECK_EVENTS and not is_noted(connection, event, row, number):
                self.store_asset_check_event(event, number)

    def complete_index(self, run_id: str) -> int:
        """Store in the index the events about assets and checks that only the run's shard has, because the process was
        killed between the two commits. Returns their number.

        Without them, Dagster and the alerts would not know of a table that the run did build.
        """
        with self._transaction(INDEX_SHARD_NAME):
            with self.index_connection() as connection:
                known = set(texts_about_assets(connection, run_id))
            with self.run_connection(run_id) as connection:
                lacking = [text for text in texts_about_assets(connection, run_id) if text not in known]
            for text in lacking:
                self._index(deserialize_value(text, EventLogEntry), text)
        return len(lacking)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store many events in one transaction for each file. The stock class uses a transaction for each event."""
        with self._transaction(INDEX_SHARD_NAME, *sorted({event.run_id for event in events})):
            for event in events:
                self.store_event(event)

    @contextmanager
    def _transaction(self, *shards: str) -> Iterator[None]:
        """Everything that the block writes to these shards is committed at the end of the block. If an error is raised,
        nothing is committed.

        The shards are committed in the reverse order of `shards`. The index is named first, so it is committed last. If
        the process is killed between two commits, the index may lack events of a run (see `complete_index`). The index
        never has an event that the run's shard lacks.
        """
        with ExitStack() as stack:
            stack.enter_context(self._db_lock)
            for shard in shards:
                if shard not in self._in_transaction:
                    self._in_transaction[shard] = stack.enter_context(self._connect(shard))
                    stack.callback(self._in_transaction.pop, shard)
            yield

    def _engine(self, shard: str) -> db.Engine:
        engine = self._engines.get(shard)
        if engine is None:
            engine = db.create_engine(
                self.conn_string_for_shard(shard),
                poolclass=StaticPool,
                connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
            )
            db.event.listen(engine, "connect", _no_sync_per_commit)
            self._engines[shard] = engine
            while len(self._engines) > OPEN_SHARDS:
                self._engines.popitem(last=False)[1].dispose()
        self._engines.move_to_end(shard)
        return engine

    @contextmanager
    def _connect(self, shard: str) -> Iterator[db.Connection]:
        with self._db_lock:
            if shard in self._in_transaction:
                yield self._in_transaction[shard]
                return
            if shard not in self._initialized_dbs:
                self._initialize(shard)
                self._initialized_dbs.add(shard)
            engine = self._engine(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def _initdb(self, engine: db.Engine, for_index_shard: bool = False) -> None:
        if not _is_made(Path(engine.url.database or "")):
            super()._initdb(engine, for_index_shard)

    def _initialize(self, shard: str) -> None:
        """Make the tables of a shard. For a new run, a template file with the tables is copied. Without the template,
        the tables cost 26 DDL statements, each with its fsync.
        """
        file, template = Path(self.path_for_shard(shard)), self._template()
        if shard != INDEX_SHARD_NAME and not file.exists() and template.is_file():
            partial = file.with_suffix(f".{os.getpid()}.new")
            shutil.copyfile(template, partial)
            partial.rename(file)
            return
        self._initdb(self._engine(shard))
        if shard != INDEX_SHARD_NAME and not template.exists():
            with self._engine(shard).connect() as connection:
                # This file holds only empty tables, because no event has been stored yet.
                connection.execute(db.text("PRAGMA wal_checkpoint(TRUNCATE)"))
            partial = template.with_suffix(f".{os.getpid()}.new")
            shutil.copyfile(file, partial)
            partial.rename(template)

    def _template(self) -> Path:
        # The template lies beside the folder, because Dagster takes every .db file in the folder for a run.
        return Path(self._base_dir).parent / f"empty-run-{dagster.__version__}.template"

    def dispose(self) -> None:
        with self._db_lock:
            while self._engines:
                self._engines.popitem()[1].dispose()
        super().dispose()


class RunStorage(SqliteRunStorage):
    """Like SqliteRunStorage, with the same file. Connections stay open and do not sync at every commit."""

    @classmethod
    def from_local(cls, base_dir: str, inst_data: Any = None) -> RunStorage:
        if _is_made(Path(base_dir) / "runs.db", table="instance_info"):
            return cls(create_db_conn_string(base_dir, "runs"), inst_data)
        return super().from_local(base_dir, inst_data)

    @contextmanager
    def connect(self) -> Iterator[db.Connection]:
        engine: db.Engine | None = getattr(self, "_kept", None)
        if engine is None:
            engine = self._kept = db.create_engine(
                self._conn_string,
                pool_size=2,
                connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
            )
            db.event.listen(engine, "connect", _no_sync_per_commit)
        with engine.connect() as connection, connection.begin():
            yield connection

    def dispose(self) -> None:
        kept: db.Engine | None = getattr(self, "_kept", None)
        if kept is not None:
            kept.dispose()
        super().dispose()


class ScheduleStorage(SqliteScheduleStorage):
    """Like SqliteScheduleStorage, with the same file. This class opens it faster."""

    @classmethod
    def from_local(cls, base_dir: str, inst_data: Any = None) -> SqliteScheduleStorage:
        if _is_made(Path(base_dir) / "schedules.db"):
            return cls(create_db_conn_string(base_dir, "schedules"), inst_data)
        return super().from_local(base_dir, inst_data)


class Storage(DagsterSqliteStorage):
    """Dagster's SQLite storage with the three classes above. dagster.yaml names it in `storage: {custom: …}`."""

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        self.base_dir = base_dir
        self._run_storage = RunStorage.from_local(_runs_directory(base_dir))
        self._event_log_storage = EventLog(_event_logs_directory(base_dir))
        self._schedule_storage = ScheduleStorage.from_local(_schedule_directory(base_dir))
        self._inst_data = inst_data
        # The next class's own __init__ would open the three stock storages first.
        super(DagsterSqliteStorage, self).__init__()  # type: ignore[no-untyped-call]  # Dagster gives it no types

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> Storage:
        return cls.from_local(inst_data=inst_data, **config_value)


def _is_made(file: Path, table: str = "alembic_version") -> bool:
    """Whether the tables of this database exist, including `table`. The stock classes load all of Dagster's 88
    migration scripts at each opening to find this out. That takes 20 ms for each of the three databases.
    """
    if not file.is_file():
        return False
    try:
        with closing(sqlite3.connect(file, timeout=SQLITE_BUSY_TIMEOUT_SECONDS)) as connection:
            version = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            return version is not None and bool(
                connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone()
            )
    except sqlite3.Error:
        return False  # The stock class then reports the error.


def _no_sync_per_commit(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")
