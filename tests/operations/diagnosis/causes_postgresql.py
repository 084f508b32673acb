"""Errors of PostgreSQL: a real server, through psycopg2 and SQLAlchemy."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ops_project.model.failure_class import FailureClass
from tests import postgres
from tests.operations.diagnosis.make_errors import Case


@contextmanager
def postgresql(folder: Path) -> Iterator[list[Case]]:
    import psycopg2
    from sqlalchemy import create_engine, text

    if postgres.binaries() is None:
        yield []
        return
    folder.mkdir(parents=True)
    with postgres.running(folder) as url:
        with psycopg2.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute(
                "create table orders (id int primary key, amount numeric(6, 2) check (amount > 0), email text unique,"
                " at date not null default now());"
                "create table lines (id int, order_id int references orders);"
                "insert into orders values (1, 5, 'a'); insert into lines values (1, 1);"
                "create role reader login; create table timeouts (a int);"
            )

        def ask(sql: str, name: str = "postgres", user: str = "postgres") -> Callable[[], object]:
            def call() -> None:
                made = psycopg2.connect(url.replace("/postgres", f"/{name}").replace("//postgres@", f"//{user}@"))
                try:
                    with made.cursor() as cursor:
                        for part in sql.split(" ;; "):
                            cursor.execute(part)
                finally:
                    made.close()

            return call

        def alchemy(sql: str) -> Callable[[], object]:
            def call() -> None:
                engine = create_engine(url.replace("postgresql:", "postgresql+psycopg2:"))
                try:
                    with engine.connect() as wrapped:
                        wrapped.execute(text(sql))
                finally:
                    engine.dispose()

            return call

        def deadlock() -> None:
            one, two = psycopg2.connect(url), psycopg2.connect(url)
            first, second = one.cursor(), two.cursor()
            first.execute("insert into timeouts values (1); lock table orders")
            second.execute("lock table lines")
            failed: list[BaseException] = []

            def wait() -> None:
                try:
                    first.execute("lock table lines")
                except psycopg2.Error as error:
                    failed.append(error)

            waiting = threading.Thread(target=wait)
            waiting.start()
            try:
                second.execute("lock table orders")
            except psycopg2.Error as error:
                failed.append(error)
            finally:
                two.close()
                waiting.join()
                one.close()
            raise failed[0]

        def serialization() -> None:
            one, two = psycopg2.connect(url), psycopg2.connect(url)
            try:
                for each in (one, two):
                    each.set_session(isolation_level="SERIALIZABLE")
                first, second = one.cursor(), two.cursor()
                for cursor in (first, second):
                    cursor.execute("select amount from orders where id = 1")
                first.execute("update orders set amount = 6 where id = 1")
                one.commit()
                second.execute("update orders set amount = 7 where id = 1")
            finally:
                one.close()
                two.close()

        def ended() -> None:
            one = psycopg2.connect(url)
            with psycopg2.connect(url) as other, other.cursor() as cursor:
                cursor.execute("select pg_terminate_backend(%s)", (one.get_backend_pid(),))
            one.cursor().execute("select 1")

        def closed() -> None:
            one = psycopg2.connect(url)
            one.close()
            one.cursor()

        asked: list[tuple[FailureClass, list[str]]] = [
            (
                "schema_mismatch",
                [
                    "select amonut from orders",
                    "select * from order_lines",
                    "select * from silver.orders",
                    "insert into orders (id, price) values (3, 3)",
                    "update orders set connection_refused = 1",
                    "select amount from orders where id = 'x'::text",
                    "alter table orders drop column nothing",
                    "insert into timeouts values ('a'::text)",
                ],
            ),
            ("key_violation", ["insert into orders values (1, 1, 'b')", "insert into orders values (2, 1, 'a')"]),
            ("reference_violation", ["insert into lines values (2, 404)", "delete from orders where id = 1"]),
            (
                "data_invalid",
                [
                    "insert into orders values (4, -1, 'd')",
                    "insert into orders values (5, 1, 'e', null)",
                    "insert into orders values (6, 123456, 'f')",
                    "select 'x'::int",
                    "select '2026-02-30'::date",
                    "select 1 / 0",
                    "select 99999999999::int",
                    "select 'abc'::char(2)::varchar(1) || '{x'::json",
                    "select to_date('x', 'YYYY')",
                    "select '\\xzz'::bytea",
                    "select convert_from('\\xff'::bytea, 'utf8')",
                    "select array[1,2]::int[] || 'x'::int[]",
                ],
            ),
            (
                "code_error",
                [
                    "selec 1",
                    "select * from orders where",
                    "select nothing(1)",
                    "select sum(amount), id from orders",
                    "create table orders (a int)",
                    "select id from orders, lines",
                    "select 1 union select 'a'::text",
                    "select count(count(*)) from orders",
                    "rollback to nowhere",
                    "select 'a' + 1::text",
                    "insert into orders values (1, 2, 3, now(), 5)",
                    "begin ;; select 1/0e0 ;; select 1",
                ],
            ),
            (
                "timeout",
                [
                    "set statement_timeout = 50 ;; select pg_sleep(2)",
                    "set statement_timeout = '30ms' ;; select count(*) from generate_series(1, 9000000)",
                ],
            ),
            (
                "config_error",
                [
                    "set session characteristics as transaction read only ;; commit ;; insert into timeouts values (1)",
                    "set default_transaction_read_only = on ;; commit ;; create table t (a int)",
                    "set no_such_setting_here = 1 ;; set role nobody_known",
                    "create database d template nothing",
                ],
            ),
        ]
        found: list[Case] = [(sql[:60], expected, ask(sql)) for expected, statements in asked for sql in statements]
        found += [
            (f"{sql[:50]} (SQLAlchemy)", expected, alchemy(sql))
            for expected, statements in asked
            for sql in statements[::4]
            if ";;" not in sql and ":" not in sql
        ]
        found += [
            ("deadlock", "lock_contention", deadlock),
            ("serialization", "lock_contention", serialization),
            ("nowait", "lock_contention", _nowait(url)),
            ("ended by an administrator", "connection_failure", ended),
            ("closed", "connection_failure", closed),
            ("no database", "config_error", ask("select 1", name="nowhere")),
            ("no role", "config_error", ask("select 1", user="nobody_known")),
            ("not permitted", "config_error", ask("select * from orders", user="reader")),
            ("not permitted to create", "config_error", ask("create schema s", user="reader")),
            ("refused", "connection_failure", lambda: psycopg2.connect("postgresql://postgres@127.0.0.1:1/x")),
            ("no socket", "connection_failure", lambda: psycopg2.connect("host=/nowhere dbname=x")),
            ("bad option", "config_error", lambda: psycopg2.connect("hostt=x")),
            ("bad port", "config_error", lambda: psycopg2.connect("host=x port=abc")),
            (
                "refused (SQLAlchemy)",
                "connection_failure",
                lambda: create_engine("postgresql+psycopg2://postgres@127.0.0.1:1/x").connect(),
            ),
        ]
        yield found


def _nowait(url: str) -> Callable[[], object]:
    def call() -> None:
        import psycopg2

        one, two = psycopg2.connect(url), psycopg2.connect(url)
        try:
            one.cursor().execute("lock table orders")
            two.cursor().execute("lock table orders nowait")
        finally:
            one.close()
            two.close()

    return call
