"""Arbitrary text as names, values and configuration, given to commands: no trace, no escape, nothing outside the home."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ops_project.cli import cli

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20)
BYTES = st.binary(max_size=60) | TEXT.map(str.encode)
COMMANDS = (
    ["alerts", "list", "--domain"],
    ["route", "explain", "--label"],
    ["route", "explain", "--at"],
    ["feed", "check", "FILE", "--feed"],
    ["queries"],
    ["reconcile"],
    ["silence", "list", "--as-of"],
    ["simulate", "--fault"],
    ["run", "--domain"],
    ["model", "show"],
    ["metadata", "show"],
    ["sql"],
)
QUICK = settings(max_examples=15, deadline=20_000, suppress_health_check=[HealthCheck.function_scoped_fixture])


def outside(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"home", "file", "config"}


def invoke(folder: Path, *words: str) -> None:
    result = CliRunner().invoke(cli, ["--home", str(folder / "home"), *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    assert "\x1b" not in result.output
    assert not (folder / "home" / "logs" / "faults.log").exists(), (folder / "home" / "logs" / "faults.log").read_text()
    assert not outside(folder)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_any_name_is_told_or_taken(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "file").write_text("id\n1\n")

    @QUICK
    @given(TEXT)
    def holds(text: str) -> None:
        given_as = "x" + text if text.startswith("-") else text
        invoke(tmp_path, *[str(tmp_path / "file") if word == "FILE" else word for word in words], given_as)

    holds()


@pytest.mark.parametrize("name", ["owners.yaml", "feeds/mine.yaml", "rules.yaml"])
def test_any_configuration_is_told_with_its_file(name: str, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    file = tmp_path / "config" / name
    file.parent.mkdir(parents=True)

    @settings(QUICK, max_examples=3)
    @given(BYTES)
    def holds(content: bytes) -> None:
        file.write_bytes(content)
        invoke(tmp_path, "--config", str(tmp_path / "config"), "feed", "list")

    holds()


def test_any_file_can_be_drafted_or_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()

    @QUICK
    @given(BYTES)
    def holds(content: bytes) -> None:
        (tmp_path / "file").write_bytes(content)
        invoke(tmp_path, "feed", "init", str(tmp_path / "file"), "--feed", "mine", "--domain", "mine")

    holds()
