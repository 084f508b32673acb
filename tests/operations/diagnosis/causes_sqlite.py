"""Errors of SQLite, bare and through SQLAlchemy."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import create_engine, text

from ops_project.model.failure_class import FailureClass
from tests.operations.diagnosis.make_errors import Case

SETUP = """
create table people (id integer primary key, email text unique, age integer check (age > 0), name text not null) strict;
create table visits (id integer primary key, person integer references people (id));
insert into people values (1, 'a', 30, 'A');
create table plain (a, b);
"""
SQL: list[tuple[FailureClass, list[str]]] = [
    (
        "schema_mismatch",
        [
            "select surname from people",
            "select * from persons",
            "insert into people values (1, 2)",
            "insert into people (id, phone) values (1, 2)",
            "update people set phone = 1",
            "delete from timeouts",
            "create index i on people (phone)",
            "insert into plain values (1, 2, 3)",
            "alter table people drop column phone",
            "select * from people join disk_full using (id)",
        ],
    ),
    (
        "key_violation",
        [
            "insert into people values (1, 'b', 3, 'B')",
            "insert into people values (2, 'a', 3, 'B')",
            "create unique index u on plain (a); insert into plain values (1, 1); insert into plain values (1, 2)",
        ],
    ),
    ("reference_violation", ["insert into visits values (1, 404)"]),
    (
        "data_invalid",
        [
            "insert into people values (3, 'c', -3, 'C')",
            "insert into people values (4, 'd', 3, null)",
            "insert into people values (5, 'e', 'old', 'E')",
            "insert into people values ('x', 'f', 3, 'F')",
            "select json('{x')",
            "select json_extract('[1,', '$')",
        ],
    ),
    (
        "code_error",
        [
            "selec 1",
            "select * from people where",
            "select nothing(1)",
            "create table people (a)",
            "select count(1, 2)",
            "select 1 union select 1, 2",
            "commit",
            "select * from people group by sum(age)",
            "select 'a",
            "drop table nothing if",
            "insert into people default",
            "create table t (a, a)",
            "select sum(sum(age)) from people",
            "select * from people, people where id = 1",
            "savepoint a; release b",
            "pragma no such thing",
            "create trigger t after insert on people begin end",
        ],
    ),
]


def cases(folder: Path) -> list[Case]:
    folder.mkdir(parents=True)
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(f"pragma foreign_keys = on; {SETUP}")
    engine = create_engine("sqlite://")
    with engine.connect() as wrapped:
        for part in SETUP.split(";")[:-1]:
            wrapped.execute(text(part))
        wrapped.commit()

    def bare(sql: str) -> Callable[[], object]:
        return lambda: [connection.execute(part).fetchall() for part in sql.split("; ")]

    def alchemy(sql: str) -> Callable[[], object]:
        def call() -> None:
            with engine.connect() as wrapped:
                for part in sql.split("; "):
                    wrapped.execute(text(part))

        return call

    found: list[Case] = [(sql, expected, bare(sql)) for expected, statements in SQL for sql in statements]
    # Every third error is raised again in the form in which the ledger gets it.
    found += [
        (f"{sql} (SQLAlchemy)", expected, alchemy(sql))
        for expected, statements in SQL
        for sql in statements[::3]
        if expected != "reference_violation" and not sql.startswith(("commit", "savepoint"))
    ]
    return [*found, *_files(folder)]


def _files(folder: Path) -> list[Case]:
    path = folder / "a.sqlite"
    sqlite3.connect(path).executescript("create table t (a); create table big (b)")

    def busy() -> None:
        one, two = (sqlite3.connect(path, timeout=0, isolation_level=None) for _ in range(2))
        try:
            one.execute("begin immediate")
            two.execute("begin immediate")
        finally:
            one.close()
            two.close()

    def table_locked() -> None:
        uri = "file:shared?mode=memory&cache=shared"
        one, two = (sqlite3.connect(uri, uri=True, isolation_level=None) for _ in range(2))
        one.execute("create table t (a)")
        one.execute("begin")
        one.execute("insert into t values (1)")
        try:
            two.execute("select * from t").fetchall()
        finally:
            one.close()
            two.close()

    def full() -> None:
        small = sqlite3.connect(folder / "small.sqlite", isolation_level=None)
        small.execute("pragma max_page_count = 3")
        small.execute("create table t (a)")
        for _ in range(100):
            small.execute("insert into t values (zeroblob(4000))")

    def read_only() -> None:
        sqlite3.connect(f"file:{path}?mode=ro", uri=True).execute("insert into t values (1)")

    def damaged() -> None:
        bad = folder / "bad.sqlite"
        bad.write_bytes(path.read_bytes()[:3000] + b"x" * 5000)
        sqlite3.connect(bad).execute("select * from big").fetchall()

    def no_database() -> None:
        (folder / "text.sqlite").write_text("no database at all " * 300, encoding="utf-8")
        sqlite3.connect(folder / "text.sqlite").execute("select 1 from sqlite_master")

    def interrupted() -> None:
        connection = sqlite3.connect(":memory:")
        connection.set_progress_handler(lambda: 1, 100)
        connection.execute(
            "with recursive r as (select 1 as n union all select n + 1 from r) select sum(n) from r"
        ).fetchall()

    def too_big() -> None:
        connection = sqlite3.connect(":memory:")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1000)
        connection.execute("select zeroblob(5000)").fetchall()

    def closed() -> None:
        connection = sqlite3.connect(":memory:")
        connection.close()
        connection.execute("select 1")

    def alchemy(url: str, sql: str) -> Callable[[], object]:
        def call() -> None:
            with create_engine(url).connect() as connection:
                connection.execute(text(sql))

        return call

    memory = sqlite3.connect(":memory:")
    return [
        ("busy", "lock_contention", busy),
        ("table locked", "lock_contention", table_locked),
        ("full", "storage_full", full),
        ("read only", "config_error", read_only),
        ("no folder", "config_error", lambda: sqlite3.connect(folder / "none" / "x.sqlite")),
        ("a folder", "config_error", lambda: sqlite3.connect(folder)),
        ("damaged", "data_invalid", damaged),
        ("no database", "data_invalid", no_database),
        ("interrupted", "process_killed", interrupted),
        ("too big", "resource_exhausted", too_big),
        ("closed", "code_error", closed),
        ("wrong number of bindings", "code_error", lambda: memory.execute("select ?, ?", (1,))),
        ("unknown type", "code_error", lambda: memory.execute("select ?", (object(),))),
        ("two statements", "code_error", lambda: memory.execute("select 1; select 2")),
        ("no folder (SQLAlchemy)", "config_error", alchemy(f"sqlite:///{folder}/none/x.sqlite", "select 1")),
        (
            "read only (SQLAlchemy)",
            "config_error",
            alchemy(f"sqlite:///file:{path}?mode=ro&uri=true", "insert into t values (1)"),
        ),
        ("no such dialect", "code_error", lambda: create_engine("nosuch://x")),
        ("no url", "code_error", lambda: create_engine("not a url")),
    ]
