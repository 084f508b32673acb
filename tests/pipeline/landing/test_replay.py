"""After the contract was corrected, archived files are read again as if they had just come."""

from __future__ import annotations

from datetime import date
from importlib import import_module

import pytest

from ops_project.pipeline.landing import (
    Asked,
    Refused,
    ReplayOrder,
    chosen_refused,
    outdated,
    refused_groups,
    replay,
    without_values,
)
from tests.pipeline.landing.home import NOW, TAKINGS, Home, feed_of

HEAD = "id,name,amount,sold_at\n"
NARROW = feed_of(TAKINGS)
WIDE = feed_of(TAKINGS.replace("decimal(10,2)", "decimal(18,4)"))
DESCRIBED = feed_of(TAKINGS + "    description: What the till took\n")


@pytest.fixture
def home(tmp_path):
    """Two days, landed under a contract with too few decimal places: three of four rows are refused."""
    made = Home(tmp_path, NARROW)
    made.put("takings_2026-11-01.csv", HEAD + "1,a,1.0001,\n2,b,2.00,\n")
    made.put("takings_2026-11-02.csv", HEAD + "3,c,3.1234,\n4,d,4.1234,\n")
    made.land()
    assert made.bronze("id") == [(2,)]
    return made


def again(home, feed=WIDE, **asked):
    return replay(home.connection, feed, ReplayOrder(feed.name, **asked), archive=home.archive, now=NOW, run_id="again")


def amounts(home):
    return home.rows("SELECT id, amount::VARCHAR FROM bronze.takings ORDER BY id")


def test_a_mended_contract_loads_what_it_had_refused(home):
    result = again(home)
    assert [batch.rows_loaded for batch in result.batches] == [2, 2]
    assert amounts(home) == [(1, "1.0001"), (2, "2.0000"), (3, "3.1234"), (4, "4.1234")]
    assert home.rows("SELECT count(*) FROM ops.quarantine") == [(0,)]
    assert home.open_findings() == []
    assert home.rows("SELECT status, count(*) FROM ops.batches GROUP BY 1 ORDER BY 1") == [
        ("loaded", 2),
        ("replaced", 2),
    ]
    assert all("replayed under the present contract: replaces batch" in batch.message for batch in result.batches)
    assert result.touched_dates == [date(2026, 11, 1), date(2026, 11, 2)]
    assert len(home.archived()) == 2


def test_a_second_replay_has_nothing_to_do(home):
    again(home)
    assert again(home).batches == []
    assert len(again(home, dates=(date(2026, 11, 1),)).batches) == 1


def test_one_date_or_one_batch(home):
    [batch] = again(home, dates=(date(2026, 11, 2),)).batches
    assert (batch.business_date, amounts(home)) == (
        date(2026, 11, 2),
        [(2, "2.0000"), (3, "3.1234"), (4, "4.1234")],
    )
    [[first]] = home.rows("SELECT batch_id FROM ops.batches WHERE load_seq = 1")
    assert again(home, batches=(first,)).batches[0].replaces_batch_id == first
    assert len(amounts(home)) == 4


def test_the_offer_names_feed_dates_and_command(home):
    assert outdated(home.connection, NARROW) is None
    assert outdated(home.connection, DESCRIBED) is None, "a description changes no row"
    found = outdated(home.connection, WIDE)
    assert (found.files, found.first, found.last) == (2, date(2026, 11, 1), date(2026, 11, 2))
    assert "`ops feed replay takings`" in found.offer
    again(home)
    assert outdated(home.connection, WIDE) is None


def test_the_same_bytes_delivered_again_load_under_a_changed_contract(home):
    home.put("takings_2026-11-01.csv", HEAD + "1,a,1.0001,\n2,b,2.00,\n")
    [batch] = home.land(WIDE).batches
    assert (batch.status, batch.rows_loaded) == ("loaded", 2)
    home.put("takings_2026-11-01.csv", HEAD + "1,a,1.0001,\n2,b,2.00,\n")
    assert home.land(WIDE).batches[0].status == "duplicate"


def test_a_rejected_file_loads_and_its_alert_closes(tmp_path):
    home = Home(tmp_path, NARROW)
    home.put("takings_2026-11-01.csv", "id,name,amount,sold_at,colour\n1,a,1.00,,red\n")
    home.land()
    assert home.open_findings() == [("schema_mismatch", date(2026, 11, 1))]
    mended = feed_of(TAKINGS + "      colour: string\n")
    again(home, mended)
    assert home.rows("SELECT id, colour FROM bronze.takings") == [(1, "red")]
    assert home.open_findings() == [] and home.rows("SELECT count(*) FROM ops.quarantine") == [(0,)]


