"""Faults of marketing that are not in its files: a mapping that is no longer right, and a 360 that cannot be built."""

from __future__ import annotations

from datetime import date

import duckdb

from ops_project.simulator.faults.fault import Details, Fault
from ops_project.simulator.faults.request import FaultError

CUSTOMERS = 40
SATELLITE, MAPPED_COLUMN = "silver.sat_customer_profile", "country"


def break_mapping(connection: duckdb.DuckDBPyConnection, table: str, day: date | None) -> Details:  # noqa: ARG001
    """Empty the source column of a mandatory field for the customers that changed last. Then the interface refuses
    them.
    """
    rows = connection.execute(
        f"SELECT customer_hk, max(load_datetime) FROM {SATELLITE} WHERE {MAPPED_COLUMN} IS NOT NULL "
        "GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ?",
        [CUSTOMERS],
    ).fetchall()
    if not rows:
        raise FaultError(f"table {SATELLITE} is empty")
    connection.execute(
        f"UPDATE {SATELLITE} SET {MAPPED_COLUMN} = NULL WHERE customer_hk IN (SELECT unnest(?))",
        [[row[0] for row in rows]],
    )
    return {"satellite": SATELLITE, "column": MAPPED_COLUMN, "customers": len(rows), "target": table}


def lose_column(connection: duckdb.DuckDBPyConnection, table: str, day: date | None) -> Details:  # noqa: ARG001
    """Empty the source column of a mandatory field for every customer, as if the values had moved to another column."""
    changed = connection.execute(f"UPDATE {SATELLITE} SET {MAPPED_COLUMN} = NULL RETURNING 1").fetchall()
    if not changed:
        raise FaultError(f"table {SATELLITE} is empty")
    return {"satellite": SATELLITE, "column": MAPPED_COLUMN, "rows": len(changed), "target": table}


def leave_calendar(connection: duckdb.DuckDBPyConnection, table: str, day: date | None) -> Details:  # noqa: ARG001
    """Give a customer a registration date that no calendar has. The 360 must contain the days since this date."""
    changed = connection.execute(
        f"UPDATE {SATELLITE} SET created_date = '-infinity' WHERE customer_hk = ("
        f"SELECT customer_hk FROM {SATELLITE}_current WHERE NOT is_deleted ORDER BY customer_hk LIMIT 1) RETURNING 1"
    ).fetchall()
    if not changed:
        raise FaultError(f"table {SATELLITE} is empty")
    return {"satellite": SATELLITE, "column": "created_date", "rows": len(changed), "target": table}


FAULTS = (
    Fault(
        "mapping_broken",
        "empties a satellite's field that the interface maps to a mandatory one",
        "S0",
        "interface_load_failure",
        "mart_customers",
        asset="silver/uds_customer",
        apply="warehouse",
        act=break_mapping,
    ),
    Fault(
        "interface_build_broken",
        "empties the source of a mandatory field for every customer, so that the interface must not be written",
        "S0",
        "interface_load_failure",
        "mart_customers",
        asset="silver/int_customer_mapped",
        apply="warehouse",
        act=lose_column,
    ),
    Fault(
        "mart_build_broken",
        "makes the build of the Customer 360 fail",
        "S0",
        "mart_build_failure",
        "mart_customers",
        asset="gold/customer_360",
        apply="warehouse",
        act=leave_calendar,
    ),
)
