"""Business dates as Dagster partitions, and the business dates of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

import dagster as dg

from ops_project.model.platform import Platform
from ops_project.settings import Settings

RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
PARTITION = "dagster/partition"
MODE = "ops/mode"
ARRIVED = "arrived"
"""A value of the tag MODE. The run lands all waiting files, and the range in its tags only records their dates. Without
this value, the range is an order: exactly these dates are built again.
"""


def daily_partitions(platform: Platform, settings: Settings) -> dg.DailyPartitionsDefinition:
    """Daily partitions from the platform's start to tomorrow. If the as-of time is later, they end there."""
    # For a source in a zone east of ours, the next day may have begun.
    ahead = 2
    if settings.as_of is not None:
        ahead += max(0, (settings.as_of - datetime.now(settings.as_of.tzinfo)).days + 1)
    return dg.DailyPartitionsDefinition(
        start_date=platform.start_date.isoformat(), timezone=platform.timezone, end_offset=ahead
    )


def range_tags(first: date, last: date) -> dict[str, str]:
    """Tags of a run over the business dates from `first` to `last`."""
    return {RANGE_START: first.isoformat(), RANGE_END: last.isoformat()}


def window_of(tags: Mapping[str, str]) -> tuple[date, date] | None:
    """The business dates in a run's tags; None if the tags have none."""
    if PARTITION in tags:
        day = date.fromisoformat(tags[PARTITION])
        return day, day
    if RANGE_START in tags:
        return date.fromisoformat(tags[RANGE_START]), date.fromisoformat(tags[RANGE_END])
    return None


def clusters(days: Iterable[date], gap_days: int = 31) -> list[tuple[date, date]]:
    """Ranges that cover `days`. After a gap of more than `gap_days`, another range begins.

    Dagster marks every date of a range, which takes about 2 ms for each asset and date. If one file of 2009 has come by
    mistake, the years after it must not be marked.
    """
    found: list[tuple[date, date]] = []
    for day in sorted(set(days)):
        if found and day - found[-1][1] <= timedelta(days=gap_days):
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found
