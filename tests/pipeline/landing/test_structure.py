"""Drift is found before anything is written, and named."""

from __future__ import annotations

import pytest

from ops_project.pipeline.landing import ensure_tables
from ops_project.pipeline.landing.decide.structure import compare
from tests.pipeline.landing.home import TAKINGS, Home, feed_of

FEED = feed_of(TAKINGS)
HEAD = "id,name,amount,sold_at\n"


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("id,name,sold_at", "missing amount"),
        ("id,name,amount,sold_at,colour", "extra colour"),
        ("id,name,amount,sold_at,", "extra (no name)"),
        ("id,name,total,sold_at", "missing amount; extra total"),
        ("id,Name,amount,sold_at", "name is now Name: letters differ"),
        ("id,name,amount,sold_at,id", "twice id"),
        ("1,a,2.00,", "missing id, name, amount, sold_at; extra 1, a, 2.00, (no name)"),
        ("id;name;amount;sold_at", "extra id;name;amount;sold_at"),
    ],
)
def test_another_structure_is_rejected_with_the_names(tmp_path, header, words):
    home = Home(tmp_path, FEED)
    home.put("takings_2026-11-01.csv", f"{header}\n1,a,1.00,\n2,b,2.00,\n")
    [batch] = home.land().batches
    assert (batch.status, batch.finding, batch.rows_in, batch.rows_quarantined) == ("rejected", "schema_mismatch", 3, 3)
    assert words in batch.message and "contract takings version 1" in batch.message
    assert home.bronze() == []


def test_reordered_columns_are_named_and_loaded_by_name(tmp_path):
    home = Home(tmp_path, FEED)
    home.put("takings_2026-11-01.csv", "name,id,amount,sold_at\na,1,1.00,\n")
    [batch] = home.land().batches
    assert (batch.status, batch.finding) == ("loaded", "schema_mismatch")
    assert "reordered id, name (the file has name, id, amount, sold_at)" in batch.message
    assert home.bronze("id, name") == [(1, "a")]


def test_reordered_can_be_refused_and_extra_accepted_by_contract(tmp_path):
    feed = feed_of(TAKINGS + "    drift: {reordered: reject, extra: load}\n")
    home = Home(tmp_path, feed)
    home.put("takings_2026-11-01.csv", "name,id,amount,sold_at\na,1,1.00,\n")
    home.put("takings_2026-11-02.csv", "id,name,amount,sold_at,colour\n1,a,1.00,,red\n")
    assert [(batch.status, batch.finding) for batch in home.land().batches] == [
        ("rejected", "schema_mismatch"),
        ("loaded", "schema_mismatch"),
    ]


def test_a_changed_type_is_drift_not_a_thousand_bad_rows(tmp_path):
    home = Home(tmp_path, FEED)
    home.put("takings_2026-11-01.csv", HEAD + "".join(f"{n},a,EUR {n},\n" for n in range(50)))
    [batch] = home.land().batches
    assert (batch.status, batch.finding) == ("rejected", "schema_mismatch")
    assert "changed type of amount (50 of 50 values are not valid as decimal(10,2))" in batch.message


def test_a_few_bad_values_are_bad_rows(tmp_path):
    home = Home(tmp_path, FEED)
    home.put("takings_2026-11-01.csv", HEAD + "".join(f"{n},a,{'x' if n % 5 == 0 else n},\n" for n in range(50)))
    [batch] = home.land().batches
    assert (batch.status, batch.rows_quarantined) == ("loaded", 10)


def test_most_records_of_another_width_are_drift(tmp_path):
    feed = feed_of(TAKINGS + "    format: {header: false}\n")
    home = Home(tmp_path, feed)
    home.put("takings_2026-11-01.csv", "".join(f"{n},a,1.00,,new\n" for n in range(9)))
    [batch] = home.land().batches
    assert (batch.status, batch.finding) == ("rejected", "schema_mismatch")
    assert "has 5 fields" in batch.message


VERSIONED = (
    TAKINGS
    + """    versions:
      - version: 2
        effective: 2026-11-10
        note: colour is new, name goes
        add: {colour: string}
        drop: [name]
"""
)


