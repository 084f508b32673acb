"""A stored moment in words that a person reads."""

from __future__ import annotations

from datetime import UTC, datetime


def to_minute(stored: str) -> str:
    """An ISO 8601 text with an offset, as day, hour and minute in UTC: `2026-03-04 09:11 UTC`."""
    return f"{datetime.fromisoformat(stored).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
