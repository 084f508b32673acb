"""A story of a table that was dropped by accident: the plan, the restore, what is downstream, and the way back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ops_project.operations.ledger import Ledger
from ops_project.pipeline.warehouse import snapshots
from ops_project.settings import Settings
from tests.scenarios import homes

pytestmark = pytest.mark.xdist_group("runs")
TABLE = "silver.ods_policies"


def test_a_dropped_table_is_restored_and_what_is_downstream_rebuilt(policies_done: Settings, tmp_path: Path) -> None:
    home = homes.copy(policies_done, tmp_path / "home")
    before = homes.business_checksums(home)
    newest = snapshots.newest(home).id
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute(f"DROP TABLE {TABLE}")

    plan = ops(home, "restore", "ods_policies", "--to", "newest")
    assert plan["source"] == f"snapshot {newest}" and not plan["applied"]
    assert [(item["table"], item["what"]) for item in plan["tables"]] == [(TABLE, "brought back")]
    assert "gold.kpi_policies" in plan["out_of_date"]
    assert snapshots.newest(home).id == newest

    cut_off = homes.ops(home, "restore", TABLE, "--to", newest, "--yes", kill_at="restore:swapped").wait()
    assert cut_off.signal == 9
    assert ops(home, "restore", TABLE, "--to", newest, "--yes")["applied"]
    assert homes.business_checksums(home) == before
    assert set(plan["out_of_date"]) <= set(ops(home, "status")["out_of_date"])
    with Ledger.open(home.ledger_url) as ledger:
        [line] = [line for line in ledger.audit_log() if line["action"] == "restore"]
    assert line["subject"] == TABLE and newest in line["detail"]

    rebuilt = ops(home, "restore", TABLE, "--to", newest, "--yes", "--rebuild")
    assert not rebuilt["failed"]
    assert "gold.kpi_policies" not in ops(home, "status")["out_of_date"]
    assert homes.business_checksums(home)[TABLE] == before[TABLE]

    refused = homes.ops(home, "restore", "silver.ods_policie", "--to", "newest").wait()
    assert refused.code == 1 and "did you mean silver.ods_policies" in refused.errors


def ops(home: Settings, *arguments: str) -> dict[str, Any]:
    ended = homes.ops(home, *arguments, "--json").wait()
    assert ended.code == 0, ended.output + ended.errors
    found: dict[str, Any] = json.loads(ended.output)
    return found
