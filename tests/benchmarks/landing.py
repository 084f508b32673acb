"""Landing a CSV (hash, scan, casts, checks, keys, quarantine, archive) against DuckDB's bare COPY of the same file.

Ten columns of an event feed: ids, dates, times, strings, decimals; one row in 100,000 is bad. Both write a table of a
database file; rounds alternate.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import duckdb

from ops_project.model.document import Document
from ops_project.model.feed.feed_file import FeedFile
from ops_project.pipeline import landing

CONTRACT = """
domain: bench
feeds:
  events:
    inbound: "events_{date:%Y-%m-%d}.csv"
    key: event_id
    business_date: event_date
    columns:
      event_id: {type: bigint, required: true}
      event_date: {type: date, required: true}
      occurred_at: {type: timestamp, required: true}
      session_id: {type: string, required: true}
      customer_id: string
      product_id: string
      event_type: {type: string, required: true, allowed: [page_view, product_view, search, add_to_cart, checkout, purchase]}
      quantity: integer
      price: {type: "decimal(10,2)", min: 0}
      discount: {type: "decimal(8,2)", min: 0}
"""
TYPES = (
    "event_id BIGINT, event_date DATE, occurred_at TIMESTAMP, session_id VARCHAR, customer_id VARCHAR, "
    "product_id VARCHAR, event_type VARCHAR, quantity INTEGER, price DECIMAL(10,2), discount DECIMAL(8,2)"
)
NEEDED = 0.45


def write_csv(path: Path, rows: int, bad_every: int) -> None:
    """A deterministic file of `rows` records. Every `bad_every`-th record has a price below zero; if it is 0, no record
    has such a price.
    """
    price = "(hash(i * 7) % 100000) / 100"
    if bad_every:
        price = f"CASE WHEN i % {bad_every} = {bad_every // 2} THEN -1 ELSE {price} END"
    duckdb.sql(
        f"""
        COPY (
            SELECT i AS event_id, DATE '2026-11-01' AS event_date,
                strftime(TIMESTAMP '2026-11-01' + to_milliseconds(i * 86400000 // {rows}), '%Y-%m-%d %H:%M:%S') AS occurred_at,
                'S' || (i // 7) AS session_id,
                CASE WHEN i % 3 <> 0 THEN 'C' || (hash(i) % 100000) END AS customer_id,
                'P' || (hash(i * 3) % 5000) AS product_id,
                ['page_view', 'product_view', 'search', 'add_to_cart', 'checkout', 'purchase'][1 + (hash(i * 5) % 6)::INT]
                    AS event_type,
                (hash(i) % 20)::INT - 3 AS quantity, ({price})::DECIMAL(10,2) AS price,
                ((hash(i * 11) % 1000) / 10)::DECIMAL(8,2) AS discount
            FROM range({rows}) t(i)
        ) TO '{path}' (HEADER)
        """
    )


def connect(folder: Path, name: str) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(folder / name))
    connection.execute(
        f"SET memory_limit = '3GB'; SET threads = {os.cpu_count()}; SET temp_directory = '{folder}/spill'"
    )
    return connection


def bare(folder: Path, csv: Path) -> float:
    """Seconds of COPY into a typed table."""
    (folder / "bare.duckdb").unlink(missing_ok=True)
    with connect(folder, "bare.duckdb") as connection:
        connection.execute(f"CREATE TABLE events ({TYPES})")
        started = time.perf_counter()
        connection.execute(f"COPY events FROM '{csv}' (HEADER)")
        return time.perf_counter() - started


def landed(folder: Path, csv: Path, rows: int) -> float:
    """Seconds of `land`, from the file inbound to the file archived."""
    feed = Document.parse(CONTRACT, "bench").validate(FeedFile).resolved()["events"]
    home = Path(tempfile.mkdtemp(dir=folder))
    (home / "inbound" / "bench").mkdir(parents=True)
    shutil.copyfile(csv, home / "inbound" / "bench" / "events_2026-11-01.csv")
    with connect(home, "warehouse.duckdb") as connection:
        landing.ensure_tables(connection, [feed])
        started = time.perf_counter()
        result = landing.land(
            connection, feed, inbound=home / "inbound", archive=home / "archive", now=datetime(2026, 11, 2, tzinfo=UTC)
        )
        seconds = time.perf_counter() - started
    assert result.rows_in == rows and result.rows_loaded + result.rows_quarantined == rows, result
    return seconds


def peak_memory(folder: Path, csv: Path, rows: int) -> float:
    """Peak resident memory in GB of a process that lands the file."""
    code = (
        "import resource, sys; from pathlib import Path; from tests.benchmarks import landing; "
        "landing.landed(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder), str(csv), str(rows)], capture_output=True, text=True, check=True
    )
    return int(done.stdout.split()[-1]) / 1024**2


def measure(rounds: int, large: bool) -> dict[str, object]:
    """Rows per second of landing and of COPY, and their ratio (median of the rounds)."""
    rows = 5_000_000 if large else 1_000_000
    with tempfile.TemporaryDirectory(prefix="bench-landing-") as name:
        folder = Path(name)
        csv = folder / "events.csv"
        write_csv(csv, rows, bad_every=100_000)
        size = csv.stat().st_size
        pairs = [(bare(folder, csv), landed(folder, csv, rows)) for _ in range(rounds)]
        ratio = median(copy / land for copy, land in pairs)
        result: dict[str, object] = {
            "rows": rows,
            "columns": 10,
            "megabytes": round(size / 1e6),
            "bare_copy_rows_per_second": round(rows / median(copy for copy, _ in pairs)),
            "landing_rows_per_second": round(rows / median(land for _, land in pairs)),
            "ratio": round(ratio, 3),
            "bound": f">= {NEEDED}",
            "holds": ratio >= NEEDED,
        }
        if large:
            many = folder / "many.csv"
            write_csv(many, 20_000_000, bad_every=100_000)
            result["peak_memory_gb_20_million_rows"] = round(peak_memory(folder, many, 20_000_000), 2)
        result["peak_memory_gb_of_this_process"] = round(
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2, 2
        )
    return result
