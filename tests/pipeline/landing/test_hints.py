"""A message says what the file probably is; a file that ends in the middle of a line was cut off; a file of garbage
replaces nothing.
"""

from __future__ import annotations

import pytest

from tests.pipeline.landing.home import Home, feed_of

PARKS = """
    inbound: "parks_{date:%Y-%m-%d}{revision}.csv"
    format: {delimiter: ";", encoding: latin-1}
    key: nr
    columns:
      nr: integer
      name: {type: string, from: Grünfläche, required: true}
      area: {type: double, from: Fläche}
"""
TEXT = "nr;Grünfläche;Fläche\n" + "".join(f"{n};Park {n};{n}.5\n" for n in range(1, 41))


@pytest.mark.parametrize(
    ("data", "finding", "words"),
    [
        (
            TEXT.replace(";", ",").encode("latin-1"),
            "schema_mismatch",
            "it is delimited by ',', but the contract says ';'",
        ),
        (TEXT.encode("utf-8"), "schema_mismatch", "it is encoded as utf-8, but the contract says iso8859-1"),
        (TEXT.encode("utf-16"), "data_invalid", "byte order mark of utf-16"),
    ],
)
def test_another_dialect_is_named(tmp_path, data, finding, words):
    home = Home(tmp_path, feed_of(PARKS, "parks"))
    home.put("parks_2026-11-01.csv", data)
    [batch] = home.land().batches
    assert (batch.status, batch.finding) == ("rejected", finding)
    assert words in batch.message


@pytest.mark.parametrize(
    ("data", "finding"),
    [
        (TEXT[:-7], "source_partial"),  # The cut-off line is `40;Park`.
        (TEXT[:-1], None),  # only the line end of the last line is missing: the file is complete
        # the row is broken, but the line has its end
        (TEXT.replace("\n40;Park 40;40.5", "\n40;Park 40"), "data_invalid"),
    ],
)
def test_a_file_that_ends_in_the_middle_of_a_line_was_cut_off(tmp_path, data, finding):
    home = Home(tmp_path, feed_of(PARKS, "parks"))
    home.put("parks_2026-11-01.csv", data.encode("latin-1"))
    [batch] = home.land().batches
    assert (batch.status, batch.finding, batch.rows_in) == ("loaded", finding, 40)
    assert ("ends in the middle of line 41" in (batch.message or "")) == (finding == "source_partial")


BROKEN = "nr;Grünfläche;Fläche\n1;Park 1;1.5\n2;Park 2;2.5\n3;Park"


@pytest.mark.parametrize(
    ("end", "status", "kinds"),
    [
        ("\nEND 3", "loaded", []),  # the trailer exists: a row is broken, and nothing is missing
        ("\nEND 3\n", "loaded", []),
        ("\nEND 4", "rejected", ["source_partial"]),
        ("", "loaded", ["source_partial"]),
    ],
)
def test_a_file_with_its_trailer_was_not_cut_off(tmp_path, end, status, kinds):
    trailer = "    trailer: {pattern: 'END (?P<rows>[0-9]+)', required: false}\n"
    home = Home(tmp_path, feed_of(PARKS + trailer, "parks"))
    home.put("parks_2026-11-01.csv", (BROKEN + end).encode("latin-1"))
    [batch] = home.land().batches
    assert (batch.status, batch.rows_in) == (status, 3)
    assert [kind for kind, _ in home.open_findings()] == kinds


def test_a_control_count_that_agrees_counts_the_half_of_a_row_too(tmp_path):
    home = Home(tmp_path, feed_of(PARKS + '    control: {file: "{stem}.ctl", rows: "(?P<rows>[0-9]+)"}\n', "parks"))
    home.put("parks_2026-11-01.csv", BROKEN.encode("latin-1"))
    home.put("parks_2026-11-01.ctl", "3")
    [batch] = home.land().batches
    assert (batch.status, batch.rows_in) == ("loaded", 3)
    assert [kind for kind, _ in home.open_findings()] == ["source_partial"]


def test_the_first_line_of_each_reason_is_told(tmp_path):
    home = Home(tmp_path, feed_of(PARKS, "parks"))
    home.put("parks_2026-11-01.csv", TEXT.replace("17.5", "klein").replace("Park 9", "").encode("latin-1"))
    [batch] = home.land().batches
    assert "1 × area is not a valid double (line 18)" in batch.message
    assert "1 × name has no value, and the contract requires one (line 10)" in batch.message


@pytest.mark.parametrize(
    ("more", "rows", "words"),
    [
        ("", 40, "not one of 40 rows can be loaded"),
        ("0;Nirgends;1\n", 41, "not one of 41 rows can be loaded (1 is filtered out)"),
        ("0;Nirgends;1\n" * 2, 42, "not one of 42 rows can be loaded (2 are filtered out)"),
    ],
)
def test_a_correction_without_one_good_row_replaces_nothing(tmp_path, more, rows, words):
    home = Home(tmp_path, feed_of(PARKS + "    filter: nr <> '0'\n", "parks"))
    home.put("parks_2026-11-01.csv", TEXT.encode("latin-1"))
    home.land()
    empty = "nr;Grünfläche;Fläche\n" + "".join(f"{n};;{n}.5\n" for n in range(1, 41)) + more
    home.put("parks_2026-11-01_v2.csv", empty.encode("latin-1"))
    [batch] = home.land().batches
    found = (batch.status, batch.finding, batch.rows_in, batch.rows_quarantined)
    assert found == ("rejected", "data_invalid", rows, rows)
    assert f"{words}: 40 × name has no value" in batch.message
    assert len(home.bronze()) == 40


def test_a_correction_of_which_nothing_is_wanted_replaces(tmp_path):
    home = Home(tmp_path, feed_of(PARKS + "    filter: nr <> '0'\n", "parks"))
    home.put("parks_2026-11-01.csv", TEXT.encode("latin-1"))
    home.land()
    home.put("parks_2026-11-01_v2.csv", ("nr;Grünfläche;Fläche\n" + "0;Nirgends;1\n" * 40).encode("latin-1"))
    [batch] = home.land().batches
    assert (batch.status, batch.rows_in, batch.rows_filtered, batch.rows_quarantined) == ("loaded", 40, 40, 0)
    assert home.bronze() == []


@pytest.mark.parametrize("last", ["", "40;Park 40;40.5\n"], ids=["no good row", "one good row, twice"])
def test_what_is_collapsed_has_a_row_that_is_loaded(tmp_path, last):
    home = Home(tmp_path, feed_of(PARKS + "    keep_first: {order: [nr]}\n", "parks"))
    home.put("parks_2026-11-01.csv", TEXT.encode("latin-1"))
    home.land()
    bad = "nr;Grünfläche;Fläche\n" + "1;;1.5\n" * 39 + last * 2
    home.put("parks_2026-11-01_v2.csv", bad.encode("latin-1"))
    [batch] = home.land().batches
    found = (batch.status, batch.rows_quarantined, batch.rows_collapsed, len(home.bronze()))
    assert found == (("loaded", 39, 1, 1) if last else ("rejected", 39, 0, 40))
