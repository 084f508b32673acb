"""Corrections: which one is newer by its name, and whether it has fewer rows than the file that it replaces."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from ops_project.pipeline import landing
from ops_project.pipeline.landing.confirm import confirm
from ops_project.pipeline.landing.decide.revisions import RevisionOrder, compare_revisions
from tests.pipeline.landing.home import Home, feed_of

OLDER, SAME, NEWER, UNCLEAR = RevisionOrder
T = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
BODY = """
    inbound: "takings_{date:%Y-%m-%d}{revision}.csv"
    key: id
    columns: {id: integer, name: string}
"""


@pytest.mark.parametrize(
    ("one", "other", "order"),
    [
        ("", "_v2", OLDER),
        ("_v2", "_v10", OLDER),
        ("_v10", "_v9", NEWER),
        ("", " (1)", OLDER),
        (" (2)", " (10)", OLDER),
        ("_V2", "_v3", OLDER),
        ("-r1", "_r2", OLDER),
        ("_v2", "_v2.1", OLDER),
        ("_20261101T0930", "_20261101T1000", OLDER),
        ("_corrected", "_corrected2", OLDER),
        ("_corrected2", "_corrected10", OLDER),
        ("", "_old", UNCLEAR),
        ("_v2", "_v2_backup", UNCLEAR),
        ("", "_original (1)", UNCLEAR),
        ("_a", "_b", OLDER),
        ("_v2", "_v2", SAME),
        ("_final", "_v2", UNCLEAR),
        ("_corrected", "_again", UNCLEAR),
        (" (1)", "_v2", UNCLEAR),
    ],
)
def test_order(one, other, order):
    assert compare_revisions(one, other) is order
    back = {OLDER: NEWER, NEWER: OLDER}
    assert compare_revisions(other, one) is back.get(order, order)


def content(name: str) -> str:
    return f"id,name\n1,{name}\n"


@pytest.mark.parametrize(
    ("names", "newest", "told"),
    [
        (["_v2", "_v10"], "_v10", False),
        (["", " (1)"], " (1)", False),
        (["", "_v2", "_v3", "_v11"], "_v11", False),
        (["_a", "_b"], "_b", False),
        (["_final", "_v2"], None, True),
        (["_corrected", "_again"], None, True),
    ],
)
@pytest.mark.parametrize("apart", [0, 1])
def test_the_newer_revision_is_loaded_last_at_equal_times(tmp_path, names, newest, told, apart):
    home = Home(tmp_path, feed_of(BODY))
    for nth, name in enumerate(reversed(names)):
        home.put(f"takings_2026-11-01{name}.csv", content(name), T + timedelta(seconds=apart * nth))
    home.land()
    if newest is not None:
        assert home.bronze("name") == [(newest,)]
    assert [kind for kind, _ in home.open_findings()] == (["source_partial"] if told else [])


def test_a_later_delivery_wins_and_is_told_where_its_name_says_otherwise(tmp_path):
    home = Home(tmp_path, feed_of(BODY))
    home.put("takings_2026-11-01_v3.csv", content("three"), T)
    home.land()
    home.put("takings_2026-11-01_v2.csv", content("two"), T + timedelta(hours=3))
    [batch] = home.land().batches
    assert home.bronze("name") == [("two",)]
    assert "by its name it is older than takings_2026-11-01_v3.csv" in batch.message


def rows(count: int) -> str:
    return "id,name\n" + "".join(f"{n},x\n" for n in range(count))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (69_659, 999, True),
        (100, 0, True),
        (3, 2, True),
        (10, 5, True),
        (100, 95, False),
        (10, 9, False),
        (5, 50, False),
    ],
)
@pytest.mark.parametrize("more", ["", '    control: {file: "{name}.ctl"}\n', "    volume: {on_low: reject}\n"])
def test_a_correction_that_shrinks_a_day_is_a_doubt(tmp_path, before, after, told, more):
    home = Home(tmp_path, feed_of(BODY + more))
    for name, count in (("", before), ("_v2", after)):
        home.put(f"takings_2026-11-01{name}.csv", rows(count))
        home.put(f"takings_2026-11-01{name}.csv.ctl", f"{count}\n")
        [batch] = home.land().batches
    rejects = told and "reject" in more
    assert batch.status == ("rejected" if rejects else "loaded")
    assert home.open_findings() == ([("source_partial", date(2026, 11, 1))] if told else [])
    assert len(home.bronze()) == (before if rejects else after)


def test_a_share_of_its_own(tmp_path):
    home = Home(tmp_path, feed_of(BODY + "    volume: {max_loss: 0.6}\n"))
    for name, count in (("", 10), ("_v2", 5)):
        home.put(f"takings_2026-11-01{name}.csv", rows(count))
        home.land()
    assert home.open_findings() == []


def test_what_was_loaded_before_comes_back_without_a_doubt(tmp_path):
    home = Home(tmp_path, feed_of(BODY))
    for name, count in (("", 5), ("_v2", 50), ("", 5)):
        home.put(f"takings_2026-11-01{name}.csv", rows(count))
        home.land()
    assert (home.open_findings(), len(home.bronze())) == ([], 5)


REFUSES = BODY + "    volume: {on_low: reject}\n"


@pytest.mark.parametrize(("body", "status"), [(BODY, "loaded"), (REFUSES, "rejected")])
def test_a_confirmed_day_is_doubted_no_longer(tmp_path, body, status):
    home = Home(tmp_path, feed_of(body))
    day = date(2026, 11, 1)
    home.put("takings_2026-11-01.csv", "id,name\n" + "".join(f"{number},a\n" for number in range(40)))
    home.land(now=T)
    home.put("takings_2026-11-01_v2.csv", content("b"))
    (batch,) = home.land(now=T + timedelta(hours=1)).batches
    assert batch.status == status
    assert home.open_findings() == [("source_partial", day)]
    (doubt,) = confirm(
        home.connection, home.feeds[0].name, day, by="ann", why="the tills were shut", now=T + timedelta(hours=2)
    )
    assert (doubt.batch_id, doubt.refused) == (batch.batch_id, status == "rejected")
    assert home.open_findings() == []
    assert home.rows("SELECT batch_id, confirmed_by, why FROM ops.confirmations") == [
        (batch.batch_id, "ann", "the tills were shut")
    ]
    if doubt.refused:
        order = landing.ReplayOrder(home.feeds[0].name, (), (batch.batch_id,))
        landing.replay(
            home.connection, home.feeds[0], order, archive=home.archive, now=T + timedelta(hours=3), run_id="again"
        )
    assert home.bronze("id, name")[-1:] == [(1, "b")]
    assert home.rows("SELECT sum(rows_loaded) FROM ops.batches WHERE status = 'loaded'") == [(1,)]
    assert home.open_findings() == []


def test_a_confirmation_is_about_one_file_only(tmp_path):
    home = Home(tmp_path, feed_of(BODY))
    home.put("takings_2026-11-01.csv", "id,name\n" + "".join(f"{number},a\n" for number in range(40)))
    home.land(now=T)
    home.put("takings_2026-11-01_v2.csv", "id,name\n" + "".join(f"{number},a\n" for number in range(15)))
    home.land(now=T + timedelta(hours=1))
    confirm(home.connection, home.feeds[0].name, date(2026, 11, 1), by="ann", why="yes", now=T + timedelta(hours=2))
    home.put("takings_2026-11-01_v3.csv", content("b"))
    home.land(now=T + timedelta(hours=3))
    assert home.open_findings() == [("source_partial", date(2026, 11, 1))]
