"""Stores the dates on which each contract expects a file. With these dates, models distinguish a missing day from a day
on which the source was closed.

A day with rows counts as touched if it becomes expected, or is no longer expected, although none of its rows changes.
Otherwise a table that is built by touched dates would keep the old answer.
"""

from __future__ import annotations

from datetime import date, timedelta

from ops_project.model.days import days_later
from ops_project.pipeline.landing.context import Context
from ops_project.pipeline.landing.decide.arrival import is_expected
from ops_project.pipeline.landing.write import journal

BEFORE_FIRST = 400
"""The expected dates begin this many days before the first date of the domain, because another feed may have begun
earlier.
"""


def record_expected(context: Context, today: date) -> None:
    """Store every expected date up to `today` in ops.expected_dates. Only changes are written."""
    feed = context.feed
    [(first,)] = context.rows(
        "SELECT min(business_date) FROM ops.batches WHERE domain = ? AND status = 'loaded' AND business_date >= ?",
        [feed.domain, feed.plausible.first],  # A date that is wrong by centuries does not count as the first one.
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
    _write(context, feed.name, wanted - known, known - wanted, domain=feed.domain)
    _record_removed(context, today)


def _record_removed(context: Context, today: date) -> None:
    """Store every later day as expected for feeds that the contracts no longer contain, because nobody knows whether
    these days have data. Without an expected date, such a day would count as complete for the models that still use the
    feed.
    """
    removed = context.rows(
        """
        SELECT feed, max(business_date) FROM ops.expected_dates ANTI JOIN ops.feeds USING (feed) GROUP BY feed
        """
    )
    outdated = [(name, last) for name, last in removed if last < today]
    if not outdated or not context.rows("SELECT 1 FROM ops.feeds WHERE feed = ?", [context.feed.name]):
        return
    for name, last in outdated:
        _write(context, name, {days_later(last, number) for number in range(1, (today - last).days + 1)}, set())


def _write(context: Context, feed: str, come: set[date], gone: set[date], *, domain: str | None = None) -> None:
    """Add and remove expected dates of a feed. A changed day counts as touched if it has rows and if its completeness
    changes. A day with a loaded file is complete, whatever the calendar says.

    `domain`: the feed's domain; None if it is not known.
    """
    if not come | gone:
        return
    connection = context.connection
    with journal.transaction(connection):
        delivered = context.rows(
            "SELECT DISTINCT business_date FROM ops.batches WHERE feed = ? AND status = 'loaded'", [feed]
        )
        if touched := _with_rows(context, (come | gone).difference(day for (day,) in delivered), domain):
            connection.execute(
                "INSERT INTO ops.touched_dates SELECT ?, unnest(?::DATE[]), ?",
                [feed, sorted(touched), context.deliveries.next_sequence()],
            )
        if gone:
            connection.execute(
                "DELETE FROM ops.expected_dates WHERE feed = ? AND list_contains(?::DATE[], business_date)",
                [feed, sorted(gone)],
            )
        connection.execute("INSERT INTO ops.expected_dates SELECT ?, unnest(?::DATE[])", [feed, sorted(come)])


def before_the_first(context: Context, day: date) -> set[date]:
    """The dates with rows from `day` to the day before the feed's first date; empty if `day` is not before that first
    date. These dates change, because the feed's history now begins earlier. Call this before the batch of `day` is
    written.
    """
    plausible = context.feed.plausible.first
    first = context.deliveries.first(plausible)
    if first is None or not plausible <= day < first:
        return set()
    return _with_rows(context, {days_later(day, number) for number in range((first - day).days)}, context.feed.domain)


def _with_rows(context: Context, days: set[date], domain: str | None) -> set[date]:
    """The days among `days` on which any feed of `domain` has, or had, rows. If `domain` is None, the feeds of all
    domains count.
    """
    rows = context.rows(
        """
        SELECT DISTINCT business_date FROM ops.touched_dates
        WHERE list_contains($1::DATE[], business_date)
          AND ($2 IS NULL OR feed IN (SELECT feed FROM ops.batches WHERE domain = $2))
        """,
        [sorted(days), domain],
    )
    return {row[0] for row in rows}
