"""The `ops` command itself: options may stand anywhere, and a mistake is reported in one line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ops_project.cli import LazyGroup, cli
from ops_project.process.home_overlay import remember
from ops_project.settings import Settings

OPS = str(Path(sys.executable).parent / "ops")


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """A command that keeps the settings it was given, and one with a --config of its own."""
    seen: list[Settings] = []

    @click.command(help="Probe.")
    @click.pass_obj
    def plain(settings: Settings) -> None:
        seen.append(settings)

    @click.command(help="Probe.")
    @click.option("--config", "own")
    @click.pass_obj
    def owner(settings: Settings, own: str) -> None:
        assert own == "mine"
        seen.append(settings)

    monkeypatch.setattr(Settings, "export", lambda _: None)
    monkeypatch.setattr("ops_project.cli.COMMANDS", {"plain": ("", "Probe."), "owner": ("", "Probe.")})
    monkeypatch.setattr(LazyGroup, "get_command", lambda _, __, name: {"plain": plain, "owner": owner}.get(name))
    return seen


@pytest.mark.parametrize(
    "words",
    [
        ["--home", "HOME", "--as-of", "2011-02-18", "plain"],
        ["plain", "--home", "HOME", "--as-of", "2011-02-18"],
        ["plain", "--as-of=2011-02-18", "--home=HOME"],
    ],
)
def test_global_options_may_stand_anywhere(probe: list[Settings], tmp_path: Path, words: list[str]) -> None:
    words = [word.replace("HOME", str(tmp_path)) for word in words]
    assert CliRunner().invoke(cli, words).exit_code == 0
    assert probe[0].home == tmp_path
    assert probe[0].as_of is not None


def test_a_command_keeps_an_option_of_its_own(probe: list[Settings]) -> None:
    assert CliRunner().invoke(cli, ["owner", "--config", "mine"]).exit_code == 0
    assert probe[0].overlay is None


def test_a_bad_configuration_is_told_in_lines(tmp_path: Path) -> None:
    (tmp_path / "owners.yaml").write_text("people: {}\nteams:\n  a: {name: A, email: a@b.c, members: [nobody]}\n")
    done = subprocess.run([OPS, "--config", str(tmp_path), "feed", "list"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"{tmp_path / 'owners.yaml'}:3: team 'a': member 'nobody' does not exist" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_clock_is_told_in_a_line() -> None:
    done = CliRunner().invoke(cli, ["--as-of", "soon", "feed", "list"])
    assert done.exit_code == 2
    assert "write 2011-02-18" in done.output


def test_a_home_says_when_the_configuration_that_built_it_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Settings, "export", lambda _: None)
    home, overlay = tmp_path / "home", tmp_path / "mine"
    overlay.mkdir()
    home.mkdir()
    asked = ["--home", str(home), "status", "--json"]

    def told(*more: str) -> tuple[str, str]:
        result = CliRunner().invoke(cli, [*more, *asked])
        assert result.exit_code == 0, result.output
        return result.stdout, result.stderr

    assert told()[1] == ""
    remember(Settings.load(home=home, overlay=overlay, environ={}))
    remember(Settings.load(home=home, environ={}))
    output, words = told()
    assert f"was built with --config {overlay}; without it" in words
    assert "was built with" not in output
    assert told("--config", str(overlay))[1] == ""
    overlay.rmdir()
    assert "no longer there" in told()[1]


def test_a_process_without_standard_streams_ends_as_any_other() -> None:
    command = f'"{OPS}" runbook list <&- >&- 2>&-; echo "ended with $?"'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stdout == "ended with 0\n"
