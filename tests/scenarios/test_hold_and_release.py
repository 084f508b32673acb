"""A table cannot be trusted: its downstream tables are held, and they are built when the hold is released."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from dagster import AssetKey, DagsterInstance

from ops_project.operations.ledger import open_ledger
from ops_project.pipeline.warehouse import snapshots
from ops_project.settings import Settings
from tests.scenarios import homes

pytestmark = pytest.mark.xdist_group("domain_runs")


def _newest(settings: Settings, table: str) -> str:
    with snapshots.open(snapshots.newest(settings)) as warehouse:
        return str(warehouse.execute(f"SELECT max(business_date) FROM {table}").fetchone()[0])


def _ops(settings: Settings, *words: str):
    return homes.ops(settings, *words).wait()


def test_what_is_downstream_waits_with_the_reason_and_goes_on_after_the_release(
    policies_done: Settings, tmp_path: Path
) -> None:
    settings = homes.copy(policies_done, tmp_path / "home")
    words = ("simulate", "--domain", "insurance", "--scale", "0.1")
    assert _newest(settings, "gold.kpi_policies") == "2026-03-03"

    refused = _ops(settings, "hold", "silver/fact_polices", "--why", "x")
    assert refused.code == 2 and "did you mean silver/fact_policies?" in refused.output + refused.errors
    made = _ops(settings, "hold", "silver/ods_policies", "--why", "premiums look wrong", "--by", "engineer-c", "--json")
    assert json.loads(made.output)["assets"] == ["gold/kpi_policies", "silver/fact_policies"]

    assert _ops(settings, *words, "--days", "1", "--end", "2026-03-04").code == 0
    ended = _ops(settings, "run", "--domain", "insurance")
    assert "on hold" in ended.output and "premiums look wrong" in ended.output
    assert _newest(settings, "silver.ods_policies") == "2026-03-04", "what is held can still be repaired"
    assert _newest(settings, "silver.fact_policies") == "2026-03-03"
    assert _newest(settings, "gold.kpi_policies") == "2026-03-03", "consumers keep the last good one"
    with settings.exported(), DagsterInstance.get() as instance:
        told = instance.fetch_observations(AssetKey(["silver", "fact_policies"]), limit=1).records
        assert told[0].asset_observation.metadata["why"].value == "premiums look wrong"

    released = _ops(settings, "release", "silver/ods_policies", "--by", "engineer-c")
    assert "Released" in released.output, released.output + released.errors
    assert _newest(settings, "silver.fact_policies") == "2026-03-04"
    assert _newest(settings, "gold.kpi_policies") == "2026-03-04"
    again = _ops(settings, "release", "silver/ods_policies")
    assert again.code == 1 and "not on hold" in again.output + again.errors
    with open_ledger(settings) as ledger:
        assert [e["action"] for e in ledger.audit_log()] == ["release", "hold"]
