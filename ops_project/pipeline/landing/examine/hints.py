"""Guesses why a file does not fit its contract. The message shows the guess, and landing does not act on it.

One guess is a finding of its own: that the file was cut off (`cut_off`). In such a file more than one row is missing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import duckdb

from ops_project.model.feed.file_format import Format
from ops_project.pipeline.landing.decide.structure import compare
from ops_project.pipeline.landing.read import records
from ops_project.pipeline.landing.read.scan import Scan, Undecodable
from ops_project.pipeline.landing.read.source import RAW, Source

DELIMITERS = ",;\t|"


def other_dialect(scan: Scan, file_format: Format, expected: Sequence[str], optional: Collection[str]) -> str:
    """A hint if the header would fit with another delimiter or encoding. Empty otherwise."""
    for delimiter in DELIMITERS.replace(file_format.delimiter, ""):
        if delimiter == file_format.quote:
            continue
        found = _header(scan, file_format.model_copy(update={"delimiter": delimiter}))
        if found and not compare(expected, optional, found).missing:
            return f"; it is delimited by {delimiter!r}, but the contract says {file_format.delimiter!r}"
    found = _header(scan, file_format)
    try:
        as_utf8 = [name.encode(file_format.encoding).decode("utf-8") for name in found]
    except UnicodeError:
        return ""
    if as_utf8 != found and not compare(expected, optional, as_utf8).missing:
        return f"; it is encoded as utf-8, but the contract says {file_format.encoding}"
    return ""


def _header(scan: Scan, file_format: Format) -> list[str]:
    try:
        record = next(records.read_csv(scan.text, file_format, scan.newline), None)
    except Undecodable:
        return []
    return [(name or "").strip() for name in record.fields or ()] if record is not None else []


def cut_off(connection: duckdb.DuckDBPyConnection, source: Source) -> int | None:
    """The number of the line in which a text file was cut off: the last record is incomplete and has no line end. None
    if the last record is complete. Do not call this for a file that ends with its trailer, because the trailer comes
    after the last record.
    """
    if not source.problems or not source.format.has_lines:
        return None
    with source.scan.text.open("rb") as file:
        file.seek(-1, 2)
        if file.read(1) in (b"\n", b"\r"):
            return None
    row = connection.execute(f"SELECT _line, _problem FROM {RAW} ORDER BY _ord DESC LIMIT 1").fetchone()
    return int(row[0]) if row is not None and row[1] is not None and source.records > 1 else None
