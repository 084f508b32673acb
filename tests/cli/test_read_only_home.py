"""A home on a read-only file system: recorded facts can be read, and a command that would write is refused in one
line.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ops_project.cli import cli
from ops_project.settings import Settings
from tests.cli.test_every_command import READERS, filled
from tests.empty_home import NOW, with_a_snapshot_and_an_alert
from tests.small_disk import small_disk

READS = {
    "status": ["ecommerce"],
    "alerts list": [],
    "incidents list": [],
    "silence list": [],
    "oncall who": [],
    "feed list": ["orders"],
    "sla": [],
    "queries": [],
    "checklist list": [],
    "sql SELECT\\ count(*)\\ AS\\ n\\ FROM\\ ops.findings": ["n"],
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    settings = Settings(home=tmp_path_factory.mktemp("read-only") / "home", as_of=NOW)
    with small_disk(settings.home, 128 * 1024 * 1024) as disk:
        with_a_snapshot_and_an_alert(settings)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        yield settings


def ops(home: Settings, *words: str) -> Result:
    result = CliRunner().invoke(cli, ["--home", str(home.home), "--as-of", NOW.isoformat(), *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    assert "This is a fault of the program" not in result.output, result.output
    return result


@pytest.mark.parametrize("line", READS)
def test_what_was_recorded_is_read(home: Settings, line: str) -> None:
    words = [word.replace("\\", "") for word in line.replace("\\ ", "\0").split()]
    result = ops(home, *[word.replace("\0", " ") for word in words])
    assert result.exit_code == 0, result.output
    for word in READS[line]:
        assert word in result.output


@pytest.mark.parametrize("words", [["run"], ["run", "--domain", "ecommerce"], ["ui"], ["simulate"]], ids=" ".join)
def test_what_makes_a_home_needs_to_write(home: Settings, words: list[str]) -> None:
    result = ops(home, *words)
    assert result.exit_code == 1
    assert f"the home {home.home} cannot be written to: it is read-only" in result.stderr


@pytest.mark.parametrize("words", READERS, ids=" ".join)
def test_no_command_is_at_a_fault(home: Settings, words: list[str], tmp_path: Path) -> None:
    if words not in (["serve"], ["watch"]):
        ops(home, *filled(words, tmp_path))
