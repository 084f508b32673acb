"""Opens the ledger and its transactions. The other files of this folder read and write its tables."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote
from weakref import WeakSet

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import Pool

from ops_project.operations.ledger import schema
from ops_project.operations.ledger.acknowledgements import AcknowledgementTable
from ops_project.operations.ledger.alerts import AlertTable
from ops_project.operations.ledger.answers import Answers
from ops_project.operations.ledger.audit import AuditTable
from ops_project.operations.ledger.changes import ChangeTable
from ops_project.operations.ledger.checklists import ChecklistTable
from ops_project.operations.ledger.column_lineage import ColumnLineageTable
from ops_project.operations.ledger.cursors import CursorTable, mark_written
from ops_project.operations.ledger.engine_state import EngineStateTable
from ops_project.operations.ledger.holds import HoldTable
from ops_project.operations.ledger.incidents import IncidentTable
from ops_project.operations.ledger.leases import LeaseTable
from ops_project.operations.ledger.levels import LevelTable
from ops_project.operations.ledger.oncall import OnCallTable
from ops_project.operations.ledger.outbox import OutboxTable
from ops_project.operations.ledger.pruning import PruneTable
from ops_project.operations.ledger.signals import SignalTable, new_newest
from ops_project.operations.ledger.silences import SilenceTable
from ops_project.operations.ledger.unusable import LedgerNewer, LedgerUnusable, as_unusable, is_server, shown

LIMITS: dict[str, int] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""Options of libpq, in seconds; the last one is in milliseconds."""
MIGRATIONS = Path(__file__).parent / "migrations"
# The longest time that one writer waits for another. The longest transaction, which stores a batch of signals, takes
# much less than a second.
BUSY_SECONDS = 30
# Each of these is a single statement, because every further statement would be another round trip to the server.
_LOCK = "SELECT pg_advisory_xact_lock(74011)"
_LOCK_NOT_DURABLE = "SELECT set_config('synchronous_commit', 'off', true), pg_advisory_xact_lock(74011)"


def _make_folder(folder: Path, url: URL) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerUnusable(shown(url), error) from error


def with_driver(url: URL) -> URL:
    """The URL with the name of the installed driver. Without it, SQLAlchemy 2.1 would use psycopg 3 for
    `postgresql://`.
    """
    return url.set(drivername="postgresql+psycopg2") if url.drivername == "postgresql" else url


def connection_options(url: URL) -> dict[str, Any]:
    """The options of a connection to a server, except those that the URL itself gives. Without them, a cycle would wait
    a quarter of an hour for a server that has vanished from the network, and two hours if it only waits for an answer.
    """
    return {name: value for name, value in LIMITS.items() if name not in url.query}


