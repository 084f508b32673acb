"""Tags that only this code reads are hidden in the Dagster UI, and those of earlier versions are still read."""

from __future__ import annotations

import dagster as dg
import pytest
from dagster._core.storage.tags import TagType, get_tag_type

from ops_project.dagster_bridge import runs
from ops_project.dagster_bridge.run_tags import (
    AS_OF_TAG,
    COMMIT_TAG,
    DOMAIN_TAG,
    PART_TAG,
    PROCESS_TAG,
    TIMEOUT_TAG,
    tag_of,
)
from ops_project.dagster_bridge.runs import mark_dead_runs
from tests.empty_home import NOW

INTERNAL = (PROCESS_TAG, AS_OF_TAG, COMMIT_TAG, TIMEOUT_TAG)
OLD = ("ops/process", "ops/as_of", "ops/commit", "ops/timeout_seconds")


@pytest.mark.parametrize("name", [*INTERNAL, PART_TAG])
def test_what_people_do_not_need_is_hidden(name: str) -> None:
    assert get_tag_type(name) == TagType.HIDDEN


def test_the_domain_can_be_seen_and_filtered_by() -> None:
    assert get_tag_type(DOMAIN_TAG) == TagType.USER_PROVIDED


@pytest.mark.parametrize(("name", "old"), list(zip(INTERNAL, OLD, strict=True)))
def test_the_tag_of_an_earlier_run_is_read(name: str, old: str) -> None:
    assert tag_of({old: "x"}, name) == "x"
    assert tag_of({old: "x", name: "y"}, name) == "y"
    assert tag_of({}, name, "none") == "none"


@pytest.mark.parametrize("name", ["ops/process", PROCESS_TAG])
def test_a_dead_run_is_found_under_either_name(name: str) -> None:
    @dg.op
    def nothing() -> None: ...

    @dg.job
    def some_job() -> None:
        nothing()

    with dg.DagsterInstance.ephemeral() as instance:
        run = instance.create_run_for_job(some_job, status=dg.DagsterRunStatus.STARTED)
        gone = str(runs.current()).replace(str(runs.current().pid), "999999999", 1)
        instance.add_run_tags(run.run_id, {name: gone})
        assert mark_dead_runs(instance, NOW), gone