def test_what_the_new_contract_refuses_stays_as_it_was(home):
    worse = feed_of(TAKINGS.replace("name: {type: string}", "surname: {type: string}"))
    result = again(home, worse)
    assert {batch.status for batch in result.batches} == {"rejected"}
    assert home.bronze("id") == [(2,)]
    assert "loaded before, stays" in result.findings[0].message
    again(home, WIDE)
    assert len(amounts(home)) == 4 and home.open_findings() == []


def test_files_come_in_the_order_in_which_they_came(tmp_path):
    """The second file of a part corrected the first one, and still does after the replay."""
    feed = feed_of(TAKINGS.replace("{revision}", "_{part}"))
    home = Home(tmp_path, feed)
    for part in ("b", "a"):
        home.put(f"takings_2026-11-01_{part}.csv", HEAD + f"1,{part},1.0000,\n")
        home.land()
    wide = feed_of(TAKINGS.replace("{revision}", "_{part}").replace("decimal(10,2)", "decimal(18,4)"))
    assert [batch.file_name[-5] for batch in again(home, wide).batches] == ["b", "a"]


def test_a_replaced_batch_that_is_named_becomes_the_newest(home):
    home.put("takings_2026-11-01.csv", HEAD + "2,other,2.00,\n")
    home.land()
    [[first]] = home.rows("SELECT batch_id FROM ops.batches WHERE status = 'replaced'")
    again(home, NARROW, batches=(first,))
    assert home.rows("SELECT name FROM bronze.takings WHERE business_date = '2026-11-01'") == [("b",)]


@pytest.mark.parametrize(
    ("change", "words"), [("altered", "has changed in the archive"), ("gone", "not in the archive")]
)
def test_a_file_that_is_not_the_archived_one_is_never_loaded(home, change, words):
    path = next(path for path in home.archive.rglob("*_takings_2026-11-01.csv"))
    path.chmod(0o644)
    if change == "gone":
        path.unlink()
    else:
        path.write_text(HEAD + "1,a,999,\n")
    result = again(home)
    assert [batch.business_date for batch in result.batches] == [date(2026, 11, 2)]
    assert words in result.findings[0].message
    assert (2, "2.0000") in amounts(home)


def test_control_files_compressed_files_and_odd_names_come_again_too(tmp_path):
    import gzip

    body = TAKINGS + "    control: {file: '{stem}.ctl'}\n"
    home = Home(tmp_path, feed_of(body))
    home.put("takings_2026-11-01 [1].csv.gz", gzip.compress((HEAD + "1,a,1.0001,\n").encode()))
    home.put("takings_2026-11-01 [1].ctl", "1")
    home.land()
    [batch] = again(home, feed_of(body.replace("decimal(10,2)", "decimal(18,4)"))).batches
    assert (batch.rows_loaded, batch.finding) == (1, None)
    assert home.rows("SELECT control_rows FROM ops.batches ORDER BY load_seq") == [(1,), (1,)]


def test_a_home_from_before_contracts_were_noted_is_replayed_whole(home):
    home.connection.execute("ALTER TABLE ops.batches DROP COLUMN contract_hash")
    assert len(again(home).batches) == 2


def tried(home, feed=NARROW):
    """The files that `ops replay` reads: those with refused rows that are not parked."""
    groups = chosen_refused(Asked(), refused_groups(home.connection, feed, home.archive))
    batches = tuple(dict.fromkeys(group.batch_id for group in groups))
    return again(home, feed, batches=batches, refused=True) if batches else None


def test_rows_that_pass_leave_quarantine_and_the_others_are_counted(home):
    wide = feed_of(TAKINGS.replace('"decimal(10,2)", min: 0', '"decimal(18,4)", max: 3.5'))
    result = tried(home, wide)
    assert [(one.tried, one.passed, one.refused, one.parked) for one in result.replayed] == [(1, 1, 0, 0), (2, 1, 1, 0)]
    assert amounts(home) == [(1, "1.0001"), (2, "2.0000"), (3, "3.1234")]
    assert home.rows("SELECT line, attempts, parked_at FROM ops.replay_attempts") == [(3, 1, None)]
    assert [group.attempts for group in refused_groups(home.connection, wide, home.archive)] == [1]


def test_a_file_of_which_nothing_more_passes_is_left_as_it_is(home):
    before = home.rows("SELECT * FROM ops.batches ORDER BY load_seq")
    result = tried(home)
    assert result.batches == [] and result.touched_dates == [] and [one.passed for one in result.replayed] == [0, 0]
    assert home.rows("SELECT * FROM ops.batches ORDER BY load_seq") == before
    assert home.rows("SELECT sum(attempts) FROM ops.replay_attempts") == [(3,)]


