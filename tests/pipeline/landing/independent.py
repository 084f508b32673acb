"""The content of a file, read character by character and cast by Python, without any code of the product. It knows
only the documented rules: a quote opens only at the beginning of a field; an escape acts before a quote or itself
inside quotes; texts that mean no value are compared before escapes are undone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

BLANKS = " \t\r\n"


class Refused(Exception):
    """The value does not have this type."""


@dataclass(frozen=True)
class Dialect:
    """The keys of `format` that the tests vary."""

    delimiter: str = ","
    quote: str | None = '"'
    escape: str | None = None
    null_values: tuple[str, ...] = ("",)


@dataclass
class Field:
    """A field as it is written inside its quotes, and its meaning."""

    spelled: str = ""
    value: str = ""


@dataclass
class Row:
    """One record. `broken` if there is text after a closing quote."""

    fields: list[Field] = field(default_factory=list)
    broken: bool = False


def read(text: str, dialect: Dialect) -> list[Row]:
    """All records of `text`, whose lines end with LF or CRLF. Raises ValueError if a quote is never closed."""
    rows, position = [], 0
    while position < len(text):
        row, position = _row(text, position, dialect)
        if len(row.fields) > 1 or row.fields[0].spelled or row.broken or row.fields[0] is not _BLANK:
            rows.append(row)
    return rows


_BLANK = Field()


def _row(text: str, position: int, dialect: Dialect) -> tuple[Row, int]:
    row = Row()
    if text[position : position + 1] == "\n":
        return Row([_BLANK]), position + 1
    if text[position : position + 2] == "\r\n":
        return Row([_BLANK]), position + 2
    while True:
        if dialect.quote is not None and text[position : position + 1] == dialect.quote:
            item, position = _quoted(text, position + 1, dialect)
        else:
            start = position
            while position < len(text) and text[position] not in (dialect.delimiter, "\n"):
                position += 1
            plain = text[start:position]
            if text[position : position + 1] == "\n":
                plain = plain.removesuffix("\r")
            item = Field(plain, plain)
        row.fields.append(item)
        if position >= len(text):
            return row, position
        if text[position] == dialect.delimiter:
            position += 1
            continue
        for end in ("\n", "\r\n"):
            if text.startswith(end, position):
                return row, position + len(end)
        row.broken = True
        return row, text.index("\n", position) + 1 if "\n" in text[position:] else len(text)


def _quoted(text: str, position: int, dialect: Dialect) -> tuple[Field, int]:
    item, quote, escape = Field(), dialect.quote, dialect.escape
    while True:
        if position >= len(text):
            raise ValueError("a quote is never closed")
        here, following = text[position], text[position + 1 : position + 2]
        if escape is not None and here == escape and following in (quote, escape) and following:
            item.spelled, item.value, position = item.spelled + here + following, item.value + following, position + 2
        elif here == quote and escape is None and following == quote:
            # A doubled quote is the usual way to write a quote. It is not an escape, so it does not matter for the
            # texts that mean no value.
            item.spelled, item.value, position = item.spelled + quote, item.value + quote, position + 2
        elif here == quote:
            return item, position + 1
        else:
            item.spelled, item.value, position = item.spelled + here, item.value + here, position + 1


def cast(text: str | None, spelled: str | None, kind: str, null_values: tuple[str, ...]) -> Any:
    """The value of a field's text; None if it has none. Raises Refused."""
    if text is None:
        return None
    if kind == "string":
        return None if spelled in null_values else text
    if (spelled or "").strip(BLANKS) in null_values:
        return None
    text = text.strip(BLANKS)
    if not text:
        if "" in null_values:
            return None
        raise Refused(text)
    return _CASTS[kind](text)


def _integer(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]+", text) or not -(2**31) <= int(text) < 2**31:
        raise Refused(text)
    return int(text)


def _decimal(text: str) -> Decimal:
    if not re.fullmatch(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)", text):
        raise Refused(text)
    value = Decimal(text)
    if abs(value) >= 10**5 or value != value.quantize(Decimal("0.001")):
        raise Refused(text)
    return value.quantize(Decimal("0.001"))


def _date(text: str) -> date:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise Refused(text)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused(text) from None


def _timestamp(text: str) -> datetime:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?", text):
        raise Refused(text)
    try:
        return datetime.strptime(text.replace("T", " "), f"%Y-%m-%d %H:%M:%S{'.%f' if '.' in text else ''}")  # noqa: DTZ007
    except ValueError:
        raise Refused(text) from None


def _boolean(text: str) -> bool:
    words = {"true": True, "t": True, "yes": True, "y": True, "1": True}
    words |= {"false": False, "f": False, "no": False, "n": False, "0": False}
    if text.lower() not in words:
        raise Refused(text)
    return words[text.lower()]


_CASTS = {
    "integer": _integer,
    "decimal(8,3)": _decimal,
    "date": _date,
    "timestamp": _timestamp,
    "boolean": _boolean,
}
TYPES = ("string", *_CASTS)
