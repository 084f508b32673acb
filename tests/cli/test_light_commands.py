"""Commands that an operator calls often do not import libraries that they do not use. Dagster, dbt and pandas take a
second or more.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ops_project.settings import Settings
from tests.empty_home import NOW, with_a_snapshot_and_an_alert

# The configuration names the holidays of the United States. The library has 250 other countries.
HEAVY = ("dagster", "dbt", "pandas", "sklearn", "holidays.countries.malawi")
LIGHT = ("status", "alerts list", "sla")
CALLS = f"""
import sys
from ops_project.cli import main
for words in {LIGHT!r}:
    sys.argv = ["ops", *sys.argv[1:5], *words.split()]
    try:
        main()
    except SystemExit as ended:
        assert not ended.code, (words, ended.code)
    print("imported:", words, *sorted({set(HEAVY)!r} & set(sys.modules)), file=sys.stderr)
"""


def test_nothing_heavy_is_imported(tmp_path: Path) -> None:
    """One process runs the commands one after the other: what a command imports also shows after the next ones."""
    with_a_snapshot_and_an_alert(Settings(home=tmp_path / "home", as_of=NOW))
    done = subprocess.run(
        [sys.executable, "-c", CALLS, "--home", str(tmp_path / "home"), "--as-of", NOW.isoformat()],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith("imported:")]
    assert said == [f"imported: {words}" for words in LIGHT], done.stderr
