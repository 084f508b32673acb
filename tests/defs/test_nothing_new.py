"""A run is skipped only where the newest run of the domain is the one that is remembered as good."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test

from ops_project.defs.shared import execute
from ops_project.runtime.dagster_bridge_runs import DOMAIN_TAG

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(("later", "nothing_new"), [((), True), (("other",), True), (("shop",), False)])
def test_a_later_run_that_was_killed_or_failed_is_not_passed_over(tmp_path, monkeypatch, later, nothing_new):
    (tmp_path / "warehouse.duckdb").touch()
    site = SimpleNamespace(settings=SimpleNamespace(home=tmp_path, warehouse=tmp_path / "warehouse.duckdb"))
    monkeypatch.setattr(execute, "pending_dates", lambda *_: ([], 0))
    monkeypatch.setattr(execute, "_signature", lambda *_: "same")
    monkeypatch.setattr(execute.snapshots, "existing", lambda _: [SimpleNamespace(id="000001-a")])
    with dg.DagsterInstance.ephemeral() as instance:
        good = create_run_for_test(instance, tags={DOMAIN_TAG: "shop"})
        execute._remember(site, "shop", NOW, SimpleNamespace(run_id=good.run_id))
        for domain in later:
            create_run_for_test(instance, tags={DOMAIN_TAG: domain})
        assert execute._nothing_new(site, instance, "shop", NOW) is nothing_new
