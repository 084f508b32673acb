"""A story of a lost disk: the backup of the night, the loss, the home that is built again, and what the loss cost."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from ops_project import catalog
from ops_project.defs.operations import backup_observer
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.alerting.observers.observer import Observer
from ops_project.operations.ledger import open_ledger
from ops_project.settings import CONFIG_DIR, Settings
from tests.scenarios import bakery

HOUR = timedelta(hours=1)


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """The bakery's home, whose configuration sends backups to another disk."""
    overlay = tmp_path / "config"
    shutil.copytree(bakery.OVERLAY, overlay)
    platform = yaml.safe_load((CONFIG_DIR / "platform.yaml").read_text(encoding="utf-8"))
    platform["backups"] = {"destination": str(tmp_path / "other-disk")}
    (overlay / "platform.yaml").write_text(yaml.safe_dump(platform), encoding="utf-8")
    return bakery.built(tmp_path / "home", overlay)


def open_alerts(settings: Settings) -> set[str]:
    observer = Observer("backups", backup_observer.look)
    run_once(settings, catalog.load(settings), settings.now(), observers=[observer], flush_now=True)
    return {alert.rule for alert in open_ledger(settings).alerts("open", 100)}


def test_a_lost_disk_is_rebuilt_from_the_backup(home: Settings, tmp_path: Path) -> None:
    made = bakery.ops(home, "backup", "create", "--by", "engineer-a")
    assert made["proof"]["outcome"] == "proved" and made["left_out"] == []
    before = bakery.tables(home)
    bakery.deliver(home, "2026-03-04", bakery.rows("2026-03-04", 40, 5000))
    evening = replace(home, as_of=bakery.NOW + 6 * HOUR)
    bakery.land(evening)

    [drill] = bakery.ops(evening, "drill", "recovery")
    assert drill["ok"] and drill["recovery_point_seconds"] == 6 * 3600 and drill["lost_files"] == 1
    assert drill["recovery_seconds"] > 0
    words = bakery.run(evening, "drill", "recovery", "--history").output
    assert "rebuilt" in words and "6" in words, "the figures are shown"

    shutil.rmtree(home.home)
    plan = bakery.ops(evening, "backup", "restore")
    assert not plan["applied"] and plan["backup"] == made["backup"] and plan["lost_seconds"] == 6 * 3600
    assert not (home.home / "warehouse").exists(), "nothing was changed"
    assert bakery.ops(evening, "backup", "restore", "--yes", "--by", "engineer-a")["applied"]
    assert bakery.tables(home) == before
    lines = open_ledger(home).audit_log()
    assert [line["action"] for line in lines] == ["backup restore", "test"], "the ledger is the backup's, and goes on"
    bakery.deliver(home, "2026-03-04", bakery.rows("2026-03-04", 40, 5000))
    assert [batch.status for batch in bakery.land(evening).batches] == ["loaded"], "the home goes on from there"


def test_the_age_of_the_last_proved_backup_is_watched(home: Settings) -> None:
    assert open_alerts(home) == set(), "a new destination has a night's time"
    later = replace(home, as_of=bakery.NOW + 37 * HOUR)
    assert open_alerts(later) == {"backup_too_old"}
    assert bakery.ops(later, "status")["backups"]["newest_proved"] is None
    made = bakery.ops(later, "backup", "create")
    said = bakery.ops(later, "status")["backups"]
    assert (said["newest_proved"], said["age_hours"], said["last_outcome"]) == (made["backup"], 0, "proved")
    assert open_alerts(replace(later, as_of=later.now() + HOUR)) == set()
    for file in Path(str(home.home.parent / "other-disk" / "objects")).rglob("*"):
        if file.is_file():
            file.write_bytes(b"rust")
    assert bakery.ops(later, "backup", "verify", code=1)["proof"]["outcome"] == "failed"
    assert "backup_failed" in open_alerts(replace(later, as_of=later.now() + 2 * HOUR))
    bakery.ops(replace(later, as_of=later.now() + 3 * HOUR), "backup", "create")
    assert open_alerts(replace(later, as_of=later.now() + 4 * HOUR)) == set()


def test_a_home_without_a_destination_says_what_is_missing(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, overlay=bakery.OVERLAY, as_of=bakery.NOW)
    ended = bakery.run(settings, "backup", "create")
    assert ended.exit_code == 2 and "backups.destination" in ended.output
    assert open_alerts(settings) == set()
    ended = bakery.run(settings, "backup", "list", "--at", "ftp://x")
    assert ended.exit_code == 1 and "s3://BUCKET/PREFIX" in ended.output
