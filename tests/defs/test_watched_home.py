"""The home of operations over another Dagster project: the facts that it notes, and the files that it may not hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops_project.settings import Settings, SettingsError


def test_a_home_with_a_warehouse_of_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / "warehouse").mkdir()
    (tmp_path / "warehouse" / "warehouse.duckdb").touch()
    with pytest.raises(SettingsError, match="holds a warehouse"):
        Settings.watching(home=tmp_path, environ={})


def test_a_command_finds_what_the_home_watches_and_with_which_configuration(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    Settings.watching(tmp_path / "home", tmp_path / "config", environ={"DAGSTER_HOME": str(tmp_path / "d")}).watch()
    found = Settings.load(tmp_path / "home", environ={})
    assert (found.watched, found.dagster_home, found.overlay) == (tmp_path / "d", tmp_path / "d", tmp_path / "config")
    (tmp_path / "home" / "state" / "watched.json").write_text("{", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"watched\.json cannot be read"):
        Settings.load(tmp_path / "home", environ={})


def test_the_note_of_a_home_is_written_whole_and_not_read_by_the_project_itself(tmp_path: Path) -> None:
    """A damaged note must not stop the jobs of the project, and a folder that the code no longer names is not used."""
    environ = {"DAGSTER_HOME": str(tmp_path / "d")}
    (tmp_path / "config").mkdir()
    Settings.watching(tmp_path / "home", tmp_path / "config", environ=environ).watch()
    [note] = (tmp_path / "home" / "state").iterdir()
    note.write_text("")
    with pytest.raises(SettingsError, match=r"watched\.json cannot be read"):
        Settings.load(tmp_path / "home", environ=environ)
    Settings.watching(tmp_path / "home", environ=environ).watch()
    assert [path.name for path in note.parent.iterdir()] == [note.name]
    found = Settings.load(tmp_path / "home", environ=environ)
    assert (found.watched, found.overlay) == (tmp_path / "d", None)
