"""Errors of DuckDB."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import duckdb

from ops_project.model.failure_class import FailureClass
from tests.operations.diagnosis.make_errors import Case

SETUP = """
create table orders (order_id integer primary key, customer_id integer not null, amount decimal(8, 2) check (amount >= 0));
create table customers (customer_id integer primary key, email varchar unique);
create table visits (visit integer, customer_id integer references customers (customer_id));
create table events (event_id bigint, happened_at timestamp, payload json);
insert into orders values (1, 1, 10); insert into customers values (1, 'a'); insert into visits values (1, 1);
create macro doubled(x) as x * 2; create sequence numbers maxvalue 2; create view recent as select * from events;
"""
SQL: list[tuple[FailureClass, list[str]]] = [
    (
        "schema_mismatch",
        [
            "select amonut from orders",
            "select orders.total from orders",
            "select * from order_lines",
            "select * from silver.fact_orders",
            "insert into orders values (1, 2)",
            "insert into orders values (5, 6, 7, 8)",
            "insert into orders (order_id, price) values (3, 3)",
            "select o.amount from orders as x",
            "create view v as select missing_column from customers",
            "alter table orders drop column nothing",
            "update orders set price = 3",
            "select * from orders union all select * from customers",
            "delete from no_such_table",
            "select timeout from orders",
            "select connection_refused from events",
            "copy orders (amont) from 'x.csv'",
            "select * from recent join order_429 using (event_id)",
            "alter table retry_timeouts add column x integer",
            "describe rate_limits",
            "select events.http_503 from events",
        ],
    ),
    (
        "data_invalid",
        [
            "select cast('12a' as integer)",
            "select 'connection refused'::integer",
            "select 'yesterday'::date",
            "select '2026-02-30'::date",
            "select 300::tinyint",
            "select '25:61'::time",
            "select 'maybe'::boolean",
            "select cast(99999999999 as integer)",
            "select 123456.789::decimal(4, 2)",
            "insert into orders values (7, 'x', 1)",
            "insert into orders values (8, null, 1)",
            "insert into orders values (9, 1, -5)",
            "select '{\"a\": '::json",
            "select strptime('03/04/2026', '%Y-%m-%d')",
            "select 9223372036854775807 + 1",
            "select '1e400'::double",
            "select 'timeout'::timestamp",
            "select '1.2.3'::decimal(5, 1)",
            "select 'zz'::uuid",
            "select json_extract('{x', '$.a')",
            "select cast(-1 as utinyint)",
            "select factorial(200)",
            "select '[1, b]'::integer[]",
            "select 'x'::interval",
            "select sqrt(-1)",
            "select ln(0 - 1)",
            "select chr(-10)",
        ],
    ),
    (
        "key_violation",
        [
            "insert into orders values (1, 1, 1)",
            "insert into customers values (2, 'a')",
            "insert into customers select 5, 'q' from range(2)",
            "update customers set email = 'a' where customer_id = 1; insert into customers values (9, 'a')",
            "create unique index one on visits (customer_id); insert into visits values (3, 1)",
        ],
    ),
    (
        "reference_violation",
        [
            "insert into visits values (2, 404)",
            "delete from customers where customer_id = 1",
        ],
    ),
    (
        "code_error",
        [
            "selec 1",
            "select from where",
            "select * from orders where",
            "select count( from orders",
            "select nofunction(1)",
            "select sum(amount), customer_id from orders",
            "select abs('a', 1)",
            "select 1 +",
            "create table orders (x integer)",
            "select max(sum(amount)) from orders",
            "select row_number() from orders",
            "create index on orders",
            "select ?",
            "drop table recent",
            "select * from orders order by 9",
            "select amount from orders where sum(amount) > 1",
            "with a as (select 1) select * from a, a",
            "select doubled(1, 2)",
            "select x.* from orders y",
            "grant all to me",
            "select case when 1 then 2",
            "insert into recent values (1)",
            "set no_such_setting = 1",
            "select (select 1, 2)",
            "select * from read_csv(1)",
            "pragma nothing_known",
            "select 1 as a, limit 3",
            "call nothing()",
            "select customer_id from orders, customers",
            "create table t (a integer, a integer)",
            "select 1 where 'a' = any",
            "select list_sum()",
            "select substring('a')",
            "create type mood as enum ('a', 'a')",
        ],
    ),
]


def cases(folder: Path) -> list[Case]:
    folder.mkdir(parents=True)
    connection = duckdb.connect()
    connection.execute(SETUP)

    def asking(sql: str) -> Callable[[], object]:
        return lambda: [connection.execute(part) for part in sql.split("; ")]

    found: list[Case] = []
    for expected, statements in SQL:
        found += [(sql, expected, asking(sql)) for sql in statements]
    return [*found, *_files(folder), *_engine(folder)]


def _files(folder: Path) -> list[Case]:
    def csv(text: str, options: str = "") -> str:
        path = folder / f"{abs(hash(text)) % 10_000}.csv"
        path.write_text(text, encoding="latin-1")
        return f"select * from read_csv('{path}'{options})"

    def parquet(content: bytes) -> str:
        path = folder / f"{len(content)}.parquet"
        path.write_bytes(content)
        return f"select * from read_parquet('{path}')"

    good = folder / "good.parquet"
    duckdb.execute(f"copy (select 1 as a, 'x' as b from range(5000)) to '{good}'")
    whole = good.read_bytes()
    typed = ", columns = {'a': 'INTEGER', 'b': 'DATE'}, header = true, auto_detect = false"
    asked: list[tuple[str, FailureClass, str]] = [
        ("csv missing", "source_missing", f"select * from read_csv('{folder}/orders_2026-03-03.csv')"),
        ("csv glob", "source_missing", f"select * from read_csv('{folder}/none/*.csv')"),
        ("parquet missing", "source_missing", f"select * from read_parquet('{folder}/x.parquet')"),
        ("json missing", "source_missing", f"select * from read_json('{folder}/x.json')"),
        ("text missing", "source_missing", f"select * from read_text('{folder}/*.txt')"),
        ("csv type", "data_invalid", csv("a,b\n1,2026-01-01\nx,2026-01-02\n", typed)),
        ("csv date", "data_invalid", csv("a,b\n1,2026-13-01\n", typed)),
        (
            "csv encoding",
            "data_invalid",
            csv(
                "a,b\n1,2026-01-01\n2,caf\xe9\n",
                ", columns = {'a': 'INTEGER', 'b': 'VARCHAR'}, header = true, auto_detect = false",
            ),
        ),
        ("csv quote", "data_invalid", csv('a,b\n1,"2026-01-01\n', typed)),
        ("csv more columns", "schema_mismatch", csv("a,b\n1,2026-01-01,3\n", typed)),
        ("csv fewer columns", "schema_mismatch", csv("a,b\n1\n", typed)),
        ("json broken", "data_invalid", _json(folder, '{"a": 1}\n{"a": \n')),
        ("parquet cut", "source_partial", parquet(whole[: len(whole) // 2])),
        ("parquet tiny", "source_partial", parquet(b"PAR1")),
        ("parquet of nothing", "source_partial", parquet(b"x" * 400)),
    ]
    connection = duckdb.connect()
    return [
        (name, expected, (lambda sql: lambda: connection.execute(sql).fetchall())(sql)) for name, expected, sql in asked
    ]


def _json(folder: Path, text: str) -> str:
    path = folder / "lines.json"
    path.write_text(text, encoding="utf-8")
    return f"select * from read_json('{path}', format = 'newline_delimited')"


def _engine(folder: Path) -> list[Case]:
    taken = folder / "taken.duckdb"
    duckdb.connect(str(taken)).close()

    def locked() -> None:
        code = f"import duckdb, sys; c = duckdb.connect({str(taken)!r}); print('ready', flush=True); sys.stdin.read()"
        holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert holder.stdout is not None and holder.stdin is not None
        holder.stdout.readline()
        try:
            duckdb.connect(str(taken))
        finally:
            holder.stdin.close()
            holder.wait()

    def conflict(second: str) -> None:
        database = duckdb.connect()
        database.execute("create table t (a integer primary key, b integer); insert into t values (1, 1)")
        one, two = database.cursor(), database.cursor()
        one.execute("begin; update t set b = 2 where a = 1")
        two.execute(f"begin; {second}")
        one.execute("commit")
        two.execute("commit")

    def small(sql: str, limits: str = "set memory_limit = '20MB'; set max_temp_directory_size = '0KB'") -> None:
        connection = duckdb.connect(config={"temp_directory": str(folder / "spill"), "threads": 2})
        connection.execute(limits)
        connection.execute(sql).fetchall()

    def read_only(sql: str) -> None:
        with duckdb.connect(str(taken), read_only=True) as connection:
            connection.execute("set enable_external_access = false; set lock_configuration = true")
            connection.execute(sql)

    def not_a_database() -> None:
        (folder / "text.duckdb").write_text("this is a text " * 400, encoding="utf-8")
        duckdb.connect(str(folder / "text.duckdb"))

    def interrupted() -> None:
        connection = duckdb.connect()
        threading.Timer(0.3, connection.interrupt).start()
        connection.execute(
            "select count(*) from range(10000000000) a, range(1000) b where a.range % 7 = b.range"
        ).fetchall()

    def closed() -> None:
        connection = duckdb.connect()
        connection.close()
        connection.execute("select 1")

    def nested_begin() -> None:
        connection = duckdb.connect()
        connection.execute("begin")
        connection.execute("begin")

    def aborted() -> None:
        connection = duckdb.connect()
        connection.execute("begin")
        try:
            connection.execute("select 1 / 'x'")
        except duckdb.Error:
            connection.execute("select 1")

    big = "select list(a.range) from range(3000000) a"
    return [
        ("file of another process", "lock_contention", locked),
        ("update twice", "lock_contention", lambda: conflict("update t set b = 3 where a = 1")),
        ("delete while updated", "lock_contention", lambda: conflict("delete from t where a = 1")),
        ("drop while updated", "lock_contention", lambda: conflict("alter table t add column c integer")),
        ("sort in little memory", "resource_exhausted", lambda: small(big, "set memory_limit = '20MB'")),
        (
            "group in little memory",
            "resource_exhausted",
            lambda: small(
                "select string_agg(a.range::varchar, ',') from range(9000000) a", "set memory_limit = '15MB'"
            ),
        ),
        (
            "no room to spill",
            "storage_full",
            lambda: small("select * from range(8000000) t order by hash(range) limit 5000000"),
        ),
        ("write to a read-only file", "config_error", lambda: read_only("create table t (a integer)")),
        ("read outside", "config_error", lambda: read_only(f"select * from read_csv('{folder}/x.csv')")),
        ("attach", "config_error", lambda: read_only(f"attach '{folder}/other.duckdb'")),
        ("copy out", "config_error", lambda: read_only(f"copy (select 1) to '{folder}/out.csv'")),
        ("unlock the configuration", "config_error", lambda: read_only("set enable_external_access = true")),
        ("folder that is none", "config_error", lambda: duckdb.connect(str(folder / "taken.duckdb" / "x.duckdb"))),
        ("no database", "config_error", not_a_database),
        (
            "missing database, read only",
            "source_missing",
            lambda: duckdb.connect(str(folder / "gone.duckdb"), read_only=True),
        ),
        ("interrupted", "process_killed", interrupted),
        ("closed connection", "connection_failure", closed),
        ("begin twice", "code_error", nested_begin),
        ("after an abort", "code_error", aborted),
        (
            "sequence at its end",
            "code_error",
            lambda: duckdb.execute(
                "create sequence s maxvalue 1; select nextval('s'), nextval('s'); select nextval('s')"
            ),
        ),
        (
            "extension",
            "connection_failure",
            lambda: duckdb.connect(config={"extension_directory": str(folder / "ext")}).execute(
                "install spatial from 'http://127.0.0.1:1'"
            ),
        ),
        ("unknown extension function", "code_error", lambda: duckdb.execute("select st_point(1, 2)")),
    ]
