"""Files that come again: the same one, a corrected one, and one for several feeds; and files that are not complete
yet.
"""

from __future__ import annotations

import importlib
import os
import stat
from datetime import UTC, date, datetime, timedelta

import pytest

from ops_project.pipeline.landing import pending, unclaimed
from tests.pipeline.landing.home import TAKINGS, Home, feed_of, feeds_of

FEED = feed_of(TAKINGS)
HEAD = "id,name,amount,sold_at\n"


@pytest.fixture
def home(tmp_path):
    made = Home(tmp_path, FEED)
    made.put("takings_2026-11-01.csv", HEAD + "1,a,1.00,\n2,b,x,\n")
    made.land()
    return made


def test_the_raw_file_is_kept_read_only_with_size_hash_and_time(home):
    [(path, size, sha, arrived)] = home.rows("SELECT archive_path, size_bytes, sha256, arrived_at FROM ops.batches")
    kept = home.archive / path
    assert path == f"shop/takings/2026-11-01/{sha[:12]}_takings_2026-11-01.csv"
    assert kept.stat().st_size == size == len(HEAD + "1,a,1.00,\n2,b,x,\n")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o444
    assert arrived <= datetime.now(UTC).replace(tzinfo=None)
    assert home.left() == []


@pytest.mark.parametrize("name", ["takings_2026-11-01.csv", "takings_2026-11-01_again.csv", "takings_2026-11-04.csv"])
def test_the_same_bytes_change_nothing_and_say_so(home, name):
    before = home.bronze()
    home.put(name, HEAD + "1,a,1.00,\n2,b,x,\n")
    [batch] = home.land().batches
    assert (batch.status, batch.finding, batch.rows_in) == ("duplicate", "source_duplicate", 0)
    assert "takings_2026-11-01.csv" in batch.message
    assert home.bronze() == before and home.left() == []


def test_the_finding_says_how_often_the_same_bytes_have_arrived(home):
    said = []
    for _ in range(6):
        home.put("takings_2026-11-01.csv", HEAD + "1,a,1.00,\n2,b,x,\n")
        [batch] = home.land().batches
        said.append(batch.message.partition("nothing was loaded")[2])
    assert said == ["", *(f"; it has arrived {times} times" for times in (3, 4, 5, 6, 7))]


def test_the_same_bytes_on_another_date_are_natural_for_full_extracts_and_empty_deltas(tmp_path):
    feed = feed_of(TAKINGS + "    extract: full\n")
    home = Home(tmp_path, feed)
    for day in (1, 2):
        home.put(f"takings_2026-11-0{day}.csv", HEAD + "1,a,1.00,\n")
    assert [batch.status for batch in home.land().batches] == ["loaded", "loaded"]
    other = Home(tmp_path / "other", FEED)
    for day in (1, 2):
        other.put(f"takings_2026-11-0{day}.csv", HEAD)
    assert [batch.status for batch in other.land().batches] == ["loaded", "loaded"]


def test_what_stands_sent_again_answers_a_rejected_file(home):
    name = "takings_2026-11-01.csv"
    home.put(name, HEAD + '1,"a,1.00,\n')
    [finding] = home.land().findings
    assert (finding.state, finding.message.endswith("loaded before, stays")) == ("open", True)
    home.put(name, HEAD + "1,a,1.00,\n2,b,x,\n")
    assert [one.state for one in home.land().findings] == ["resolved"]
    assert home.rows("SELECT count(*) FROM ops.findings WHERE state = 'open'") == [(0,)]


def test_a_file_that_no_contract_takes_is_named(home):
    home.put("takings_01112026.csv", HEAD)
    home.put("takings_2026-11-02.csv", HEAD)
    assert unclaimed([FEED], home.inbound / FEED.domain) == ["takings_01112026.csv"]


def test_a_corrected_file_replaces_its_batch_and_says_so(home):
    home.put("takings_2026-11-01_corrected.csv", HEAD + "1,a,1.00,\n2,b,2.00,\n")
    [batch] = home.land().batches
    assert (batch.status, batch.rows_loaded) == ("loaded", 2)
    assert "replaces batch takings-1-" in batch.message and batch.replaces_batch_id.startswith("takings-1-")
    assert home.bronze("id, amount::VARCHAR") == [(1, "1.00"), (2, "2.00")]
    assert home.rows("SELECT status FROM ops.batches ORDER BY load_seq") == [("replaced",), ("loaded",)]
    assert home.rows("SELECT count(*) FROM ops.quarantine") == [(0,)]
    assert home.rows("SELECT business_date, load_seq FROM ops.touched_dates ORDER BY load_seq") == [
        (date(2026, 11, 1), 1),
        (date(2026, 11, 1), 2),
    ]


