"""A span of time as people write it in configuration: 2s, 15m, 1h30m, 7d."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")


def parse_duration(value: Any) -> timedelta:
    """`1h30m` → timedelta. Raises ValueError with the valid units."""
    if isinstance(value, timedelta):
        return value
    text = str(value).strip()
    if text == "0":
        return timedelta()
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(
            f"{text!r} is not a duration; write a number with a unit of {', '.join(UNITS)}, as in 15m or 1h30m"
        )
    return timedelta(seconds=sum(float(number) * UNITS[unit] for number, unit in parts))


def format_duration(value: timedelta) -> str:
    """The shortest text that `parse_duration` reads back as this timedelta. Parts of a second are left out."""
    seconds = int(value.total_seconds())
    if seconds == 0:
        return "0s"
    text = ""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            text += f"{count}{unit}"
    return text


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
