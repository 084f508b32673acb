"""The daemon's own backup: it exists if a destination is configured, and fails if the backup is not proved."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import dagster as dg
import pytest

from ops_project.defs.operations.backups import JOB, backup_definitions
from ops_project.defs.shared.site import Site
from ops_project.model.platform import Backups, Platform
from ops_project.settings import Settings
from tests.empty_home import NOW


def definitions(home: Path, destination: Path | None) -> dg.Definitions:
    platform = Platform.model_validate(
        {
            "name": "test",
            "timezone": "Europe/Berlin",
            "start_date": "2026-01-01",
            "backups": Backups(destination=str(destination) if destination else None),
        }
    )
    site = SimpleNamespace(settings=Settings(home=home, as_of=NOW), catalog=SimpleNamespace(platform=platform))
    return backup_definitions(cast(Site, site))


def test_without_a_destination_there_is_no_job(tmp_path: Path) -> None:
    found = definitions(tmp_path, None)
    assert not found.jobs and not found.schedules


def test_the_job_takes_a_backup_and_is_red_where_it_is_not_proved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, store = tmp_path / "home", tmp_path / "store"
    (home / "inbound").mkdir(parents=True)
    (home / "inbound" / "a.csv").write_text("a", encoding="utf-8")
    found = definitions(home, store)
    [schedule] = found.schedules or ()
    assert isinstance(schedule, dg.ScheduleDefinition)
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 3 * * *", "Europe/Berlin")
    job = found.resolve_job_def(JOB)
    with dg.DagsterInstance.ephemeral() as instance:
        assert job.execute_in_process(instance=instance).success
        assert len(list((store / "backups").iterdir())) == 1
        shutil.rmtree(store / "objects")
        monkeypatch.setattr("ops_project.pipeline.recovery.backup.create.PIECE_BYTES", 2)
        (home / "inbound" / "b.csv").symlink_to("nowhere")
        (home / "broken.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
        assert not job.execute_in_process(instance=instance, raise_on_error=False).success