def test_a_row_that_fails_three_times_is_parked_and_told(home):
    for _ in range(2):
        assert tried(home).findings == []
    findings = tried(home).findings
    assert (
        "2026-11-01.csv: 1 row was tried" in findings[0].message
        and "2026-11-02.csv: 2 rows were tried" in findings[1].message
    )
    assert "`ops replay --feed takings --parked`" in findings[0].message
    assert len(home.open_findings()) == 2
    assert tried(home) is None, "parked rows are left alone"
    everything = chosen_refused(Asked(parked=True), refused_groups(home.connection, WIDE, home.archive))
    assert sum(group.rows for group in everything) == sum(group.parked for group in everything) == 3
    again(home, WIDE, batches=tuple({group.batch_id for group in everything}), refused=True)
    assert home.open_findings() == [], "once they pass, the alert closes"
    assert home.rows("SELECT count(*) FROM ops.replay_attempts") == [(0,)] and len(amounts(home)) == 4


def test_a_rejected_file_is_counted_and_loads_once_it_may(tmp_path):
    made = Home(tmp_path, NARROW)
    made.put("takings_2026-11-01.csv", "id,name,amount,sold_at,colour\n1,a,1.00,,red\n")
    made.land()
    assert made.rows("SELECT status FROM ops.batches") == [("rejected",)]
    result = tried(made)
    assert result.batches == [] and [(one.tried > 0, one.passed) for one in result.replayed] == [(True, 0)]
    assert made.rows("SELECT line, attempts FROM ops.replay_attempts") == [(0, 1)]
    # A later delivery has replaced the rejected file, so the rejected file no longer matters.
    made.put("takings_2026-11-01.csv", HEAD + "1,a,1.00,\n")
    made.land()
    assert refused_groups(made.connection, NARROW, made.archive) == []


@pytest.mark.parametrize(
    ("asked", "rows"),
    [
        (Asked(), 3),
        (Asked(reason="DECIMAL"), 3),
        (Asked(reason="amount"), 3),
        (Asked(reason="no such reason"), 0),
        (Asked(feeds=("other",)), 0),
        (Asked(batches=("none",)), 0),
    ],
)
def test_which_rows_are_meant(home, asked, rows):
    groups = chosen_refused(asked, refused_groups(home.connection, NARROW, home.archive))
    assert sum(group.rows for group in groups) == rows


# These modules have functions of the same names as the package, so they are looked up by module.
replaying = import_module("ops_project.pipeline.landing.replay")
attempts = import_module("ops_project.pipeline.landing.write.attempts")


class Killed(BaseException):
    """Replaces SIGKILL. No code of the program catches it."""


@pytest.mark.parametrize("place", ["before", "within"])
def test_killed_anywhere_the_same_command_finishes_it(home, monkeypatch, place):
    """Either the file is loaded, its rows have left quarantine and its attempts are counted, or nothing has changed."""
    files = []
    module = replaying if place == "before" else attempts
    name = "commit" if place == "before" else "note"
    real = getattr(module, name)

    def killed(*arguments, **options):
        files.append(1)
        if len(files) == 2:
            raise Killed
        return real(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(module, name, killed)
        with pytest.raises(Killed):
            tried(home, WIDE)
    assert home.rows("SELECT feed, count(*) FROM ops.quarantine GROUP BY 1") == [("takings", 2)]
    assert len(amounts(home)) == 2
    tried(home, WIDE)
    assert amounts(home) == [(1, "1.0001"), (2, "2.0000"), (3, "3.1234"), (4, "4.1234")]
    assert home.rows("SELECT count(*) FROM ops.quarantine") == [(0,)]
    assert home.rows("SELECT count(*) FROM ops.batches WHERE status = 'loaded'") == [(2,)]


def test_refused_rows_are_listed_by_reason_and_not_by_value() -> None:
    said = [
        ("premium: '510' is above 500", 1, 2, 0),
        ("premium: '520' is above 500", 3, 1, 3),
        ("premium is empty", 1, 0, 0),
    ]
    groups = [Refused("policies", "b1", "premium", reason, *numbers) for reason, *numbers in said]
    assert without_values(groups) == [
        Refused("policies", "b1", "premium", "premium: '…' is above 500", 4, 2, 3),
        Refused("policies", "b1", "premium", "premium is empty", 1, 0, 0),
    ]


def test_the_columns_in_the_order_of_the_file_close_the_finding_about_their_order(tmp_path):
    home = Home(tmp_path, NARROW)
    home.put("takings_2026-11-01.csv", "name,id,amount,sold_at\na,1,1.00,\n")
    home.land()
    assert len(home.open_findings()) == 1
    identifier, name = "      id: {type: integer, required: true}\n", "      name: {type: string}\n"
    turned = feed_of(TAKINGS.replace(identifier + name, name + identifier))
    again(home, turned, dates=(date(2026, 11, 1),))
    assert home.open_findings() == []
