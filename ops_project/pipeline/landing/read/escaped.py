r"""Reads CSV in which a character escapes quotes. The character is an escape only inside quotes, and only before a
quote or before itself. Everywhere else it is a part of the text.

Python's csv module treats the character as an escape everywhere and before every character. So `C:\temp` would lose its
backslash.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

_ENDS = ("", "\n", "\r\n", "\r")


@dataclass(slots=True)
class EscapedRow:
    """The fields of one record."""

    fields: list[str] = field(default_factory=list)
    spelled: dict[int, str] = field(default_factory=dict)
    """Position of a field with escapes → the text of the field before the escapes are undone."""


class EscapeReader:
    """Makes rows from physical lines, as csv.reader does. Raises csv.Error if a record cannot be read."""

    def __init__(self, lines: Iterable[str], delimiter: str, quote: str, escape: str) -> None:
        self.lines = iter(lines)
        self.delimiter, self.quote = delimiter, quote
        self.inside, self.pairs = _patterns(quote, escape)

    def __iter__(self) -> Iterator[EscapedRow]:
        return self

    def __next__(self) -> EscapedRow:
        line, row = next(self.lines), EscapedRow()
        if line in _ENDS:
            return row
        position = 0
        while True:
            if line.startswith(self.quote, position):
                line, position = self._quoted(row, line, position + 1)
                if line[position:] in _ENDS:
                    return row
                if not line.startswith(self.delimiter, position):
                    raise csv.Error(f"'{self.delimiter}' expected after '{self.quote}'")
                position += 1
                continue
            end = line.find(self.delimiter, position)
            text = line[position:] if end < 0 else line[position:end]
            if end < 0:
                text = text.removesuffix("\n").removesuffix("\r")
            if "\r" in text or "\n" in text:
                raise csv.Error("new-line character seen in unquoted field")
            row.fields.append(text)
            if end < 0:
                return row
            position = end + 1

    def _quoted(self, row: EscapedRow, line: str, start: int) -> tuple[str, int]:
        """Read one quoted field. Returns the line on which it closes, and the position after its closing quote."""
        pieces = []
        while True:
            found = self.inside.match(line, start)
            assert found is not None
            pieces.append(found[0])
            if line.startswith(self.quote, found.end()):
                break
            try:
                line, start = next(self.lines), 0
            except StopIteration:
                raise csv.Error("unexpected end of data") from None
        text = "".join(pieces)
        plain = self.pairs.sub(r"\1", text)
        if plain != text:
            row.spelled[len(row.fields)] = text
        row.fields.append(plain)
        return line, found.end() + 1

    def bare_quotes(self, text: str) -> int:
        """The number of quotes in a record that are not escaped."""
        return self.pairs.sub("", text).count(self.quote)


@lru_cache(maxsize=32)
def _patterns(quote: str, escape: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    quoting, escaping = re.escape(quote), re.escape(escape)
    other = f"[^{quoting}{escaping}]*"
    pair = f"{escaping}[{quoting}{escaping}]"
    return (
        re.compile(f"{other}(?:(?:{pair}|{escaping}(?![{quoting}{escaping}])){other})*", re.DOTALL),
        re.compile(f"{escaping}([{quoting}{escaping}])"),
    )