@pytest.mark.parametrize("name", ["takings_2026-11-01.csv", "takings_2026-11-01_again.csv"])
def test_the_newest_delivery_wins_also_where_its_bytes_are_known(home, name):
    """A bad file replaced a good one, and the source sends the good one again."""
    first = HEAD + "1,a,1.00,\n2,b,x,\n"
    home.put("takings_2026-11-01_corrected.csv", HEAD + "1,a,999.00,\n2,b,2.00,\n")
    home.land()
    for status in ("loaded", "duplicate"):
        home.put(name, first)
        [batch] = home.land().batches
        assert batch.status == status
        assert home.bronze("id, amount::VARCHAR") == [(1, "1.00")]
    assert home.rows("SELECT count(*) FROM ops.batches WHERE status = 'loaded'") == [(1,)]


def test_what_was_open_about_the_bad_file_closes_when_the_good_one_comes_again(tmp_path):
    feed = feed_of(TAKINGS + "    volume: {min_rows: 2}\n")
    home = Home(tmp_path, feed)
    good, short = HEAD + "1,a,1.00,\n2,b,2.00,\n", HEAD + "1,a,1.00,\n"
    for content, findings in ((good, []), (short, [("source_partial", date(2026, 11, 1))]), (good, [])):
        home.put("takings_2026-11-01.csv", content)
        home.land()
        assert home.open_findings() == findings
    assert home.bronze("id") == [(1,), (2,)]


def test_a_broken_correction_leaves_the_good_batch(home):
    home.put("takings_2026-11-01_corrected.csv", HEAD + '1,"a,1.00,\n')
    assert home.land().batches[0].status == "rejected"
    assert home.bronze("id") == [(1,)]


def test_touched_dates_hold_those_of_both_batches(tmp_path):
    feed = feed_of(TAKINGS.replace("    key: id", "    key: id\n    business_date: sold_at"))
    home = Home(tmp_path, feed)
    home.put("takings_2026-11-02.csv", HEAD + "1,a,1.00,2026-11-01 10:00:00\n2,a,1.00,2026-11-02 10:00:00\n")
    home.land()
    home.put("takings_2026-11-02_b.csv", HEAD + "1,a,1.00,2026-11-02 10:00:00\n2,a,1.00,2026-11-03 10:00:00\n")
    result = home.land()
    assert result.touched_dates == [date(2026, 11, day) for day in (1, 2, 3)]


def test_a_rejected_file_is_looked_at_again_when_it_comes_again(tmp_path):
    home = Home(tmp_path, FEED)
    content = HEAD.replace("sold_at", "sold_at,colour") + "1,a,1.00,,red\n"
    home.put("takings_2026-11-01.csv", content)
    assert home.land().batches[0].finding == "schema_mismatch"
    assert home.open_findings() == [("schema_mismatch", date(2026, 11, 1))]
    fixed = feed_of(TAKINGS + "      colour: string\n")
    home.put("takings_2026-11-01.csv", content)
    assert home.land(fixed).batches[0].status == "loaded"
    assert home.open_findings() == []


def test_several_files_of_a_date_stand_side_by_side(tmp_path):
    feed = feed_of(TAKINGS.replace("{revision}", "_{part}"))
    home = Home(tmp_path, feed)
    home.put("takings_2026-11-01_north.csv", HEAD + "1,a,1.00,\n")
    home.put("takings_2026-11-01_south.csv", HEAD + "2,b,1.00,\n")
    home.land()
    home.put("takings_2026-11-01_south.csv", HEAD + "3,c,1.00,\n")
    home.land()
    assert home.rows("SELECT id FROM bronze.takings ORDER BY id") == [(1,), (3,)]


def test_files_of_two_patterns_stand_side_by_side(tmp_path):
    one = '"takings_{date:%Y-%m-%d}{revision}.csv"'
    assert one in TAKINGS
    home = Home(tmp_path, feed_of(TAKINGS.replace(one, '["o_{date:%Y-%m-%d}.csv", "r_{date:%Y-%m-%d}{revision}.csv"]')))
    for name, number in (("o_2026-11-01.csv", 1), ("r_2026-11-01.csv", 2)):
        home.put(name, HEAD + f"{number},a,1.00,\n")
        home.land()
    assert home.bronze("id") == [(1,), (2,)]
    home.put("r_2026-11-01_v2.csv", HEAD + "3,a,1.00,\n")
    home.put("o_2026-11-01.csv", HEAD + "4,a,1.00,\n")
    home.land()
    assert home.rows("SELECT id FROM bronze.takings ORDER BY id") == [(3,), (4,)]


