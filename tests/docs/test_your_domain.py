"""docs/guides/your-domain.md as a new user follows it: its files are written and its commands are run, in its order."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ops_project.settings import PROJECT_ROOT
from tests.dagster_dev import BIN
from tests.docs.guides import blocks
from tests.scenarios.forks import Forks

# One worker follows the guide, for all of the tests.
pytestmark = pytest.mark.xdist_group("guide")
GUIDE = "your-domain"
EXAMPLE = PROJECT_ROOT / "examples" / "bakery"
OWN = "domains.d/mine.yaml"
"""The one file of the guide that the example leaves out: it switches a shipped domain off."""


@dataclass
class Followed:
    folder: Path
    home: Path
    environment: dict[str, str]
    """The variables that the guide exports, added to those of this process."""
    said: dict[str, str] = field(default_factory=dict)
    """Command → the output of its last run."""


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Followed:
    folder = tmp_path_factory.mktemp("guide")
    (folder / "examples").symlink_to(PROJECT_ROOT / "examples")
    path = os.pathsep.join([str(BIN), os.environ["PATH"]])
    result = Followed(folder, folder / "home", {**os.environ, "PATH": path})
    with contextlib.closing(Forks(tmp_path_factory.mktemp("said"))) as forks:
        for block in blocks(GUIDE):
            if block.file:
                block.written_to(folder)
            for line in block.commands("/tmp/bakery", result.home):
                _perform(line, result, forks)
    return result


def _perform(line: str, result: Followed, forks: Forks) -> None:
    words = shlex.split(line)
    if words[0] == "export":
        exported = dict(word.split("=", 1) for word in words[1:])
        result.environment |= {name: value for name, value in exported.items() if name != "PATH"}
        return
    if words[0] == "ops":
        ended = forks.ops(words[1:], cwd=result.folder, environment=result.environment)
    else:
        ended = subprocess.run(
            line, shell=True, check=False, cwd=result.folder, env=result.environment, capture_output=True, text=True
        )
    assert ended.returncode == 0, f"{line}\n{ended.stdout}\n{ended.stderr}"
    if words[0] == "ops":
        result.said[line] = ended.stdout


def test_the_revenue_of_both_days_comes_out(followed: Followed) -> None:
    said = followed.said['ops sql "select * from gold.bakery_daily order by business_date, shop"']
    rows = [line.split() for line in said.splitlines() if line.startswith("2026-")]
    assert rows == [
        ["2026-03-02", "Harbour", "13", "13.80"],
        ["2026-03-02", "North", "13", "27.60"],
        ["2026-03-03", "Harbour", "13", "16.00"],
        ["2026-03-03", "North", "2", "8.40"],
    ]


def test_the_rule_fires_and_the_team_is_told(followed: Followed) -> None:
    assert "A shop of the bakery sold for 8.4 on the newest day" in followed.said["ops alerts list"]
    explained = next(said for line, said in followed.said.items() if line.startswith("ops route explain"))
    assert "bakery" in explained


def test_the_difference_names_the_files_that_make_it(followed: Followed) -> None:
    said = followed.said["ops config diff routes rules"]
    assert "my-config/routes.d/bakery.yaml:3" in said
    assert "rules.bakery_sold_little.severity" in said
    assert "left out" not in said


def test_the_domain_that_is_switched_off_has_no_feeds(followed: Followed) -> None:
    assert "investor" not in followed.said["ops feed list"]
    assert "enabled" in followed.said["ops config diff domains"]


def test_the_schedule_and_every_check_are_built(followed: Followed) -> None:
    from ops_project.defs.compose import compose
    from ops_project.defs.shared.site import Site
    from ops_project.settings import Settings

    site = Site.load(Settings.load(home=followed.home, overlay=followed.folder / "my-config", environ={}))
    definitions = compose(site)
    schedules = {item.name: item.cron_schedule for item in definitions.schedules or ()}
    assert schedules["bakery_pipeline_schedule"] == "30 6 * * *"
    assert not [name for name in schedules if name.startswith("investor")]
    checks = {
        key.name: spec.blocking
        for item in definitions.asset_checks or ()
        for spec in item.check_specs
        for key in [spec.key]
    }
    assert checks["bakery_pieces_are_sold"] is True
    assert checks["bakery_shops_report"] is False
    assert checks["bakery_days_are_alike"] is False


def test_the_example_holds_the_files_of_the_guide() -> None:
    said = {block.file.removeprefix("my-config/"): block.text for block in blocks(GUIDE) if block.file}
    assert said.pop(OWN)
    held = {
        path.relative_to(EXAMPLE).as_posix(): path.read_text(encoding="utf-8")
        for path in EXAMPLE.rglob("*")
        if path.is_file() and path.parent.name not in ("sample", "__pycache__") and path.name != "README.md"
    }
    assert said == held
