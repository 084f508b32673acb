"""Each process of the tests has its part of the cores, and DuckDB still reads the variable that says so. A long query
writes nothing to standard output.
"""

from __future__ import annotations

import subprocess
import sys

import duckdb
import pytest

from ops_project.settings import PROJECT_ROOT
from tests import engine

SHOWN = """
import duckdb
print(duckdb.connect().execute("SELECT current_setting('enable_progress_bar')").fetchall())
"""


@pytest.mark.parametrize(
    ("processes", "cores", "own"), [(None, 2, None), ("1", 2, None), ("2", 2, "1"), ("2", 8, "4"), ("4", 2, "1")]
)
def test_the_part_of_a_process(processes: str | None, cores: int, own: str | None) -> None:
    environment = {} if processes is None else {"PYTEST_XDIST_WORKER_COUNT": processes}
    engine.share_cores(environment, cores)
    assert environment.get(engine.CORES) == own


@pytest.mark.parametrize("threads", [1, 3])
def test_duckdb_makes_as_many_threads_as_it_says(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(engine.CORES, str(threads))
    with duckdb.connect() as connection:
        assert connection.execute("SELECT current_setting('threads')").fetchall() == [(threads,)]


@pytest.mark.parametrize(
    ("before", "bar"),
    [("", True), ("from tests import engine\nengine.write_no_progress()\n", False)],
    ids=["as DuckDB does", "as the tests do"],
)
def test_a_long_query_writes_no_progress(before: str, bar: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", before + SHOWN], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"[({bar},)]\n"
