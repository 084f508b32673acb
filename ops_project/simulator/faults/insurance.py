"""Faults of the policies: changes that the capture loses, and errors between two tables of the warehouse. Damage to a
table stays until a delivery touches the damaged business date. Then the build replaces the rows of this date.
"""

from __future__ import annotations

from datetime import date

import duckdb

from ops_project.simulator.faults.fault import Details, Fault
from ops_project.simulator.faults.request import FaultError
from ops_project.simulator.faults.scene import Scene

GAP = 7
RAISED_BY, OFFSET_BY = 500, 750


def cdc_gap(scene: Scene) -> Details:
    """Remove consecutive changes, as if they were lost on the way. The control file does not count them either."""
    file = scene.data()[-1]
    sheet = scene.sheet(file)
    if len(sheet.rows) < GAP + 2:
        raise FaultError(f"{file.name} has only {len(sheet.rows)} changes; a gap needs at least {GAP + 2}")
    start = (len(sheet.rows) - GAP) // 2
    lost = sheet.rows[start : start + GAP]
    del sheet.rows[start : start + GAP]
    scene.write(file, sheet)
    sequence = sheet.column("cdc_seq")
    return {"file": file.name, "from_seq": lost[0].fields[sequence], "to_seq": lost[-1].fields[sequence], "rows": GAP}


def raise_premiums(connection: duckdb.DuckDBPyConnection, table: str, day: date | None) -> Details:
    current, chosen = _chosen(connection, table, day, 3)
    _change(connection, table, current, chosen, RAISED_BY)
    return {**_where(table, current), "policies": chosen, "premium_changed_by": RAISED_BY}


def offset_premiums(connection: duckdb.DuckDBPyConnection, table: str, day: date | None) -> Details:
    """Raises one premium and lowers another by the same amount. Both policies have the same product and region, so no
    total of any KPI changes.
    """
    current, chosen = _chosen(connection, table, day, 2, f"AND premium > {OFFSET_BY}")
    _change(connection, table, current, chosen[:1], OFFSET_BY)
    _change(connection, table, current, chosen[1:], -OFFSET_BY)
    return {**_where(table, current), "raised": chosen[0], "lowered": chosen[1], "premium_changed_by": OFFSET_BY}


def lose_policies(connection: duckdb.DuckDBPyConnection, table: str, day: date | None) -> Details:
    current, chosen = _chosen(connection, table, day, 3)
    connection.execute(f"DELETE FROM {table} WHERE {current} AND policy_id IN (SELECT unnest(?))", [chosen])
    return {**_where(table, current), "policies": chosen}


def duplicate_policies(connection: duckdb.DuckDBPyConnection, table: str, day: date | None) -> Details:
    current, chosen = _chosen(connection, table, day, 2)
    mine = f"{current} AND policy_id IN (SELECT unnest(?))"
    connection.execute(f"INSERT INTO {table} SELECT * FROM {table} WHERE {mine}", [chosen])
    return {**_where(table, current), "policies": chosen}


def _chosen(
    connection: duckdb.DuckDBPyConnection, table: str, day: date | None, count: int, condition: str = ""
) -> tuple[str, list[str]]:
    """The rows that a fault changes: an SQL condition for the active policies of one date, and `count` policy ids.

    The policies have the same product and the same region. It is the pair of product and region that has the most
    policies on this date. Every call returns the same rows. Raises FaultError if there are fewer than `count` policies.

    `day`: the date. None means the newest date that has enough policies.

    `condition`: a further SQL condition for the policies.
    """
    dates = (
        [(day,)]
        if day
        else connection.execute(f"SELECT DISTINCT business_date FROM {table} ORDER BY 1 DESC").fetchall()
    )
    for (each,) in dates:
        current = f"business_date = DATE '{each}' AND policy_status = 'active'"
        rows = connection.execute(
            f"WITH candidates AS (SELECT * FROM {table} WHERE {current} {condition}), "
            "segment AS (SELECT product, region FROM candidates GROUP BY ALL "
            "ORDER BY count(*) DESC, product, region LIMIT 1) "
            "SELECT policy_id FROM candidates JOIN segment USING (product, region) ORDER BY policy_id LIMIT ?",
            [count],
        ).fetchall()
        if len(rows) == count:
            return current, [row[0] for row in rows]
    raise FaultError(
        f"table {table} has fewer than {count} active policies of one product and region on {day or 'any day'}"
    )


def _where(table: str, current: str) -> Details:
    return {"table": table, "rows": current}


def _change(connection: duckdb.DuckDBPyConnection, table: str, current: str, policies: list[str], by: int) -> None:
    connection.execute(
        f"UPDATE {table} SET premium = premium + ? WHERE {current} AND policy_id IN (SELECT unnest(?))", [by, policies]
    )


FAULTS = (
    Fault("cdc_gap", "loses seven consecutive changes", "S1", "source_partial", "policies", act=cdc_gap),
    Fault(
        "premium_changed_ods",
        "raises the premium of three policies by 500 between raw and ODS",
        "S1",
        "reconciliation_break",
        "policies",
        asset="silver/ods_policies",
        apply="warehouse",
        act=raise_premiums,
    ),
    Fault(
        "premium_changed_fact",
        "raises the premium of three policies by 500 between ODS and fact table",
        "S1",
        "reconciliation_break",
        "policies",
        asset="silver/fact_policies",
        apply="warehouse",
        act=raise_premiums,
    ),
    Fault(
        "offsetting_errors",
        "raises one premium by 750 and lowers another by as much, so that the total stays right",
        "S1",
        "reconciliation_break",
        "policies",
        asset="silver/fact_policies",
        apply="warehouse",
        act=offset_premiums,
    ),
    Fault(
        "policies_lost",
        "loses three policies between ODS and fact table",
        "S1",
        "reconciliation_break",
        "policies",
        asset="silver/fact_policies",
        apply="warehouse",
        act=lose_policies,
    ),
    Fault(
        "policies_duplicated",
        "repeats two policies in the fact table",
        "S1",
        "key_violation",
        "policies",
        asset="silver/fact_policies",
        apply="warehouse",
        act=duplicate_policies,
    ),
)
