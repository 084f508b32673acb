"""How `ops reconcile` reads files, beside DuckDB's own reader that is told to keep every value as text.

A plain CSV is read by landing's fast reader; a quoted line end sends the whole file to the exact reader; JSON lines are
always read by the exact reader. The figures are ratios of CPU times that were measured in the same minutes.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median

import duckdb

from ops_project.pipeline.reconcile import file_side
from tests.benchmarks.landing import write_csv

NEEDED = 3.0
"""The most that a plain CSV may cost, as a multiple of DuckDB's reader. The scan for lines and quotes is included."""
BROKEN_LINE = '999999999,2026-11-01,2026-11-01 00:00:00,"two\nlines",,P1,search,1,1.00,0.1\n'


def _cpu(connection: duckdb.DuckDBPyConnection, path: Path | None, statement: str = "") -> float:
    started = time.process_time()
    if path is None:
        connection.execute(statement)
    else:
        file_side(connection, path)
    return time.process_time() - started


def measure(rounds: int, large: bool) -> dict[str, object]:
    """The CPU time for a plain CSV, for a CSV that needs the exact reader, and for JSON lines. Each is a multiple of
    the time of DuckDB's reader (medians).
    """
    rows = 1_000_000 if large else 100_000
    with tempfile.TemporaryDirectory(prefix="bench-reconcile-files-") as name, duckdb.connect() as connection:
        plain, exact, lines = (Path(name) / file for file in ("plain.csv", "exact.csv", "lines.jsonl"))
        write_csv(plain, rows, bad_every=0)
        exact.write_text(plain.read_text() + BROKEN_LINE)
        duckdb.sql(f"COPY (FROM '{plain}') TO '{lines}' (FORMAT json)")
        own = f"CREATE OR REPLACE TEMP TABLE own AS FROM read_csv('{plain}', all_varchar = true)"
        found: dict[str, list[float]] = {"plain_csv": [], "exact_csv": [], "json_lines": []}
        for _ in range(rounds):
            base = _cpu(connection, None, own)
            for kind, path in (("plain_csv", plain), ("exact_csv", exact), ("json_lines", lines)):
                found[kind].append(_cpu(connection, path) / base)
        ratios = {kind: round(median(times), 2) for kind, times in found.items()}
    return {
        "rows": rows,
        "columns": 10,
        **{f"{kind}_times_duckdb": ratio for kind, ratio in ratios.items()},
        "exact_times_fast": round(ratios["exact_csv"] / ratios["plain_csv"], 1),
        "bound": f"plain CSV <= {NEEDED}",
        "holds": ratios["plain_csv"] <= NEEDED,
    }
