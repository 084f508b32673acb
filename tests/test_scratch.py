"""The homes of the tests are in memory only where all of them have room there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import scratch

GB = 1024**3


@pytest.mark.parametrize(
    ("free", "available", "room"),
    [(24, 20, True), (8, 14, True), (7, 20, False), (24, 13, False)],
    ids=["a large machine", "just enough", "a small file system in memory", "little memory is free"],
)
def test_all_homes_and_the_processes_have_room(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int, available: int, room: bool
) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text(f"MemTotal:  99999999 kB\nMemAvailable:  {available * GB // 1024} kB\n", encoding="ascii")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free * GB))
    assert scratch.has_room(tmp_path, meminfo) is room


def test_a_system_that_does_not_say_has_no_room(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal:  99999999 kB\n", encoding="ascii")
    assert not scratch.has_room(tmp_path, tmp_path / "meminfo")
    assert not scratch.has_room(tmp_path, tmp_path / "absent")
    assert not scratch.has_room(tmp_path / "absent")


def test_a_place_that_somebody_named_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(scratch, "has_room", lambda: True)
    monkeypatch.setenv(scratch.ROOT, str(tmp_path))
    scratch.use_memory()
    assert Path(os.environ[scratch.ROOT]) == tmp_path
    monkeypatch.delenv(scratch.ROOT)
    scratch.use_memory()
    assert Path(os.environ[scratch.ROOT]) == scratch.MEMORY


def test_only_a_folder_in_memory_is_removed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def of(folder: Path) -> pytest.Config:
        folder.mkdir()
        return SimpleNamespace(_tmp_path_factory=SimpleNamespace(getbasetemp=lambda: folder))

    monkeypatch.setattr(scratch, "MEMORY", tmp_path / "memory")
    (tmp_path / "memory").mkdir()
    scratch.remove(of(tmp_path / "memory" / "run"))
    scratch.remove(of(tmp_path / "disk"))
    assert not (tmp_path / "memory" / "run").exists() and (tmp_path / "disk").exists()
