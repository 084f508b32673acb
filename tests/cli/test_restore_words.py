"""The last message of `ops restore` is true of the restore that it has done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from ops_project.cli import restore
from ops_project.settings import Settings
from tests.scenarios import bakery

WAY_BACK = "`ops restore --undo --yes` takes it back."
HINT = "To build what is downstream again"


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return bakery.built(tmp_path / "home")


def said(settings: Settings, *words: str) -> str:
    ended = bakery.run(settings, "restore", *words, "--to", "newest", "--yes")
    assert ended.exit_code == 0, ended.output
    return " ".join(ended.output.split())


@pytest.mark.parametrize("damaged", [False, True])
def test_an_undo_is_offered_only_where_there_is_something_to_go_back_to(home: Settings, damaged: bool) -> None:
    assert WAY_BACK in said(home, "--all")
    home.warehouse.unlink()
    if damaged:
        home.warehouse.write_bytes(b"no database")
    words = said(home, "--all")
    assert "restore cannot be undone" in words and "Done: restore" in words and WAY_BACK not in words
    refused = bakery.run(home, "restore", "--undo", "--yes")
    assert refused.exit_code == 1 and "cannot be undone" in refused.output


def test_a_rebuild_is_not_advised_to_the_person_who_asked_for_it(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    rebuilt: list[Any] = []
    monkeypatch.setattr(restore, "_downstream", lambda *_: ("gold.bakery_daily",))
    monkeypatch.setattr(restore, "_rebuild", lambda *given: rebuilt.append(given))
    assert HINT in said(home, "bronze.bakery_sales")
    assert rebuilt == []
    words = said(home, "bronze.bakery_sales", "--rebuild")
    assert HINT not in words and "What is downstream is built again now." in words and len(rebuilt) == 1


def test_a_plan_without_a_change_says_so_and_does_not_ask_for_yes(home: Settings) -> None:
    def planned(*words: str) -> str:
        ended = bakery.run(home, "restore", *words, "--to", "newest")
        assert ended.exit_code == 0, ended.output
        return " ".join(ended.output.split())

    for words in (("--all",), ("bronze.bakery_sales",)):
        same = planned(*words)
        assert "There is nothing to do" in same and "--yes" not in same
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("ALTER TABLE bronze.bakery_sales RENAME COLUMN shop TO store")
    for words in (("--all",), ("bronze.bakery_sales",)):
        assert "bronze.bakery_sales replaced 80" in planned(*words), "the checksum says nothing about names"
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("ALTER TABLE bronze.bakery_sales RENAME COLUMN store TO shop")
        connection.execute("DELETE FROM bronze.bakery_sales")
    for words in (("--all",), ("bronze.bakery_sales",)):
        other = planned(*words)
        assert "There is nothing to do" not in other and other.endswith("Nothing was changed. Add --yes to do it.")
