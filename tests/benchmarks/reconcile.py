"""Two tables of ten million rows in one DuckDB file, 1,000 keys changed and 100 missing: our engine against reladiff.

The engines are timed, not the start of a command. Both must name the same keys; ours also proves that keys are unique,
as reladiff does by default.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

from ops_project.model.reconciliation import Measure
from ops_project.pipeline.reconcile import compare, table_side
from ops_project.pipeline.reconcile.classify import KeyClass

ROWS = 10_000_000
BOUND = 8.0


def measure(rounds: int, large: bool) -> dict[str, Any]:
    """Median seconds of each engine, their ratio, and whether both found the same 1,100 keys."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "policies.duckdb"
        _make(file)
        ours, our_keys = _timed(lambda: _ours(file), rounds)
        theirs, their_keys = _timed(lambda: _reladiff(file), rounds)
        trusting, _ = _timed(lambda: _reladiff(file, validate_unique_key=False), 1)
    return {
        "rows": ROWS,
        "ours_seconds": round(ours, 3),
        f"reladiff_{version('reladiff')}_seconds": round(theirs, 3),
        "reladiff_without_unique_check_seconds": round(trusting, 3),
        "times_as_fast": round(theirs / ours, 1),
        "bound": f">= {BOUND:g}",
        "holds": theirs / ours >= BOUND,
        "keys_found": len(our_keys),
        "same_keys": our_keys == their_keys,
    }


def _make(file: Path) -> None:
    with duckdb.connect(str(file)) as connection:
        # Keys are spread over the range and in no order, as policy numbers are.
        connection.execute(
            "create table a as select (i * 7919) % 1000000007 as id, ((i * 31) % 100000)::decimal(12,2) as premium"
            f" from range({ROWS}) t(i)"
        )
        connection.execute(
            "create table b as select id, (premium + case when rowid % 10000 = 17 then 1 else 0 end)::decimal(12,2)"
            f" as premium from a where rowid % {ROWS // 100} <> 33"
        )


def _timed(work: Callable[[], set[int]], rounds: int) -> tuple[float, set[int]]:
    seconds, found = [], set[int]()
    for _ in range(rounds):
        started = time.perf_counter()
        found = work()
        seconds.append(time.perf_counter() - started)
    return median(seconds), found


def _ours(file: Path) -> set[int]:
    with duckdb.connect(str(file), read_only=True) as connection:
        found = compare(
            connection,
            table_side(connection, "a"),
            table_side(connection, "b"),
            key=["id"],
            measures={"premium": Measure(column="premium")},
            samples=ROWS,
        )
    kinds = (KeyClass.CHANGED, KeyClass.MISSING)
    return {sample["id"] for kind in kinds if (item := found.explained(kind)) for sample in item.samples}


def _reladiff(file: Path, **options: Any) -> set[int]:
    import reladiff

    database = reladiff.connect(f"duckdb://{file}")
    sides = [reladiff.connect_to_table(database, name, "id") for name in ("a", "b")]
    with reladiff.diff_tables(*sides, extra_columns=("premium",), **options) as found:
        return {int(row[0]) for _, row in found}
