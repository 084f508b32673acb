"""Streams from empty home to served KPIs in whole runs; S4's two limits are found at the streams, and stop the serving."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from ops_project.pipeline.serving import listening, open_store
from ops_project.pipeline.warehouse import snapshots
from ops_project.settings import Settings
from tests.scenarios import homes, runbooks
from tests.scenarios.verdicts import failures, last_checks

pytestmark = pytest.mark.xdist_group("domain_runs")


def simulate(settings: Settings, *words: str) -> None:
    ended = homes.ops(settings, "simulate", "--domain", "streaming", "--scale", "0.3", *words).wait()
    assert ended.code == 0, ended.output + ended.errors


def run(settings: Settings) -> str:
    return homes.ops(settings, "run", "--domain", "streaming").wait().output


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    homes.warm()
    settings = Settings(home=tmp_path_factory.mktemp("streaming") / "home", as_of=homes.NOW)
    simulate(settings, "--days", "3", "--end", str(homes.LAST))
    run(settings)
    return settings


def test_kpis_are_those_of_the_files_and_every_day_is_served(done: Settings) -> None:
    assert failures(done) == {}
    streams = sorted(str(path) for path in done.archive.rglob("*streams_*.jsonl"))
    songs = sorted(str(path) for path in done.archive.rglob("*songs_*.csv"))
    known = duckdb.execute(
        "select listened_at::date, genre, count(*), count(distinct user_id), sum(listen_seconds) from read_json(?) as streams"
        " join (select distinct song_id, genre from read_csv(?)) as songs using (song_id) group by all order by all",
        [streams, songs],
    ).fetchall()
    with snapshots.open(snapshots.newest(done)) as warehouse:
        shown = warehouse.execute(
            "select business_date, genre, listens, unique_listeners, total_listening_seconds from gold.kpi_genre_daily"
            " order by all"
        ).fetchall()
    assert shown == known
    store = open_store(done, listening.TABLE)
    assert store.sort_keys() == sorted({str(row[0]) for row in shown})
    store.close()


@pytest.mark.parametrize(
    ("fault", "check", "failure_class"),
    [
        ("error_rate", "validation_error_rate", "data_invalid"),
        ("unknown_songs", "reference_integrity", "reference_violation"),
    ],
)
def test_a_bad_day_is_found_at_the_streams_and_is_not_served(
    done: Settings, tmp_path: Path, fault: str, check: str, failure_class: str
) -> None:
    home = homes.copy(done, tmp_path / "home")
    simulate(home, "--days", "1", "--end", "2026-03-04", "--fault", fault)
    later = Settings(home=home.home, as_of=homes.NOW.replace(day=5))
    run(later)
    assert failures(later)[("bronze/streams", check)] == failure_class
    if fault == "unknown_songs":
        assert last_checks(later)[("bronze/streams", check)].metadata["reference_violations"] > 10
    store = open_store(later, listening.TABLE)
    assert "2026-03-04" not in store.sort_keys()
    assert "2026-03-03" in store.sort_keys()
    store.close()
    runbooks.follow(later, fault, "bronze/streams")


def unknown(home: Settings, day: str, number: int) -> None:
    """A file of eight streams of unknown songs, too far apart for eleven of them to fall into one hour of listening."""
    lines = [
        f'{{"stream_id": {number * 100 + hour}, "user_id": "USR00000001", "song_id": "SNG9999999", "listened_at":'
        f' "{day} {hour:02}:05:00", "listen_seconds": 30, "device": "phone", "is_offline": false}}\n'
        for hour in range(8)
    ]
    (home.inbound / "streaming" / f"streams_{day.replace('-', '')}_9{number}.jsonl").write_text("".join(lines))


def test_a_later_load_within_the_hour_judges_the_dates_of_the_earlier_one_anew(done: Settings, tmp_path: Path) -> None:
    home = homes.copy(done, tmp_path / "home")
    seen = []
    for number, (day, minutes) in enumerate([("2026-03-02", 0), ("2026-03-04", 40), ("2026-03-04", 120)], start=1):
        unknown(home, day, number)
        run(Settings(home=home.home, as_of=homes.NOW.replace(hour=14) + timedelta(minutes=minutes)))
        with snapshots.open(snapshots.newest(home)) as warehouse:
            seen += warehouse.execute(
                "select worst_reference_violations, is_reference_within from silver.rec_stream_validation"
                " where business_date = '2026-03-02' and clock = 'load'"
            ).fetchall()
    assert seen == [(8, True), (16, False), (16, False)]
