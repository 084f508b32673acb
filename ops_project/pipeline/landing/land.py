"""Loads the inbound files of one feed into bronze rows, quarantine, findings and archive. Each file has its own
transaction.

After a kill at any point, a plain rerun continues: committed files are only archived, and the others are loaded again.
A bad file never raises an error. Each problem of a file becomes a finding, and the other files are loaded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime
from pathlib import Path

import duckdb

from ops_project.model.feed.feed import Feed
from ops_project.pipeline.landing.context import Context, siblings_of
from ops_project.pipeline.landing.examine import suspicion
from ops_project.pipeline.landing.inbox import InboundFile, irregular, pending
from ops_project.pipeline.landing.result import LandingResult, Progress
from ops_project.pipeline.landing.workbench import Workbench
from ops_project.pipeline.landing.write import journal
from ops_project.pipeline.landing.write.absence import record_missing, record_waiting
from ops_project.pipeline.landing.write.expected import record_expected
from ops_project.pipeline.landing.write.implausible import files_with_implausible_rows
from ops_project.pipeline.landing.write.tables import create_tables


def land(
    connection: duckdb.DuckDBPyConnection,
    feed: Feed,
    *,
    inbound: Path,
    archive: Path,
    now: datetime,
    run_id: str | None = None,
    dates: Collection[date] | None = None,
    progress: Progress | None = None,
    siblings: Iterable[Feed] | None = None,
) -> LandingResult:
    """Land every file of `feed` that has arrived by `now`.

    `inbound`, `archive`: the folders of the home.
    `now`: a moment with a time zone.
    `dates`: the business dates to land; None lands all.
    `siblings`: the other feeds whose patterns a file may match too. The default is the feeds that `ensure_tables` was
    given. Such a file leaves the inbound folder when all of these feeds have taken it.
    """
    create_tables(connection, [feed])
    # The rowid of a staged row must be its position in the file.
    connection.execute("SET preserve_insertion_order = true")
    context = Context(connection=connection, feed=feed, inbound=inbound, archive=archive, now=now, run_id=run_id)
    today = now.astimezone(feed.date_zone).date()
    if not feed.enabled:
        # While a feed is disabled, nobody knows whether its files came. So such days do not count as days without data.
        record_expected(context, today)
        return context.result
    present: set[date] = set()
    without_control: set[date] = set()
    waiting: dict[str, tuple[date | None, str]] = {}
    arrivals = [(file, *_arrival(file, feed, now)) for file in pending(feed, inbound)]
    suspicion.judge_times(
        context, [(day, arrived_at) for file, day, arrived_at in arrivals if not file.waits and day <= today]
    )
    with Workbench(context, siblings_of(context, siblings)) as bench:
        for file, day, arrived_at in arrivals:
            if day > today:
                # If the file is newer than `now`, a past moment is being replayed, and the file has not arrived yet.
                if file.modified_at <= now:
                    context.result.waiting.append(file.name)
                    waiting[file.name] = day, f"is dated {day}, which is after today ({today}); it waits"
                continue
            if file.waits:
                context.result.waiting.append(file.name)
                without_control.add(day)
            elif dates is not None and day not in dates:
                context.result.waiting.append(file.name)
                present.add(day)
            else:
                before = len(context.result.batches)
                bench.land(file, day, arrived_at)
                if len(context.result.batches) == before:
                    present.add(day)
                elif progress is not None:
                    progress(context.result.batches[-1])
    for strange in irregular(feed, inbound):
        words = f"is {strange.what}, not a regular file; it is not read and stays there: deliver the file itself"
        waiting[strange.name] = strange.business_date, words
    waiting |= files_with_implausible_rows(context, today)
    if context.deliveries.open_findings():
        journal.close_old(connection, feed.name, now)
    record_waiting(context, waiting)
    record_missing(context, present, without_control)
    record_expected(context, today)
    return context.result


def _arrival(file: InboundFile, feed: Feed, now: datetime) -> tuple[date, datetime]:
    """The file's business date, and the moment at which the file came."""
    arrived_at = min(file.modified_at, now)
    return file.business_date or arrived_at.astimezone(feed.date_zone).date(), arrived_at
