"""One PostgreSQL server; a database of its own for each test, with everything that a table can have."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit

import psycopg2
import pytest

from ops_project.pipeline.recovery.databases.connect import Database
from tests.postgres import shared_server

__all__ = ["shared_server"]

TABLES = """
    CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
    INSERT INTO alembic_version VALUES ('0007');
    CREATE TABLE people (
        id serial PRIMARY KEY, name varchar(40) COLLATE "C" NOT NULL, born date, at timestamptz DEFAULT now(),
        share double precision CHECK (share >= 0), cents numeric(12, 2), said jsonb, photo bytea, marks text[],
        pause interval, first_letter text GENERATED ALWAYS AS (substr(name, 1, 1)) STORED, UNIQUE (name, born)
    );
    CREATE INDEX people_named ON people (lower(name)) WHERE share > 0;
    CREATE TABLE "odd ""name" (
        nr bigint GENERATED ALWAYS AS IDENTITY, person integer REFERENCES people (id) DEFERRABLE, "odd ""name" text
    );
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'it is kept'; END $$;
    CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON "odd ""name" FOR EACH ROW EXECUTE FUNCTION refuse();
    CREATE SEQUENCE tickets START 100 INCREMENT 5;
    SELECT nextval('tickets'), nextval('tickets');
    INSERT INTO people (name, born, at, share, cents, said, photo, marks, pause)
    SELECT 'Ada \\' || n || E'\\t\\n|' || chr(233), date '2020-01-31' + n,
        timestamptz '2026-03-29 01:59:59.123456+01' + n * interval '1 h',
        n / 3.0, n * 1.25, jsonb_build_object('n', n), decode(lpad(to_hex(n), 4, '0'), 'hex'),
        array['a', NULL, 'b"' || n],
        n * interval '25 h' FROM generate_series(1, 300) AS n;
    INSERT INTO people (name) VALUES ('');
    INSERT INTO "odd ""name" (person, "odd ""name") SELECT 1 + n % 300, NULLIF('row ' || n, 'row 7')
    FROM generate_series(1, 100) AS n;
"""


def ask(url: str, sql: str) -> list[tuple[object, ...]]:
    """Runs the statement and returns the answer."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def new_database(server: str, sql: str = "") -> str:
    """The URL of a database that no other test uses."""
    name = f"d{uuid.uuid4().hex[:10]}"
    ask(server, f"CREATE DATABASE {name}")
    url = urlsplit(server)._replace(path=f"/{name}").geturl()
    if sql:
        ask(url, sql)
    return url


@pytest.fixture
def filled(server: str) -> Database:
    return Database("ledger", "the ledger", new_database(server, TABLES))


@pytest.fixture
def empty(server: str) -> Database:
    return Database("ledger", "the ledger", new_database(server))
