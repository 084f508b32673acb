"""Dates and times as they are written: fewer digits than a format has, hours that clocks skip or repeat, other ISO forms."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest

from ops_project.model.document import ConfigError
from ops_project.model.feed.column import Column
from ops_project.model.feed.file_format import Format
from ops_project.pipeline.landing.read import casts
from tests.pipeline.landing.home import TAKINGS, Home, feed_of

T = datetime


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as opened:
        opened.execute("SET TimeZone = 'UTC'")
        yield opened


def cast(connection, options, *texts):
    column = Column.model_validate(options)
    given = ", ".join(f"({nth}, '{text}')" for nth, text in enumerate(texts))
    sql = f"SELECT {casts.typed('t', column, Format())} FROM (VALUES {given}) AS given(n, t) ORDER BY n"
    return [row[0] for row in connection.execute(sql).fetchall()]


@pytest.mark.parametrize(
    ("kind", "form", "good", "bad"),
    [
        ("time", "%H%M", {"0130": time(1, 30), "1300": time(13)}, ["130", "155", "13", "1", "2500"]),
        ("time", "%H%M%S", {"012345": time(1, 23, 45)}, ["12345", "1234"]),
        ("date", "%Y%m%d", {"20261101": date(2026, 11, 1)}, ["2026111", "202611", "20261131", "20260230"]),
        ("date", "%d%m%y", {"010126": date(2026, 1, 1)}, ["10126", "1126"]),
        (
            "date",
            "%Y%j",
            {"2026365": date(2026, 12, 31), "2024366": date(2024, 12, 31)},
            ["2026366", "202636", "2026000"],
        ),
        ("date", "%d/%m/%Y", {"03/04/2026": date(2026, 4, 3)}, ["3/4/2026", "03/04/26", "03/04/20266"]),
        (
            "date",
            "%-d/%-m/%Y",
            {"3/4/2026": date(2026, 4, 3), "03/04/2026": date(2026, 4, 3)},
            ["003/4/2026", "31/2/2026"],
        ),
        ("date", "%y%m%d", {"260101": date(2026, 1, 1)}, ["26011", "2611"]),
        ("date", "%d%b%Y", {"01NOV2026": date(2026, 11, 1), "01nov2026": date(2026, 11, 1)}, ["1nov2026"]),
        ("date", "%A, %d %B %Y", {"Tuesday, 03 November 2026": date(2026, 11, 3)}, ["Monday, 03 November 2026"]),
        ("date", "%G-%V-%u", {"2026-02-1": date(2026, 1, 5)}, ["2026-2-1", "2026-54-1"]),
        ("date", "%Y-%U-%w", {"2026-02-1": date(2026, 1, 12)}, ["2026-2-1"]),
        ("time", "%I:%M %p", {"09:05 pm": time(21, 5), "12:00 AM": time(0)}, ["9:05 PM", "13:05 PM", "09:5 PM"]),
        ("time", "%-I:%M%p", {"9:05PM": time(21, 5)}, ["9:5PM"]),
        ("time", "%H:%M:%S.%f", {"10:00:00.5": time(10, 0, 0, 500000)}, ["10:00:0.5", "10:00:00.1234567", "10:00:00."]),
        ("time", "%H%M%S%f", {"100000500000": time(10, 0, 0, 500000)}, ["1000005", "10000050000"]),
        ("time", "%H:%M:%S.%g", {"10:00:00.123": time(10, 0, 0, 123000)}, ["10:00:0.123"]),
        ("timestamp", "%c", {"2026-01-01 10:00:00": T(2026, 1, 1, 10)}, ["2026-1-1 10:00:00", "2026-01-01 1:00:00"]),
        ("timestamp", "%Y%m%d%H%M%S", {"20260101100000": T(2026, 1, 1, 10)}, ["2026010110000", "202601011000"]),
        (
            "timestamp",
            "%Y-%m-%dT%H:%M:%S%z",
            {"2026-01-01T10:00:00+0130": T(2026, 1, 1, 8, 30), "2026-01-01T10:00:00Z": T(2026, 1, 1, 10)},
            ["2026-01-01T1:00:00+0130", "2026-1-01T10:00:00Z"],
        ),
        (
            "timestamp",
            "%Y-%m-%d %H:%M:%S.%f %z",
            {"2026-01-01 10:00:00.25 -05:00": T(2026, 1, 1, 15, 0, 0, 250000)},
            ["2026-01-01 10:00:0.25 -05:00"],
        ),
    ],
)
def test_a_value_is_taken_where_its_format_writes_it_so(connection, kind, form, good, bad):
    options = {"type": kind, "format": form}
    assert cast(connection, options, *good) == list(good.values())
    assert cast(connection, options, *bad) == [None] * len(bad)


@pytest.mark.parametrize("code", ["Y", "y", "m", "d", "j", "H", "I", "M", "S", "U", "W", "V", "G"])
def test_no_code_reads_fewer_digits_than_it_writes(connection, code):
    beside = {"I": " %p", "U": " %Y %w", "W": " %Y %w", "V": " %G %u", "G": " %V %u", "j": " %Y"}.get(code, "")
    for moment in ("2006-03-04 05:06:07", "2009-01-09 09:08:01"):
        form = f"%{code}{beside}"
        [[text]] = connection.execute("SELECT strftime(?::TIMESTAMP, ?)", [moment, form]).fetchall()
        shorter = text[1:] if text[0] == "0" else text[0] + text[2:]
        whole, short = cast(connection, {"type": "timestamp", "format": form}, text, shorter)
        assert whole is not None and short is None, (form, text, shorter)


@pytest.mark.parametrize("form", ["%Q", "%d/%e/%Y", "%s", "%-f", "%Y-%", "%k"])
def test_a_code_that_the_engine_does_not_know_is_refused_with_its_line(form):
    with pytest.raises(ConfigError, match=r"is not known; valid: %Y") as error:
        feed_of(TAKINGS + f'      at: {{type: timestamp, format: "{form}"}}\n')
    assert error.value.problems[0].line > 8


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-05T10:00Z", T(2026, 1, 5, 10)),
        ("2026-01-05T10:00+01:00", T(2026, 1, 5, 9)),
        ("2026-01-05T10:00", T(2026, 1, 5, 10)),
        ("2026-01-05t10:00:00z", T(2026, 1, 5, 10)),
        ("2026-01-05T10:00:00,250Z", T(2026, 1, 5, 10, 0, 0, 250000)),
        ("2026-01-05 10:00:00,5", T(2026, 1, 5, 10, 0, 0, 500000)),
        ("2026-01-05T10:00:00.123456000Z", T(2026, 1, 5, 10, 0, 0, 123456)),
        ("2026-01-05T10:00:00.1234567Z", None),
        ("20260105T100000Z", T(2026, 1, 5, 10)),
        ("20260105T1000", T(2026, 1, 5, 10)),
        ("20260105T100000.5+0130", T(2026, 1, 5, 8, 30, 0, 500000)),
        ("2026-01-05 10:00:00 UTC", T(2026, 1, 5, 10)),
        ("2026-01-05 10:00:00 GMT", T(2026, 1, 5, 10)),
        ("2026-01-05 10:00:00 +0100", T(2026, 1, 5, 9)),
        ("2026-01-05T10:00:00+01", T(2026, 1, 5, 9)),
        ("2026-01-05T10:00:00+01:00[Europe/Berlin]", T(2026, 1, 5, 9)),
        ("2026-01-05T10:00Z[UTC]", T(2026, 1, 5, 10)),
        ("2026-01-05T25:00Z", None),
        ("2026-01-05 24:00:00", None),
        ("2026-02-30T10:00Z", None),
        ("2026-01-05T1:00Z", None),
        ("2026-01-05T10Z", None),
        ("2026-01-05", None),
    ],
)
def test_iso_as_other_languages_write_it(connection, text, moment):
    assert cast(connection, {"type": "timestamp"}, text, f" {text} ") == [moment, moment]


ZONES = [
    "America/New_York",
    "Europe/Dublin",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Africa/Casablanca",
    "Asia/Tokyo",
]


@pytest.mark.parametrize("zone", ZONES)
def test_hours_around_every_change_of_clocks_are_what_python_says(connection, zone):
    texts, first, second = [], [], []
    offsets = [(T(2018, 1, 1) + timedelta(days=n)).replace(tzinfo=ZoneInfo(zone)).utcoffset() for n in range(370)]
    changes = [n for n in range(1, 368) if offsets[n] != offsets[n + 1]] or [100]
    for minutes in (30 * step for n in changes for step in range((n - 1) * 48, (n + 3) * 48)):
        local = T(2018, 1, 1) + timedelta(minutes=minutes)
        texts.append(f"{local:%Y-%m-%d %H:%M:%S}")
        both = [local.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1)]
        exists = both[0].astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local
        first.append(min(both).replace(tzinfo=None) if exists else None)
        second.append(max(both).replace(tzinfo=None) if exists else None)
    options = {"type": "timestamp", "timezone": zone}
    assert cast(connection, options, *texts) == first
    assert cast(connection, options | {"ambiguous": "second"}, *texts) == second
    refused = cast(connection, options | {"ambiguous": "refuse"}, *texts)
    assert refused == [one if one == other else None for one, other in zip(first, second, strict=True)]


METERS = """
    inbound: "takings_{date:%Y-%m-%d}.csv"
    key: [meter, read_at]
    columns:
      meter: string
      read_at: {type: timestamp, timezone: America/New_York, ambiguous: first}
      kwh: integer
