"""A file with another encoding than its contract says is reported, even if every byte can be decoded."""

from __future__ import annotations

import gzip

import pytest

from ops_project.model.document import ConfigError
from tests.pipeline.landing.home import Home, feed_of

BODY = """
    inbound: "takings_{date:%Y-%m-%d}.csv"
    columns: {id: integer, name: string}
    format: {encoding: ENCODING}
"""
HEAD = "id,name\n1,plain\n"


def landed(tmp_path, encoding: str, data: bytes, name: str = "takings_2026-11-01.csv"):
    home = Home(tmp_path, feed_of(BODY.replace("ENCODING", encoding)))
    home.put(name, data)
    return home, home.land().batches[0]


@pytest.mark.parametrize(
    "encoding", ["cp1252", "latin-1", "iso8859-15", "cp1250", "cp437", "koi8-r", "mac-roman", "gb18030"]
)
@pytest.mark.parametrize("zipped", [False, True])
def test_utf8_under_another_encoding_is_told(tmp_path, encoding, zipped):
    data = (HEAD + "2,Müller\n3,Łódź\n").encode()
    name = "takings_2026-11-01.csv" + (".gz" if zipped else "")
    home, batch = landed(tmp_path, encoding, gzip.compress(data) if zipped else data, name)
    if batch.status == "rejected":
        assert batch.finding == "data_invalid"  # not every byte is a character in this encoding
        return
    assert (batch.finding, batch.rows_loaded) == ("schema_mismatch", 3)
    assert "its bytes are utf-8" in batch.message and "on line 3" in batch.message and "instead of 'ü'" in batch.message
    assert home.open_findings()[0][0] == "schema_mismatch"


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "cp1250"])
@pytest.mark.parametrize("text", ["2,Müller\n", "2,ascii\n", "2,Größe – ß\n", "2,ÄÖÜ\n3,é\n"])
def test_what_is_in_its_encoding_is_not(tmp_path, encoding, text):
    data = (HEAD + text).encode(encoding, "replace")
    home, batch = landed(tmp_path, encoding, data)
    assert (batch.finding, home.open_findings()) == (None, [])


def test_signs_of_cp1252_under_latin_1_are_told(tmp_path):
    _, batch = landed(tmp_path, "latin-1", (HEAD + "2,5 € für Müller\n").encode("cp1252"))
    assert (
        batch.finding == "schema_mismatch"
        and "its bytes are cp1252" in batch.message
        and "instead of '€'" in batch.message
    )


def test_the_other_way_round_it_is_rejected_and_named(tmp_path):
    _, batch = landed(tmp_path, "utf-8", (HEAD + "2,Müller\n").encode("cp1252"))
    assert batch.finding == "data_invalid"
    assert "not utf-8: byte 0xfc" in batch.message and "it may be cp1252" in batch.message
    assert "(line 3)" in batch.message


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "utf-16-le", "cp932"])
@pytest.mark.parametrize("line", [2, 5_000, 400_000])
def test_a_byte_that_is_none_is_told_with_its_line(tmp_path, encoding, line):
    text = "".join(f"{n},abcdefghij\n" for n in range(1, line - 1))
    good = ("id,name\n" + text).encode(encoding)
    bad = {"utf-16-le": b"\x00\xdc", "cp932": b"\x81\x00"}.get(encoding, b"\xff")
    _, batch = landed(tmp_path, encoding, good + f"{line},x".encode(encoding) + bad + "\n9,y\n".encode(encoding))
    assert batch.finding == "data_invalid" and f"(line {line})" in batch.message, batch.message


def test_lines_that_end_with_cr_are_counted_too(tmp_path):
    _, batch = landed(tmp_path, "utf-8", b"id,name\r1,a\r2,\xff\r3,c\r")
    assert "(line 3)" in batch.message


@pytest.mark.parametrize("encoding", ["base64", "hex", "rot13", "zlib"])
def test_a_codec_that_is_none_of_text_is_refused(encoding):
    with pytest.raises(ConfigError, match="is not known"):
        feed_of(BODY.replace("ENCODING", encoding))


@pytest.mark.parametrize("written", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("expected", ["utf-8", "cp1252", "ascii"])
def test_utf16_without_a_mark_is_named(tmp_path, written, expected):
    _, batch = landed(tmp_path, expected, (HEAD + "2,b\n").encode(written))
    assert batch.finding == "data_invalid"
    assert f"every second byte is 0, as in {written}; the contract says {expected}" in batch.message
