"""Lists the dates on which each contract expects a file. Models need it to distinguish a missing day from a day on
which the source was closed.
"""

from __future__ import annotations

from datetime import date, timedelta

from ops_project.model.days import days_later
from ops_project.pipeline.landing.context import Context
from ops_project.pipeline.landing.decide.arrival import is_expected
from ops_project.pipeline.landing.write import journal

BEFORE_FIRST = 400
"""The dates begin this many days before the feed's first date, because another feed of the domain may have begun
earlier.
"""


def record_expected(context: Context, today: date) -> None:
    """Bring ops.expected_dates up to date: every expected date up to `today`. Writes only what has changed."""
    feed = context.feed
    [(first,)] = context.rows(
        "SELECT min(business_date) FROM ops.batches WHERE domain = ? AND status = 'loaded' AND business_date >= ?",
        [feed.domain, feed.plausible.first],  # a date that is wrong by centuries does not count as the first one
    )
    starts = [day for day in (first, feed.start) if day is not None]
    if not starts or feed.expected.kind == "never":
        wanted: set[date] = set()
    else:
        day = feed.start or days_later(min(starts), -BEFORE_FIRST)
        span = (today - day).days + 1
        wanted = {
            on for on in (day + timedelta(days=n) for n in range(span)) if is_expected(on, feed.expected, feed.closed)
        }
    known = {row[0] for row in context.rows("SELECT business_date FROM ops.expected_dates WHERE feed = ?", [feed.name])}
    if wanted == known:
        return
    with journal.transaction(context.connection):
        if gone := sorted(known - wanted):
            context.connection.execute(
                "DELETE FROM ops.expected_dates WHERE feed = ? AND list_contains(?::DATE[], business_date)",
                [feed.name, gone],
            )
        context.connection.execute(
            "INSERT INTO ops.expected_dates SELECT ?, unnest(?::DATE[])", [feed.name, sorted(wanted - known)]
        )
