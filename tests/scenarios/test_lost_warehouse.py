"""A warehouse was lost between two nights. Nothing is built on the new file that has taken its place."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ops_project import catalog
from ops_project.operations.ledger import Ledger
from ops_project.pipeline.warehouse import connection, publishing, snapshots
from ops_project.settings import Settings
from tests.scenarios import homes, runbooks

pytestmark = pytest.mark.xdist_group("runs")
ONE = ("run", "--domain", "insurance")


def test_a_lost_warehouse_stops_the_run_pages_and_publishes_nothing(policies_done: Settings, tmp_path: Path) -> None:
    home = homes.copy(policies_done, tmp_path / "home")
    older = home.home / "older.duckdb"
    shutil.copy2(home.warehouse, older)
    platform = catalog.load(home).platform
    with connection.writer(home, platform, owner="another domain's run", now=homes.NOW) as held:
        held.connection().execute("CREATE TABLE ops.of_the_night AS SELECT 1 AS night")
        snapshots.take(held, domain="marketing", window=None, run_id="other", as_of=homes.NOW, commit="")
    before, newest = publishing.current(home, "insurance"), snapshots.newest(home)

    # An older copy that kept its time is not taken for the unchanged warehouse.
    shutil.copy2(older, home.warehouse)
    run = homes.ops(home, *ONE).wait()
    assert run.code == 1, run.output
    assert "is older than snapshot" in run.output

    home.warehouse.unlink()
    run = homes.ops(home, *ONE, "--domain", "marketing", "--days", "1", "--json").wait()
    assert run.code == 1
    [domain] = json.loads(run.output)["runs"]  # the other domain does not begin
    told = [line for line in domain["failures"] if "Ways back" in line]
    assert len(told) == 1, "it is said once"
    assert "is gone, but there is snapshot" in told[0]
    assert "Traceback" not in run.errors
    assert not home.warehouse.exists()
    assert publishing.current(home, "insurance") == before
    assert snapshots.newest(home).id == newest.id

    with Ledger.open(home.ledger_url) as ledger:
        firing = {alert.rule: alert for alert in ledger.alerts("open", 100)}
    assert firing["warehouse_unusable"].severity == "critical"
    assert "Ways back" in str(firing["warehouse_unusable"])
    assert all(alert.muted for rule, alert in firing.items() if rule.startswith("job_failure"))
    shown = homes.ops(home, "status", "--json").wait()
    assert json.loads(shown.output)["warehouse"]["state"] == "absent"
    runbooks.follow(home, "warehouse_lost", "")

    # This is the first of the ways back.
    assert f"restore --all --to {newest.id}" in told[0]
    assert homes.ops(home, "restore", "--all", "--to", newest.id, "--yes").wait().code == 0
    assert homes.ops(home, *ONE, "--days", "1").wait().code == 0
    with Ledger.open(home.ledger_url) as ledger:
        assert "warehouse_unusable" not in {alert.rule for alert in ledger.alerts("open", 100)}
