"""Streams through validation and KPIs, as dbt builds them, against plain DuckDB SQL that computes the same tables.

Full size (`make bench-large`) is 100 million streams of 30 days; the small size is 5 million. The plain SQL is what a
person would write by hand, statement by statement, on one connection. Afterwards one more day is built, on this history
and on one that is ten times as long.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

from ops_project.pipeline.landing import ensure_tables
from ops_project.settings import PROJECT_ROOT

DAYS = 30
SONGS, USERS = 100_000, 500_000
BOUND, MEMORY_BOUND_GB = 1.3, 6.0
SELECT = (
    "int_stream_repeats",
    "int_streams",
    "int_stream_moments",
    "int_stream_loads",
    "rec_stream_validation",
    "int_song_days",
    "kpi_genre_daily",
    "kpi_top_songs",
    "kpi_top_genres",
)
KNOWN = """
    bronze.streams as streams
    left join songs on streams.song_id = songs.song_id and streams.business_date >= songs.valid_from
        and streams.business_date < songs.valid_to
    left join users on streams.user_id = users.user_id and streams.business_date >= users.valid_from
        and streams.business_date < users.valid_to
    where not exists (
        select 1 from repeats
        where repeats.stream_id = streams.stream_id and repeats.business_date = streams.business_date
            and repeats.load_seq < streams._load_seq
    )"""
WINDOWS = """
    create table {name} as
    select moment, events, errors, violations from (
        select moment, sum(events) over w as events, sum(errors) over w as errors, sum(violations) over w as violations
        from (
            select moment, sum(events) as events, sum(errors) as errors, sum(violations) as violations from (
                select {clock} as moment, events, errors, errors as violations from moments
                union all
                select {clock} + interval {minutes} minute, -events, -errors, -errors from moments
            ) group by moment
        ) window w as (order by moment)
    )"""
PLAIN = (
    """create table repeats as
    select business_date, stream_id, min(_load_seq) as load_seq from bronze.streams
    group by business_date, stream_id having count(*) > 1""",
    f"""create table moments as
    select streams.business_date, listened_at, ingestion_timestamp as loaded_at, count(*) as events,
        count(*) filter (songs.song_id is null or users.user_id is null) as errors
    from {KNOWN} group by all""",
    *(
        WINDOWS.format(name=f"{clock}_{minutes}", clock=clock, minutes=minutes)
        for clock in ("listened_at", "loaded_at")
        for minutes in (15, 60)
    ),
    f"""create table song_days as
    select streams.business_date, songs.genre, streams.song_id, count(*) as listens, sum(listen_seconds) as seconds
    from {KNOWN} and songs.song_id is not null and users.user_id is not null group by all""",
    f"""create table listeners as
    select streams.business_date, songs.genre, count(distinct streams.user_id) as listeners
    from {KNOWN} and songs.song_id is not null and users.user_id is not null group by all""",
    """create table genres as
    select business_date, genre, sum(listens) as listens, sum(seconds) as seconds, any_value(listeners) as listeners
    from song_days join listeners using (business_date, genre) group by all""",
    """create table top_songs as select * from song_days
    qualify row_number() over (partition by business_date, genre order by listens desc, seconds desc, song_id) <= 3""",
    """create table top_genres as select * from genres
    qualify row_number() over (partition by business_date order by listens desc, seconds desc, genre) <= 5""",
)


def measure(rounds: int, large: bool) -> dict[str, Any]:
    """Seconds of both ways, their ratio, peak memory of the build, and the increment at one and ten times the history."""
    events = 100_000_000 if large else 5_000_000
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        _make(home, events, DAYS)
        plain = min(_plain(home) for _ in range(rounds))
        built, memory = min(_build(home, full=True) for _ in range(rounds))
        same = _same(home)
        increment = _increment(home, events // DAYS)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        _make(home, events // 10, DAYS // 10, events_a_day=events // DAYS)
        _build(home, full=True)
        short = _increment(home, events // DAYS)
    return {
        "streams": events,
        "plain_seconds": round(plain, 2),
        "build_seconds": round(built, 2),
        "ratio": round(built / plain, 2),
        "bound": f"<= {BOUND}",
        "holds": built / plain <= BOUND,
        "peak_memory_gb": round(memory, 2),
        "memory_holds": memory <= MEMORY_BOUND_GB,
        "same_kpis": same,
        "increment_seconds": round(increment, 2),
        "increment_with_a_tenth_of_the_history_seconds": round(short, 2),
        "increment_ratio": round(increment / short, 2),
        "increment_holds": increment / short <= BOUND,
    }


def _warehouse(home: Path) -> Path:
    return home / "warehouse.duckdb"


def _make(home: Path, events: int, days: int, events_a_day: int | None = None) -> None:
    """Bronze and the two dimensions; a file of streams every four hours."""
    from ops_project import catalog
    from ops_project.settings import Settings

    with duckdb.connect(str(_warehouse(home)), config={"memory_limit": "4GB"}) as c:
        c.execute("set preserve_insertion_order = false; create schema silver; create schema gold")
        ensure_tables(c, catalog.load(Settings.load()).feeds_of("streaming"))
        c.execute(
            f"create table silver.dim_songs as select 'v' || i as version_id, 'S' || lpad(i::varchar, 7, '0') as song_id,"
            f" 'T' || i as title, 'A' as artist, 'B' as album, 'g' || (i % 20) as genre, 200 as duration_seconds,"
            f" null::date as released_date, date '2026-01-01' as valid_from, null::date as valid_to, true as is_current,"
            f" timestamp '2026-01-01' as dbt_updated_at from range({SONGS - 10}) t(i)"
        )
        c.execute(
            f"create table silver.dim_users as select 'v' || i as version_id, 'U' || lpad(i::varchar, 8, '0') as user_id,"
            f" 'DE' as country, 'free' as plan, null::date as signup_date, date '2026-01-01' as valid_from,"
            f" null::date as valid_to, true as is_current, timestamp '2026-01-01' as dbt_updated_at from range({USERS}) t(i)"
        )
        per_day = events_a_day or events // days
        for day in range(days):
            _day(c, day, per_day)
        c.execute("checkpoint")


def _day(c: duckdb.DuckDBPyConnection, day: int, rows: int) -> None:
    first = day * rows
    c.execute(
        f"insert into bronze.streams by name select i + {first} as stream_id,"
        f" 'U' || lpad((hash(i + {first}) % {USERS})::varchar, 8, '0') as user_id,"
        f" 'S' || lpad((hash((i + {first}) * 3) % {SONGS})::varchar, 7, '0') as song_id,"
        f" timestamp '2026-01-01' + interval {day} day + interval (i * 86400 // {rows}) second as listened_at,"
        f" (hash((i + {first}) * 7) % 400)::integer as listen_seconds, 'phone' as device, false as is_offline,"
        f" date '2026-01-01' + {day} as business_date, 'b{day}_' || (i * 6 // {rows}) as _batch_id, i as _line,"
        f" {day * 6} + i * 6 // {rows} + 1 as _load_seq,"
        f" timestamp '2026-01-01' + interval {day} day + interval ((i * 6 // {rows} + 1) * 4) hour as ingestion_timestamp"
        f" from range({rows}) t(i)"
    )
    c.execute(
        f"insert into ops.touched_dates select 'streams', date '2026-01-01' + {day}, {day * 6} + n from range(1, 7) t(n)"
    )


def _plain(home: Path) -> float:
    with duckdb.connect(str(_warehouse(home)), config={"memory_limit": "4GB"}) as c:
        c.execute(f"set preserve_insertion_order = false; set temp_directory = '{home / 'spill'}'")
        c.execute("drop schema if exists plain cascade; create schema plain; set schema = 'plain'")
        started = time.perf_counter()
        c.execute(
            "create table songs as select song_id, genre, valid_from, date '9999-12-31' as valid_to from silver.dim_songs"
        )
        c.execute(
            "create table users as select user_id, valid_from, date '9999-12-31' as valid_to from silver.dim_users"
        )
        for statement in PLAIN:
            c.execute(statement)
        return time.perf_counter() - started


def _build(home: Path, full: bool) -> tuple[float, float]:
    """Seconds that dbt's models took, and the peak memory of its process in GB. Each build runs in a process of its
    own.
    """
    code = (
        "import sys, json, time\n"
        "from dbt.cli.main import dbtRunner\n"
        "done = dbtRunner().invoke(sys.argv[1:])\n"
        "assert done.success, done.exception or [r.message for r in done.result if r.status == 'error']\n"
        "import resource\n"
        "print(json.dumps([sum(r.execution_time for r in done.result),"
        " resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6]))\n"
    )
    command = [
        sys.executable,
        "-c",
        code,
        "run",
        "--select",
        *SELECT,
        "--project-dir",
        str(PROJECT_ROOT / "dbt_project"),
        "--profiles-dir",
        str(PROJECT_ROOT / "dbt_project"),
        "--target-path",
        str(home / "target"),
        "--log-path",
        str(home / "logs"),
        "--log-level",
        "none",
        "--vars",
        "{as_of: 2026-02-01T00:00:00}",
        *(["--full-refresh"] if full else []),
    ]
    environment = {
        **os.environ,
        "OPS_WAREHOUSE": str(_warehouse(home)),
        "OPS_MEMORY_LIMIT": "4GB",
        "OPS_DBT_THREADS": "1",
    }
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
    seconds, memory = json.loads(done.stdout.strip().splitlines()[-1])
    return seconds, memory


def _increment(home: Path, rows: int) -> float:
    """The seconds in which one more day is built on this history."""
    with duckdb.connect(str(_warehouse(home)), config={"memory_limit": "4GB"}) as c:
        row = c.execute("select max(business_date) - date '2026-01-01' from bronze.streams").fetchone()
        assert row is not None
        _day(c, row[0] + 1, rows)
        c.execute("checkpoint")
    return _build(home, full=False)[0]


def _same(home: Path) -> bool:
    """Whether both ways gave the same KPIs."""
    with duckdb.connect(str(_warehouse(home))) as c:
        columns = "business_date, genre, listens, {} as listeners, {} as seconds"
        built = f"select {columns.format('unique_listeners', 'total_listening_seconds')} from gold.kpi_genre_daily"
        plain = f"select {columns.format('listeners', 'seconds')} from plain.genres"
        row = c.execute(f"select count(*) from (({built}) except ({plain})) as left_over").fetchone()
        other = c.execute(f"select count(*) from (({plain}) except ({built})) as left_over").fetchone()
    return row == (0,) and other == (0,)
