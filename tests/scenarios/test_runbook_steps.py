"""Each step of a runbook is run where its failure has happened, and shows what its text promises."""

from __future__ import annotations

import json

import pytest

from ops_project import catalog
from ops_project.operations.incidents.runbooks import read
from ops_project.settings import Settings
from tests.scenarios import homes

pytestmark = pytest.mark.xdist_group("runs")

FAULTS = ("missing_column:orders", "duplicate_delivery:customers", "missing:products")
RUNBOOKS = (
    "anomaly",
    "business-metric",
    "data-quality",
    "ecommerce-pipeline",
    "infrastructure",
    "key-violation",
    "models",
    "on-call",
    "pipeline-failure",
    "publication",
    "resources",
    "schema-mismatch",
    "sla",
    "slow-pipeline",
    "source-arrival",
    "stale-table",
)


@pytest.fixture(scope="module")
def broken(tmp_path_factory) -> Settings:
    homes.warm()
    settings = homes.simulate(tmp_path_factory.mktemp("runbooks") / "home", days=3)
    for fault in FAULTS:
        ended = homes.ops(settings, "simulate", "--fault", fault).wait()
        assert ended.code == 0, ended.output + ended.errors
    homes.ops(settings, "run", "--domain", "ecommerce").wait()
    return settings


@pytest.mark.parametrize("slug", RUNBOOKS)
def test_the_steps_run_and_show_what_they_promise(broken: Settings, slug: str) -> None:
    incidents = json.loads(homes.ops(broken, "incidents", "list", "--json").wait().output)
    assert incidents, "the faults are incidents"
    number = str(incidents[-1]["number"])
    ended = homes.ops(broken, "runbook", "run", slug, "--incident", number, "--json").wait()
    assert ended.code == 0, ended.output + ended.errors
    results = json.loads(ended.output)
    runbook = read(catalog.load(broken), slug)
    assert {r["step"] for r in results} == {step.number for step in runbook.steps if step.commands}
    for step in runbook.steps:
        said = "".join(r["output"] for r in results if r["step"] == step.number)
        for promised in step.shows:
            assert promised in said, (slug, step.number, promised, said)
    unfinished = [r["command"] for r in results if r["state"] == "not run"]
    filled = ("FILE", "KEY", "FEED", "reconcile")
    assert all(any(word in command for word in filled) for command in unfinished), unfinished
