"""The parsed project is made once, and nobody waits for ever for who makes it."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops_project.runtime import dbt_manifest


@pytest.fixture
def parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """The folders that were parsed into, by a parse that costs nothing."""
    made: list[Path] = []

    def parse(_project: Path, folder: Path) -> None:
        folder.mkdir()
        (folder / dbt_manifest.LINEAGE).write_text("{}")
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
