"""tests/configs/bad has one file for each mistake. Its first line names the configuration file that it stands for and
the text that the error must contain. `# here` marks the line that the error must name.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from ops_project import catalog
from ops_project.catalog import ConfigError
from ops_project.cli import cli
from ops_project.defs.shared.site import Site
from ops_project.settings import CONFIG_DIR, Settings

BAD = Path(__file__).parents[2] / "configs" / "bad"
FILES = [
    f
    for name in ("rules", "routes", "receivers", "calendar", "slas", "metrics")
    for f in sorted(BAD.glob(f"{name}_*.yaml"))
]


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_the_mistake_is_found_with_its_line(file, tmp_path):
    text = file.read_text()
    target, _, said = text.splitlines()[0].removeprefix("# ").partition(": ")
    line = next(number for number, row in enumerate(text.splitlines(), 1) if row.endswith("# here"))
    (tmp_path / target).write_text(text)
    with pytest.raises(catalog.ConfigError) as error:
        catalog.load(Settings.load(home=tmp_path / "home", overlay=tmp_path))
    problems = [p for p in error.value.problems if said in p.message]
    assert problems, f"nobody said {said!r}:\n{error.value}"
    assert [(Path(p.file).name, p.line) for p in problems[:1]] == [(target, line)], problems


def test_there_are_enough_of_them():
    assert len(FILES) >= 30


@pytest.mark.parametrize("name", ["feeds/own.yaml", "feeds/marketing.yaml", "rules.yaml", "owners.yaml"])
def test_a_file_with_a_syntax_error_is_not_called_unread(name, tmp_path):
    (tmp_path / "feeds").mkdir()
    (tmp_path / name).write_text("domain: own\nfeeds: [\n")
    answer = CliRunner().invoke(cli, ["--home", str(tmp_path / "home"), "--config", str(tmp_path), "rules", "lint"])
    assert answer.exit_code == 1
    assert f"{tmp_path / name}:3: not valid YAML" in answer.output
    assert "nothing reads this file" not in answer.output


def test_a_team_that_only_a_table_names_is_a_mistake_in_a_line(tmp_path):
    shipped = (CONFIG_DIR / "owners.yaml").read_text()
    without = re.sub(r"(?m)^  ecommerce-analytics:\n(    .*\n)+", "", shipped)
    assert without != shipped
    (tmp_path / "owners.yaml").write_text(without)
    answer = CliRunner().invoke(cli, ["--home", str(tmp_path / "home"), "--config", str(tmp_path), "rules", "lint"])
    assert answer.exit_code == 1, answer.output
    assert isinstance(answer.exception, SystemExit), answer.exception
    line = without.splitlines().index("teams:") + 1
    assert f"{tmp_path / 'owners.yaml'}:{line}: owner 'team:ecommerce-analytics' does not exist" in answer.output
    assert "/dbt_project/models/ecommerce/" in answer.output, "the file that names the team is named"


def test_an_owner_that_only_code_names_is_told_with_the_file_that_names_it(tmp_path):
    site = Site(Settings.load(home=tmp_path), catalog.load(Settings.load(home=tmp_path)), None)
    with pytest.raises(
        ConfigError, match=r"owners.yaml:\d+: owner 'team:nobody' does not exist, and models.py names it"
    ):
        site.owners(["team:nobody"], named_in=Path("models.py"))
