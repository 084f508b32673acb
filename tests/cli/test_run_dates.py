"""`ops run --date` is refused for a date without possible files: it would build empty tables and look successful."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from ops_project.cli import cli
from ops_project.settings import Settings


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("2026-03-05", "lies ahead: today is 2026-03-04"),
        ("2999-01-01", "lies ahead"),
        ("1900-01-01", "lies before"),
        ("soon", "does not match the format"),
    ],
)
def test_a_date_that_cannot_have_come_is_refused(day: str, words: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["--home", str(tmp_path), "--as-of", "2026-03-04", "run", "--date", day])
    assert result.exit_code == 2
    assert words in result.stderr
    assert not Settings(home=tmp_path).warehouse.exists()
