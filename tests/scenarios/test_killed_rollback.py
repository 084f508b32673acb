"""A rollback is killed at many moments of its work and called again: code, tables and published files are as after an
undisturbed rollback. The run that it starts is another process, which may outlive it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from ops_project.settings import CONFIG_DIR, PROJECT_ROOT, Settings
from tests import killed
from tests.scenarios import homes

pytestmark = [pytest.mark.soak, pytest.mark.xdist_group("runs"), pytest.mark.timeout(3600)]
MODEL, TABLE = "dbt_project/models/insurance/marts/kpi_policies.sql", "gold.kpi_policies"
GOOD, BAD = "sum(amount) as amount", "2 * sum(amount) as amount"
KILLS = 5
WATCHED = """
import sys
from pathlib import Path
from ops_project.cli import cli
from tests.killed import watch
import ops_project.cli.rollback, ops_project.pipeline.recovery.restore
watch(Path(sys.argv[1]), int(sys.argv[2]) or None)
cli.main(sys.argv[3:], prog_name="ops")
"""


def git(clone: Path, *words: str) -> str:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    done = subprocess.run(["git", "-C", str(clone), *who, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def ops(clone: Path, home: Settings, *words: str, kill_at: int = 0) -> tuple[int, int, str]:
    """Runs `ops …` of the clone. Returns how it ended, its number of moments, and its output."""
    counted = home.home.parent / "moments"
    counted.unlink(missing_ok=True)
    before = ["--home", str(home.home), "--config", str(home.overlay), "--as-of", home.now().isoformat()]
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(counted), str(kill_at), *before, *words],
        cwd=clone,
        env={**os.environ, "PYTHONPATH": str(clone)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, counted.stat().st_size if counted.exists() else 0, done.stdout + done.stderr


@pytest.fixture
def place(tmp_path: Path) -> tuple[Path, Settings, str]:
    """A clone in which a bad version ran after a good one, over the insurance domain alone."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(PROJECT_ROOT), str(clone)], check=True, capture_output=True)
    (tmp_path / "config").mkdir()
    domains = yaml.safe_load((CONFIG_DIR / "domains.yaml").read_text(encoding="utf-8"))
    for name, domain in domains["domains"].items():
        domain["enabled"] = name == "insurance"
    (tmp_path / "config" / "domains.yaml").write_text(yaml.safe_dump(domains), encoding="utf-8")
    home = Settings(home=tmp_path / "home", overlay=tmp_path / "config", as_of=homes.NOW)
    for words in (
        ("simulate", "--domain", "insurance", "--days", "2", "--end", str(homes.LAST), "--scale", "0.1"),
        ("run",),
    ):
        code, _, said = ops(clone, home, *words)
        assert code == 0, said
    good = git(clone, "rev-parse", "HEAD")
    model = clone / MODEL
    text = model.read_text(encoding="utf-8")
    assert GOOD in text
    model.write_text(text.replace(GOOD, BAD), encoding="utf-8")
    git(clone, "commit", "-qam", "count better")
    _, _, said = ops(clone, home, "run", "--rebuild", TABLE)
    assert "Traceback" not in said, said
    return clone, home, good


def test_a_rollback(place: tuple[Path, Settings, str], tmp_path: Path) -> None:
    _, home, good = place
    calm_clone, calm = copied(place, tmp_path / "calm")
    code, moments, said = ops(calm_clone, calm, "rollback", good, "--yes")
    assert code == 0, said
    wanted = killed.state_of(calm)
    assert wanted != killed.state_of(home)
    at = []
    for number in killed.spread(moments, KILLS):
        again_clone, again = copied(place, tmp_path / f"at-{number}")
        code, _, said = ops(again_clone, again, "rollback", good, "--yes", kill_at=number)
        assert code == -9, f"moment {number} of {moments}: {said}"
        code, _, said = ops(again_clone, again, "rollback", good, "--yes")
        done = "is checked out already" in said
        assert code == 0 or done, f"after the kill at moment {number}: {said}"
        assert git(again_clone, "rev-parse", "HEAD") == good
        found = killed.state_of(again)
        other = {name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)}
        assert not other, f"after the kill at moment {number} of {moments}: {other}"
        shutil.rmtree(tmp_path / f"at-{number}")
        at.append(number)
    assert len(at) == KILLS


def copied(place: tuple[Path, Settings, str], folder: Path) -> tuple[Path, Settings]:
    clone, home, _ = place
    folder.mkdir()
    shutil.copytree(clone, folder / "clone", symlinks=True)
    shutil.copytree(home.home, folder / "home", symlinks=True)
    return folder / "clone", replace(home, home=folder / "home")
