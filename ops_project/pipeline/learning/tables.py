"""The tables that models fill, and the journal of training, scoring and health. The tables always exist. If a model
could not be built yet, its table is empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import duckdb

SEGMENTS, CHURN, RECOMMENDATIONS = "customer_segments", "customer_churn_predictions", "product_recommendations"

TABLES: dict[str, dict[str, str]] = {
    f"gold.{SEGMENTS}": {
        "customer_id": "varchar not null",
        "segment_name": "varchar not null",
        "recency_days": "integer not null",
        "order_count": "integer not null",
        "revenue": "decimal(18, 2) not null",
        "data_date": "date not null",
        "model_version": "varchar not null",
        "predicted_at": "timestamp not null",
    },
    f"gold.{CHURN}": {
        "customer_id": "varchar not null",
        "churn_probability": "double not null",
        "churn_risk": "varchar not null",
        "reasons": "varchar not null",
        "horizon_days": "integer not null",
        "data_date": "date not null",
        "model_version": "varchar not null",
        "predicted_at": "timestamp not null",
    },
    f"gold.{RECOMMENDATIONS}": {
        "product_id": "varchar not null",
        "recommended_product_id": "varchar not null",
        "place": "integer not null",
        "score": "double not null",
        "support": "bigint not null",
        "product_name": "varchar",
        "recommended_product_name": "varchar",
        "data_date": "date not null",
        "model_version": "varchar not null",
        "predicted_at": "timestamp not null",
    },
    "ops.model_trainings": {
        "model": "varchar not null",
        "version": "varchar",
        "as_of": "timestamp not null",
        "run_id": "varchar not null",
        "promoted": "boolean not null",
        "reason": "varchar not null",
        "message": "varchar not null",
        "code_version": "varchar not null",
        "metrics": "json not null",
        "facts": "json not null",
    },
    "ops.model_scorings": {
        "model": "varchar not null",
        "version": "varchar not null",
        "as_of": "timestamp not null",
        "run_id": "varchar not null",
        "rows": "bigint not null",
        "data_date": "date not null",
        "data_fingerprint": "varchar",
        "code_version": "varchar not null",
        "parameters": "json not null",
    },
    "ops.model_health": {
        "model": "varchar not null",
        "version": "varchar",
        "as_of": "timestamp not null",
        "run_id": "varchar not null",
        "metric": "varchar not null",
        "value": "double",
        '"limit"': "double",
        "status": "varchar not null",
        "detail": "varchar not null",
    },
}
TABLE_OF = {
    "segmentation": f"gold.{SEGMENTS}",
    "churn": f"gold.{CHURN}",
    "recommendations": f"gold.{RECOMMENDATIONS}",
}


def asset_of(model: str) -> str:
    """The asset to which findings about a model belong: `gold/<table>`."""
    return TABLE_OF[model].replace(".", "/")


def ensure(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the tables that do not exist yet."""
    connection.execute("create schema if not exists gold; create schema if not exists ops")
    for name, columns in TABLES.items():
        connection.execute(
            f"create table if not exists {name} ({', '.join(f'{column} {kind}' for column, kind in columns.items())})"
        )


def replace(connection: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Sequence[Any]]) -> int:
    """Replace the content of the table by these rows, in one transaction. Returns their number."""
    import pyarrow as pa

    names = list(TABLES[table])
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    incoming = pa.table({name: list(values) for name, values in zip(names, columns, strict=True)})
    connection.execute("begin")
    try:
        connection.execute(f"delete from {table}")
        if incoming.num_rows:
            connection.register("model_rows", incoming)
            connection.execute(f"insert into {table} select * from model_rows")
            connection.unregister("model_rows")
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
    return int(incoming.num_rows)
