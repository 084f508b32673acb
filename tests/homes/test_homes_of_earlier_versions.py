"""A home that an earlier version made is opened and used as if this version had made it.

`before_two_wings.tar.xz` was made with the commit a887b93: three days of insurance, then a day whose file did not come,
with four open alerts. Its dagster.yaml names a module that has moved since.
"""

from __future__ import annotations

import json
import tarfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ops_project.settings import Settings
from tests.scenarios import homes

pytestmark = pytest.mark.xdist_group("domain_runs")
ARCHIVES = sorted(Path(__file__).parent.glob("*.tar.xz"))


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: path.name.removesuffix(".tar.xz"))
def test_an_old_home_keeps_its_alerts_and_goes_on(archive: Path, tmp_path: Path) -> None:
    with tarfile.open(archive) as file:
        file.extractall(tmp_path)
    home = tmp_path / "data"
    dagster_yaml = (home / "dagster" / "dagster.yaml").read_text()
    assert "ops_project.runtime.dagster_bridge_storage" in dagster_yaml

    told = _json(home, "2026-11-22T14:00:00", "alerts", "list")
    assert "File of policies did not arrive" in [alert["summary"] for alert in told]
    before = _rows(home, "2026-11-22T14:00:00")

    # The missing file arrives: the day is delivered again, now complete.
    _ops(home, "2026-11-22T14:00:00", "simulate", "--domain", "insurance", "--days", "1", "--end", "2026-11-21")
    _ops(home, "2026-11-22T15:00:00", "run", "--domain", "insurance")
    assert _rows(home, "2026-11-22T15:00:00") > before
    open_now = [alert["summary"] for alert in _json(home, "2026-11-22T15:30:00", "alerts", "list")]
    assert "File of policies arrived late: 2026-11-21" in open_now
    assert not [title for title in open_now if "did not arrive" in title]
    assert (home / "dagster" / "dagster.yaml").read_text() == dagster_yaml


def _rows(home: Path, at: str) -> int:
    return int(_json(home, at, "sql", "select count(*) as rows from bronze.policies")["rows"][0]["rows"])


def _json(home: Path, at: str, *arguments: str) -> Any:
    return json.loads(_ops(home, at, *arguments, "--json"))


def _ops(home: Path, at: str, *arguments: str) -> str:
    homes.warm()
    done = homes.ops(Settings(home=home, as_of=datetime.fromisoformat(at)), *arguments).wait()
    assert done.code == 0, f"ops {' '.join(arguments)}: {done.output}{done.errors}"
    return done.output
