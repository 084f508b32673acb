"""The policies in force, from the files of changes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from tests.numbers.oracle.archive import Archive, Row
from tests.numbers.oracle.compare import Table, ratio

Segment = tuple[str, str]
Portfolio = list[tuple[Segment, Decimal]]


def tables(archive: Archive) -> dict[str, Table]:
    return {"kpi_policies": policies(archive), "rec_policy_sequence_gaps": sequence_gaps(archive)}


def policies(archive: Archive) -> Table:
    key = ("business_date", "product", "region")
    delivered = archive.days("policies")
    if not archive.rows("policies"):
        return Table(key, {})
    first, last = min(delivered), max(delivered)
    # Cover may begin after the newest file. Such a product and region has rows as well, with zero policies so far.
    end = max([last, *(row.day("effective_date") for row in archive.rows("policies"))])
    portfolios = {day: in_force(archive, day) for day in days(first, end)}
    rows: dict[tuple[date, str, str], dict[str, object]] = {}
    for segment in {segment for portfolio in portfolios.values() for segment, _ in portfolio}:
        before = (0, Decimal(0))
        for day in days(first, last):
            premiums = [premium for where, premium in portfolios[day] if where == segment]
            now = (len(premiums), sum(premiums, Decimal(0)))
            rows[day, *segment] = {
                "policy_count": now[0],
                "premium_amount": now[1],
                "average_premium": ratio(now[1], now[0]),
                "policy_count_change": now[0] - before[0],
                "premium_amount_change": now[1] - before[1],
                "is_complete": day in delivered,
            }
            before = now
    return Table(key, rows)


def days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def in_force(archive: Archive, day: date) -> Portfolio:
    """Segment and premium of each policy that is active, not erased and covered on `day`, according to the files up
    to then.
    """
    return [
        ((row.known("product"), row.known("region")), row.number("premium"))
        for row in states(archive, day).values()
        if row.known("op") != "D" and row.known("policy_status") == "active" and row.day("effective_date") <= day
    ]


def states(archive: Archive, day: date) -> dict[str, Row]:
    """For each policy, the change with the highest number in the files up to `day`. A late file does not alter it."""
    found: dict[str, Row] = {}
    for row in archive.rows("policies"):
        if row.file.day <= day:
            policy = row.known("policy_id")
            if policy not in found or order(row) > order(found[policy]):
                found[policy] = row
    return found


def order(row: Row) -> tuple[int, date, str, int, int]:
    return (int(row.known("cdc_seq")), *row.file.place, row.line)


def sequence_gaps(archive: Archive) -> Table:
    """The missing numbers between those that came. No file of these histories has a refused row, and no file is still expected."""
    delivered = archive.days("policies")
    dates: dict[int, list[date]] = {}
    for row in archive.rows("policies"):
        dates.setdefault(int(row.known("cdc_seq")), []).append(row.file.day)
    rows: dict[tuple[int], dict[str, object]] = {}
    for number in sorted(dates)[:-1]:
        following = min(other for other in dates if other > number)
        if following > number + 1:
            # If a change came twice, its last arrival is that of its newest file, and its first arrival that of its
            # oldest.
            after, before = max(dates[number]), min(dates[following])
            rows[number + 1,] = {
                "last_missing_seq": following - 1,
                "missing_changes": following - number - 1,
                "quarantined_changes": 0,
                "after_date": after,
                "before_date": before,
                "gap_class": "lost_changes" if set(days(after, before)) <= delivered else "missing_partition",
            }
    return Table(("first_missing_seq",), rows, schema="silver")