"""
HEAD = "meter,read_at,kwh\n"


def test_a_time_that_clocks_skip_costs_no_other_row(tmp_path):
    home = Home(tmp_path, feed_of(METERS))
    home.put("takings_2026-03-08.csv", HEAD + "a,2026-03-08 02:30:00,1\na,2026-03-08 03:30:00,2\n")
    home.land()
    assert home.bronze("read_at, kwh") == [(T(2026, 3, 8, 7, 30), 2)]
    assert home.rows("SELECT line, reason FROM ops.quarantine") == [
        (2, "read_at: '2026-03-08 02:30:00' does not exist in America/New_York: clocks skip it")
    ]


@pytest.mark.parametrize(("ambiguous", "hours"), [("first", [5, 6, 5, 7]), ("second", [5, 6, 6, 7]), ("refuse", [7])])
def test_a_time_that_clocks_show_twice(tmp_path, ambiguous, hours):
    home = Home(tmp_path, feed_of(METERS.replace("first", ambiguous)))
    rows = ["a,2026-11-01 01:30:00,1", "a,2026-11-01 01:30:00,2", "b,2026-11-01 01:30:00,3", "a,2026-11-01 02:30:00,4"]
    home.put("takings_2026-11-01.csv", HEAD + "\n".join(rows) + "\n")
    home.land()
    assert home.bronze("read_at") == [(T(2026, 11, 1, hour, 30),) for hour in hours]
    reasons = {reason for (reason,) in home.rows("SELECT reason FROM ops.quarantine")}
    assert reasons == (
        {"read_at: '2026-11-01 01:30:00' does not exist in America/New_York, or exists twice: clocks are changed"}
        if ambiguous == "refuse"
        else set()
    )


def test_a_third_row_of_the_hour_repeats_the_first(tmp_path):
    home = Home(tmp_path, feed_of(METERS))
    home.put("takings_2026-11-01.csv", HEAD + "a,2026-11-01 01:30:00,1\n" * 3)
    home.land()
    assert home.bronze("read_at") == [(T(2026, 11, 1, 5, 30),), (T(2026, 11, 1, 6, 30),)]
    assert [row[0] for row in home.rows("SELECT line FROM ops.quarantine")] == [4]


def test_an_offset_in_the_file_is_never_moved(tmp_path):
    home = Home(tmp_path, feed_of(METERS))
    home.put("takings_2026-11-01.csv", HEAD + "a,2026-11-01T01:30:00-04:00,1\n" * 2)
    home.land()
    assert home.bronze("read_at") == [(T(2026, 11, 1, 5, 30),)]


def test_ambiguous_needs_a_zone():
    with pytest.raises(ConfigError, match="ambiguous is for a timestamp with a timezone"):
        feed_of(TAKINGS + "      at: {type: timestamp, ambiguous: first}\n")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"type": "timestamp"}, "2026-01-05T10:00:00+25:00"),
        ({"type": "timestamp"}, "2026-01-05T10:00:00+00:99"),
        ({"type": "timestamp"}, "20260105T1000-1900"),
        ({"type": "timestamp", "format": "%Y-%m-%d %H:%M%z"}, "2026-01-05 10:00+24:00"),
        ({"type": "date"}, "0000-01-01"),
        ({"type": "timestamp"}, "0000-12-31 10:00:00"),
        ({"type": "timestamp"}, "0001-01-01T00:00:00+01:00"),
        ({"type": "timestamp"}, "9999-12-31T23:00:00-05:00"),
        ({"type": "timestamp", "timezone": "America/New_York"}, "9999-12-31 23:00:00"),
        ({"type": "timestamp", "timezone": "Asia/Tokyo"}, "0001-01-01 00:00:00"),
        ({"type": "timestamp", "format": "unix"}, "-99999999999"),
    ],
)
def test_what_no_clock_and_no_calendar_has_is_no_value(connection, options, text):
    assert cast(connection, options, text) == [None]


def test_the_widest_offsets_and_the_ends_of_the_calendar_are_values(connection):
    texts = ["2026-01-05T10:00:00+14:00", "2026-01-05T10:00:00-1200", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]
    expected = [T(2026, 1, 4, 20), T(2026, 1, 5, 22), T(1, 1, 1), T(9999, 12, 31, 23, 59, 59)]
    assert cast(connection, {"type": "timestamp"}, *texts) == expected