def test_a_pattern_that_is_appended_leaves_the_slots_of_the_first(home):
    more = feed_of(TAKINGS.replace('inbound: "', 'inbound: ["').replace('.csv"', '.csv", "more_{date:%Y-%m-%d}.csv"]'))
    home.put("takings_2026-11-01_b.csv", HEAD + "7,a,1.00,\n")
    home.land(more)
    assert home.bronze("id") == [(7,)]


TWO = """
  takings:
    inbound: "day_{date:%Y-%m-%d}.csv"
    columns: {id: integer, amount: "decimal(10,2)"}
  people:
    inbound: "day_{date:%Y-%m-%d}.csv"
    key: name
    keep_first: {}
    raw_fields: [id, name, amount]
    columns: {name: string}
"""


def test_one_file_for_two_feeds_leaves_when_both_have_it(tmp_path):
    feeds = feeds_of(TWO.replace("    columns: {id", "    raw_fields: [id, name, amount]\n    columns: {id"))
    home = Home(tmp_path, *feeds.values())
    home.put("day_2026-11-01.csv", "id,name,amount\n1,a,1.00\n2,a,2.00\n")
    first = home.land(feeds["takings"])
    assert first.rows_loaded == 2 and home.left() == ["day_2026-11-01.csv"]
    again = home.land(feeds["takings"])
    assert again.batches == [] and again.findings == []
    second = home.land(feeds["people"])
    assert (second.rows_loaded, second.rows_collapsed, home.left()) == (1, 1, [])
    assert len(home.archived()) == 2
    home.put("day_2026-11-01.csv", "id,name,amount\n1,a,1.00\n2,a,2.00\n")
    assert [home.land(feed).batches[0].status for feed in feeds.values()] == ["duplicate", "duplicate"]
    assert home.left() == []


CONTROLLED = TAKINGS + '    control: {file: "{name}.ctl"}\n'


def test_a_file_waits_for_its_control_file(tmp_path):
    feed = feed_of(CONTROLLED)
    home = Home(tmp_path, feed)
    home.put("takings_2026-11-01.csv", HEAD + "1,a,1.00,\n")
    assert home.land().waiting == ["takings_2026-11-01.csv"]
    home.put("takings_2026-11-01.csv.ctl", "rows=1\n")
    assert home.land().batches[0].status == "loaded"
    assert home.left() == [] and len(home.archived()) == 2


def test_files_of_the_future_have_not_arrived_in_a_replay(home):
    home.put("takings_2026-11-30.csv", HEAD + "9,z,1.00,\n")
    assert home.land().batches == [] and home.left() == ["takings_2026-11-30.csv"]


def test_a_file_dated_ahead_waits_and_is_told(home):
    home.put("takings_2026-11-30.csv", HEAD + "9,z,1.00,\n", arrived=home.now)
    for _ in range(2):
        result = home.land()
        assert result.batches == [] and result.waiting == ["takings_2026-11-30.csv"]
        assert "dated 2026-11-30, which is after today (2026-11-20)" in result.findings[0].message
    assert home.open_findings() == [("data_invalid", date(2026, 11, 30))]
    home.land(now=home.now + timedelta(days=10))
    assert home.open_findings() == [] and home.left() == []


def test_a_file_dated_ahead_that_is_taken_away_leaves_no_finding(home):
    path = home.put("takings_2062-11-01.csv", HEAD + "9,z,1.00,\n", arrived=home.now)
    home.land()
    path.unlink()
    assert home.land().resolved == 1 and home.open_findings() == []


def test_dates_limit_what_is_landed(home):
    for day in (5, 6):
        home.put(f"takings_2026-11-0{day}.csv", HEAD + f"{day},z,1.00,\n")
    result = home.land(dates={date(2026, 11, 5)})
    assert [batch.business_date.day for batch in result.batches] == [5]
    assert result.waiting == ["takings_2026-11-06.csv"]


def test_hidden_files_and_folders_are_not_looked_at(home):
    home.put(".takings_2026-11-05.csv", HEAD)
    (home.inbound / "shop" / "takings_2026-11-06.csv").mkdir()
    assert pending(FEED, home.inbound) == []


def test_a_file_that_somebody_is_writing_is_left_for_the_next_run(home, monkeypatch):
    module = importlib.import_module("ops_project.pipeline.landing.workbench")
    path = home.put("takings_2026-11-05.csv", HEAD + "5,z,1.00,\n")
    examine = module.examine

    def growing(*arguments, **named):
        found = examine(*arguments, **named)
        with path.open("a") as file:
            file.write("6,y,1.00,\n")
        os.utime(path, (1, 1))
        return found

    monkeypatch.setattr(module, "examine", growing)
    assert home.land().waiting == ["takings_2026-11-05.csv"]
    monkeypatch.undo()
    assert home.land().rows_loaded == 2
