"""The exact reader. It splits a file into records by the contract's format, one by one, and keeps the line and the raw
text of each. This reader decides what a record is. The fast reader is used only for files on which both readers must
agree.

If a record of one line cannot be read, the record is passed on with its problem. If the end of a record is unknown, the
whole file is refused (Unbalanced).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops_project.model.feed.file_format import Format
from ops_project.pipeline.landing.read.escaped import EscapedRow, EscapeReader
from ops_project.pipeline.landing.read.scan import Undecodable

# Python's own limit is switched off; the contract's max_record_bytes is enforced below.
csv.field_size_limit(2**31 - 1)


@dataclass(slots=True)
class Record:
    """One record. If it could not be read, `fields` is None and `problem` says why."""

    line: int
    """The physical line on which the record begins, from 1."""
    text: str
    fields: Sequence[str | None] | None
    problem: str | None = None
    spelled: Mapping[int, str] | None = None
    """Position of a field with escapes → the text of the field as it is written in the file."""


class Unbalanced(Undecodable):
    """A quote is opened and never closed, so the end of its record is unknown."""


BLANK = frozenset({"\n", "\r\n", "\r"})


class Lines:
    """The physical lines of a file, and the lines of the current record."""

    def __init__(self, path: Path, file_format: Format, newline: str) -> None:
        self.file = path.open(encoding="utf-8", newline=newline)
        self.number = 0
        self.taken: list[str] = []
        self.size = 0
        self.limit, self.comment = file_format.max_record_bytes, file_format.comment
        for _ in range(file_format.skip_lines):
            if self.file.readline(self.limit + 1):
                self.number += 1

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        while True:
            line = self.file.readline(self.limit + 1)
            if not line:
                raise StopIteration
            self.number += 1
            if line in BLANK and not self.taken:
                # A blank line is not a record. It is not kept in memory, because a file may consist of blank lines.
                continue
            if self.comment is not None and not self.taken and line.startswith(self.comment):
                continue
            self.taken.append(line)
            self.size += len(line)
            if self.size > self.limit:
                first = self.number - len(self.taken) + 1
                raise Undecodable(f"a record is longer than {self.limit} characters (it begins on line {first})")
            return line

    def take(self) -> tuple[int, str]:
        """The line number of the record that was just read, and its raw text without the line end."""
        first, text = self.number - len(self.taken) + 1, "".join(self.taken).rstrip("\r\n")
        self.taken, self.size = [], 0
        return first, text


def read_csv(path: Path, file_format: Format, newline: str) -> Iterator[Record]:
    """All records. If the file has a header, the header is the first record. Raises Unbalanced."""
    lines = Lines(path, file_format, newline)
    with lines.file:
        yield from _records(lines, file_format)


def _records(lines: Lines, file_format: Format) -> Iterator[Record]:
    quote, reader = file_format.quote, _reader(lines, file_format)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            spans = len(lines.taken) > 1
            line, text = lines.take()
            quotes = 0 if quote is None else text.count(quote)
            if isinstance(reader, EscapeReader):
                quotes = reader.bare_quotes(text)
            if quote is not None and (spans or quotes % 2 or "unexpected end" in str(error)):
                raise Unbalanced(f"quotes do not balance from line {line} on") from None
            yield Record(line, text, None, f"not readable: {error}")
            continue
        line, text = lines.take()
        fields = row.fields if isinstance(row, EscapedRow) else row
        if fields:
            if "\0" in text:
                yield Record(line, text, None, "holds a NUL byte")
            else:
                yield Record(line, text, fields, spelled=row.spelled if isinstance(row, EscapedRow) else None)


def split_line(text: str, file_format: Format) -> list[str] | None:
    """The fields of a record of one line. None if it cannot be read."""
    try:
        row = next(_reader(iter((text,)), file_format))
    except (csv.Error, StopIteration):
        return None
    return row.fields if isinstance(row, EscapedRow) else list(row)


def _reader(lines: Iterator[str], file_format: Format) -> Any:
    quote, escape = file_format.quote, file_format.acting_escape
    if quote is not None and escape is not None:
        return EscapeReader(lines, file_format.delimiter, quote, escape)
    return csv.reader(
        lines,
        delimiter=file_format.delimiter,
        quotechar=quote,
        quoting=csv.QUOTE_NONE if quote is None else csv.QUOTE_MINIMAL,
        strict=True,
    )


def read_lines(path: Path, file_format: Format, newline: str) -> Iterator[Record]:
    """The records of plain lines. The fields are the line itself, or the named groups of the contract's pattern."""
    lines = Lines(path, file_format, newline)
    pattern = re.compile(file_format.pattern) if file_format.pattern else None
    with lines.file:
        for _ in lines:
            line, text = lines.take()
            if not text:
                continue
            if "\0" in text:
                yield Record(line, text, None, "holds a NUL byte")
            elif pattern is None:
                yield Record(line, text, (text,))
            elif found := pattern.fullmatch(text):
                yield Record(line, text, tuple(found.groupdict().values()))
            else:
                yield Record(line, text, None, "the line does not fit the contract's pattern")


def line_fields(file_format: Format) -> list[str]:
    """Names of the raw fields of plain lines."""
    return list(re.compile(file_format.pattern).groupindex) if file_format.pattern else ["line"]
