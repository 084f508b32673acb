"""`ops replay` and `ops rerun` with nothing left to do. An earlier call may have been killed before it built everything
or sent its alerts.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ops_project.cli import replay, run, run_alerts
from ops_project.dagster_bridge import runs
from ops_project.defs import compose
from ops_project.defs.shared import rerun
from ops_project.pipeline.recovery.decide.target import NothingLeft
from ops_project.settings import Settings
from tests.scenarios import bakery


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Two landed days, without a refused row."""
    return bakery.built(tmp_path_factory.mktemp("nothing_left") / "home")


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Replaces what the commands do with Dagster, and records it: the domains that are run, or an alert cycle."""
    found: list[Any] = []

    def told(*_arguments: object) -> list[str]:
        found.append("alerts")
        return []

    monkeypatch.setattr(run, "perform", lambda _settings, wanted, _as_json: found.append(wanted.domains))
    monkeypatch.setattr(run_alerts, "catch_up", told)
    monkeypatch.setattr(replay, "_catch_up", told)
    return found


def cut_off(monkeypatch: pytest.MonkeyPatch, *domains: str) -> None:
    monkeypatch.setattr(
        replay, "_cut_off", lambda _settings, asked: tuple(domain for domain in domains if domain in asked)
    )


def batch_of(settings: Settings) -> str:
    [row] = bakery.ops(settings, "sql", "select min(batch_id) as id from ops.batches")["rows"]
    return str(row["id"])


def test_a_replay_that_was_cut_off_is_built(home: Settings, done: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    cut_off(monkeypatch, "bakery", "ecommerce")
    for words in ((), ("--batch", batch_of(home)), ("--feed", bakery.FEED)):
        done.clear()
        ended = bakery.run(home, "replay", *words)
        assert ended.exit_code == 0, ended.output
        assert done and "bakery" in done[0]
    assert done == [("bakery",)], "the feed that was asked for has one domain"


def test_a_batch_that_does_not_exist_builds_nothing(
    home: Settings, done: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off(monkeypatch, "bakery")
    ended = bakery.run(home, "replay", "--batch", "of-nobody")
    assert ended.exit_code == 1 and "no row to try again in batch of-nobody" in ended.output
    assert done == ["alerts"]


@pytest.mark.parametrize(("words", "told"), [((), ["alerts"]), (("--dry-run",), [])])
def test_a_replay_with_nothing_left_tells_what_a_killed_one_could_not(
    home: Settings, done: list[Any], monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], told: list[str]
) -> None:
    cut_off(monkeypatch)
    assert bakery.run(home, "replay", *words).exit_code == 0
    assert done == told


def test_what_a_replay_with_nothing_left_could_not_record_is_its_exit_code(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off(monkeypatch)
    monkeypatch.setattr(replay, "_catch_up", lambda *_: ["the disk is full"])
    assert bakery.run(home, "replay").exit_code == run.UNRECORDED


def test_a_home_without_a_warehouse_is_left_as_it_is(tmp_path: Path, done: list[Any]) -> None:
    settings = Settings(home=tmp_path / "home", overlay=bakery.OVERLAY, as_of=bakery.NOW)
    settings.home.mkdir()
    assert bakery.run(settings, "replay").exit_code == 0
    assert done == [] and not settings.dagster_home.exists()


@pytest.mark.parametrize(("words", "told"), [((), ["alerts"]), (("--dry-run",), [])])
def test_a_rerun_with_nothing_left_tells_what_a_killed_one_could_not(
    home: Settings, done: list[Any], monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], told: list[str]
) -> None:
    def nothing(*_arguments: object) -> None:
        raise NothingLeft("nothing to rerun")

    monkeypatch.setattr(compose, "compose", lambda _site: None)
    monkeypatch.setattr(rerun, "plan", nothing)
    monkeypatch.setattr(runs, "mark_dead_runs", lambda *_: [])
    ended = bakery.run(home, "rerun", "abcd", *words)
    assert ended.exit_code == 1 and "nothing to rerun" in ended.output
    assert done == told
