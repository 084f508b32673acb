"""A damaged file of Dagster's storage is named before anything is opened."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from ops_project.dagster_bridge.storage_errors import FILES, damaged, in_words


def storage(folder: Path) -> None:
    for name in FILES:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with sqlite3.connect(file) as connection:
            connection.execute("PRAGMA journal_mode = wal")
            connection.execute("CREATE TABLE rows AS SELECT randomblob(50000) AS data")
        connection.close()


def test_a_whole_storage_or_none_or_an_empty_file_is_fine(tmp_path: Path) -> None:
    assert damaged(tmp_path) == ""
    storage(tmp_path)
    assert damaged(tmp_path) == ""
    (tmp_path / FILES[1]).write_bytes(b"")
    assert damaged(tmp_path) == ""


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_database_or_is_cut_off_is_named(name: str, tmp_path: Path) -> None:
    storage(tmp_path)
    file = tmp_path / name
    whole = file.read_bytes()
    file.write_bytes(whole[:9_000])
    assert damaged(tmp_path) == f"{file} has been cut off: 9,000 bytes of {len(whole):,}"
    for other in (b"this is no database" * 100, b"short", whole[:50]):
        file.write_bytes(other)
        assert damaged(tmp_path) == f"{file} is not a database"


def test_a_database_that_is_in_use_is_fine(tmp_path: Path) -> None:
    storage(tmp_path)
    with sqlite3.connect(tmp_path / FILES[0]) as connection:
        connection.execute("INSERT INTO rows SELECT randomblob(500000)")
        connection.commit()
        assert damaged(tmp_path) == ""


def test_an_error_of_the_storage_names_its_folder_and_another_one_speaks_for_itself(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"this is no database" * 100)
    with (
        pytest.raises(Exception, match="not a database") as caught,
        create_engine(f"sqlite:///{tmp_path / 'x.db'}").connect() as connection,
    ):
        connection.execute(text("SELECT * FROM x"))
    words = in_words(caught.value, tmp_path)
    assert words.startswith(f"Dagster's storage in {tmp_path} could not be used: file is not a database. ")
    assert "sqlalche.me" not in words
    assert in_words(ValueError("the table is gone"), tmp_path) == "the table is gone"
