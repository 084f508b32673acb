"""Makes the serving store refuse every write for ten minutes, like a DynamoDB table without capacity.

The fault works only for the embedded store. To make a table in DynamoDB refuse writes, lower its capacity there.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ops_project.catalog import Catalog
from ops_project.pipeline import serving
from ops_project.pipeline.serving import listening
from ops_project.pipeline.serving.embedded import EmbeddedStore
from ops_project.settings import Settings
from ops_project.simulator.faults.fault import Details
from ops_project.simulator.faults.registry import Resolved
from ops_project.simulator.faults.request import FaultError

REFUSES_FOR = timedelta(minutes=10)
ERROR = "ThrottlingException: the level of configured throughput for the table was exceeded"


def apply(fault: Resolved, settings: Settings, catalog: Catalog, now: datetime) -> Details:  # noqa: ARG001
    """Let this home's embedded store refuse writes. Raises FaultError if the home has another store."""
    store = serving.open_store(settings, listening.TABLE)
    try:
        if not isinstance(store, EmbeddedStore):
            raise FaultError(
                f"fault {fault.request}: the serving store is {store.name} in DynamoDB; lower its capacity there"
            )
    finally:
        store.close()
    # The store does not know the as-of time. It refuses writes by the machine's clock, like a real store.
    until = datetime.now(UTC) + REFUSES_FOR
    exhaust(settings.home / "serving" / f"{listening.TABLE}.db", until)
    return {"store": listening.TABLE, "refuses_until": until.isoformat(timespec="seconds")}


def exhaust(file: Path, until: datetime) -> None:
    """Let the store's file refuse every new and every removed item until the moment `until`."""
    with closing(sqlite3.connect(file)) as connection:
        for event in ("insert", "delete"):
            connection.execute(f"drop trigger if exists throttled_{event}")
            connection.execute(
                f"create trigger throttled_{event} before {event} on items "
                f"when cast(strftime('%s', 'now') as integer) < {int(until.timestamp())} "
                f"begin select raise(abort, '{ERROR}'); end"
            )
        connection.commit()
