"""A home whose ledger lies in PostgreSQL. The backup contains the ledger, the proof loads it on a server, and a restore
puts it back. A backup without the ledger says that it contains no ledger.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ops_project.model.platform import Backups
from ops_project.pipeline.recovery.backup import proof, rebuild
from ops_project.pipeline.recovery.backup.create import Taker, alone
from ops_project.pipeline.recovery.backup.drill import drill
from ops_project.pipeline.recovery.backup.manifest import Manifest
from ops_project.pipeline.recovery.backup.routine import routine
from ops_project.pipeline.recovery.backup.shelf import Shelf
from ops_project.pipeline.recovery.databases.connect import Database, DatabaseUnusable
from ops_project.pipeline.recovery.databases.outside import NOTHING, Outside, Place, sort_out
from ops_project.pipeline.recovery.decide.backups import Outcome, Proof
from ops_project.pipeline.recovery.stores import open_store
from ops_project.pipeline.warehouse import snapshots
from ops_project.pipeline.warehouse.connection import writer
from ops_project.settings import Settings
from tests.empty_home import NOW
from tests.pipeline.recovery.backup.conftest import PLATFORM
from tests.pipeline.recovery.databases.conftest import ask

GONE = "postgresql://ada:secret@127.0.0.1:1/gone"


def lies_at(url: str, *others: str) -> Outside:
    return sort_out([Place("ledger", "the ledger", url)], others)


@pytest.fixture
def taker(tmp_path: Path, filled: Database) -> Taker:
    settings = Settings(home=tmp_path / "home", as_of=NOW)
    with writer(settings, PLATFORM, owner="test", now=NOW) as held:
        held.connection().execute("CREATE SCHEMA gold; CREATE TABLE gold.sales AS SELECT range AS id FROM range(100)")
        snapshots.take(held, run_id="night", as_of=NOW, commit="c0ffee")
    return Taker(settings, PLATFORM, "ada", NOW, "c0ffee", outside=lies_at(filled.url))


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(open_store(str(tmp_path / "backups")))


def taken(taker: Taker, shelf: Shelf) -> tuple[Manifest, Proof]:
    with alone(taker.settings, "test", NOW, taker.tell):
        manifest, found = routine(taker, shelf, "/anywhere")
    assert found is not None
    return manifest, found


def test_the_database_comes_back_with_the_home(
    taker: Taker, shelf: Shelf, filled: Database, empty: Database, tmp_path: Path
) -> None:
    manifest, found = taken(taker, shelf)
    assert found.outcome is Outcome.PROVED and manifest.summary().left_out == (), found
    assert {name: copy.rows for name, copy in manifest.databases["ledger"].tables.items()}["people"] == 301
    again, _ = taken(taker, shelf)
    assert again.new_bytes < 0.05 * manifest.new_bytes, "rows that have not changed are not sent again"
    assert drill(taker.settings, shelf, manifest, now=NOW, outside=taker.outside).ok

    home = Settings(home=tmp_path / "again", as_of=NOW)
    home.home.mkdir()
    with pytest.raises(DatabaseUnusable, match="set OPS_LEDGER_URL"):
        rebuild.into_home(home, shelf, manifest)
    with pytest.raises(DatabaseUnusable, match="cannot be reached"):
        rebuild.into_home(home, shelf, manifest, outside_of=lambda _home: lies_at(GONE))
    assert not home.warehouse.exists(), "nothing was changed"
    rebuild.into_home(home, shelf, manifest, outside_of=lambda _home: lies_at(empty.url))
    assert home.warehouse.exists() and not (home.home / ".databases").exists()
    assert ask(empty.url, "SELECT count(*) FROM people") == ask(filled.url, "SELECT count(*) FROM people")


def test_what_is_not_in_it_leaves_it_unproved(taker: Taker, shelf: Shelf) -> None:
    for outside, words in (
        (lies_at(GONE), "the ledger cannot be reached"),
        (lies_at("mysql://ada@db/ledger"), "not in a PostgreSQL"),
        (sort_out([Place("dagster", "Dagster's storage", words="the variable X is not set")], ()), "X is not set"),
    ):
        manifest, found = taken(replace(taker, outside=outside), shelf)
        assert found.outcome is Outcome.INCONCLUSIVE and words in found.words, found
        assert words in manifest.summary().left_out[0] and "secret" not in found.words
    manifest, found = taken(replace(taker, outside=lies_at(GONE, "ledger")), shelf)
    assert found.outcome is Outcome.PROVED and "somebody else" in manifest.summary().left_out[0]


def test_a_copy_that_no_server_can_judge_is_inconclusive(taker: Taker, shelf: Shelf) -> None:
    manifest, _ = taken(taker, shelf)
    for outside in (NOTHING, lies_at(GONE)):
        found = proof.prove(taker.settings, shelf, manifest, now=NOW, outside=outside)
        assert found.outcome is Outcome.INCONCLUSIVE, found
        assert not drill(taker.settings, shelf, manifest, now=NOW, outside=outside).ok
    tables = dict(manifest.databases["ledger"].tables)
    tables["people"] = replace(tables["people"], rows=302)
    spoiled = replace(manifest, databases={"ledger": replace(manifest.databases["ledger"], tables=tables)})
    found = proof.prove(taker.settings, shelf, spoiled, now=NOW, outside=taker.outside)
    assert found.outcome is Outcome.FAILED and "the ledger, table people: 301 rows, not the 302" in found.words


def test_two_parts_in_one_database_are_copied_once() -> None:
    url = "postgresql://ada@db/all"
    found = sort_out([Place("ledger", "the ledger", url), Place("dagster", "Dagster's storage", url)], ())
    assert [(name, one.what) for name, one in found.databases.items()] == [
        ("ledger", "the ledger and Dagster's storage")
    ]
    apart = sort_out([Place("dagster", "runs", url), Place("dagster", "events", f"{url}2")], ())
    assert list(apart.databases) == ["dagster", "dagster-2"]
    assert Backups(elsewhere=("registry",)).elsewhere == ("registry",)
