"""Faults of the investor metrics: a wrong split of an experiment, a reported month that changes later, sales below
cost, joins that repeat or lose rows, and a renamed column.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import duckdb
import pyarrow as pa

from ops_project.simulator import investor
from ops_project.simulator.faults.fault import Details, Fault
from ops_project.simulator.faults.request import FaultError
from ops_project.simulator.faults.scene import Scene
from ops_project.simulator.investor_units import sales_of
from ops_project.simulator.records import Row

MOVED_SHARE = 0.25
# This changes a month's profit by about 2 %. That exceeds every tolerance, but no day has an unusual number of rows or
# an unusual profit.
RESTATED_DAYS, RESTATED_SHARE, RESTATED_TO = 3, 0.04, Decimal("0.2")
COST_FACTOR = 3
FAN_OUT_UNITS = 40
COUNTED_TWICE = 20


def sample_ratio_mismatch(scene: Scene) -> Details:
    """Assign a quarter of the newest experiment's treatment arm to control. The number of units stays the same."""
    file = scene.data()[-1]
    sheet = scene.sheet(file)
    experiment, arm = sheet.column("experiment_id"), sheet.column("arm")
    newest = max(row.fields[experiment] for row in sheet.rows)
    treated = [row for row in sheet.rows if row.fields[experiment] == newest and row.fields[arm] == "treatment"]
    moved = scene.rng.choice(len(treated), int(len(treated) * MOVED_SHARE), replace=False)
    for index in moved:
        treated[index].fields[arm] = "control"
    scene.write(file, sheet)
    return {"file": file.name, "experiment": newest, "treatment_before": len(treated), "moved": len(moved)}


def restatement(scene: Scene) -> Details:
    """Send the largest sales of the last days of the previous month again, with a fifth of their revenue."""
    if scene.world is None:
        raise FaultError("only the simulator knows the earlier sales, so this fault cannot be used with --inbound-only")
    file = scene.data()[-1]
    sheet = scene.sheet(file)
    month_end = scene.day.replace(day=1) - timedelta(days=1)
    days = [month_end - timedelta(days=back) for back in range(RESTATED_DAYS)]
    revenue, updated = sheet.column("unit_revenue"), sheet.column("updated_at")
    added = 0
    for day in days:
        for fields in _largest(_rendered(scene, day), revenue, sheet.column("quantity")):
            fields[revenue] = str((Decimal(fields[revenue]) * RESTATED_TO).quantize(Decimal("0.01")))
            fields[updated] = f"{scene.day} 23:00:00"
            sheet.rows.append(Row(fields))
            added += 1
    scene.write(file, sheet)
    return {"file": file.name, "month": f"{month_end:%Y-%m}", "days": [str(day) for day in days], "rows": added}


def _largest(rows: list[list[str]], revenue: int, quantity: int) -> list[list[str]]:
    """The sales with the most revenue; at least one sale."""
    ordered = sorted(rows, key=lambda fields: Decimal(fields[revenue]) * int(fields[quantity]), reverse=True)
    return ordered[: max(1, round(len(rows) * RESTATED_SHARE))]


def _rendered(scene: Scene, day: date) -> list[list[str]]:
    assert scene.world is not None
    table = pa.table(dict(investor.transactions(sales_of(scene.world, day), late=False)))
    with duckdb.connect() as connection:
        connection.register("simulated", table)
        rows = connection.execute(f"SELECT {investor.TRANSACTION_SQL} FROM simulated").fetchall()
    return [[str(value) for value in row] for row in rows]


def negative_profit(scene: Scene) -> Details:
    """Multiply the cost of every sale of the day by three."""
    file = scene.data()[-1]
    sheet = scene.sheet(file)
    cost = sheet.column("unit_cost")
    for row in sheet.rows:
        row.fields[cost] = str(Decimal(row.fields[cost]) * COST_FACTOR)
    scene.write(file, sheet)
    return {"file": file.name, "column": "unit_cost", "factor": COST_FACTOR, "rows": len(sheet.rows)}


