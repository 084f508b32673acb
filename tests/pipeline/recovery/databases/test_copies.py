"""A PostgreSQL is restored from its copy with every row, key, default and sequence, or nothing of it has changed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psycopg2
import pytest

from ops_project.pipeline.recovery.databases import copies, schema
from ops_project.pipeline.recovery.databases.connect import Database, DatabaseUnusable, transaction
from ops_project.process import kill_points
from tests.pipeline.recovery.databases.conftest import TABLES, ask, new_database

ODD = '"odd ""name"'


def made(database: Database) -> schema.Schema:
    with transaction(database, read_only=True) as connection:
        return schema.read(connection)


def differences(database: Database, said: dict[str, copies.TableCopy]) -> list[str]:
    with transaction(database, read_only=True) as connection:
        return copies.differences(connection, database, said)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    (tmp_path / "copy").mkdir()
    return tmp_path / "copy"


def test_everything_of_a_database_comes_back(filled: Database, empty: Database, copy: Path, tmp_path: Path) -> None:
    said = copies.dump(filled, copy)
    assert {name: one.rows for name, one in said.items()} == {"alembic_version": 1, "people": 301, 'odd "name': 100}
    assert copies.rehearse(empty, copy, said) == []
    assert ask(empty.url, "SELECT count(*) FROM pg_class WHERE relname = 'people'") == [(0,)], "it was taken back"

    assert copies.load(empty, copy, said, "1") == copies.Kept()
    assert made(empty) == made(filled), "columns, keys, indexes, defaults, and where the sequences go on"
    again = tmp_path / "again"
    again.mkdir()
    assert copies.dump(empty, again) == said
    assert all(file.read_bytes() == (copy / file.name).read_bytes() for file in again.iterdir())
    ask(empty.url, "INSERT INTO people (name) VALUES ('Grace')")
    assert ask(empty.url, "SELECT max(id), nextval('tickets') FROM people") == [(302, 110)]
    with pytest.raises(psycopg2.Error, match="foreign key"):
        ask(empty.url, f"INSERT INTO {ODD} (person) VALUES (4711)")
    with pytest.raises(psycopg2.Error, match="it is kept"):
        ask(empty.url, f"DELETE FROM {ODD}")


def test_what_is_there_is_put_aside_and_comes_back_only_once(filled: Database, copy: Path) -> None:
    said = copies.dump(filled, copy)
    assert copies.load(filled, copy, said, "1").already, "it is as in the copy"
    ask(filled.url, "DELETE FROM people WHERE id = 301; CREATE TABLE later AS SELECT 1 AS id")
    assert differences(filled, said) == ["the ledger, table people: 300 rows, not the 301 of the copy"]
    assert copies.load(filled, copy, said, "000001-a") == copies.Kept("before_restore_000001_a")
    assert differences(filled, said) == []
    assert {table.name for table in made(filled).tables} == set(said), "nothing later stays beside what is older"
    assert ask(filled.url, "SELECT count(*) FROM before_restore_000001_a.people") == [(300,)]
    assert copies.load(filled, copy, said, "000001-a").already
    ask(filled.url, "UPDATE people SET share = 7 WHERE id = 1")
    assert differences(filled, said) == ["the ledger, table people: other values"]
    assert copies.load(filled, copy, said, "000001-a").schema == "before_restore_000001_a_2"


@pytest.mark.parametrize("place", ["loaded", "there"])
def test_killed_and_repeated_it_gives_the_same(filled: Database, copy: Path, place: str) -> None:
    said = copies.dump(filled, copy)
    ask(filled.url, "DELETE FROM people WHERE id = 301")
    before = made(filled)
    pid = os.fork()
    if not pid:
        kill_points._KILL_AT = f"database:{place}:ledger"
        try:
            copies.load(filled, copy, said, "1")
        finally:
            os._exit(7)
    assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGKILL
    if place == "loaded":
        assert made(filled) == before and differences(filled, said), "nothing has changed"
    copies.load(filled, copy, said, "1")
    assert differences(filled, said) == []
    asides = ask(filled.url, "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'before_restore%'")
    assert asides == [(1,)]


def test_a_copy_that_is_not_what_it_says_changes_nothing(filled: Database, copy: Path) -> None:
    said = copies.dump(filled, copy)
    ask(filled.url, "DELETE FROM people WHERE id = 301")
    before = made(filled)
    [people] = [copy / one.file for name, one in said.items() if name == "people"]
    people.write_bytes(people.read_bytes().replace(b"2020-02-01", b"2020-02-02", 1))
    assert any("people: other values" in words for words in copies.rehearse(filled, copy, said))
    with pytest.raises(DatabaseUnusable, match=r"people: other values.* was left as it is"):
        copies.load(filled, copy, said, "1")
    people.write_bytes(people.read_bytes()[:-20])
    with pytest.raises(DatabaseUnusable):
        copies.rehearse(filled, copy, said)
    assert made(filled) == before


def test_a_copy_is_of_one_moment(filled: Database, copy: Path) -> None:
    with transaction(filled, read_only=True) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        ask(filled.url, "DELETE FROM people WHERE id = 301")
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM people")
            assert cursor.fetchall() == [(301,)]
            with pytest.raises(psycopg2.Error, match="read-only"):
                cursor.execute("DELETE FROM people")


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("CREATE VIEW seen AS SELECT 1 AS id", "view seen"),
        ("CREATE TYPE mood AS ENUM ('calm'); CREATE TABLE t (m mood)", "type mood"),
        ("CREATE PROCEDURE f() LANGUAGE sql AS 'SELECT 1'", "function f"),
        ("CREATE TABLE p (id int) PARTITION BY RANGE (id)", "partitioned table p"),
        ("ALTER TABLE people ENABLE ROW LEVEL SECURITY", "row security of people"),
    ],
)
def test_what_a_copy_does_not_know_is_named(filled: Database, copy: Path, sql: str, said: str) -> None:
    ask(filled.url, sql)
    with pytest.raises(DatabaseUnusable, match=f"cannot be copied, because it holds {said}"):
        copies.dump(filled, copy)


def test_what_cannot_be_reached_or_may_not_be_written_is_said_without_a_password(filled: Database, copy: Path) -> None:
    away = Database("ledger", "the ledger", "postgresql+psycopg2://ada:secret@127.0.0.1:1/nothing")
    with pytest.raises(DatabaseUnusable, match="the ledger cannot be reached") as told:
        copies.dump(away, copy)
    assert "secret" not in str(told.value) and "secret" not in repr(away)
    name = filled.url.rsplit("/", 1)[1]
    ask(filled.url, f"CREATE ROLE reader_{name} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader_{name}")
    ask(filled.url, f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO reader_{name}")
    reader = Database("ledger", "the ledger", filled.url.replace("postgres@", f"reader_{name}@"))
    said = copies.dump(reader, copy)
    for call in (lambda: copies.rehearse(reader, copy, said), lambda: copies.reachable(reader)):
        with pytest.raises(DatabaseUnusable, match=f"GRANT CREATE ON DATABASE {name} TO reader_{name}"):
            call()


def test_a_schema_of_its_own_is_copied_alone(server: str, copy: Path) -> None:
    url = new_database(
        server, f"CREATE SCHEMA mine; SET search_path = mine; {TABLES}; CREATE TABLE public.other (id int)"
    )
    mine = Database("ledger", "the ledger", f"{url}?options=-csearch_path%3Dmine")
    said = copies.dump(mine, copy)
    assert set(said) == {"alembic_version", "people", 'odd "name'}
    ask(url, "DROP TABLE mine.people CASCADE")
    copies.load(mine, copy, said, "1")
    assert differences(mine, said) == []
    assert ask(url, "SELECT count(*) FROM public.other") == [(0,)]
