"""A story of a bad deployment: revenue is counted twice, the version is found, rolled back and its tables rebuilt."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ops_project.settings import PROJECT_ROOT, Settings
from tests.scenarios import homes

pytestmark = [pytest.mark.soak, pytest.mark.xdist_group("runs"), pytest.mark.timeout(1800)]
TABLE = "gold.daily_revenue"
GOOD, BAD = "sum(net_amount) as net_revenue", "2 * sum(net_amount) as net_revenue"


def git(clone: Path, *words: str) -> str:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    done = subprocess.run(["git", "-C", str(clone), *who, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The installation of a user who follows the project."""
    subprocess.run(["git", "clone", "-q", str(PROJECT_ROOT), str(tmp_path / "clone")], check=True, capture_output=True)
    return tmp_path / "clone"


def ops(clone: Path, home: Settings, *words: str, code: int = 0) -> Any:
    command = [sys.executable, "-m", "ops_project.cli", "--home", str(home.home), "--as-of", home.now().isoformat()]
    environment = {**os.environ, "PYTHONPATH": str(clone)}
    done = subprocess.run(
        [*command, *words, "--json"], cwd=clone, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_a_bad_deployment_is_rolled_back_and_rebuilt(clone: Path, tmp_path: Path) -> None:
    home = homes.simulate(tmp_path / "home", days=2)
    ops(clone, home, "run", "--domain", "ecommerce")
    before, good = homes.business_checksums(home), git(clone, "rev-parse", "HEAD")

    model = clone / "dbt_project/models/ecommerce/gold/daily_revenue.sql"
    text = model.read_text(encoding="utf-8")
    assert GOOD in text
    model.write_text(text.replace(GOOD, BAD), encoding="utf-8")
    git(clone, "commit", "-qam", "count better")
    [bad] = ops(clone, home, "run", "--domain", "ecommerce", "--rebuild", TABLE, code=1)["runs"]
    assert any("total_net_revenue" in words for words in bad["failures"]), "it is found, and nothing is published"
    assert homes.business_checksums(home)[TABLE] != before[TABLE]

    plan = ops(clone, home, "rollback", good)
    assert plan["changed"] == [TABLE] and plan["restored"] == [TABLE] and plan["forbidden"] == []
    assert "gold.executive_summary" in plan["downstream"] and git(clone, "rev-parse", "HEAD") != good
    model.write_text(text, encoding="utf-8")
    assert "not committed" in ops(clone, home, "rollback", good, code=1)["forbidden"][0]
    git(clone, "checkout", "-q", str(model))

    assert not ops(clone, home, "rollback", good, "--yes", "--by", "engineer-a")["failed"]
    assert git(clone, "rev-parse", "HEAD") == good and model.read_text(encoding="utf-8") == text
    assert homes.business_checksums(home) == before
    assert not (home.home / "state" / "rollback.json").exists()
