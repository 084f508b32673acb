"""The last stage of a cycle: once an hour, for a limited time, old rows are removed from the ledger."""

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
"""The time limit in one cycle; the rest waits for the next one."""
STEP = timedelta(hours=6)
"""The length of the past that one statement thins out."""


def tidy(ledger: Ledger, catalog: Catalog, decided: int, now: datetime, moved: Callable[[], None]) -> int:
    """Remove the rows that retention.yaml no longer keeps, for at most the budget. Returns how many rows were
    removed.
    """
    before = ledger.cursor(CURSOR)
    # A cursor in the future was written under another clock.
    if before is not None and abs(now - datetime.fromisoformat(before)) < EVERY:
        return 0
    until = time.monotonic() + BUDGET_SECONDS
    removed = 0
    for piece in _work(ledger, catalog, decided, now):
        while (count := piece()) > 0:
            removed += count
            moved()
            if time.monotonic() >= until:
                return removed  # The work is not recorded as done, so the next cycle continues it.
    ledger.set_cursor(CURSOR, now.isoformat(), now)
    return removed


def _work(ledger: Ledger, catalog: Catalog, decided: int, now: datetime) -> list[Callable[[], int]]:
    """Pieces of work; each is called until it removes nothing more."""
    kept = catalog.retention
    kinds: dict[str, list[str]] = {}
    for name, metric in catalog.metrics.metrics.items():
        kinds.setdefault(metric.type, []).append(name)
    ages = {"gauge": kept.readings.keep, "event": kept.events.keep, "state": kept.states.keep}

    def forget(kind: str) -> Callable[[], int]:
        return lambda: ledger.forget_signals(kinds[kind], now - ages[kind], decided)

    work = [forget(kind) for kind in ages if kind in kinds]
    work += [
        _thinner(ledger, name, kept.readings.thin_after, span=kept.readings.thin_to, decided=decided, now=now)
        for name in kinds.get("gauge", ())
    ]
    work.append(lambda: ledger.forget_messages(now - kept.messages.keep))
    return work


def _thinner(
    ledger: Ledger, kind: str, after: timedelta, *, span: timedelta, decided: int, now: datetime
) -> Callable[[], int]:
    """Works through the past of one kind, and records how far it has come."""
    seconds = span.total_seconds()
    end = datetime.fromtimestamp((now - after).timestamp() // seconds * seconds, UTC)

    def piece() -> int:
        noted = ledger.cursor(f"{THINNED}{kind}")
        since = datetime.fromisoformat(noted) if noted else ledger.first_event(kind)
        while since is not None and since < end:
            until = min(since + max(STEP, span), end)
            count = ledger.thin_signals(kind, since, until, span, decided)
            if count < PIECE:
                ledger.set_cursor(f"{THINNED}{kind}", until.isoformat(), now)
                since = until
            if count:
                return count
        return 0

    return piece
