"""The exact reader. It cuts a file into records by the dialect, one by one, and keeps the line and the raw text of
each.

It decides what a record is; the fast reader is only used where both must agree. If a record of one line cannot be
read, the record is passed on with its problem. If the end of a record is unknown, the whole file is refused
(Unbalanced).
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops_project.model.feed.file_format import Format
from ops_project.pipeline.landing.read.escaped import EscapedRow, EscapeReader
from ops_project.pipeline.landing.read.scan import Undecodable

csv.field_size_limit(2**31 - 1)  # the limit is the contract's max_record_bytes, kept below


@dataclass(slots=True)
class Record:
    """One record. `fields` is None where it could not be read; then `problem` says why."""

    line: int
    """Physical line on which it begins, from 1."""
    text: str
    fields: Sequence[str | None] | None
    problem: str | None = None
    spelled: Mapping[int, str] | None = None
    """Position of a field with escapes → its text as it is written in the file."""


class Unbalanced(Undecodable):
    """A quote is opened and never closed, so the end of the record is unknown."""


class _Lines:
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

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        while True:
            line = self.file.readline(self.limit + 1)
            if not line:
                raise StopIteration
            self.number += 1
            if self.comment is not None and not self.taken and line.startswith(self.comment):
                continue
            self.taken.append(line)
            self.size += len(line)
            if self.size > self.limit:
                first = self.number - len(self.taken) + 1
                raise Undecodable(f"a record is longer than {self.limit} characters (it begins on line {first})")
            return line

    def take(self) -> tuple[int, str]:
        """Line number and raw text (without its line end) of the record just read."""
        first, text = self.number - len(self.taken) + 1, "".join(self.taken).rstrip("\r\n")
        self.taken, self.size = [], 0
        return first, text


def read_csv(path: Path, file_format: Format, newline: str) -> Iterator[Record]:
    """All records, the header being the first where the file has one. Raises Unbalanced."""
    lines = _Lines(path, file_format, newline)
    with lines.file:
        yield from _records(lines, file_format)


def _records(lines: _Lines, file_format: Format) -> Iterator[Record]:
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
    """Plain lines: the line itself, or the named groups of the contract's pattern."""
    lines = _Lines(path, file_format, newline)
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


def read_json_lines(
    path: Path, file_format: Format, newline: str, names: Sequence[str], seen: set[str]
) -> Iterator[Record]:
    """JSON objects, one on each line. Numbers keep the text with which they are written. `seen` gathers the keys that
    occur.

    A name with dots reads a nested object if no key has that name. The keys of that object are gathered with its name
    before them. Nested values that no name reads stay JSON text.
    """
    lines = _Lines(path, file_format, newline)
    decoder = json.JSONDecoder(
        parse_float=_Number, parse_int=_Number, parse_constant=_Number, object_pairs_hook=_unique, strict=True
    )
    nesting = Nesting(names)
    with lines.file:
        for _ in lines:
            line, text = lines.take()
            if not text.strip():
                continue
            try:
                value = decoder.decode(text)
                if not isinstance(value, dict):
                    yield Record(line, text, None, "not a JSON object")
                    continue
                if half := _half_character(text, value):
                    yield Record(line, text, None, half)
                    continue
                keys, problem = nesting.keys(value)
                fields = [_text(_lookup(value, name)) for name in names]
            except RecursionError:
                yield Record(line, text, None, "not readable: nested too deep")
                continue
            except ValueError as error:
                yield Record(line, text, None, f"not JSON: {error}")
                continue
            seen.update(keys)
            if problem is None and ("\0" in text or any(field is not None and "\0" in field for field in fields)):
                problem = "holds a NUL byte"
            yield Record(line, text, fields if problem is None else None, problem)


_HALF = re.compile(r"\\u[dD][89a-fA-F]")


def _half_character(text: str, value: Any) -> str | None:
    """Why a JSON string is not valid text; None if it is valid. An escape may stand for one half of a surrogate
    pair.
    """
    if not _HALF.search(text):
        return None
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        half = error.object[error.start]
        return f"holds \\u{ord(half):04x}, one half of a surrogate pair, which is no character"
    return None


class Nesting:
    """The nested objects that names with dots read, and their keys."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = frozenset(names)
        self.read: dict[str, str] = {}
        """Object → the first name that reads it."""
        for name in names:
            steps = name.split(".")
            for count in range(1, len(steps)):
                above = ".".join(steps[:count])
                if above not in self.names:
                    self.read.setdefault(above, name)

    def keys(self, value: dict[str, Any]) -> tuple[list[str], str | None]:
        """The keys of an object; keys of nested objects are written with dots. Also what is wrong if a nested value is
        not an object.
        """
        if not self.read:
            return list(value), None
        found: list[str] = []
        problem = self._gather(value, "", found)
        return found, problem

    def _gather(self, value: dict[str, Any], above: str, found: list[str]) -> str | None:
        problem = None
        for key, item in value.items():
            name = above + key
            if name not in self.read:
                found.append(name)
            elif isinstance(item, dict):
                problem = self._gather(item, f"{name}.", found) or problem
            elif item is not None:
                problem = f"{name} is {_kind(item)} and no object, of which the contract reads {self.read[name]}"
        return problem


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    return "a number" if isinstance(value, _Number) else "a list" if isinstance(value, list) else "a text"


class _Number(str):
    """A JSON number as it was written."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [key for key, _ in pairs]
        raise ValueError(f"key {next(key for key in names if names.count(key) > 1)!r} stands twice")
    return result


def _lookup(value: dict[str, Any], name: str) -> Any:
    if name in value or "." not in name:
        return value.get(name)
    for step in name.split("."):
        if not isinstance(value, dict) or step not in value:
            return None
        value = value[step]
    return value


def _text(value: Any) -> str | None:
    if value is None or type(value) is str:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, _Number):
        return str(value)
    return _json(value)


def _json(value: Any) -> str:
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
