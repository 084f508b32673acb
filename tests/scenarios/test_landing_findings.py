"""Six things that can be wrong with a delivery are distinguished: missing, late, zero bytes, partial, duplicate,
structure.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.pipeline.landing.home import TAKINGS, Home, feed_of

HEAD = "id,name,amount,sold_at\n"
DAILY = '    expected: daily\n    arrival: {by: "02:00", timezone: UTC, grace: 6h}\n    contact: shop@example.com\n'
FEED = feed_of(TAKINGS + DAILY)
COUNTED = feed_of(TAKINGS + DAILY + '    control: {file: "{stem}.ctl", required: false}\n')
LAST = date(2026, 11, 10)
IN_TIME = datetime(2026, 11, 11, 1, 0, tzinfo=UTC)
AFTER = datetime(2026, 11, 11, 3, 0, tzinfo=UTC)


def content(day: date, rows: int = 100) -> str:
    return HEAD + "".join(f"{day.day * 1000 + n},n,1.00,\n" for n in range(rows))


# A control count decides at once what these tests leave to the history of the feed.
BY_HISTORY = pytest.mark.parametrize("home", [FEED], ids=["by history"], indirect=True)


@pytest.fixture(params=[FEED, COUNTED], ids=["by history", "by control count"])
def home(tmp_path, request) -> Home:
    """Nine good days, landed; each test brings the tenth day."""
    made = Home(tmp_path, request.param, now=AFTER)
    for day in range(1, 10):
        when = date(2026, 11, day)
        made.put(f"takings_{when}.csv", content(when), datetime(2026, 11, day, 23, 0, tzinfo=UTC))
        if request.param is COUNTED:
            made.put(f"takings_{when}.ctl", "100")
    result = made.land(now=datetime(2026, 11, 10, 1, 0, tzinfo=UTC))
    assert (len(result.batches), result.findings) == (9, [])
    return made


def deliver(home: Home, text: str | bytes, arrived: datetime = IN_TIME, rows: int = 100, suffix: str = "") -> None:
    home.put(f"takings_{LAST}{suffix}.csv", text, arrived)
    if home.feeds[0] is COUNTED:
        home.put(f"takings_{LAST}{suffix}.ctl", str(rows))


FAULTS = {
    "source_missing": lambda home: None,
    "source_late": lambda home: deliver(home, content(LAST), AFTER),
    "source_empty": lambda home: deliver(home, b""),
    "source_partial": lambda home: deliver(home, content(LAST, 60)),
    "source_duplicate": lambda home: deliver(home, content(date(2026, 11, 9))),
    "schema_mismatch": lambda home: deliver(home, content(LAST).replace("name", "title", 1)),
    "data_invalid": lambda home: deliver(home, content(LAST) + '1,"x,1.00,\n'),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_each_is_told_apart(home, kind):
    FAULTS[kind](home)
    home.land()
    expected = {kind, "source_missing"} if kind == "source_duplicate" else {kind}
    assert {row[0] for row in home.open_findings()} == expected
    assert {row[1] for row in home.open_findings()} == {LAST}
    again = home.land()
    assert (again.batches, again.findings) == ([], [])


@pytest.mark.parametrize(
    "kind", ["source_missing", "source_empty", "source_partial", "schema_mismatch", "data_invalid"]
)
def test_a_good_file_closes_it(home, kind):
    FAULTS[kind](home)
    home.land()
    deliver(home, content(LAST), AFTER + timedelta(hours=1), suffix="_again")
    home.land(now=AFTER + timedelta(hours=2))
    late = [("source_late", LAST)]
    assert home.open_findings() == late
    assert home.rows("SELECT count(*) FROM bronze.takings") == [(1000,)]
    following = LAST + timedelta(days=1)
    home.put(f"takings_{following}.csv", content(following), datetime(2026, 11, 12, 1, 0, tzinfo=UTC))
    if home.feeds[0] is COUNTED:
        home.put(f"takings_{following}.ctl", "100")
    home.land(now=datetime(2026, 11, 12, 1, 30, tzinfo=UTC))
    assert home.open_findings() == []


COMBINED = [
    # If several findings apply, the first in the order of precedence is named.
    (lambda home: deliver(home, b"", AFTER), "source_empty"),
    (lambda home: deliver(home, content(LAST, 60).replace("name", "title", 1), AFTER), "schema_mismatch"),
    (lambda home: deliver(home, content(LAST, 60) + '1,"x\n', AFTER), "data_invalid"),
    (lambda home: deliver(home, content(date(2026, 11, 9)), AFTER), "source_duplicate"),
    (lambda home: deliver(home, content(LAST, 60), AFTER), "source_partial"),
]


@pytest.mark.parametrize(("fault", "named"), COMBINED, ids=[case[1] for case in COMBINED])
def test_precedence(home, fault, named):
    fault(home)
    [batch] = home.land().batches
    assert batch.finding == named


@BY_HISTORY
def test_a_constant_series_is_no_blind_spot_and_a_small_dip_no_alarm(home):
    deliver(home, content(LAST, 97))
    assert home.land().batches[0].finding is None


def test_the_missing_finding_names_feed_date_and_contact(home):
    home.land()
    [(message,)] = home.rows("SELECT message FROM ops.findings WHERE kind = 'source_missing'")
    assert (
        message
        == f"no file of takings for {LAST} (takings_{{date:%Y-%m-%d}}{{revision}}.csv); contact shop@example.com"
    )


def test_history_copied_in_at_once_is_not_late(tmp_path):
    home = Home(tmp_path, FEED, now=AFTER)
    for day in range(1, 11):
        home.put(f"takings_2026-11-{day:02}.csv", content(date(2026, 11, day)))
    assert {batch.finding for batch in home.land().batches} == {None}
    assert home.open_findings() == []


def put_in_time(home: Home, *days: int) -> None:
    for day in days:
        home.put(
            f"takings_2026-11-{day:02}.csv", content(date(2026, 11, day)), datetime(2026, 11, day + 1, 1, tzinfo=UTC)
        )


def test_one_late_file_among_punctual_ones_is_found_by_the_first_run(tmp_path):
    home = Home(tmp_path, FEED, now=AFTER)
    put_in_time(home, 7, 8, 10)
    home.put("takings_2026-11-09.csv", content(date(2026, 11, 9)), datetime(2026, 11, 10, 2, 30, tzinfo=UTC))
    home.land()
    assert home.open_findings() == [("source_late", date(2026, 11, 9))]


@BY_HISTORY
def test_a_partition_that_comes_with_the_next_ones_is_found_though_nobody_looked_in_between(home):
    following = datetime(2026, 11, 12, 1, tzinfo=UTC)
    deliver(home, content(LAST), following)
    put_in_time(home, 11)
    home.land(now=datetime(2026, 11, 12, 12, tzinfo=UTC))
    assert home.open_findings() == [("source_late", LAST)]


def test_older_files_copied_into_a_living_feed_are_not_late(tmp_path):
    home = Home(tmp_path, FEED, now=AFTER)
    put_in_time(home, 7, 8, 9, 10)
    home.land()
    for day in range(1, 7):
        home.put(f"takings_2026-11-{day:02}.csv", content(date(2026, 11, day)), AFTER)
    assert {batch.finding for batch in home.land().batches} == {None}


def test_a_correction_of_a_good_file_is_not_late(home):
    if home.feeds[0] is COUNTED:
        pytest.skip("the same with a control file")
    home.put("takings_2026-11-09_again.csv", content(date(2026, 11, 9), 101), datetime(2026, 11, 10, 5, tzinfo=UTC))
    put_in_time(home, 10)
    [corrected, _] = home.land().batches
    assert (corrected.finding, corrected.replaces_batch_id is not None) == (None, True)


def test_a_suspicion_that_nobody_corrects_closes_after_a_week(home):
    if home.feeds[0] is COUNTED:
        pytest.skip("a wrong count keeps the file out, so it stays open")
    FAULTS["source_partial"](home)
    home.land()
    home.land(now=AFTER + timedelta(days=8))
    assert ("source_partial", LAST) not in home.open_findings()
