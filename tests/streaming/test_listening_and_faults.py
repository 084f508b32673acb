"""Streams from empty home to served KPIs in whole runs; S4's two limits are found at the streams, and stop the serving."""

from __future__ import annotations

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
