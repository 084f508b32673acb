"""The help of every command fits into a terminal of 80 columns."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from ops_project.cli import cli
from ops_project.cli.reference import walk

COLUMNS = 80


def _every() -> list[list[str]]:
    """The words of every command and of every group after `ops`."""
    return [path.split()[1:] for path, _ in walk(cli, "ops")]


def test_the_help_of_no_command_is_wider_than_a_terminal():
    every = _every()
    assert [] in every and ["simulate"] in every and ["incidents", "ack"] in every
    wide = {}
    for words in every:
        said = CliRunner().invoke(cli, [*words, "--help"], terminal_width=COLUMNS)
        assert said.exit_code == 0, said.output
        if found := [line for line in said.output.splitlines() if len(line) > COLUMNS]:
            wide[" ".join(words)] = found
    assert wide == {}


@pytest.mark.parametrize("words", ["truncated:orders", "missing:mart_offers", "late:my_feed"])
def test_the_examples_of_faults_stand_on_lines_of_their_own(words):
    said = CliRunner().invoke(cli, ["simulate", "--help"], terminal_width=COLUMNS).output
    [line] = [line for line in said.splitlines() if words in line]
    assert line.strip().startswith("ops simulate ") and line.endswith(words)
