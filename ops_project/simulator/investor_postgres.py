"""Writes the investor transactions into PostgreSQL, because real sources of this kind keep them in a database.

It writes the rows that the file would hold, including faults. It merges them by transaction_id, as the application
would. It creates its table if the table does not exist, and changes no other table.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import psycopg2
import psycopg2.extensions

TABLE = "transactions"
# Timestamps are UTC, as in the file. A reader that asks for rows after its last timestamp uses the index.
CREATE = f"""
CREATE TABLE IF NOT EXISTS {TABLE} (
    transaction_id bigint PRIMARY KEY,
    unit_id text NOT NULL,
    occurred_at timestamp NOT NULL,
    product_line text NOT NULL,
    region text NOT NULL,
    channel text NOT NULL,
    quantity integer NOT NULL,
    unit_revenue numeric(12, 2) NOT NULL,
    unit_cost numeric(12, 2) NOT NULL,
    currency text NOT NULL,
    status text NOT NULL,
    updated_at timestamp NOT NULL
);
CREATE INDEX IF NOT EXISTS {TABLE}_updated_at ON {TABLE} (updated_at)
"""
COLUMNS = (
    "unit_id",
    "occurred_at",
    "product_line",
    "region",
    "channel",
    "quantity",
    "unit_revenue",
    "unit_cost",
    "currency",
    "status",
    "updated_at",
)
MERGE = f"""
INSERT INTO {TABLE} SELECT DISTINCT ON (transaction_id) * FROM arrived ORDER BY transaction_id, updated_at DESC
ON CONFLICT (transaction_id) DO UPDATE SET {", ".join(f"{name} = EXCLUDED.{name}" for name in COLUMNS)}
"""


def fill(url: str, files: Iterable[Path]) -> int:
    """Merge transaction files (CSV with header, as simulated) into the database. Returns the number of rows in the
    files.

    All files are merged in one database transaction. If a row does not fit the table, nothing is merged, and ValueError
    is raised with the name of the file.
    """
    rows = 0
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(CREATE)
            for path in files:
                cursor.execute(f"CREATE TEMPORARY TABLE arrived (LIKE {TABLE}) ON COMMIT DROP")
                rows += _copy(cursor, path)
                cursor.execute(MERGE)
                cursor.execute("DROP TABLE arrived")
    finally:
        connection.close()
    return rows


def _copy(cursor: psycopg2.extensions.cursor, path: Path) -> int:
    with path.open(encoding="utf-8", newline="") as lines:
        try:
            cursor.copy_expert(f"COPY arrived ({lines.readline().strip()}) FROM STDIN (FORMAT csv)", lines)
        except psycopg2.Error as error:
            raise ValueError(f"{path.name} does not fit table {TABLE}: {str(error).splitlines()[0]}") from None
    return int(cursor.rowcount)