def fan_out(scene: Scene) -> Details:
    """Assign some units to both arms. Then a join on the unit counts the sales of these units twice."""
    file = scene.data()[-1]
    sheet = scene.sheet(file)
    arm = sheet.column("arm")
    chosen = scene.rng.choice(len(sheet.rows), min(FAN_OUT_UNITS, len(sheet.rows)), replace=False)
    for index in sorted(chosen.tolist()):
        again = sheet.rows[index].copy()
        again.fields[arm] = "control" if again.fields[arm] == "treatment" else "treatment"
        sheet.rows.append(again)
    scene.write(file, sheet)
    return {"file": file.name, "rows_added": len(chosen)}


def wrong_join_key(scene: Scene) -> Details:
    """Write the units of the day's sales in lower case, so that a join on the unit finds no row."""
    file = scene.data()[-1]
    sheet = scene.sheet(file)
    unit = sheet.column("unit_id")
    before = str(sheet.rows[0].fields[unit])
    for row in sheet.rows:
        row.fields[unit] = str(row.fields[unit]).lower()
    scene.write(file, sheet)
    return {"file": file.name, "unit_before": before, "unit_after": before.lower(), "rows": len(sheet.rows)}


def count_twice(connection: duckdb.DuckDBPyConnection, table: str, day: date | None) -> Details:
    """Put some sales of a day into the table a second time, as a join on a key that is not unique would do."""
    dates = connection.execute(f"SELECT DISTINCT business_date FROM {table} ORDER BY 1 DESC LIMIT 3").fetchall()
    if not dates:
        raise FaultError(f"table {table} is empty")
    # The two newest dates are not used, because late files make the build replace them, which would repair the damage.
    chosen = day or dates[-1][0]
    added = connection.execute(
        f"INSERT INTO {table} SELECT * FROM {table} WHERE business_date = ? ORDER BY transaction_id LIMIT ? "
        "RETURNING transaction_id",
        [chosen, COUNTED_TWICE],
    ).fetchall()
    if not added:
        raise FaultError(f"table {table} has no sales of {chosen}")
    return {"table": table, "business_date": str(chosen), "rows_added": len(added)}


def rename_column(connection: duckdb.DuckDBPyConnection, table: str, day: date | None) -> Details:  # noqa: ARG001
    """Rename a column, as an incomplete deployment would. Then the table and the code that builds it do not agree."""
    connection.execute(f"ALTER TABLE {table} RENAME COLUMN spend_amount TO spend")
    return {"table": table, "column": "spend_amount", "is_now": "spend"}


FAULTS = (
    Fault(
        "sample_ratio_mismatch",
        "assigns a quarter of a treatment arm to control",
        "S2",
        "value_anomaly",
        "experiment_assignments",
        act=sample_ratio_mismatch,
    ),
    Fault(
        "restatement",
        "restates the largest sales of a month that was reported",
        "S2",
        "reconciliation_break",
        "transactions",
        act=restatement,
    ),
    Fault(
        "negative_profit",
        "triples the cost of every sale of the day",
        "S2",
        "value_anomaly",
        "transactions",
        act=negative_profit,
    ),
    Fault(
        "fan_out",
        "assigns forty units to both arms of an experiment",
        "S2 S1",
        "key_violation",
        "experiment_assignments",
        act=fan_out,
    ),
    Fault(
        "wrong_join_key",
        "spells the units of the day's sales in another way, so that no join finds them",
        "S2",
        "reference_violation",
        "transactions",
        act=wrong_join_key,
    ),
    Fault(
        "sales_counted_twice",
        "repeats twenty sales of a day in the fact table, as a join on a wrong key would",
        "S2 S1",
        "reconciliation_break",
        "transactions",
        asset="silver/fact_transactions",
        apply="warehouse",
        act=count_twice,
    ),
    Fault(
        "transformation_broken",
        "renames a column of a table that is built day by day, so that its transformation fails",
        "S2 S1 S4",
        "code_error",
        "marketing_spend",
        asset="silver/fact_marketing_spend",
        apply="warehouse",
        act=rename_column,
    ),
)
