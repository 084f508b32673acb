"""The last stage of a cycle. Once an hour, and for a limited time, it removes old rows from the ledger."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from ops_project.catalog import Catalog
from ops_project.operations.ledger import Ledger
from ops_project.operations.ledger.pruning import PIECE

EVERY = timedelta(hours=1)
CURSOR = "tidied"
THINNED = "thinned:"
BUDGET_SECONDS = 1.0
"""The time limit within one cycle. What is left is done in the next one."""
STEP = timedelta(hours=6)
"""The length of the period that one statement thins out."""


def tidy(ledger: Ledger, catalog: Catalog, decided: int, now: datetime, moved: Callable[[], None]) -> int:
    """Remove the rows that retention.yaml no longer keeps, within the time limit. Returns how many rows were
    removed.
    """
    before = ledger.cursor(CURSOR)
    # If the cursor lies in the future, it was written under another clock.
    if before is not None and abs(now - datetime.fromisoformat(before)) < EVERY:
        return 0
    until = time.monotonic() + BUDGET_SECONDS
    removed = 0
    for piece in _work(ledger, catalog, decided, now):
        while (count := piece()) > 0:
            removed += count
            moved()
            if time.monotonic() >= until:
                return removed  # The cursor is not set, so the next cycle continues the work.
    ledger.set_cursor(CURSOR, now.isoformat(), now)
    return removed


def _work(ledger: Ledger, catalog: Catalog, decided: int, now: datetime) -> list[Callable[[], int]]:
    """Pieces of work. Each is called until it removes nothing more. A kind has none if all of its signals are young."""
    kept = catalog.retention
    oldest = ledger.first_events(list(catalog.metrics.metrics))

    def reach(kinds: list[str], age: timedelta) -> list[str]:
        return [kind for kind in kinds if kind in oldest and oldest[kind] < now - age]

    kinds: dict[str, list[str]] = {}
    for name, metric in catalog.metrics.metrics.items():
        kinds.setdefault(metric.type, []).append(name)
    ages = {"gauge": kept.readings.keep, "event": kept.events.keep, "state": kept.states.keep}

    def forget(old: list[str], age: timedelta) -> Callable[[], int]:
        return lambda: ledger.forget_signals(old, now - age, decided)

    work = [forget(old, age) for kind, age in ages.items() if (old := reach(kinds.get(kind, []), age))]
    work += [
        _thinner(ledger, name, kept.readings.thin_after, span=kept.readings.thin_to, decided=decided, now=now)
        for name in reach(kinds.get("gauge", []), kept.readings.thin_after)
    ]
    work.append(lambda: ledger.forget_messages(now - kept.messages.keep))
    return work


def _thinner(
    ledger: Ledger, kind: str, after: timedelta, *, span: timedelta, decided: int, now: datetime
) -> Callable[[], int]:
    """A piece of work that thins out the past signals of one kind, and records how far it has come."""
    seconds = span.total_seconds()

    def span_begins(at: datetime) -> datetime:
        return datetime.fromtimestamp(at.timestamp() // seconds * seconds, UTC)

    end = span_begins(now - after)

    def piece() -> int:
        noted = ledger.cursor(f"{THINNED}{kind}")
        since = datetime.fromisoformat(noted) if noted else None
        # A time without readings is passed over in one go: after a year's rest it would be more than a thousand steps.
        while (first := ledger.first_event(kind, since)) is not None and first < end:
            since = max(since, span_begins(first)) if since else span_begins(first)
            until = min(since + max(STEP, span), end)
            count = ledger.thin_signals(kind, since, until, span, decided)
            if count < PIECE:
                ledger.set_cursor(f"{THINNED}{kind}", until.isoformat(), now)
                since = until
            if count:
                return count
        return 0

    return piece
