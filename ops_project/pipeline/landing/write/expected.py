"""Lists the dates on which each contract expects a file. Models need it to distinguish a missing day from a day on
which the source was closed. Where the answer changes for a day that has rows, the day counts as touched, although
none of its rows changes: a table that is built by touched dates would otherwise keep the old answer.
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
        if touched := _with_rows(context, wanted ^ known):
            context.connection.execute(
                "INSERT INTO ops.touched_dates SELECT ?, unnest(?::DATE[]), ?",
                [feed.name, sorted(touched), context.deliveries.next_sequence()],
            )
        if gone := sorted(known - wanted):
            context.connection.execute(
                "DELETE FROM ops.expected_dates WHERE feed = ? AND list_contains(?::DATE[], business_date)",
                [feed.name, gone],
            )
        context.connection.execute(
            "INSERT INTO ops.expected_dates SELECT ?, unnest(?::DATE[])", [feed.name, sorted(wanted - known)]
        )


def before_the_first(context: Context, day: date) -> set[date]:
    """The dates with rows from `day` to the feed's first file, if `day` comes before it. Until now nothing was known of
    their deliveries. Call it before the batch of `day` is written.
    """
    plausible = context.feed.plausible.first
    first = context.deliveries.first(plausible)
    if first is None or not plausible <= day < first:
        return set()
    return _with_rows(context, {days_later(day, number) for number in range((first - day).days)})


def _with_rows(context: Context, days: set[date]) -> set[date]:
    """Those of the days on which any feed of the domain has, or had, rows."""
    rows = context.rows(
        """
        SELECT DISTINCT business_date FROM ops.touched_dates
        WHERE list_contains(?::DATE[], business_date)
          AND feed IN (SELECT feed FROM ops.batches WHERE domain = ?)
        """,
        [sorted(days), context.feed.domain],
    )
    return {row[0] for row in rows}
