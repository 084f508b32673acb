"""A folder that is being removed is either whole or gone, also if the process is killed meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ops_project.pipeline.dbt_engine import manifest, overlay
from ops_project.process.removal import remove_folder


class Killed(BaseException):
    """Replaces SIGKILL. No code of the program catches it."""


def filled(folder: Path, age: int = 0) -> Path:
    (folder / "in").mkdir(parents=True)
    for name in ("a", "b", "in/c"):
        (folder / name).touch()
    os.utime(folder, (1_000_000 - age, 1_000_000 - age))
    return folder


def content(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_the_folder_is_gone_and_its_neighbours_stay(tmp_path: Path) -> None:
    filled(tmp_path / "one")
    filled(tmp_path / "two")
    remove_folder(tmp_path / "one")
    assert [path.name for path in tmp_path.iterdir()] == ["two"] and content(tmp_path / "two") == [
        "a",
        "b",
        "in",
        "in/c",
    ]


def test_a_folder_that_is_gone_already_is_no_error(tmp_path: Path) -> None:
    remove_folder(tmp_path / "none")
    assert list(tmp_path.iterdir()) == []


def older_parses(root: Path) -> None:
    manifest._prune(root, keep="kept")


def older_projects(root: Path) -> None:
    overlay._prune(root / "kept")


@pytest.mark.parametrize("prune", [older_parses, older_projects])
def test_a_kill_leaves_no_half_of_what_counts_as_whole(
    prune: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path / "kept")
    names = [f"old{age}" for age in range(30)]
    for age, name in enumerate(names, start=1):
        filled(tmp_path / name, age)

    def remove_one(folder: Path, **_options: object) -> None:
        (Path(folder) / "a").unlink()
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr("shutil.rmtree", remove_one)
        prune(tmp_path)
    left = [path for path in tmp_path.iterdir() if not path.name.startswith(".")]
    assert len(left) == 30, "one of 31 is gone"
    assert all(content(path) == ["a", "b", "in", "in/c"] for path in left)
    prune(tmp_path)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")], "nothing is left of the killed call"
    assert (tmp_path / "kept").is_dir()
