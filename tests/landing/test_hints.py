"""A message says what the file probably is; a file that ends in mid-line was cut off; garbage replaces nothing."""

from __future__ import annotations

import pytest

from tests.landing.home import Home, feed_of

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
        (TEXT.replace(";", ",").encode("latin-1"), "schema_mismatch", "it is delimited by ',', the contract says ';'"),
        (TEXT.encode("utf-8"), "schema_mismatch", "it is encoded as utf-8, the contract says iso8859-1"),
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
        (TEXT[:-7], "source_partial"),  # 40;Park
        (TEXT[:-1], None),  # the last line lacks its end alone: complete
        (TEXT.replace("\n40;Park 40;40.5", "\n40;Park 40"), "data_invalid"),  # a broken row, the line has its end
    ],
)
def test_a_file_that_ends_in_the_middle_of_a_line_was_cut_off(tmp_path, data, finding):
    home = Home(tmp_path, feed_of(PARKS, "parks"))
    home.put("parks_2026-11-01.csv", data.encode("latin-1"))
    [batch] = home.land().batches
    assert (batch.status, batch.finding, batch.rows_in) == ("loaded", finding, 40)
    assert ("ends in the middle of line 41" in (batch.message or "")) == (finding == "source_partial")


def test_the_first_line_of_each_reason_is_told(tmp_path):
    home = Home(tmp_path, feed_of(PARKS, "parks"))
    home.put("parks_2026-11-01.csv", TEXT.replace("17.5", "klein").replace("Park 9", "").encode("latin-1"))
    [batch] = home.land().batches
    assert "1 × area is no double (line 18)" in batch.message
    assert "1 × name has no value, and the contract requires one (line 10)" in batch.message


def test_a_correction_without_one_good_row_replaces_nothing(tmp_path):
    home = Home(tmp_path, feed_of(PARKS, "parks"))
    home.put("parks_2026-11-01.csv", TEXT.encode("latin-1"))
    home.land()
    empty = "nr;Grünfläche;Fläche\n" + "".join(f"{n};;{n}.5\n" for n in range(1, 41))
    home.put("parks_2026-11-01_v2.csv", empty.encode("latin-1"))
    [batch] = home.land().batches
    assert (batch.status, batch.finding, batch.rows_in, batch.rows_quarantined) == ("rejected", "data_invalid", 40, 40)
    assert "not one of 40 rows can be loaded: 40 × name has no value" in batch.message
    assert len(home.bronze()) == 40
