"""A small web shop's bronze tables, filled batch by batch as landing would, and the dbt builds on top of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from ops_project import catalog
from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from ops_project.pipeline.dbt_engine import runner as dbt_runner
from ops_project.pipeline.landing import overruled
from ops_project.pipeline.landing.write.tables import ensure_tables
from ops_project.settings import Settings

FEEDS = ("customers", "products", "orders", "order_items", "exchange_rates", "web_events")
CLOCKS = ("dbt_updated_at", "metric_updated_at")
FIRST = date(2026, 1, 1)
Row = Mapping[str, Any]


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


@dataclass
class Shop:
    """One home. `land` writes a batch, `build` runs dbt, `tables` gives the business columns of what was built."""

    home: Path
    load_seq: int = 0
    clock: datetime = field(default=datetime(2026, 3, 1, 7, tzinfo=UTC))

    def __post_init__(self) -> None:
        self.settings = Settings.load(home=self.home, environ={})
        self.settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
        self.feeds = catalog.load(self.settings).feeds
        with self.connect() as connection:
            ensure_tables(connection, [self.feeds[name] for name in FEEDS])

    def connect(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(str(self.settings.warehouse))

    def land(
        self,
        feed: str,
        business_date: date,
        rows: Iterable[Row],
        *,
        replaces: bool = False,
        file_date: date | None = None,
        quarantined: int = 0,
        partial: bool = False,
    ) -> None:
        """Land one batch of `feed`. `replaces`: the batch corrects and replaces all batches of its date.

        `file_date`: the date in the file's name, if the rows are of another date. `partial`: fewer rows than expected.
        """
        with self.connect() as connection:
            if replaces:
                connection.execute(
                    "update ops.batches set status = 'replaced' where feed = ? and business_date = ?",
                    [feed, file_date or business_date],
                )
            self._land(connection, feed, business_date, list(rows), replaces)
            self._journal(connection, feed, file_date or business_date, quarantined, partial)

    def contract(self, feed: str, **values: Any) -> None:
        """Changes the contract of `feed`, in the form in which landing stores it before a build."""
        with self.connect() as connection:
            for name, value in values.items():
                connection.execute(f"update ops.feeds set {name} = ? where feed = ?", [value, feed])

    def _journal(
        self, connection: duckdb.DuckDBPyConnection, feed: str, file_date: date, quarantined: int, partial: bool
    ) -> None:
        batch = f"{feed}-{self.load_seq}"
        connection.execute(
            """
            insert into ops.batches by name
            select ? as batch_id, ? as feed, 'ecommerce' as domain, 'a file' as file_name, '' as part, '' as sha256,
                0 as size_bytes, ? as arrived_at, ? as business_date, ? as load_seq, 'loaded' as status,
                ? as rows_in, 0 as rows_loaded, ? as rows_quarantined, 0 as rows_filtered, 0 as rows_collapsed,
                ? as loaded_at
            """,
            [
                batch,
                feed,
                self.clock.replace(tzinfo=None),
                file_date,
                self.load_seq,
                quarantined,
                quarantined,
                self.clock.replace(tzinfo=None),
            ],
        )
        if partial:
            connection.execute(
                """
                insert into ops.findings by name
                select ? as finding_id, 'source_partial' as kind, ? as feed, ? as batch_id, '' as message,
                    'resolved' as state, ? as observed_at
                """,
                [batch, feed, batch, self.clock.replace(tzinfo=None)],
            )

    def land_day(self, *numbers: int) -> None:
        """Land everything that the shop delivers on these ordinary days."""
        with self.connect() as connection:
            for number in numbers:
                for feed, rows in ordinary_day(number).items():
                    self._land(connection, feed, day(number), rows, False)
                    self._journal(connection, feed, day(number), 0, False)

    def _land(
        self, connection: duckdb.DuckDBPyConnection, feed: str, business_date: date, rows: list[Row], replaces: bool
    ) -> None:
        self.load_seq += 1
        stamp: dict[str, Any] = {
            "business_date": business_date,
            "_batch_id": f"{feed}-{self.load_seq}",
            "_load_seq": self.load_seq,
            "ingestion_timestamp": self.clock.replace(tzinfo=None),
        }
        if feed in ("orders", "order_items"):
            stamp["order_date"] = business_date
        if feed == "web_events":
            stamp["event_date"] = business_date
        if feed == "exchange_rates":
            stamp["rate_date"] = business_date
        connection.begin()
        contract = self.feeds[feed]
        moved = overruled.Overruled(connection, contract)
        if replaces:
            moved.remember(f"bronze.{feed} where business_date = ?", [business_date])
            connection.execute(f"delete from bronze.{feed} where business_date = ?", [business_date])
        if rows:
            lines = [{**row, **stamp, "_line": line} for line, row in enumerate(rows, start=1)]
            marks = ", ".join(["(" + ", ".join("?" * len(lines[0])) + ")"] * len(lines))
            values = [value for line in lines for value in line.values()]
            connection.execute(f"insert into bronze.{feed} ({', '.join(lines[0])}) values {marks}", values)
        moved.remember(f"bronze.{feed} where _load_seq = ?", [self.load_seq])
        touched = {business_date, *moved.dates()}
        for changed in overruled.with_days_after(contract, touched):
            connection.execute("insert into ops.touched_dates values (?, ?, ?)", [feed, changed, self.load_seq])
        connection.commit()

    def build(
        self,
        *select: str,
        command: str = "run",
        rebuild: tuple[date, date] | None = None,
        from_nothing: tuple[str, ...] = (),
    ) -> dbt_runner.DbtResult:
        """Run dbt over `select` (default: all of e-commerce), an hour after the build before it."""
        self.clock += timedelta(hours=1)
        select = select or ("tag:ecommerce",)
        if command == "test":
            # Unit tests are about the SQL: test_mutants.py runs them.
            select = tuple(f"{name},test_type:data" for name in select)
        with self.settings.exported():
            invocation = dbt_runner.build(
                dbt_manifest.load(),
                self.settings,
                select=select,
                as_of=self.clock,
                command=command,
                rebuild=rebuild,
                extra_vars={"rebuild_tables": list(from_nothing)},
            )
            for _ in invocation:
                pass
        assert not invocation.result.errors, invocation.result.errors
        assert invocation.result.exception is None, invocation.result.exception
        return invocation.result

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """Table → its rows without the columns that hold a clock, in order."""
        with self.connect() as connection:
            return {name: rows_of(connection, name) for name in built(connection)}

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        with self.connect() as connection:
            return connection.execute(sql).fetchall()


def built(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """`schema.table` of everything in silver and gold, including leftovers of killed builds."""
    return [
        f"{schema}.{table}"
        for schema, table in connection.execute(
            "select schema_name, table_name from duckdb_tables() where schema_name in ('silver', 'gold') order by all"
        ).fetchall()
    ]


def rows_of(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[Any, ...]]:
    return connection.execute(f"select columns(name -> name not in {CLOCKS}) from {table} order by all").fetchall()


def customer(number: int, city: str, **more: Any) -> Row:
    return {"customer_id": f"C{number}", "city": city, "country": "NO", "loyalty_tier": "gold", **more}


def product(number: int, price: float, cost: float | None = 1) -> Row:
    return {"product_id": f"P{number}", "category": "Cat", "list_price": price, "unit_cost": cost, "is_active": True}


def order(number: int, customer_number: int | None, status: str = "delivered", **more: Any) -> Row:
    who = None if customer_number is None else f"C{customer_number}"
    return {
        "order_id": f"O{number}",
        "customer_id": who,
        "ordered_at": "2026-01-01 12:00:00",
        "status": status,
        "currency": "USD",
        "channel": "web",
        **more,
    }


def item(order_number: int, line: int, product_number: int, quantity: int = 1, price: str = "9.99") -> Row:
    return {
        "order_id": f"O{order_number}",
        "line_number": line,
        "product_id": f"P{product_number}",
        "quantity": quantity,
        "unit_price": price,
    }


def event(number: int, kind: str, customer_number: int | None = None, product_number: int | None = None) -> Row:
    return {
        "event_id": number,
        "occurred_at": "2026-01-01 12:00:00",
        "session_id": f"S{number // 3}",
        "customer_id": None if customer_number is None else f"C{customer_number}",
        "product_id": None if product_number is None else f"P{product_number}",
        "event_type": kind,
    }


def ordinary_day(number: int) -> dict[str, list[Row]]:
    """The five feeds of a day: a dozen orders of which some are undone, two lines each, forty events."""
    base = number * 100
    orders = [
        order(base + n, None if n % 7 == 0 else n % 5, ("delivered", "paid", "cancelled")[(n + number) % 3])
        for n in range(12)
    ]
    return {
        "customers": [customer(n, f"City {(n + number // 3) % 4}") for n in range(6)],
        "products": [product(n, 10 + number // 4, None if n == 3 else 4) for n in range(4)],
        "orders": orders,
        "order_items": [
            item(base + n, line, (n + line) % 4, -1 if n == 5 else 1 + n % 3, f"{5 + n}.{number:02}")
            for n in range(12)
            for line in (1, 2)
        ],
        "web_events": [
            event(base + n, ("page_view", "product_view", "add_to_cart")[n % 3], n % 6 if n % 2 else None, n % 4)
            for n in range(40)
        ],
    }
