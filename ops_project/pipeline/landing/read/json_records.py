"""Reads JSON as records: one object in each line (kind `jsonl`), or the objects of one document (kind `json`). Numbers
keep their written text.

A name with dots reads a value inside a nested object, unless some key is equal to the whole name. The keys of such a
nested object are listed with its name before them. Nested values that no name reads are passed on as JSON text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ops_project.model.feed.file_format import Format
from ops_project.pipeline.landing.read.json_document import Elements
from ops_project.pipeline.landing.read.records import Lines, Record


def read_json_lines(
    path: Path, file_format: Format, newline: str, names: Sequence[str], seen: set[str]
) -> Iterator[Record]:
    """The objects of a file that has one object in each line.

    `seen`: the keys that occur are added to it.
    """
    lines, objects = Lines(path, file_format, newline), _Objects(names, seen)
    with lines.file:
        for _ in lines:
            line, text = lines.take()
            if text.strip():
                yield objects.record(line, text)


def read_json_document(path: Path, file_format: Format, names: Sequence[str], seen: set[str]) -> Iterator[Record]:
    """The objects of one document. All of them may be on one line, so they are numbered from 1, and these numbers take
    the place of line numbers. Raises Undecodable if the document is not complete.
    """
    objects = _Objects(names, seen)
    with path.open(encoding="utf-8", newline="") as file:
        for number, text in enumerate(Elements(file, file_format), start=1):
            yield objects.record(number, text)


class _Objects:
    """Turns the texts of JSON objects into records with the fields of these names."""

    def __init__(self, names: Sequence[str], seen: set[str]) -> None:
        self.names, self.seen, self.nesting = names, seen, Nesting(names)
        self.is_flat = not any("." in name for name in names)
        # `plain` keeps numbers as plain texts. For flat objects this halves the time, because no object is made for
        # each number.
        self.plain = _decoder(str)
        self.decoder = _decoder(_Number)

    def record(self, line: int, text: str) -> Record:
        """The record of one text. If the text cannot become a row, the record contains the reason."""
        try:
            value = self.plain.decode(text)
            if type(value) is dict and self.is_flat and not _CONTAINERS & {*map(type, value.values())}:
                fields = [_WORDS[item] if type(item) is bool else item for item in map(value.get, self.names)]
                if "\\" not in text and "\0" not in text:
                    self.seen.update(value)
                    return Record(line, text, fields)
            value = self.decoder.decode(text)
            if not isinstance(value, dict):
                return Record(line, text, None, "not a JSON object")
            if half := _half_character(text, value):
                return Record(line, text, None, half)
            keys, problem = self.nesting.keys(value)
            fields = [_text(_lookup(value, name)) for name in self.names]
        except RecursionError:
            return Record(line, text, None, "not readable: nested too deep")
        except ValueError as error:
            return Record(line, text, None, f"not JSON: {error}")
        self.seen.update(keys)
        if problem is None and ("\0" in text or any(field is not None and "\0" in field for field in fields)):
            problem = "holds a NUL byte"
        return Record(line, text, fields if problem is None else None, problem)


def _decoder(number: type[str]) -> json.JSONDecoder:
    return json.JSONDecoder(
        parse_float=number, parse_int=number, parse_constant=number, object_pairs_hook=_unique, strict=True
    )


_CONTAINERS = {dict, list}
_WORDS = {True: "true", False: "false"}
_HALF = re.compile(r"\\u[dD][89a-fA-F]")


def _half_character(text: str, value: Any) -> str | None:
    """Why a JSON string is not valid text; None if it is valid. A string is not valid if an escape stands for only one
    half of a surrogate pair.
    """
    if not _HALF.search(text):
        return None
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        half = error.object[error.start]
        return f"holds \\u{ord(half):04x}, one half of a surrogate pair, which is not a character"
    return None


class Nesting:
    """The nested objects from which the names with dots read, and the keys of these objects."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = frozenset(names)
        self.read: dict[str, str] = {}
        """Name of a nested object → the first name with dots that reads from it."""
        for name in names:
            steps = name.split(".")
            for count in range(1, len(steps)):
                above = ".".join(steps[:count])
                if above not in self.names:
                    self.read.setdefault(above, name)

    def keys(self, value: dict[str, Any]) -> tuple[list[str], str | None]:
        """The keys of an object. Keys of nested objects are written with dots. The second value is the problem if a
        value that should be a nested object is not one.
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
                problem = f"{name} is {_kind(item)} and not an object, but the contract reads {self.read[name]}"
        return problem


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    return "a number" if isinstance(value, _Number) else "a list" if isinstance(value, list) else "a text"


class _Number(str):
    """The text of a JSON number as it was written."""


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
