"""A story of a lost PostgreSQL: ledger and Dagster's storage are in the backup of the home, and come back with it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from ops_project.dagster_bridge.runs import open_instance
from ops_project.operations.ledger import Ledger
from ops_project.settings import CONFIG_DIR, Settings
from tests import postgres
from tests.pipeline.recovery.databases.conftest import ask, new_database
from tests.scenarios import bakery

pytestmark = [pytest.mark.soak, pytest.mark.xdist_group("postgres")]
LEDGER, DAGSTER = "OPS_LEDGER_URL", "OPS_DAGSTER_URL"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pytest.importorskip("dagster_postgres", reason="the extra `postgres` is not installed here")
    if postgres.binaries() is None:
        pytest.skip(postgres.MISSING)
    with postgres.running(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture
def home(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The bakery's home, whose ledger and Dagster's storage lie in two databases, with an entry and a run."""
    monkeypatch.setenv(LEDGER, new_database(server))
    monkeypatch.setenv(DAGSTER, with_driver(new_database(server)))
    configure(tmp_path)
    settings = bakery.built(tmp_path / "home", tmp_path / "config")
    settings.dagster_home.mkdir()
    (settings.dagster_home / "dagster.yaml").write_text(postgres.DAGSTER_YAML, encoding="utf-8")
    with settings.exported(), open_instance(settings) as instance:
        instance.add_dynamic_partitions("shops", ["north"])
    return settings


def configure(folder: Path, **more: object) -> None:
    shutil.rmtree(folder / "config", ignore_errors=True)
    shutil.copytree(bakery.OVERLAY, folder / "config")
    platform = yaml.safe_load((CONFIG_DIR / "platform.yaml").read_text(encoding="utf-8"))
    platform["backups"] = {"destination": str(folder / "other-disk"), **more}
    (folder / "config" / "platform.yaml").write_text(yaml.safe_dump(platform), encoding="utf-8")


def with_driver(url: str) -> str:
    return url.replace("postgresql:", "postgresql+psycopg2:")


def partitions(settings: Settings) -> list[str]:
    with settings.exported(), open_instance(settings) as instance:
        return list(instance.get_dynamic_partitions("shops"))


def test_a_lost_database_comes_back_with_the_home(
    home: Settings, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = bakery.ops(home, "backup", "create", "--by", "engineer-a")
    assert made["proof"]["outcome"] == "proved" and made["left_out"] == []
    before = bakery.tables(home)
    [drill] = bakery.ops(home, "drill", "recovery")
    assert drill["ok"], drill

    shutil.rmtree(home.home)
    for name in (LEDGER, DAGSTER):
        monkeypatch.delenv(name)
    ended = bakery.run(home, "backup", "restore", "--yes")
    assert (
        ended.exit_code == 1
        and "the ledger (set OPS_LEDGER_URL)" in ended.output
        and "Dagster's storage" in ended.output
    )
    assert not home.warehouse.exists(), "nothing was changed"

    monkeypatch.setenv(LEDGER, new_database(server))
    monkeypatch.setenv(DAGSTER, with_driver(new_database(server)))
    later = replace(home, as_of=bakery.NOW + timedelta(hours=1))
    assert bakery.ops(later, "backup", "restore", "--yes", "--by", "engineer-a")["applied"]
    assert bakery.tables(home) == before and partitions(home) == ["north"]
    with Ledger.open(home.ledger_url) as ledger:
        assert [line["action"] for line in ledger.audit_log()] == ["backup restore", "test"]
    assert bakery.ops(later, "backup", "create")["proof"]["outcome"] == "proved", "and it goes on from there"


def test_a_database_that_cannot_be_read_leaves_the_backup_unproved(
    home: Settings, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = home.ledger_url
    monkeypatch.setenv(LEDGER, "postgresql://ada:secret@127.0.0.1:1/gone")
    ended = bakery.run(home, "backup", "create")
    assert ended.exit_code == 1 and "the ledger cannot be reached" in ended.output and "secret" not in ended.output
    assert bakery.ops(home, "backup", "list")[-1]["proof"]["outcome"] == "inconclusive"
    configure(tmp_path, elsewhere=["ledger"])
    assert bakery.ops(home, "backup", "create")["proof"]["outcome"] == "proved", "somebody else backs the ledger up"

    monkeypatch.setenv(LEDGER, kept)
    configure(tmp_path)
    made = bakery.ops(home, "backup", "create")
    ask(server, f"DROP DATABASE {kept.rsplit('/', 1)[1]} WITH (FORCE)")
    found = bakery.ops(home, "backup", "verify", made["backup"], code=1)["proof"]
    assert found["outcome"] == "inconclusive" and "the ledger cannot be reached" in found["words"]
