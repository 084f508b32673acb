"""A service level on a table or a pipeline that does not exist would never be reported, so it is a mistake with its
line.
"""

from __future__ import annotations

import json
import os

import pytest
from click.testing import CliRunner

from ops_project import catalog
from ops_project.cli import cli
from ops_project.model.alerting.consistency import check_promises
from ops_project.settings import Settings

SLAS = """slas:
  revenue:
    title: Revenue by 08:00
    domain: ecommerce
    pipeline: master_pipelin
    assets:
      - gold/customer_metrics
      - gold/daily_revenu
    deadline: "08:00"
"""


@pytest.fixture
def overlay(tmp_path):
    folder = tmp_path / "overlay"
    folder.mkdir()
    (folder / "slas.yaml").write_text(SLAS)
    return folder


def test_names_that_nobody_builds_are_found_with_file_line_and_what_was_meant(tmp_path, overlay):
    loaded = catalog.load(Settings.load(home=tmp_path / "home", overlay=overlay))
    known = ["gold/customer_metrics", "gold/daily_revenue", "bronze/orders"]
    problems = check_promises(loaded.documents["slas.yaml"], loaded.slas, known, ["master_pipeline", "quality_checks"])
    assert [str(problem).partition("slas.yaml:")[2] for problem in problems] == [
        "6: 'revenue': asset 'gold/daily_revenu' does not exist (did you mean gold/daily_revenue?); valid: "
        "gold/daily_revenue",
        "5: 'revenue': pipeline 'master_pipelin' does not exist (did you mean master_pipeline?); valid: "
        "master_pipeline, quality_checks",
    ]


def test_the_lint_knows_the_tables_of_the_definitions(tmp_path, overlay, monkeypatch):
    monkeypatch.setattr(os, "environ", os.environ.copy())
    done = CliRunner().invoke(
        cli, ["--home", str(tmp_path / "home"), "--config", str(overlay), "rules", "lint", "--json"]
    )
    assert done.exit_code == 1
    mistakes = json.loads(done.stdout)["mistakes"]
    assert len(mistakes) == 2 and any("did you mean gold/daily_revenue?" in mistake for mistake in mistakes)
