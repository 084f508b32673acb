"""A timeline says once that the routes of an alert are quiet, and not in each flush."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ops_project import catalog
from ops_project.model.alerting.signal import FIRING, Signal
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.ledger import open_ledger
from ops_project.settings import Settings

HOLIDAY = datetime(2026, 11, 26, 15, tzinfo=UTC)


def _times(ledger) -> list[str]:
    return [reason for reason in _reasons(ledger) if reason == "muted_by_time"]


def _reasons(ledger) -> list[str]:
    return [event.reason.value for event in ledger.timeline(1)]


def test_two_quiet_routes_write_one_line_until_something_else_happens(tmp_path):
    settings = Settings(home=tmp_path)
    shipped, ledger = catalog.load(settings), open_ledger(settings)

    def fails(at: datetime, run: str) -> None:
        ledger.append(
            [
                Signal(
                    "asset.failure",
                    FIRING,
                    at,
                    at,
                    run,
                    1.0,
                    domain="ecommerce",
                    asset="gold/daily_revenue",
                    owners=("team:ecommerce-analytics",),
                )
            ]
        )

    fails(HOLIDAY, "r1")
    for minutes in (0, 6, 12):
        run_once(settings, shipped, HOLIDAY + timedelta(minutes=minutes), observers=(), flush_now=True)
    assert _times(ledger) == ["muted_by_time"]
    after = HOLIDAY + timedelta(days=1)
    run_once(settings, shipped, after, observers=(), flush_now=True)
    assert "first_notification" in _reasons(ledger)
    # Christmas is the next holiday. It is new that the routes are quiet then, and once more after the digest was sent.
    christmas = datetime(2026, 12, 25, 15, tzinfo=UTC)
    for minutes, lines in ((0, 2), (6, 3), (12, 3), (18, 3)):
        run_once(settings, shipped, christmas + timedelta(minutes=minutes), observers=(), flush_now=True)
        assert _times(ledger) == ["muted_by_time"] * lines
