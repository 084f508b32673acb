"""A run that ends without a snapshot, or that builds only a part, makes its domain not good."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ops_project import catalog
from ops_project.dagster_bridge.run_tags import AS_OF_TAG, DOMAIN_TAG, PROCESS_TAG
from ops_project.defs.shared import run_session
from ops_project.pipeline.warehouse import announced, snapshots
from ops_project.pipeline.warehouse.connection import writer
from ops_project.process import interrupts
from ops_project.process.processes import current
from ops_project.settings import Settings
from tests.empty_home import NOW, settings

__all__ = ["settings"]


def begun(settings: Settings, run_id: str) -> Any:
    """The session of a run of ecommerce, with the warehouse open."""
    tags = {PROCESS_TAG: str(current()), AS_OF_TAG: NOW.isoformat(), DOMAIN_TAG: "ecommerce"}
    run = SimpleNamespace(tags=tags, run_id=run_id, job_name="master_pipeline")
    site = SimpleNamespace(settings=settings, catalog=catalog.load(settings))
    instance = SimpleNamespace(report_engine_event=lambda *_: None)
    found = run_session._session(site, run, instance, SimpleNamespace(info=lambda _: None))
    next(found)
    return found


def test_the_next_snapshot_says_that_an_interrupted_run_left_half_a_domain(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = begun(settings, "stopped")
    monkeypatch.setattr(interrupts, "pressed", lambda: True)
    with pytest.raises(StopIteration):
        next(session)
    assert announced.unfinished(settings) == {"ecommerce"}
    with writer(settings, catalog.load(settings).platform, owner="test", now=NOW) as held:
        found = snapshots.take(held, run_id="other", as_of=NOW, commit="c0ffee", domain="streaming")
    assert found.manifest["failed"] == ["ecommerce"]
