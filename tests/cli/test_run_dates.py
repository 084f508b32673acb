"""A run for dates without possible files builds nothing, because empty tables would look like a success. `--date` is
refused for a day that cannot have files.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from ops_project.cli import cli, run
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


@pytest.mark.parametrize("asked", [(), ("--days", "8"), ("--date", "2026-03-03"), ("--rebuild", "fact_policies")])
def test_where_no_file_ever_arrived_nothing_is_built_and_the_answer_says_so(
    asked: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "catch_up", lambda *_: [])
    monkeypatch.setattr(run, "_rebuilt", lambda _catalog, tables, domains: (domains, tables))
    words = ["--home", str(tmp_path), "--as-of", "2026-03-04", "run", "--domain", "insurance", *asked]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 0, result.output
    assert f"no file that a contract takes has ever arrived for insurance. Put files into {tmp_path}" in result.output
    assert "since the last run" not in result.output
    assert not Settings(home=tmp_path).warehouse.exists()
