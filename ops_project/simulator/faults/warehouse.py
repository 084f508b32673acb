"""Faults in tables, like those that a wrong transformation or a person makes. The warehouse is changed while its writer
lock is held.
"""

from __future__ import annotations

from datetime import datetime

import duckdb

from ops_project.catalog import Catalog
from ops_project.pipeline.warehouse import connection as warehouse
from ops_project.settings import Settings
from ops_project.simulator.faults.fault import Details
from ops_project.simulator.faults.registry import Resolved
from ops_project.simulator.faults.request import FaultError


def apply(fault: Resolved, settings: Settings, catalog: Catalog, now: datetime) -> Details:
    """Damage this home's warehouse. Raises FaultError if the table does not exist or has no fitting rows."""
    if not settings.warehouse.exists():
        raise FaultError(f"fault {fault.request}: this home has no warehouse yet; run the pipeline first")
    with warehouse.writer(settings, catalog.platform, owner=f"fault {fault.fault.id}", now=now) as held:
        details = tamper(held.connection(), fault)
        held.changed_unseen = True
        held.checkpoint()
    return details


def tamper(connection: duckdb.DuckDBPyConnection, fault: Resolved) -> Details:
    """Damage the fault's table in one transaction."""
    assert fault.fault.act is not None
    table = fault.asset.replace("/", ".")
    connection.execute("BEGIN")
    try:
        details = fault.fault.act(connection, table, fault.day)
        connection.execute("COMMIT")
    except BaseException as error:
        connection.execute("ROLLBACK")
        if isinstance(error, duckdb.CatalogException):
            message = str(error).splitlines()[0]
            raise FaultError(f"fault {fault.request}: {message}; run the pipeline first") from None
        raise
    return details
