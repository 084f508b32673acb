"""Splits one JSON document into the texts of its records, with only a few of them in memory at a time. This module
looks only for the end of each record. Whether the record is valid JSON is checked later. If an end cannot be found, or
the document is not complete, nobody can tell what is missing. So the whole file is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from ops_project.model.feed.file_format import Format
from ops_project.pipeline.landing.read.scan import Undecodable

# The number of characters that are read at once.
PORTION = 1 << 20
_BLANKS = re.compile(r"[ \t\r\n]*")
# This matches a complete JSON string, a quote that is not closed, or a bracket.
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|["\[\]{}]', re.DOTALL)
_WORD = re.compile(r'[^\s,\[\]{}":]+')
_OPEN = {"[": "]", "{": "}"}


class Elements:
    """Iterates over the texts of the records. The records are the elements of an array, or a single object that is the
    whole document.

    The array is the document itself, or the value under the contract's key `records`. Raises Undecodable.
    """

    def __init__(self, file: TextIO, file_format: Format) -> None:
        self.file, self.limit = file, file_format.max_record_bytes
        self.steps = file_format.records.split(".") if file_format.records else []
        self.buffer, self.at, self.lines, self.ended = "", 0, 0, False

    def __iter__(self) -> Iterator[str]:
        if self.steps:
            yield from self._under(self.steps, [])
        elif self._next() == "[":
            yield from self._array()
        elif self._next() == "{":
            yield self._value()
        else:
            raise self._wrong("the document is not an array of objects")
        if self._next():
            raise self._wrong(
                "something follows after the end of the document; a file with one object on each line is of kind jsonl"
            )

    def _under(self, steps: list[str], above: list[str]) -> Iterator[str]:
        """The array that these keys lead to. Everything beside it is skipped."""
        path, found = [*above, steps[0]], False
        place = f"`{'.'.join(above)}`" if above else "the document"
        if self._next() != "{":
            raise self._wrong(f"{place} is not an object, but the contract's `records` names its key {steps[0]!r}")
        self.at += 1
        while (mark := self._next()) != "}":
            if mark != '"':
                raise self._wrong("a key is expected")
            key = self._key()
            if self._next() != ":":
                raise self._wrong("a colon is expected after a key")
            self.at += 1
            if key != steps[0]:
                self._value()
            elif found:
                raise self._wrong(f"the key {key!r} stands twice")
            elif len(steps) > 1:
                found = True
                yield from self._under(steps[1:], path)
            elif self._next() == "[":
                found = True
                yield from self._array()
            else:
                raise self._wrong(f"`{'.'.join(path)}` is not an array")
            self._comma("}")
        self.at += 1
        if not found:
            raise self._wrong(f"{place} has no key {steps[0]!r}, which the contract's `records` names", self.at)

    def _array(self) -> Iterator[str]:
        self.at += 1
        while self._next() != "]":
            yield self._value()
            self._comma("]")
        self.at += 1

    def _comma(self, closing: str) -> None:
        """Called after an element: skip a comma before another element, or check that the closing bracket follows."""
        mark = self._next()
        if mark == ",":
            self.at += 1
            if self._next() == closing:
                raise self._wrong(f"a comma stands before {closing}")
        elif mark != closing:
            raise self._wrong(f"a comma or {closing} is expected")

    def _next(self) -> str:
        """The next character that is not a blank; empty at the end of the text. The position moves past the blanks
        only.
        """
        while True:
            found = _BLANKS.match(self.buffer, self.at)
            assert found is not None
            self.at = found.end()
            if self.at < len(self.buffer):
                return self.buffer[self.at]
            if not self._more():
                return ""

    def _more(self) -> bool:
        """Read more text, and forget the text that was processed. False at the end of the file."""
        if self.ended:
            return False
        self.lines += self.buffer.count("\n", 0, self.at)
        rest = self.buffer[self.at :]
        # At least as much is read as is already in memory. So a long record is searched only a few times, and not again
        # for each portion.
        more = self.file.read(max(PORTION, len(rest)))
        self.buffer, self.at, self.ended = rest + more, 0, not more
        return not self.ended

    def _key(self) -> str:
        text = self._value()
        try:
            return str(json.loads(text))
        except ValueError:
            raise self._wrong("a key is not a text") from None

    def _value(self) -> str:
        """The text of the value that begins here."""
        if not self._next():
            raise self._cut()
        while (end := self._end()) is None:
            if len(self.buffer) - self.at > self.limit:
                raise self._too_long()
            if not self._more():
                raise self._cut()
        text = self.buffer[self.at : end]
        if len(text) > self.limit:
            raise self._too_long()
        self.at = end
        return text

    def _end(self) -> int | None:
        """Where the value that begins here ends. None if the value continues after the text that has been read."""
        if self.buffer[self.at] not in '[{"':
            found = _WORD.match(self.buffer, self.at)
            if found is None:
                raise self._wrong(f"a value is expected in place of {self.buffer[self.at]!r}")
            return found.end() if found.end() < len(self.buffer) or self.ended else None
        awaited: list[str] = []
        for token in _TOKEN.finditer(self.buffer, self.at):
            text = token.group()
            if text == '"':
                return None
            if text in _OPEN:
                awaited.append(_OPEN[text])
            elif text in ("]", "}") and awaited.pop() != text:
                raise self._wrong(f"brackets do not match: {text}", token.start())
            if not awaited:
                return token.end()
        return None

    def _wrong(self, words: str, at: int | None = None) -> Undecodable:
        if at is None and not self._next():
            return self._cut()
        return Undecodable(f"{words} (line {self._line(self.at if at is None else at)})")

    def _cut(self) -> Undecodable:
        return Undecodable(f"the document ends in the middle (line {self._line(len(self.buffer))}): it was cut off")

    def _too_long(self) -> Undecodable:
        return Undecodable(f"a record is longer than {self.limit} characters (it begins on line {self._line(self.at)})")

    def _line(self, at: int) -> int:
        return self.lines + self.buffer.count("\n", 0, at) + 1


def has_no_record(path: Path, file_format: Format) -> bool:
    """Whether a document has no record. Also False if the document cannot be read."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return next(iter(Elements(file, file_format)), None) is None
    except Undecodable:
        return False
