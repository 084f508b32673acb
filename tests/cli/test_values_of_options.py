"""Values of options that no command can use are refused in words, and a file is tried inside the home."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ops_project.cli import cli
from ops_project.cli.numbers import decimal
from ops_project.settings import TIME_FORMS
from tests.cli.watched import writes_outside


@pytest.mark.parametrize("text", ["x", "", "NaN", "-Infinity", "-1", "1e99", "0x10", "1,5"])
def test_a_tolerance_is_a_number_that_is_not_negative(text: str) -> None:
    with pytest.raises(click.BadParameter, match=r"is not a number|is not between"):
        decimal(text)


@pytest.mark.parametrize("text", ["0", "0.05", "1000", "1e3"])
def test_a_tolerance_is_kept_as_it_is_written(text: str) -> None:
    assert decimal(text) == Decimal(text)


def test_a_file_is_drafted_inside_the_home(tmp_path: Path) -> None:
    home, sample = tmp_path / "home", tmp_path / "sample.csv"
    home.mkdir()
    sample.write_text("id,name\n1,a\n2,b\n", encoding="utf-8")
    with writes_outside(home) as outside:
        result = CliRunner().invoke(
            cli, ["--home", str(home), "feed", "init", str(sample), "--feed", "things", "--domain", "shop"]
        )
    assert (result.exit_code, outside) == (0, []), result.output


def test_a_name_that_is_too_long_for_a_file_is_refused(tmp_path: Path) -> None:
    (sample := tmp_path / "sample.csv").write_text("id\n1\n", encoding="utf-8")
    given = ["feed", "init", str(sample), "--feed", "things", "--domain", "x" * 300, "--out", str(tmp_path)]
    result = CliRunner().invoke(cli, ["--home", str(tmp_path), *given])
    assert result.exit_code == 2 and "at most 100" in result.stderr


@pytest.mark.parametrize("number", ["9" * 30, "9" * 5_000])
def test_a_number_that_no_incident_has_is_refused(number: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["--home", str(tmp_path), "diagnose", number])
    assert result.exit_code == 2 and "Traceback" not in result.output


@pytest.mark.parametrize("host", ["\r\n\t", "x" * 300])
def test_a_host_that_is_no_address_is_refused(host: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["--home", str(tmp_path), "serve", "--host", host, "--port", "45997"])
    assert result.exit_code == 1 and "--" in result.stderr, result.output
    assert not (tmp_path / "logs" / "faults.log").exists()


@pytest.mark.parametrize(
    ("words", "option"),
    [
        ("", "--as-of"),
        ("hold", "--until"),
        ("route explain", "--at"),
        ("escalation simulate", "--at"),
        ("restore", "--to"),
    ],
)
def test_the_help_of_a_time_says_what_a_bare_date_means(words: str, option: str) -> None:
    command: click.Command = cli
    context = click.Context(cli)
    for word in words.split():
        assert isinstance(command, click.Group)
        found = command.get_command(context, word)
        assert found is not None
        command = found
    said = next(one.help for one in command.params if isinstance(one, click.Option) and option in one.opts)
    assert said is not None and TIME_FORMS in said