class Ledger(
    CursorTable,
    EngineStateTable,
    SignalTable,
    LevelTable,
    AlertTable,
    OutboxTable,
    SilenceTable,
    AcknowledgementTable,
    LeaseTable,
    OnCallTable,
    IncidentTable,
    AuditTable,
    HoldTable,
    ChecklistTable,
    ColumnLineageTable,
    ChangeTable,
    PruneTable,
):
    """One open ledger. Several processes may use the same ledger at the same time."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.forget()
        _open.add(self)

    def forget(self) -> None:
        """Forget what is kept in memory. It is read again when it is next needed."""
        self.answers = Answers(self.read_cursors)
        self.newest = new_newest()
        self.kept = None

    @classmethod
    def open(cls, url: str) -> Ledger:
        """Open the ledger at `url`; create or migrate it if needed. `url` has the form of SQLAlchemy. `postgresql://`
        means the driver psycopg2.
        """
        parsed = with_driver(make_url(url))
        options: dict[str, Any] = {}
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            _make_folder(Path(parsed.database).parent, parsed)
            if _is_read_only(Path(parsed.database)):
                options["creator"] = partial(_opened_to_read, Path(parsed.database))
        if parsed.get_backend_name() == "sqlite" and "creator" not in options:
            options["connect_args"] = {"timeout": BUSY_SECONDS}
        if parsed.drivername == "postgresql+psycopg2":
            # With ON CONFLICT, an INSERT makes one round trip for each row: 970 signals a second on a busy machine.
            # With this setting, 2,450 signals a second were written.
            options |= {"executemany_mode": "values_plus_batch", "executemany_batch_page_size": 500}
            options["connect_args"] = connection_options(parsed)
        try:
            engine = create_engine(parsed, **options)
        except (ImportError, NoSuchModuleError, ValueError, TypeError) as error:
            raise LedgerUnusable(shown(parsed), error, is_server(parsed)) from error
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _on_connect_to_read if "creator" in options else _on_connect)
            event.listen(engine, "begin", _on_begin)
        ledger = cls(engine)
        event.listen(engine, "handle_error", partial(as_unusable, parsed))
        try:
            ledger._migrate()
        except LedgerUnusable:
            engine.dispose()
            raise
        except SQLAlchemyError as error:
            engine.dispose()
            raise LedgerUnusable(shown(parsed), error, is_server(parsed)) from error
        return ledger

    def close(self) -> None:
        self.engine.dispose()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads. It sees one consistent state, and never waits for a writer."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self, durable: bool = True, marked: bool = True) -> Iterator[Connection]:
        """A transaction that writes. It takes the lock at its start, so that it cannot fail half-way.

        `durable`: False if the commit need not wait for the disk. The commit then survives a kill but perhaps not a
        power cut. This is for values that only a running process uses: leases, heartbeats, and the times of looks. An
        idle cycle has two such commits and no others. `marked`: False if the transaction writes only leases and
        cursors, and so changes no kept answer (see `Answers`).
        """
        options = {"ops_write": True, "ops_durable": durable}
        with self.engine.connect().execution_options(**options) as connection, connection.begin():
            if connection.dialect.name == "postgresql":
                # Sequence numbers must become visible in their order. Otherwise a reader's cursor would move past a
                # number that is committed later.
                connection.exec_driver_sql(_LOCK if durable else _LOCK_NOT_DURABLE)
            yield connection
            if marked:
                mark_written(connection)
        self.answers.forget_cursors()

    def version(self) -> str | None:
        """The number of the last migration, for example 0008; None if the database is empty."""
        with self.read() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()

    def _migrate(self) -> None:
        # Importing Alembic takes 0.2 s. So it is imported only if there is something to migrate.
        found = self.version() or ""
        if found == schema.HEAD:
            return
        if found.isdigit() and found > schema.HEAD:
            raise LedgerNewer(shown(self.engine.url), found, schema.HEAD)
        from alembic import command
        from alembic.config import Config

        # No mark is written here, because its table is only created by the migrations.
        with self.write(marked=False) as connection:
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _is_read_only(file: Path) -> bool:
    """Whether the file exists but cannot be written to, because its file system is read-only or another user
    owns it.
    """
    return file.is_file() and not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK))


def _opened_to_read(file: Path) -> sqlite3.Connection:
    """Open the ledger for reading in a place where nothing can be written. In its usual mode, SQLite writes files
    beside the database.
    """
    log = file.with_name(f"{file.name}-wal")
    # If the log has content, it must be read too. SQLite can do that only if the index of the log still exists.
    mode = "mode=ro" if log.is_file() and log.stat().st_size else "mode=ro&immutable=1"
    return sqlite3.connect(f"file:{quote(str(file))}?{mode}", uri=True, timeout=BUSY_SECONDS, check_same_thread=False)


def _on_connect_to_read(connection: Any, _record: Any) -> None:
    connection.isolation_level = None


_open: WeakSet[Ledger] = WeakSet()
_inherited: list[Pool] = []
"""Connections of the parent process. This process must neither use nor close them."""


def _after_fork() -> None:
    for ledger in _open:
        _inherited.append(ledger.engine.pool)
        ledger.engine.dispose(close=False)
        ledger.forget()


os.register_at_fork(after_in_child=_after_fork)


def _on_connect(connection: Any, _record: Any) -> None:
    # The driver's own transactions begin late and commit early. So its transactions are switched off, and ours are
    # explicit.
    connection.isolation_level = None
    cursor = connection.cursor()
    # This sets the page size of a new ledger only. With pages of 4 kilobytes, SQLite took a seventh longer to store
    # 100,000 signals.
    cursor.execute("PRAGMA page_size=8192")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    # The fingerprints and ids of signals are hashes, so their places in the index are scattered. With the default cache
    # of two megabytes, SQLite read the same index pages again and again while it stored 100,000 signals.
    cursor.execute("PRAGMA cache_size=-32768")
    # The log is copied into the database file when it has 16 megabytes. With the default of four, it was copied after
    # every batch of a backlog, which took a third of the time of the commit.
    cursor.execute("PRAGMA wal_autocheckpoint=4000")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("ops_write"):
        connection.exec_driver_sql("BEGIN")
        return
    # A decision that was carried out must survive a power cut, and not only a kill. Such a commit takes one fsync: 0.9
    # ms on an idle disk, and 20 ms on a busy one.
    wanted = "FULL" if options["ops_durable"] else "NORMAL"
    if connection.info.get("synchronous") != wanted:
        connection.exec_driver_sql(f"PRAGMA synchronous={wanted}")
        connection.info["synchronous"] = wanted
    connection.exec_driver_sql("BEGIN IMMEDIATE")
