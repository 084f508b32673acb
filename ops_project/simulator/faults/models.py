"""Faults of the models: a missing file, a changed library, and inputs that are shuffled or cut off.

Shuffled inputs keep every total of their table, so only the model that reads these inputs can show the damage, when it
predicts. Damage to the table of customers' days stays until a delivery touches their business dates. Then the build
replaces these dates.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from ops_project.settings import Settings
from ops_project.simulator.faults.fault import Details, Fault
from ops_project.simulator.faults.request import FaultError

MODEL, INPUTS = "churn", "silver.int_customer_days"
OTHER_VERSION = "0.1"


def remove_file(settings: Settings) -> Details:
    _, state, version = _serving(settings)
    file = settings.models / state[MODEL]["versions"][version]["file"]
    file.unlink(missing_ok=True)
    return {"model": MODEL, "version": version, "file": file.name}


def change_library(settings: Settings) -> Details:
    """Write another library version into the model's file, as if that version had trained it, and register the file."""
    path, state, version = _serving(settings)
    entry = state[MODEL]["versions"][version]
    file = settings.models / entry["file"]
    model = json.loads(file.read_text(encoding="utf-8"))
    model["libraries"] = dict.fromkeys(model["libraries"], OTHER_VERSION)
    file.write_text(json.dumps(model, sort_keys=True), encoding="utf-8")
    entry["sha256"] = hashlib.sha256(file.read_bytes()).hexdigest()
    path.write_text(json.dumps(state, indent=1, sort_keys=True), encoding="utf-8")
    return {"model": MODEL, "version": version, "libraries": model["libraries"]}


def _serving(settings: Settings) -> tuple[Path, dict[str, Any], str]:
    """The path of serving.json, its content, and the version of the model in use."""
    path = settings.models / "serving.json"
    state: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if MODEL not in state:
        raise FaultError(f"this home has no model of {MODEL} yet; run the pipeline first")
    return path, state, state[MODEL]["history"][-1]


def shuffle_views(connection: duckdb.DuckDBPyConnection, _found_at: str, _day: date | None) -> Details:
    """Give each customer the visits of another customer. The distribution stays the same.

    The damage is in the inputs of the model, but the platform must find it in the predictions.
    """
    table = INPUTS
    [[rows]] = connection.execute(f"SELECT count(*) FROM {table} WHERE product_views > 0").fetchall()
    if not rows:
        raise FaultError(f"table {table} has no visits to shuffle")
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE shuffled_views AS
        WITH people AS (SELECT DISTINCT customer_id FROM {table}),
        numbered AS (
            SELECT customer_id, row_number() OVER (ORDER BY md5(customer_id)) AS place,
                row_number() OVER (ORDER BY md5(customer_id || '!')) AS other
            FROM people
        )
        SELECT mine.customer_id, days.business_date, days.product_views
        FROM numbered AS mine
        JOIN numbered AS theirs ON mine.place = theirs.other
        JOIN {table} AS days ON days.customer_id = theirs.customer_id AND days.product_views > 0;
        UPDATE {table} SET product_views = 0;
        UPDATE {table} SET product_views = shuffled_views.product_views FROM shuffled_views
        WHERE {table}.customer_id = shuffled_views.customer_id AND {table}.business_date = shuffled_views.business_date;
        INSERT INTO {table} BY NAME
        SELECT customer_id, business_date, 0 AS orders, 0 AS undone_orders, 0 AS sales_orders, 0 AS units,
            0 AS gross_revenue, 0 AS net_revenue, 0 AS unconverted_lines, 0 AS web_events, product_views,
            0 AS cart_additions,
            (SELECT max(dbt_updated_at) FROM {table}) AS dbt_updated_at
        FROM shuffled_views AS views
        WHERE NOT EXISTS (
            SELECT 1 FROM {table} AS days
            WHERE days.customer_id = views.customer_id AND days.business_date = views.business_date
        )
        """
    )
    return {"table": table, "column": "product_views", "rows": rows}


def truncate_history(connection: duckdb.DuckDBPyConnection, table: str, _day: date | None) -> Details:
    """Delete all days of about two thirds of the customers."""
    rows = connection.execute(f"DELETE FROM {table} WHERE hash(customer_id) % 3 > 0 RETURNING customer_id").fetchall()
    return {"table": table, "rows": len(rows), "customers": len(set(rows))}


FAULTS = (
    Fault(
        "model_file_missing",
        "removes the file of the churn model that is in use",
        "S3",
        "mart_build_failure",
        "orders",
        asset="gold/customer_churn_predictions",
        apply="model",
        act=remove_file,
    ),
    Fault(
        "model_library_changed",
        "makes the churn model depend on a library version that is not installed",
        "S3",
        "mart_build_failure",
        "orders",
        asset="gold/customer_churn_predictions",
        apply="model",
        act=change_library,
    ),
    Fault(
        "model_input_shuffled",
        "gives each customer the site visits of another, so that the column loses its meaning",
        "S3",
        "data_invalid",
        "web_events",
        asset="gold/customer_churn_predictions",
        apply="warehouse",
        act=shuffle_views,
    ),
    Fault(
        "model_training_truncated",
        "removes two of three customers from the data that the models are trained on",
        "S3",
        "reconciliation_break",
        "orders",
        asset="silver/int_customer_days",
        apply="warehouse",
        act=truncate_history,
    ),
)
