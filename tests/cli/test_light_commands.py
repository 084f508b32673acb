"""Commands that an operator calls often do not import libraries that they do not use. Dagster, dbt and pandas take a
second or more.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ops_project.settings import Settings
from tests.empty_home import NOW, with_a_snapshot_and_an_alert

HEAVY = ("dagster", "dbt", "pandas", "sklearn")
CALL = f"""
import sys
from ops_project.cli import main
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
print("imported:", *sorted({set(HEAVY)!r} & set(sys.modules)), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("light") / "home"
    with_a_snapshot_and_an_alert(Settings(home=folder, as_of=NOW))
    return folder


@pytest.mark.parametrize("words", [["status"], ["alerts", "list"], ["sla"]], ids=" ".join)
def test_nothing_heavy_is_imported(home: Path, words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CALL, "--home", str(home), "--as-of", NOW.isoformat(), *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1].split() == ["imported:"], done.stderr
