"""The parsed project is made once, and no process waits for ever for another process that parses it."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster_dbt.utils import select_unique_ids

from ops_project.pipeline.dbt_engine import manifest as dbt_manifest


@pytest.fixture
def parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """The folders into which a project was parsed. The real parser is replaced by one that only makes the folder."""
    made: list[Path] = []

    def parse(_project: Path, folder: Path) -> None:
        folder.mkdir()
        (folder / dbt_manifest.COMPILED).write_text("{}")
        made.append(folder)

    monkeypatch.setattr(dbt_manifest, "_parse", parse)
    (tmp_path / "dbt_project.yml").write_text("name: shop\n")
    yield made


def test_a_content_is_parsed_once(parsed: list[Path], tmp_path: Path) -> None:
    first = dbt_manifest.load(tmp_path)
    assert dbt_manifest.load(tmp_path).key == first.key
    (tmp_path / "dbt_project.yml").write_text("name: other\n")
    assert dbt_manifest.load(tmp_path).key != first.key
    assert len(parsed) == 2


def test_without_its_unit_tests_the_same_models_and_tests_are_selected() -> None:
    whole = dbt_manifest.load()
    tests = set(whole.json["unit_tests"])
    assert tests and not whole.without_unit_tests["unit_tests"]
    for select in ("fqn:*", "path:models/insurance", "tag:gold", "kpi_policies+", "+kpi_policies"):
        every = select_unique_ids(select, "", "", None, whole.json)
        assert select_unique_ids(select, "", "", None, whole.without_unit_tests) == every - tests
    assert set(whole.json["unit_tests"]) == tests, "the manifest itself is as before"


def test_a_parser_that_hangs_does_not_stop_the_others(
    parsed: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dbt_manifest, "PATIENCE_SECONDS", 0.3)
    root = tmp_path / "target" / "parsed"
    root.mkdir(parents=True)
    with (root / ".lock").open("w") as hung:
        fcntl.flock(hung, fcntl.LOCK_EX)
        began = time.monotonic()
        dbt_manifest.load(tmp_path)
    assert len(parsed) == 1
    assert time.monotonic() - began >= 0.3


def test_the_folder_of_a_living_parser_stays_and_that_of_a_dead_one_goes(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    living, left, ancient = (
        tmp_path / f".partial-slow-{os.getpid()}",
        tmp_path / f".partial-gone-{dead.pid}",
        tmp_path / f".partial-ancient-{os.getpid()}",
    )
    for age, folder in enumerate((living, left, ancient, *(tmp_path / f"k{n}" for n in range(6)))):
        folder.mkdir()
        os.utime(folder, (time.time() - 3600 + age,) * 2)
    os.utime(ancient, (time.time() - 2 * dbt_manifest.LONGEST_PARSE_SECONDS,) * 2)
    dbt_manifest._prune(tmp_path, keep="k0")
    assert sorted(path.name for path in tmp_path.iterdir()) == [living.name, "k0", "k3", "k4", "k5"]


def test_who_lost_patience_leaves_the_slow_parser_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "project"
    root = project / "target" / "parsed"
    root.mkdir(parents=True)
    monkeypatch.setattr(dbt_manifest, "PATIENCE_SECONDS", 0.05)

    def parse(_project: Path, folder: Path) -> None:
        folder.mkdir()
        (folder / dbt_manifest.COMPILED).write_text("{}")

    monkeypatch.setattr(dbt_manifest, "_parse", parse)
    slow = (
        "import fcntl, os, sys, pathlib\n"
        "root = pathlib.Path(sys.argv[1])\n"
        "(root / f'.partial-slow-{os.getpid()}').mkdir()\n"
        "held = (root / '.lock').open('w')\n"
        "fcntl.flock(held, fcntl.LOCK_EX)\n"
        "print(flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", slow, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parser:
        assert parser.stdout is not None
        parser.stdout.readline()
        for name in "abcdef":
            (project / "dbt_project.yml").write_text(f"name: {name}\n")
            dbt_manifest.load(project)
        assert (root / f".partial-slow-{parser.pid}").is_dir()
    (project / "dbt_project.yml").write_text("name: g\n")
    dbt_manifest.load(project)
    assert not list(root.glob(".partial-*"))


def test_a_parse_goes_on_from_the_newest_content_with_the_same_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "shipped"
    with_overlay = shipped / "target" / dbt_manifest.MADE
    mine, before = with_overlay / "mine", with_overlay / "before"
    for project, configuration in ((shipped, "name: shop\n"), (mine, "name: bakery\n"), (before, "name: bakery\n")):
        project.mkdir(parents=True)
        (project / dbt_manifest.PROJECT).write_text(configuration)
    monkeypatch.setattr(dbt_manifest, "DBT_PROJECT_DIR", shipped)
    assert dbt_manifest._newest(mine) is None
    for age, (project, content) in enumerate(((shipped, "s2"), (shipped, "s1"), (before, "b2"), (before, "b1"))):
        folder = project / "target" / "parsed" / content
        folder.mkdir(parents=True)
        (folder / dbt_manifest.MANIFEST_OBJECT).write_bytes(content.encode())
        os.utime(folder / dbt_manifest.MANIFEST_OBJECT, (time.time() - age,) * 2)
    assert dbt_manifest._newest(mine) == b"b2"
    assert dbt_manifest._newest(shipped) == b"s2"
    shutil.rmtree(before)
    assert dbt_manifest._newest(mine) == b"s2"
