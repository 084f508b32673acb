"""A backup counts as proved only after a proof that looked at everything, and a store that does not answer decides nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from ops_project.pipeline.recovery.backup import proof
from ops_project.pipeline.recovery.backup.create import Taker
from ops_project.pipeline.recovery.backup.shelf import Shelf
from ops_project.pipeline.recovery.decide.backups import Outcome
from ops_project.pipeline.recovery.decide.target import RestoreError
from ops_project.pipeline.recovery.stores import StoreUnusable, open_store
from tests.empty_home import NOW
from tests.pipeline.recovery.backup.taken import BESIDE, Unreachable, object_of, rebuilt, taken


@pytest.mark.parametrize("suffix", ["warehouse.duckdb", "ledger.db", "orders/a.csv"])
@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_a_damaged_store_fails_the_proof_and_the_next_backup_mends_it(
    taker: Taker, tmp_path: Path, suffix: str, damage: str
) -> None:
    shelf = Shelf(open_store(str(tmp_path / "backups")))
    manifest, _ = taken(taker, shelf)
    key = object_of(shelf, manifest, suffix)
    if damage == "gone":
        shelf.store.delete(key)
    else:
        shelf.store.put(key, shelf.store.get(key)[:-1] + b"!")
    found = proof.prove(taker.settings, shelf, manifest, now=NOW)
    assert found.outcome is Outcome.FAILED and "missing or changed" in found.words
    assert shelf.proofs()[manifest.id] == found
    with pytest.raises(RestoreError, match="Nothing was changed"):
        rebuilt(shelf, manifest, tmp_path / "again")
    _, mended = taken(taker, shelf)
    assert mended is not None and mended.outcome is Outcome.PROVED
    assert proof.prove(taker.settings, shelf, manifest, now=NOW).outcome is Outcome.PROVED


def test_whole_files_with_other_tables_fail_the_proof(taker: Taker, tmp_path: Path) -> None:
    """Every object is complete; the tables differ from what was recorded."""
    shelf = Shelf(open_store(str(tmp_path / "backups")))
    manifest, _ = taken(taker, shelf)
    tables = {name: replace(said, rows=said.rows + 1) for name, said in manifest.sqlite["ledger/ledger.db"].items()}
    found = proof.prove(taker.settings, shelf, replace(manifest, sqlite={"ledger/ledger.db": tables}), now=NOW)
    assert found.outcome is Outcome.FAILED and "ledger/ledger.db, table alerts: 100 rows, not the 101" in found.words

    [folder] = taker.settings.snapshots.iterdir()
    other = tmp_path / "other.duckdb"
    with duckdb.connect(str(other)) as connection:
        connection.execute("CREATE SCHEMA gold; CREATE TABLE gold.sales AS SELECT 1 AS id, 'x' AS kind")
    (folder / "warehouse.duckdb").write_bytes(other.read_bytes())
    _, found = taken(taker, shelf)  # type: ignore[assignment]  # the outcome of another backup
    assert found.outcome is Outcome.FAILED and "gold.sales" in found.words
    manifest = replace(shelf.manifest(shelf.backups()[-1].id), engine="0.0.1")
    found = proof.prove(taker.settings, shelf, manifest, now=NOW)
    assert found.outcome is Outcome.INCONCLUSIVE and "hash differently" in found.words


def test_a_part_that_cannot_be_read_is_told_and_not_proved(taker: Taker, tmp_path: Path) -> None:
    ledger = taker.settings.home / "ledger" / "ledger.db"
    ledger.write_bytes(ledger.read_bytes()[:100] + b"\xff" * 4000)
    for beside in BESIDE:
        ledger.with_name(f"ledger.db{beside}").unlink(missing_ok=True)
    manifest, found = taken(taker, Shelf(open_store(str(tmp_path / "backups"))))
    assert found is not None and found.outcome is Outcome.FAILED
    assert "ledger/ledger.db" in found.words and manifest.summary().left_out


def test_a_proof_that_cannot_be_ended_is_inconclusive(taker: Taker, tmp_path: Path) -> None:
    shelf = Shelf(open_store(str(tmp_path / "backups")))
    manifest, _ = taken(taker, shelf)
    away = Shelf(Unreachable(shelf.store, calls=2))  # type: ignore[arg-type]  # the rest is the store's
    found = proof.prove(taker.settings, away, manifest, now=NOW)
    assert found.outcome is Outcome.INCONCLUSIVE and "cannot be reached" in found.words


def test_a_store_that_does_not_answer_is_not_taken_for_a_damaged_or_unproved_one(taker: Taker, tmp_path: Path) -> None:
    shelf = Shelf(open_store(str(tmp_path / "backups")))
    taken(taker, shelf)

    class Away(Unreachable):
        def get(self, key: str) -> bytes:
            raise StoreUnusable("the store cannot be reached")

    away = Shelf(Away(shelf.store, calls=0))  # type: ignore[arg-type]  # the rest is the store's
    for ask in (lambda: away.claim(taker.settings), away.backups, away.proofs):
        with pytest.raises(StoreUnusable, match="cannot be reached"):
            ask()
