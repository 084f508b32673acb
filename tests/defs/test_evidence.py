"""Evidence about our own warehouse: changes since it was good, duplicates, and the state upstream."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from ops_project import catalog
from ops_project.catalog import versions
from ops_project.column_lineage import Column, ColumnLineage, Origin
from ops_project.defs.operations.evidence import code, duplicates
from ops_project.defs.operations.evidence.batches import items_of_batches
from ops_project.defs.operations.evidence.code import items_of_code
from ops_project.defs.operations.evidence.duplicates import items_of_duplicates
from ops_project.defs.operations.evidence.runs import items_of_logs
from ops_project.defs.operations.evidence.tables import changes_of_tables
from ops_project.defs.operations.evidence.upstream import items_of_upstream
from ops_project.lineage import AssetFacts, Lineage
from ops_project.model.alerting.signal import Signal
from ops_project.operations.diagnosis.decide.causes import diagnose
from ops_project.operations.diagnosis.decide.suspects import Known, Question
from ops_project.operations.diagnosis.evidence import Item, Scene
from ops_project.operations.ledger import open_ledger
from ops_project.pipeline import landing
from ops_project.pipeline.warehouse import snapshots
from ops_project.pipeline.warehouse.connection import writer
from ops_project.pipeline.warehouse.touched import BuiltByDates
from ops_project.settings import Settings
from tests.scenarios import bakery

NOW, HOUR = bakery.NOW, timedelta(hours=1)
SALES, LINES, DAILY = "bronze/bakery_sales", "silver/bakery_lines", "gold/bakery_daily"
LINEAGE = Lineage.of(
    [
        AssetFacts(SALES, domain="bakery"),
        AssetFacts(LINES, upstream=(SALES,), domain="bakery"),
        AssetFacts(DAILY, upstream=(LINES,), domain="bakery"),
        AssetFacts("gold/elsewhere", domain="ecommerce"),
    ]
)
MODEL = "dbt_project/models/bakery/silver/bakery_lines.sql"


class Place(NamedTuple):
    """A home with a good snapshot and two bad ones after it, and the two commits that they ran."""

    settings: Settings
    commits: list[str]
    scene: Scene
    repository: Path


def git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def committed(root: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "a change")
    return git(root, "rev-parse", "HEAD")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Place:
    root = Path(tmp_path_factory.mktemp("evidence"))
    repository = root / "project"
    repository.mkdir()
    for words in (["init", "-q"], ["config", "user.email", "a@example.org"], ["config", "user.name", "Ada"]):
        git(repository, *words)
    files = {
        MODEL: "select {{ rounded('price') }} as price from bronze.bakery_sales\n",
        "dbt_project/macros/rounding.sql": "{% macro rounded(x) %}{{ cut(x) }}{% endmacro %}\n",
        "dbt_project/macros/cutting.sql": "{% macro cut(x) %}round({{ x }}, 2){% endmacro %}\n",
        "dbt_project/macros/other.sql": "{% macro unused() %}1{% endmacro %}\n",
        "dbt_project/models/ecommerce/elsewhere.sql": "select 1\n",
    }
    commits = [committed(repository, files)]
    changed = {
        MODEL: "select {{ rounded('price') }} * 2 as price from bronze.bakery_sales\n",
        "dbt_project/macros/cutting.sql": "{% macro cut(x) %}round({{ x }}, 1){% endmacro %}\n",
        "dbt_project/macros/other.sql": "{% macro unused() %}2{% endmacro %}\n",
        "dbt_project/models/ecommerce/elsewhere.sql": "select 2\n",
    }
    commits.append(committed(repository, changed))

    shutil.copytree(bakery.OVERLAY, root / "config")
    settings = Settings(home=root / "home", overlay=root / "config", as_of=NOW)
    bakery.deliver(settings, "2026-03-02", bakery.rows("2026-03-02", 10))
    run(settings, catalog.load(settings), "good", commits[0], NOW - HOUR)
    contract = root / "config" / "feeds" / "bakery.yaml"
    text = contract.read_text(encoding="utf-8")
    old = 'price: {type: "decimal(18,2)", required: true'
    contract.write_text(text.replace(old, f"{old}, max: 4", 1), encoding="utf-8")
    (root / "config" / "oncall.yaml").write_text((catalog.files.CONFIG_DIR / "oncall.yaml").read_text() + "\n# x\n")
    twice = bakery.rows("2026-03-03", 3, 100).replace("4.20", "3.20")
    bakery.deliver(settings, "2026-03-03", twice + twice.splitlines()[-1] + "\n")
    loaded = catalog.load(settings)
    run(settings, loaded, "bad", commits[1], NOW)
    run(settings, loaded, "later", commits[1], NOW + HOUR)
    bakery.deliver(settings, "2026-03-04", bakery.rows("2026-03-04", 3, 200))
    scene = Scene(
        settings,
        loaded,
        open_ledger(settings, begins=True),
        LINEAGE,
        NOW + HOUR,
        (DAILY, LINES, SALES),
        since=NOW - HOUR,
    )
    return Place(settings, commits, scene, repository)


def run(settings: Settings, found: catalog.Catalog, name: str, commit: str, now: datetime) -> None:
    """Make everything that a run leaves behind: landed files, one table downstream, a snapshot under its code and
    configuration.
    """
    feed = found.feeds[bakery.FEED]
    with writer(settings, found.platform, owner="test", now=NOW) as held:
        connection = held.connection()
        landing.ensure_tables(connection, found.feeds.values())
        landing.land(connection, feed, inbound=settings.inbound, archive=settings.archive, now=NOW, run_id=name)
        connection.execute("create schema if not exists silver")
        connection.execute(
            "create or replace table silver.bakery_lines as select sale_id, shop from bronze.bakery_sales "
            "union all select sale_id, shop from bronze.bakery_sales where sale_id < 2"
        )
        models = {"silver.bakery_lines": BuiltByDates(code=commit)}
        snapshots.take(
            held, run_id=name, as_of=now, commit=commit, domain="bakery", models=models, config=versions.keep(settings)
        )


@pytest.fixture
def place(built: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(code, "PROJECT_ROOT", built.repository)
    monkeypatch.setattr(code, "DBT_PROJECT_DIR", built.repository / "dbt_project")
    return built


def by_title(items: list[Item]) -> dict[str, str]:
    return {item.title: item.text for item in items}


def test_the_lines_of_code_that_differ_are_those_upstream(place: Place) -> None:
    found = by_title(list(items_of_code(place.scene)))
    assert "+select {{ rounded('price') }} * 2 as price" in found[f"Code change of {MODEL}"]
    assert "round({{ x }}, 1)" in found["Code change of dbt_project/macros/cutting.sql"], "called by a called macro"
    assert "2 files that have changed are not shown" in found["Code change"]
    assert "elsewhere.sql" in found["Code change"] and "other.sql" in found["Code change"]
    assert "select 2" not in str(found), "what is not upstream is only named"


def test_what_has_changed_of_the_configuration_is_shown(place: Place) -> None:
    found = by_title(list(items_of_code(place.scene)))
    assert "max: 4" in found["Configuration change of feeds/bakery.yaml"]
    assert "oncall.yaml" in found["Configuration change"], "named, because it builds no table"
    was, here = (versions.one_digest(item.manifest["config"])[:12] for item in snapshots.existing(place.settings)[:2])
    assert was != here and f"configuration {was}" in found["Code"] and f"configuration {here}" in found["Code"]


def test_without_an_earlier_snapshot_no_claim_is_made_about_the_runs(place: Place) -> None:
    """A snapshot is removed after a few runs: the good run may have happened all the same."""
    [said] = items_of_code(replace(place.scene, since=NOW - 9 * HOUR))
    assert said.text.endswith("no snapshot of an earlier good run is kept to compare it with")


def test_a_change_is_told_of_the_first_run_that_has_it(place: Place) -> None:
    [change] = [item for item in changes_of_tables(place.scene) if item.kind == "code"]
    assert (change.asset, change.run_id, change.commit, change.at) == (LINES, "bad", place.commits[1], NOW)


def test_a_bad_run_that_waited_for_the_good_one_is_not_the_good_one(place: Place) -> None:
    """The bad run began before the good build ended, and a snapshot has the time at which its run began."""
    late = replace(place.scene, since=NOW + HOUR / 2, wrong_in="bad")
    [change] = [item for item in changes_of_tables(late) if item.kind == "code"]
    assert (change.asset, change.run_id) == (LINES, "bad")
    asked = Question(DAILY, "", NOW + HOUR, good_at=NOW + HOUR / 2, wrong_in="bad", good_in="good")
    found = diagnose(asked, Known(LINEAGE, changes=(change,)))
    assert found.culprit is not None and found.culprit.asset == LINES


def test_where_there_is_no_repository_it_says_so(place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(code, "PROJECT_ROOT", tmp_path)
    said = by_title(list(items_of_code(place.scene)))["Code change"]
    assert "what has changed is not known" in said and "is not a clone" in said


def test_a_commit_that_the_repository_does_not_have_is_named(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    git(tmp_path, "init", "-q")
    monkeypatch.setattr(code, "PROJECT_ROOT", tmp_path)
    said = by_title(list(items_of_code(place.scene)))["Code change"]
    assert f"commit {place.commits[0][:12]} is not in the repository" in said


@pytest.mark.parametrize("command", ["cat-file", "diff"])
def test_a_git_that_hangs_costs_its_time_and_is_named(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    hangs = tmp_path / "hangs" / "git"
    hangs.parent.mkdir()
    hangs.write_text(f'#!/bin/sh\ncase "$*" in *{command}*) exec sleep 5 ;; esac\nexec {shutil.which("git")} "$@"\n')
    hangs.chmod(0o755)
    monkeypatch.setenv("PATH", str(hangs.parent), prepend=os.pathsep)
    monkeypatch.setattr(code, "GIT_SECONDS", 0.1)
    assert "git took longer" in by_title(list(items_of_code(place.scene)))["Code change"]


def test_duplicates_of_files_and_tables_are_shown_masked(place: Place) -> None:
    ledger = place.scene.ledger
    message = "2 rows of silver.bakery_lines break the rule unique (column_name: sale_id)"
    wrong = Signal(
        "check.failure", "firing", NOW, NOW, "k1", asset=LINES, failure_class="key_violation", message=message
    )
    ledger.append([wrong])
    found = [(item.title, item.text) for item in items_of_duplicates(place.scene)]
    assert found[0][0] == "Duplicate in a file of bakery_sales" and "line 5 repeats line 4" in found[0][1]
    assert found[1] == ("Duplicate in silver.bakery_lines", "sale_id ***: 2 rows"), "of unknown columns all are hidden"
    known = ColumnLineage(
        {Column(LINES, "sale_id"): Origin("absent"), Column(LINES, "shop"): Origin("absent", personal=True)}
    )
    ledger.keep_columns(known, "c1", NOW)
    shown = [item.text for item in items_of_duplicates(place.scene) if item.title.endswith("bakery_lines")]
    assert sorted(shown) == ["sale_id 0: 2 rows", "sale_id 1: 2 rows"]
    assert duplicates._personal(place.scene, LINES, ["sale_id", "shop", "new"]) == {"shop", "new"}


def test_the_state_upstream_is_that_of_this_moment(place: Place) -> None:
    ledger = place.scene.ledger
    ledger.append(
        [
            Signal("asset.failure", "ok", NOW, NOW, "b1", asset=SALES),
            Signal("landing.finding", "firing", NOW, NOW, "f1", asset=SALES, failure_class="source_partial"),
        ]
    )
    texts = [item.text for item in items_of_upstream(place.scene)]
    of_sales = next(text for text in texts if text.startswith(SALES))
    assert "source_partial since 03-04 12:00" in of_sales and "built 03-04 12:00" in of_sales
    assert "1 file waits in the inbound folder" in of_sales
    assert any(text.startswith(f"{LINES}: ") and "never seen built" in text for text in texts)


def test_lines_of_the_log_about_the_run_are_shown_masked(place: Place) -> None:
    log = place.settings.home / "logs" / "dagster.log"
    log.parent.mkdir(exist_ok=True)
    log.write_text(
        "2026-03-04 12:00 ERROR run bad: refused ada@example.org\n"
        "2026-03-04 12:01 INFO run bad: nothing to see\n"
        "2026-03-04 12:02 WARNING run other: of somebody else\n",
        encoding="utf-8",
    )
    found = by_title(list(items_of_logs(replace(place.scene, run_id="bad"))))
    assert "ERROR run bad" in found["Log"] and "ada@example.org" not in found["Log"]
    assert "nothing to see" not in found["Log"] and "somebody else" not in found["Log"]
    assert "dagster.log" in found["Where the logs are"]


def test_refused_rows_are_masked(place: Place) -> None:
    refused = [item.text for item in items_of_batches(replace(place.scene, assets=(SALES,)))]
    assert refused and all("@" not in text for text in refused)


def test_versions_that_no_snapshot_needs_are_removed(tmp_path: Path) -> None:
    overlay = tmp_path / "config"
    overlay.mkdir()
    settings = Settings(home=tmp_path / "home", overlay=overlay)
    (overlay / "calendar.yaml").write_text("one", encoding="utf-8")
    first = versions.keep(settings)
    (overlay / "calendar.yaml").write_text("two", encoding="utf-8")
    second = versions.keep(settings)
    assert versions.changed(first, second) == ["calendar.yaml"]
    assert versions.difference(settings, "calendar.yaml", first, second)[-2:] == ["-one", "+two"]
    versions.forget(settings, set(second.values()))
    with pytest.raises(OSError, match=first["calendar.yaml"]):
        versions.difference(settings, "calendar.yaml", first, second)
    assert versions.keep(settings) == second
