"""Checks that five cron fields give a time that occurs: minute, hour, day of the month, month, day of the week."""

from __future__ import annotations

import re

FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")),
    ("day of the week", 0, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat")),
)
_ITEM = re.compile(r"^(\*|(\w+)(?:-(\w+))?)(?:/(\d+))?$")
# The most days that each month can have.
DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def wrong_cron(text: str) -> str | None:
    """What is wrong with the text, in words; None if the text is right."""
    fields = text.split()
    if len(fields) != len(FIELDS):
        return f"it has {len(fields)} fields"
    found: list[set[int]] = []
    for field, (name, low, high, names) in zip(fields, FIELDS, strict=True):
        values: set[int] = set()
        for item in field.split(","):
            match = _ITEM.match(item)
            if match is None:
                return f"the {name} {field!r} is not understood"
            step = int(match[4] or 1)
            first = low if match[1] == "*" else _number(match[2], low, names)
            last = _number(match[3], low, names) if match[3] else high if match[1] == "*" or match[4] else first
            if first is None or last is None or not low <= first <= last <= high or step < 1:
                return f"the {name} {field!r} does not lie in {low} to {high}"
            values |= set(range(first, last + 1, step))
        found.append(values)
    if fields[4] == "*" and not any(min(found[2]) <= DAYS[month - 1] for month in found[3]):
        return "none of its months has that day"
    return None


def _number(word: str, low: int, names: tuple[str, ...]) -> int | None:
    if word.isdecimal():
        return int(word)
    lowered = word.lower()
    return names.index(lowered) + low if lowered in names else None