def test_an_announced_change_is_no_drift_and_bronze_follows(tmp_path):
    home = Home(tmp_path, FEED)
    home.put("takings_2026-11-01.csv", HEAD + "1,a,1.00,\n")
    home.land()
    feed = feed_of(VERSIONED)
    ensure_tables(home.connection, [feed])
    home.put("takings_2026-11-09.csv", HEAD + "2,b,2.00,\n")
    home.put("takings_2026-11-10.csv", "id,amount,sold_at,colour\n3,3.00,,red\n")
    batches = home.land(feed).batches
    assert [(batch.status, batch.finding) for batch in batches] == [("loaded", None), ("loaded", None)]
    assert sorted(home.rows("SELECT id, name, colour FROM bronze.takings")) == [
        (1, "a", None),
        (2, "b", None),
        (3, None, "red"),
    ]
    assert home.rows("SELECT file_name, contract_version FROM ops.batches ORDER BY load_seq") == [
        ("takings_2026-11-01.csv", 1),
        ("takings_2026-11-09.csv", 1),
        ("takings_2026-11-10.csv", 2),
    ]


def test_a_change_before_its_date_is_drift_and_says_which_version_it_is(tmp_path):
    feed = feed_of(VERSIONED)
    home = Home(tmp_path, feed)
    home.put("takings_2026-11-09.csv", "id,amount,sold_at,colour\n3,3.00,,red\n")
    [batch] = home.land().batches
    assert batch.finding == "schema_mismatch"
    assert "it fits version 2, effective from 2026-11-10" in batch.message


def test_a_type_that_loses_values_is_refused(tmp_path):
    from ops_project.pipeline.landing import BronzeError

    home = Home(tmp_path, FEED)
    home.put("takings_2026-11-01.csv", HEAD + "1,a,1.25,\n")
    home.land()
    wider = feed_of(TAKINGS.replace("decimal(10,2)", "decimal(12,4)"))
    ensure_tables(home.connection, [wider])
    assert home.rows("SELECT amount::VARCHAR FROM bronze.takings") == [("1.2500",)]
    with pytest.raises(BronzeError, match=r"bronze.*takings.*amount"):
        ensure_tables(home.connection, [feed_of(TAKINGS.replace('"decimal(10,2)"', "integer"))])


def test_column_that_may_be_absent(tmp_path):
    feed = feed_of(TAKINGS.replace("{type: timestamp}", "{type: timestamp, may_be_absent: true}"))
    home = Home(tmp_path, feed)
    home.put("takings_2026-11-01.csv", "id,name,amount\n1,a,1.00\n")
    assert home.land().batches[0].finding is None


def test_compare_knows_all_four_kinds():
    assert compare(["a", "b"], [], ["a", " b "]).same
    assert compare(["a", "b"], [], ["b", "a"]).moved == ("a", "b")
    assert compare(["a", "b"], ["b"], ["a"]).same
    assert compare(["a", "b"], [], ["a"]).missing == ("b",)
    assert compare(["a"], [], ["a", "b"]).extra == ("b",)


def test_an_optional_column_that_is_absent_is_noted_beside_the_difference():
    assert compare(["a", "b"], ["b"], ["a"]).same
    assert compare(["a", "b"], ["b"], ["a", "B"]).absent == ("b",)
    assert compare(["a", "b"], ["b"], ["b", "a"]).absent == ()


def test_a_column_that_was_dropped_between_two_calls_comes_back(tmp_path):
    """The second call must not trust what the first call has seen."""
    home = Home(tmp_path, feed_of(TAKINGS))
    home.put("takings_2026-11-01.csv", "id,name,amount,sold_at\n1,Ada,2.50,2026-11-01 10:00:00\n")
    home.land()
    home.connection.execute("ALTER TABLE bronze.takings DROP COLUMN name")
    home.put("takings_2026-11-02.csv", "id,name,amount,sold_at\n2,Bo,2.50,2026-11-02 10:00:00\n")
    home.land()
    assert home.bronze("id, name") == [(1, None), (2, "Bo")]
