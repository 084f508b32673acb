"""An error of Dagster's storage says where the storage is, why, and what to do next."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from ops_project.dagster_bridge.storage_damage import FILES
from ops_project.dagster_bridge.storage_errors import OutOfReach, StorageUnusable, in_words, storage_words
from ops_project.failures import Unusable
from tests.dagster_bridge.test_storage_damage import storage


def failed(url: str) -> Exception:
    with pytest.raises(DBAPIError) as caught, create_engine(url).connect() as connection:
        connection.execute(text("SELECT * FROM x"))
    return caught.value


def test_an_error_of_the_storage_names_its_folder_and_another_one_speaks_for_itself(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"this is not a database" * 100)
    words = in_words(failed(f"sqlite:///{tmp_path / 'x.db'}"), tmp_path)
    assert words.startswith(f"Dagster's storage in {tmp_path} could not be used: file is not a database. ")
    assert "sqlalche.me" not in words
    assert in_words(ValueError("the table is gone"), tmp_path) == "the table is gone"
    assert storage_words(Unusable("The ledger X is an empty file."), tmp_path) == ""


def test_an_error_of_a_file_names_the_file(tmp_path: Path) -> None:
    storage(tmp_path)
    file = tmp_path / FILES[1]
    file.write_bytes(b"this is not a database" * 100)
    assert f"could not be used: {file} is not a database. " in in_words(failed(f"sqlite:///{file}"), tmp_path)


def test_a_server_that_does_not_answer_is_named_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("URL_OF_DAGSTER", "postgresql+psycopg2://ada:hush@127.0.0.1:1/dagster")
    (tmp_path / "dagster.yaml").write_text(
        "storage:\n  custom:\n    module: ops_project.dagster_bridge.postgres_storage\n    class: Storage\n"
        "    config: {postgres_url: {env: URL_OF_DAGSTER}}\n"
    )
    words = in_words(failed("postgresql+psycopg2://ada:hush@127.0.0.1:1/dagster"), tmp_path)
    assert words.startswith("Dagster's storage postgresql://ada:***@127.0.0.1:1/dagster could not be used: ")
    assert "See whether the server runs" in words and "dagster.yaml" in words
    assert "hush" not in words and ".db files" not in words and "\n" not in words and "?." not in words


def test_whoever_asks_an_instance_that_is_out_of_reach_gets_the_reason() -> None:
    instance = OutOfReach(StorageUnusable("It cannot be used."))
    with pytest.raises(StorageUnusable, match="It cannot be used"):
        instance.get_runs()
    assert str(instance) == "It cannot be used."
