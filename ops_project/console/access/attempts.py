"""Slows down the guessing of passwords. After five wrong passwords in five minutes, a user name or an address has to
wait.
"""

from __future__ import annotations

from datetime import datetime, timedelta

ALLOWED = 5
WINDOW = timedelta(minutes=5)
KEPT = 10_000


class Attempts:
    """The wrong passwords of the last minutes, by user name and by address. Only this process knows them."""

    def __init__(self) -> None:
        self._wrong: dict[str, list[datetime]] = {}

    def blocked(self, subjects: tuple[str, ...], now: datetime) -> bool:
        """Whether one of `subjects` has to wait."""
        return any(len(self._recent(subject, now)) >= ALLOWED for subject in subjects)

    def failed(self, subjects: tuple[str, ...], now: datetime) -> None:
        """Record a wrong password for each of `subjects`."""
        if len(self._wrong) > KEPT:
            self._wrong = {name: times for name in self._wrong if (times := self._recent(name, now))}
        for subject in subjects:
            self._wrong[subject] = [*self._recent(subject, now), now]

    def _recent(self, subject: str, now: datetime) -> list[datetime]:
        return [at for at in self._wrong.get(subject, []) if now - at < WINDOW]
