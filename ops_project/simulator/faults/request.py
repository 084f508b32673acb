"""Reads the text that requests a fault: ID, ID:FEED, ID@DATE or ID:FEED@DATE. The ids are not checked here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

_FORM = re.compile(r"(?P<id>[a-z0-9_]+)(?::(?P<feed>[a-z0-9_]+))?(?:@(?P<day>.+))?")


class FaultError(ValueError):
    """A fault does not exist or cannot be applied. The message says what would be right."""


@dataclass(frozen=True)
class Request:
    """One requested fault."""

    id: str
    feed: str | None = None
    day: date | None = None

    @classmethod
    def parse(cls, text: str) -> Request:
        """Read ID[:FEED][@DATE]. Raises FaultError."""
        found = _FORM.fullmatch(text.strip())
        if found is None:
            raise FaultError(
                f"fault {text!r} is not understood; write ID, ID:FEED, ID@2026-11-19 or ID:FEED@2026-11-19"
            )
        try:
            day = date.fromisoformat(found["day"]) if found["day"] else None
        except ValueError:
            raise FaultError(f"fault {text!r}: {found['day']!r} is not a date; write it as 2026-11-19") from None
        return cls(found["id"], found["feed"], day)

    def __str__(self) -> str:
        return self.id + (f":{self.feed}" if self.feed else "") + (f"@{self.day}" if self.day else "")
