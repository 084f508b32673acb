"""One home, one overlay, one clock: arguments win over the environment, and the environment wins over the defaults."""

from __future__ import annotations

import os
import pwd
from datetime import UTC, datetime
from pathlib import Path

import pytest

import ops_project
from ops_project.settings import PROJECT_ROOT, Settings, SettingsError, account, current_user, parse_as_of


def test_the_default_home_is_data_in_the_project() -> None:
    assert Settings.load(environ={}).home == PROJECT_ROOT / "data"


def test_arguments_win_over_the_environment(tmp_path: Path) -> None:
    environ = {"OPS_HOME": str(tmp_path / "env"), "OPS_AS_OF": "2020-01-01T00:00:00+00:00"}
    settings = Settings.load(home=tmp_path / "argument", environ=environ)
    assert settings.home == tmp_path / "argument"
    assert settings.as_of == datetime(2020, 1, 1, tzinfo=UTC)


def test_a_date_means_eight_in_new_york_on_both_sides_of_daylight_saving() -> None:
    assert parse_as_of("2011-02-18") == datetime(2011, 2, 18, 13, tzinfo=UTC)
    assert parse_as_of("2011-07-18") == datetime(2011, 7, 18, 12, tzinfo=UTC)


def test_a_time_without_zone_is_utc() -> None:
    assert parse_as_of("2011-02-18T03:00") == datetime(2011, 2, 18, 3, tzinfo=UTC)


@pytest.mark.parametrize("text", ["yesterday", "2011-02-30", "18/02/2011"])
def test_a_time_that_is_not_understood_says_what_to_write(text: str) -> None:
    with pytest.raises(SettingsError, match="write 2011-02-18"):
        parse_as_of(text)


def test_a_missing_overlay_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="nowhere"):
        Settings.load(overlay=tmp_path / "nowhere", environ={})


def test_a_child_process_sees_the_same_settings(tmp_path: Path) -> None:
    settings = Settings.load(home=tmp_path, overlay=tmp_path, as_of="2011-02-18", environ={})
    assert Settings.load(environ=settings.environ()) == settings


def test_the_clock_stands_still_where_it_is_set(tmp_path: Path) -> None:
    settings = Settings.load(home=tmp_path, as_of="2011-02-18", environ={})
    assert settings.now() == settings.now() == datetime(2011, 2, 18, 13, tzinfo=UTC)


def test_the_user_is_who_says_so_or_the_account_and_never_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "somebody else")
    monkeypatch.delenv("OPS_USER", raising=False)
    assert current_user() == account() == pwd.getpwuid(os.getuid()).pw_name
    monkeypatch.setenv("OPS_USER", "ada")
    assert current_user() == "ada" and account() != "ada"
    monkeypatch.setenv("OPS_USER", "\udcff\x1b")
    assert current_user() == r"\xff\x1b", "bytes that no store takes"


def test_an_account_without_a_name_has_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container, the account may have no entry in the list of users."""
    monkeypatch.delenv("OPS_USER", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_001)
    assert current_user() == "uid 4000000001"


def test_nobody_asks_the_environment_who_the_user_is() -> None:
    """`getpass.getuser` believes LOGNAME, and fails where the account has no name."""
    package = Path(ops_project.__file__).parent
    assert not [str(file) for file in package.rglob("*.py") if "getpass" in file.read_text(encoding="utf-8")]
