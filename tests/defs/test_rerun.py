"""A failed run is run again. Its finished parts are left alone, each effect happens once, and the history shows both
runs as one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import pytest

from ops_project.dagster_bridge import reruns
from ops_project.dagster_bridge.run_tags import DOMAIN_TAG
from ops_project.defs.shared import partitions
from ops_project.defs.shared import rerun as rerunning
from ops_project.defs.shared.domain_run import DomainRun
from ops_project.defs.shared.partial import Part, execute
from ops_project.defs.shared.run_session import Watcher
from ops_project.defs.shared.site import Site
from ops_project.pipeline.recovery.decide.target import RestoreError
from ops_project.pipeline.warehouse import closings
from ops_project.settings import Settings

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
A, B, C = ("bronze", "a"), ("silver", "b"), ("gold", "c")


@dataclass
class World:
    """Three tables in a row. The builds are counted, and a table that is marked as broken fails."""

    built: Counter[str] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)
    broken: set[str] = field(default_factory=set)
    wrong: set[str] = field(default_factory=set)

    def table(self, key: tuple[str, str], *above: tuple[str, str]) -> dg.AssetsDefinition:
        @dg.asset(key=list(key), deps=[list(item) for item in above], tags={"domain": "shop"})
        def body() -> None:
            if key[1] in self.broken:
                raise dg.Failure(
                    f"{key[1]} is broken", metadata={"failure_class": "resource_exhausted"}, allow_retries=False
                )
            self.built[key[1]] += 1

        return body

    def check(self, key: tuple[str, str]) -> dg.AssetChecksDefinition:
        @dg.asset_check(asset=list(key), name="sound", blocking=True)
        def body() -> dg.AssetCheckResult:
            self.checked[key[1]] += 1
            return dg.AssetCheckResult(passed=key[1] not in self.wrong)

        return body

    def definitions(self) -> dg.Definitions:
        return dg.Definitions(
            assets=[self.table(A), self.table(B, A), self.table(C, B)],
            asset_checks=[self.check(A), self.check(C)],
            jobs=[dg.define_asset_job("shop_pipeline")],
            executor=dg.in_process_executor,
            loggers={"console": dg.colored_console_logger},
        )


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as found:
        yield found


def nightly(world: World, instance: dg.DagsterInstance) -> DomainRun:
    part = Part("shop_pipeline", "shop", frozenset({A, B, C}), tags={partitions.MODE: partitions.ARRIVED})
    return execute(world.definitions(), instance, part, Watcher(), NOW)


def again(world: World, instance: dg.DagsterInstance, tmp_path: Path, run: str, start: str | None = None) -> DomainRun:
    definitions = world.definitions()
    site = cast(Site, SimpleNamespace(settings=Settings(home=tmp_path)))
    wanted = rerunning.plan(site.settings, definitions, instance, run, start)
    [done] = rerunning.rerun(site, definitions, instance, wanted, watcher=Watcher(), clock=lambda: NOW)
    return done


def test_what_is_finished_is_not_built_again(world: World, instance: dg.DagsterInstance, tmp_path: Path) -> None:
    world.broken = {"b"}
    first = nightly(world, instance)
    assert first.state == "failed" and first.run_id is not None and world.built == {"a": 1}
    assert reruns.failure_classes(instance, first.run_id) == {"resource_exhausted"}

    world.broken = {"c"}
    second = again(world, instance, tmp_path, first.run_id[:8])
    assert second.state == "failed" and second.run_id is not None and world.built == {"a": 1, "b": 1}
    world.broken = set()
    third = again(world, instance, tmp_path, first.run_id)  # the first call names the run, and so does the second
    assert third.state == "succeeded" and third.run_id is not None
    assert world.built == {"a": 1, "b": 1, "c": 1} and world.checked == {"a": 1, "c": 1}
    run = instance.get_run_by_id(third.run_id)
    assert run is not None and run.tags[reruns.ROOT] == first.run_id and run.tags[reruns.PARENT] == second.run_id
    assert run.tags[DOMAIN_TAG] == "shop" and run.tags[partitions.MODE] == partitions.ARRIVED
    done = reruns.together(instance, run)
    assert done.built == {A, B, C} and all(check.passed for check in done.checks) and not done.failures
    closed = closings.Closing("shop_pipeline", run.run_id, "shop", closings.CLOSED, NOW.isoformat())
    closings.note(Settings(home=tmp_path), closed)  # a run does this when it has published
    with pytest.raises(RestoreError, match="nothing to rerun"):
        again(world, instance, tmp_path, first.run_id)


def test_a_check_that_stopped_the_run_is_made_again(world: World, instance: dg.DagsterInstance, tmp_path: Path) -> None:
    world.wrong = {"a"}
    first = nightly(world, instance)
    assert first.run_id is not None and world.built == {"a": 1}
    world.wrong = set()
    assert again(world, instance, tmp_path, first.run_id).state == "succeeded"
    assert world.built == {"a": 1, "b": 1, "c": 1} and world.checked == {"a": 2, "c": 1}


def test_from_a_table_on(world: World, instance: dg.DagsterInstance, tmp_path: Path) -> None:
    first = nightly(world, instance)
    assert first.run_id is not None
    assert again(world, instance, tmp_path, first.run_id, "b").state == "succeeded"
    assert world.built == {"a": 1, "b": 2, "c": 2}
    with pytest.raises(RestoreError, match="not part of this run"):
        again(world, instance, tmp_path, first.run_id, "gold.other")


def whole(instance: dg.DagsterInstance, done: DomainRun) -> bool:
    """Whether the result of this run counts for its whole domain. The code that takes a snapshot after a run asks the
    same question.
    """
    run = instance.get_run_by_id(str(done.run_id))
    assert run is not None
    return reruns.is_whole(instance, run, reruns.together(instance, run))


def test_a_rerun_is_whole_only_if_nothing_of_the_run_is_left(
    world: World, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    world.broken = {"b"}
    first = nightly(world, instance)
    assert whole(instance, first)
    last = again(world, instance, tmp_path, str(first.run_id), "c")
    assert last.state == "succeeded" and not whole(instance, last), "b is still that of an earlier run"
    world.broken = set()
    assert whole(instance, again(world, instance, tmp_path, str(first.run_id)))


def test_a_run_of_some_tables_says_nothing_about_the_others(
    world: World, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    """A backfill of one table uses the job of the whole domain."""
    world.broken = {"c"}
    part = execute(world.definitions(), instance, Part("shop_pipeline", "shop", frozenset({B, C})), Watcher(), NOW)
    assert not whole(instance, part)
    world.broken = set()
    assert not whole(instance, again(world, instance, tmp_path, str(part.run_id))), "nor does its rerun"


def test_a_run_is_named_by_the_beginning_of_its_id(world: World, instance: dg.DagsterInstance) -> None:
    first = nightly(world, instance)
    for text in ("zzzz", "", str(first.run_id)[:2]):
        with pytest.raises(reruns.NoRun, match=r"the newest: .* \(shop_pipeline, success\)"):
            reruns.find(instance, text)


def test_fewer_dates_at_once() -> None:
    window = date(2026, 3, 1), date(2026, 3, 5)
    windows: list[Any] = rerunning._windows(window, 2)
    assert [(first.day, last.day) for first, last in windows] == [(1, 2), (3, 4), (5, 5)]
    assert rerunning._windows(window, 0) == [window] and rerunning._windows(None, 3) == [None]
