"""Guesses how a file without a contract is cut into records and fields. The module is pure: the text is an argument.

The guess is used only for drafts of contracts. Landing itself detects nothing. Each choice that has an alternative is
reported as a doubt.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

DELIMITERS = ",;\t|"
RARE_DELIMITERS = "\x1f^~"
QUOTES = ('"', "'", None)
LOOKED_AT = 400
# At least this share of the lines must have the usual number of fields.
SHARE = 0.7
_RULE = re.compile(r"[-=+|_\s]*[-=_]{2}[-=+|_\s]*")
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d+)*|[.,]\d+)([eE][+-]?\d+)?%?")
_DATED = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*|\d{1,2}:\d{2}.*")
_ABSENT = {"", "NA", "N/A", "n/a", "NULL", "null", "None", "nan", "NaN", "-", "?", r"\N"}


@dataclass(frozen=True)
class Reading:
    """Fields and rows of a text, the keys of `format` with which they are read, and doubts about this reading."""

    fields: list[str]
    rows: list[list[str]]
    format: dict[str, Any] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)
    named: bool = True
    """Whether the file itself contains the names of its fields."""


@dataclass(frozen=True)
class _Cut:
    width: int
    share: float
    delimiter: str
    quote: str | None
    broken: int


def read_text(text: str, layout: dict[str, Any]) -> Reading:
    """The most likely reading of delimited, blank-separated or fixed-width text. Raises ValueError if no line can be
    read.
    """
    beginning = "".join(itertools.islice(io.StringIO(text), LOOKED_AT))
    cut = _best_cut(beginning)
    if cut is None or cut.width < 2 or cut.share < SHARE:
        lines = _aligned(text, layout)
        if lines is not None:
            return lines
    if cut is None:
        raise ValueError("no line of the file can be read")
    return _delimited(text, cut, layout)


def _best_cut(beginning: str) -> _Cut | None:
    cuts = [_cut(beginning, delimiter, quote) for delimiter in DELIMITERS for quote in QUOTES]
    found = [cut for cut in cuts if cut is not None]
    if not any(cut.width > 1 and cut.share >= SHARE for cut in found):
        rare = [_cut(beginning, delimiter, quote) for delimiter in RARE_DELIMITERS for quote in QUOTES]
        found += [cut for cut in rare if cut is not None and cut.width > 2 and cut.share > 0.95]
    return max(
        found,
        key=lambda cut: (
            cut.width > 1,
            cut.broken == 0,
            round(cut.share, 2),
            cut.width,
            cut.quote == '"',
            cut.quote is not None,
        ),
        default=None,
    )


def _cut(text: str, delimiter: str, quote: str | None) -> _Cut | None:
    if quote == "'":
        # An apostrophe counts as a quote only if it stands around some fields and no double quote does.
        begins = rf"(?:^|{re.escape(delimiter)})"
        if not re.search(begins + "'", text, re.MULTILINE) or re.search(begins + '"', text, re.MULTILINE):
            return None
    broken, rows = 0, []
    try:
        rows = list(itertools.islice(records(text, delimiter, quote, strict=True), LOOKED_AT))
    except csv.Error:
        if quote == "'":
            return None
        broken = 1
        rows = list(itertools.islice(records(text, delimiter, quote), LOOKED_AT))
    if quote == '"' and any("\n" in value for row in rows for value in row) and len(rows) < 0.2 * text.count("\n"):
        broken = 1  # One stray quote has swallowed most of the lines.
    if quote is None and not broken and '"' in text and _around_fields(text, delimiter):
        broken = 1  # Quotes stand around fields, so this reading without quotes is wrong.
    widths = Counter(len(row) for row in rows)
    if not widths:
        return None
    usual, count = max(widths.items(), key=lambda item: (item[1], item[0]))
    wide = max((width for width in widths if widths[width] >= 2), default=usual)
    if usual == 1 and wide > 1 and widths[wide] >= 0.5 * len(rows):
        usual, count = wide, widths[wide]
    return _Cut(usual, count / len(rows), delimiter, quote, broken)


def _around_fields(text: str, delimiter: str) -> bool:
    mark = re.escape(delimiter)
    return bool(re.search(rf'(?:^|{mark})"[^"\n]*"(?:{mark}|\r?$)', text, re.MULTILINE))


def records(text: str, delimiter: str, quote: str | None, strict: bool = False) -> Iterator[list[str]]:
    """The records of a delimited text, without blank lines."""
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quotechar=quote,
        quoting=csv.QUOTE_NONE if quote is None else csv.QUOTE_MINIMAL,
        strict=strict,
    )
    return (row for row in reader if row)


def _delimited(text: str, cut: _Cut, layout: dict[str, Any]) -> Reading:
    doubts: list[str] = []
    rows = list(records(text, cut.delimiter, cut.quote))
    if cut.delimiter != ",":
        layout["delimiter"] = cut.delimiter
    if cut.quote != '"':
        layout["quote"] = cut.quote
        if cut.quote is None:
            doubts.append("quote: null, because quotes in the file do not stand around fields")
    comments = [row for row in rows if row[0].startswith("#")]
    if comments and not (len(comments) == 1 and rows[0] is comments[0] and len(rows[0]) == cut.width):
        layout["comment"] = "#"
        rows = [row for row in rows if not row[0].startswith("#")]
    if rules := [row for row in rows if _RULE.fullmatch(cut.delimiter.join(row))]:
        # Consoles draw a line of strokes below the header. The draft reads lines that begin with these strokes as
        # comments.
        strokes = re.findall(r"[-=+_]+", cut.delimiter.join(rules[0]))
        layout["comment"] = strokes[0][:4]
        rows = [row for row in rows if not _RULE.fullmatch(cut.delimiter.join(row))]
    above = next((index for index, row in enumerate(rows) if _begins(row, rows, index, cut.width)), 0)
    if above:
        layout["skip_lines"] = _physical_line(text, rows[above], cut)
        doubts.append(f"skip_lines: {layout['skip_lines']}, because the lines above have fewer fields than the others")
    head, body = rows[above], [row for row in rows[above + 1 :] if len(row) == cut.width]
    if not _is_header(head, body):
        layout["header"] = False
        doubts.append("header: false, because the first line looks like the others")
        names = [f"column_{index}" for index in range(1, cut.width + 1)]
        return Reading(names, [head, *body], layout, doubts, named=False)
    fields = [name.strip() for name in head]
    if not any(_is_value(value.strip()) for row in body[:LOOKED_AT] for value in row):
        doubts.append(
            f"header: the first line ({', '.join(fields)}) is taken for the names, though all values are words; write "
            "header: false and raw_fields if it is a record"
        )
    if len(set(fields)) < len(fields) or not all(fields):
        layout |= {"header": False, "skip_lines": layout.get("skip_lines", 0) + 1}
        doubts.append("header: false and one line skipped, because names in the header are blank or occur twice")
    return Reading(fields, body, layout, doubts)


def _begins(row: Sequence[str], rows: Sequence[Sequence[str]], index: int, width: int) -> bool:
    """Whether the table begins with this row. Such a row has all fields, and most of them are filled. In a title above
    the table, most fields are empty.
    """
    if len(row) != width:
        return False
    filled = sum(bool(value.strip()) for value in row)
    below = [
        sum(bool(value.strip()) for value in other) for other in rows[index + 1 : index + 20] if len(other) == width
    ]
    return width < 3 or not below or filled > 1 or filled >= max(below)


def _physical_line(text: str, row: Sequence[str], cut: _Cut) -> int:
    """The number of lines above the line that is read as `row`, including blank lines. A contract skips this number of
    lines.
    """
    for index, line in enumerate(text.splitlines()):
        if next(records(line, cut.delimiter, cut.quote), []) == row:
            return index
    return 0


def _is_header(head: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    """Whether the first record contains the names of the fields. Such a record differs in form from the records below
    it.
    """
    first = [value.strip() for value in head]
    years = [value for value in first if re.fullmatch(r"(19|20)\d\d", value)]
    if len(years) > 1 and years == sorted(set(years)) and not _is_value(first[0]):
        return True  # The header has one column for each year.
    if any(_is_value(value) for value in first):
        # Some names of fields look like values: a year, for example. The record is a header if the columns with a word
        # above values outnumber such names.
        unlike = 0
        for index, value in enumerate(first):
            below = [row[index].strip() for row in body[:LOOKED_AT]]
            typed = [item for item in below if item not in _ABSENT]
            unlike += bool(typed) and all(map(_is_value, typed)) and not _is_value(value) and value not in _ABSENT
        return unlike > sum(map(_is_value, first))
    if not body:
        return True
    for index, value in enumerate(first):
        below = [row[index].strip() for row in body[:LOOKED_AT]]
        typed = [item for item in below if item not in _ABSENT]
        if typed and sum(map(_is_value, typed)) >= 0.9 * len(typed) and value:
            return True  # Words stand above numbers or dates.
    repeated = sum(value != "" and value in {row[index].strip() for row in body} for index, value in enumerate(first))
    if repeated and repeated * 3 >= len(first):
        return False
    if len(set(first)) < len([value for value in first if value]):
        return True  # Two names are the same. The caller handles this.
    # Here the first record has words above other words. In a header, the words differ in form from the values below
    # them. So the record is a row if all its words have the form of a value below them.
    like = sum(
        _form(value) in {_form(row[index].strip()) for row in body[:LOOKED_AT]} for index, value in enumerate(first)
    )
    fixed = sum(len({_form(row[index].strip()) for row in body[:LOOKED_AT]}) == 1 for index in range(len(first)))
    return not (fixed and like == len(first) and len(body) >= 3)


def _is_value(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text) or _DATED.fullmatch(text) or "@" in text)


def _form(text: str) -> str:
    """The text with all digits and letters replaced, so that texts of the same form are equal: `DE-17` and `FR-08` both
    give `AA-00`.
    """
    return re.sub(r"[a-zäöüß]", "a", re.sub(r"[A-ZÄÖÜ]", "A", re.sub(r"\d", "0", text)))


def _aligned(text: str, layout: dict[str, Any]) -> Reading | None:
    """The reading of lines whose fields are separated by blanks or have a fixed width. None if the text has neither
    form.
    """
    every = text.splitlines()
    lines = [(index, line.rstrip()) for index, line in enumerate(every) if line.strip()]
    rules = [index for index, line in lines if _RULE.fullmatch(line)]
    plain = [(index, line) for index, line in lines if index not in rules]
    if len(plain) < 2:
        return None
    words = Counter(len(line.split()) for _, line in plain[1:LOOKED_AT] or plain)
    usual, count = words.most_common(1)[0]
    looked = len(plain[1:LOOKED_AT])
    cuts = _columns([line for _, line in plain[:LOOKED_AT]])
    if usual >= 2 and count == looked and len(plain[0][1].split()) == usual:
        names = [f"column_{index}" for index in range(1, usual + 1)]
        rows, what = [line.split() for _, line in plain], "fields are separated by blanks"
        patterns = [r"\S+"] * usual
        joint, ends = r"\s+", r"\s*"
    elif len(cuts) >= 2:
        names = [f"column_{index}" for index in range(1, len(cuts) + 1)]
        rows = [[line[start:end].strip() for start, end in cuts] for _, line in plain]
        what = "fields stand at fixed places: " + ", ".join(
            f"{start + 1}–{end}" if end is not None else f"{start + 1} on" for start, end in cuts
        )
        patterns = [f".{{0,{end - start}}}" if end is not None else ".*" for start, end in cuts]
        joint = ends = ""
    else:
        return None
    doubts, first, named = [what], plain[0][0], False
    if _is_header(rows[0], rows[1:]) and len(set(rows[0])) == len(rows[0]) and all(rows[0]):
        fields, body, named = rows[0], rows[1:], True
        first = next((index for index, _ in plain[1:]), first)
    else:
        fields, body = names, rows
        doubts.append("the first line is a record like the others")
    groups = identifiers(fields)
    layout |= {
        "kind": "lines",
        "pattern": ends
        + joint.join(f"(?P<{name}>{piece})" for name, piece in zip(groups, patterns, strict=True))
        + ends,
    }
    if first:
        layout["skip_lines"] = first
    return Reading(groups, body, layout, doubts, named)


def _columns(lines: Sequence[str]) -> list[tuple[int, int | None]]:
    """The start and end of the fields of fixed-width lines. A field starts where every line has a blank before it."""
    longest = max(map(len, lines))
    if sum(len(line) >= 0.5 * longest for line in lines) < 0.9 * len(lines):
        return []
    blank = [all(len(line) <= place or line[place] == " " for line in lines) for place in range(longest)]
    starts = [place for place in range(longest) if not blank[place] and (place == 0 or blank[place - 1])]
    if len(starts) < 2:
        return []
    starts[0] = 0
    return list(zip(starts, [*starts[1:], None], strict=True))


def identifiers(names: Sequence[str]) -> list[str]:
    """The names in a form that a regular expression allows for its groups. Each name occurs only once."""
    result: list[str] = []
    for name in names:
        text = re.sub(r"\W+", "_", name.strip(), flags=re.ASCII).strip("_") or "field"
        text = f"n{text}" if text[0].isdigit() else text
        number = sum(other == text or re.fullmatch(rf"{re.escape(text)}_\d+", other) is not None for other in result)
        result.append(f"{text}_{number + 1}" if number else text)
    return result
