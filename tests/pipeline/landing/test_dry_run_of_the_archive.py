"""`feed check` judges an archived file as landing judged it, and says for which control file it would wait."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ops_project.pipeline.landing import dry_run
from tests.pipeline.landing.home import NOW, TAKINGS, Home, feed_of

ROWS = "id,name,amount,sold_at\n1,a,1.00,2026-11-19 10:00:00\n2,b,2.00,2026-11-19 11:00:00\n"
FILE = "takings_2026-11-19.csv"


def _home(tmp_path: Path, control: str) -> Home:
    return Home(tmp_path, feed_of(f"{TAKINGS}    control: {control}\n"))


def _landed(home: Home, rows: int, name: str) -> Path:
    home.put(FILE, ROWS)
    home.put(name, f"{rows}\n")
    home.land()
    [(kept,)] = home.connection.execute("SELECT archive_path FROM ops.batches").fetchall()
    return home.archive / kept


@pytest.mark.parametrize("pattern", ["{name}.ctl", "{stem}.done"])
@pytest.mark.parametrize("rows", [2, 532])
def test_a_file_of_the_archive_is_judged_with_its_control_file(tmp_path: Path, pattern: str, rows: int) -> None:
    home = _home(tmp_path, f'{{file: "{pattern}", required: true, on_mismatch: reject}}')
    kept = _landed(home, rows, pattern.format(name=FILE, stem=FILE.removesuffix(".csv")))
    assert kept.name != FILE
    report = dry_run.check(kept, home.feeds[0], NOW)
    assert (report.file_name, str(report.business_date)) == (FILE, "2026-11-19")
    assert report.notes == []
    if rows == 2:
        assert (report.would, report.rows_loaded) == ("load", 2)
    else:
        assert report.would == "reject" and report.finding == "source_partial"
        assert "532" in report.problems[0]["message"]


def test_a_file_without_the_control_file_that_it_needs_would_wait(tmp_path: Path) -> None:
    home = _home(tmp_path, '{file: "{name}.ctl", required: true}')
    report = dry_run.check(home.put(FILE, ROWS), home.feeds[0], NOW)
    assert report.would == "wait" and "would wait" in report.notes[0]


def test_where_none_is_needed_it_says_that_nothing_was_compared(tmp_path: Path) -> None:
    home = _home(tmp_path, '{file: "{name}.ctl", required: false}')
    report = dry_run.check(home.put(FILE, ROWS), home.feeds[0], NOW)
    assert report.would == "load" and "its number of rows is not checked" in report.notes[0]


def test_a_file_that_was_taken_out_of_the_archive_is_known_by_its_name(tmp_path: Path) -> None:
    home = _home(tmp_path, '{file: "{name}.ctl", required: true}')
    kept = _landed(home, 532, f"{FILE}.ctl")
    alone = Path(shutil.copy(kept, tmp_path / kept.name))
    report = dry_run.check(alone, home.feeds[0], NOW)
    assert (report.would, report.file_name) == ("wait", FILE), "its control file stayed in the archive"


def test_a_name_that_only_looks_like_the_archives_is_the_feeds_own(tmp_path: Path) -> None:
    feed = feed_of(TAKINGS.replace("takings_{date", "0123456789ab_takings_{date"))
    home = Home(tmp_path, feed)
    report = dry_run.check(home.put(f"0123456789ab_{FILE}", ROWS), feed, NOW)
    assert (report.would, report.file_name) == ("load", f"0123456789ab_{FILE}")


def test_the_date_of_a_name_without_one_is_that_of_the_archive(tmp_path: Path) -> None:
    feed = feed_of(TAKINGS.replace('"takings_{date:%Y-%m-%d}{revision}.csv"', "takings.csv"))
    place = tmp_path / "archive" / "shop" / "takings" / "2026-11-03"
    place.mkdir(parents=True)
    (place / "0123456789ab_takings.csv").write_text(ROWS)
    report = dry_run.check(place / "0123456789ab_takings.csv", feed, NOW)
    assert (report.file_name, str(report.business_date)) == ("takings.csv", "2026-11-03")
