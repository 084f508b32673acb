"""Compares the number of rows delivered for a business date with earlier dates. This is needed because a truncated load
looks like a small healthy one.

The prediction includes growth and a weekday pattern, so these are not findings. More rows than expected on a public
holiday are not a finding either. A series that is constant has no noise of its own. It gets the configured minimum, so
that a change of it is noticed. If there are too few earlier dates, the result is unknown, and this is reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from asset_checks.counted import counted
from asset_checks.parameters import VolumeParameters
from asset_checks.primitives.interval import Interval, expected_interval
from asset_checks.specs import TableSpec
from asset_checks.verdict import Situation, Verdict

NAME = "volume"
DESCRIPTION = "The row counts of the newest business dates lie inside the interval that earlier dates predict."
FAILURE_CLASS = "volume_anomaly"
# A first load brings many dates at once. The old dates among them are not judged.
JUDGED_AT_MOST = 7


def applies(table: TableSpec) -> bool:
    return table.feed is not None and table.expected


def judge(
    feed: str, series: Sequence[tuple[date, int]], dates: Sequence[date], parameters: VolumeParameters
) -> Verdict:
    """The verdict on `dates`. Each of them is compared with the dates before it. `series`: (date, rows)."""
    rows = dict(series)
    judged: list[dict[str, Any]] = []
    outside: list[dict[str, Any]] = []
    for day in sorted(dates):
        interval = expected_interval(series, day, parameters)
        if interval is None:
            continue
        line = _line(day, rows[day], interval)
        judged.append(line)
        rush = rows[day] > interval.high and _is_holiday(parameters.busy_holidays, day)
        if not interval.holds(rows[day]) and not rush:
            outside.append(line)
    points = sum(day < max(dates) for day in rows) if dates else 0
    if not judged:
        return Verdict.unknown(
            f"{feed}: {counted(points, 'earlier date is', 'earlier dates are')} too few to know how many rows "
            "are normal "
            f"(from {parameters.min_points} on).",
            passed=True,
            points=points,
            rows={str(day): rows[day] for day in dates},
        )
    if not outside:
        return Verdict.ok(
            f"{feed}: {counted(len(judged), 'date has', 'dates have')} the rows that were expected.",
            judged=judged,
            points=points,
        )
    newest = outside[-1]
    return Verdict.fail(
        f"{feed}: {counted(newest['rows'], 'row')} for {newest['date']}, expected {newest['expected']} "
        f"({newest['low']} to {newest['high']}). "
        + ("Ask upstream whether the file is complete." if newest["share"] < 1 else "Look for a double delivery.")
        + (f" {len(outside)} dates are outside." if len(outside) > 1 else ""),
        "high",
        FAILURE_CLASS,
        outside=outside,
        dates=[str(line["date"]) for line in outside],
        judged=judged,
        points=points,
    )


def _is_holiday(country: str | None, day: date) -> bool:
    if country is None:
        return False
    import holidays  # Importing this takes half a second. So it is imported only if there are more rows than expected.

    name, _, subdivision = country.partition("-")
    return day in holidays.country_holidays(name, subdiv=subdivision or None, years=day.year)


def _line(day: date, rows: int, interval: Interval) -> dict[str, Any]:
    return {
        "date": str(day),
        "rows": rows,
        "expected": round(interval.expected),
        "low": round(interval.low),
        "high": round(interval.high),
        "share": round(rows / interval.expected, 3) if interval.expected else 1.0,
        "points": interval.points,
        "model": interval.model,
    }


def evaluate(situation: Situation, table: TableSpec) -> Verdict:
    parameters = situation.parameters.volume
    judged_false = situation.exists("ops.excluded_points")
    # A person may have called the alarm about a date false. Then this date is not judged again, and no other date is
    # compared with it.
    kept = (
        "and business_date not in (select business_date from ops.excluded_points where asset = ?)"
        if judged_false
        else ""
    )
    found = situation.rows(
        f"""
        select business_date, sum(rows_in)::bigint as rows_in, max(loaded_at) as loaded_at
        from ops.batches
        where feed = ? and status = 'loaded' and business_date is not null and business_date <= ?
          {kept}
        group by business_date
        order by business_date desc
        limit ?
        """,
        [
            table.feed,
            situation.today,
            *([f"bronze/{table.feed}"] if judged_false else []),
            parameters.history + JUDGED_AT_MOST,
        ],
    )
    if not found:
        return Verdict.unknown(f"{table.feed} has no loaded batch: nothing to compare.", passed=True, points=0)
    series = [(row[0], row[1]) for row in found]
    since = situation.now_utc - timedelta(hours=parameters.recent_hours)
    recent = [row[0] for row in found if row[2] is not None and row[2] >= since][:JUDGED_AT_MOST]
    return judge(str(table.feed), series, recent or [found[0][0]], parameters)
