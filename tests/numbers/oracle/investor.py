"""What investors are told, from the files of sales, spend, experiments and product use."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.dbt.macros import variable
from tests.numbers.oracle.archive import Archive, newest
from tests.numbers.oracle.compare import Table, ratio

Figures = dict[str, Any]
Period = tuple[str, date, date]
"""month or quarter, its first and its last day."""


@dataclass(frozen=True)
class Sale:
    unit: str
    at: datetime
    revenue: Decimal
    cost: Decimal

    @property
    def day(self) -> date:
        return self.at.date()

    @property
    def profit(self) -> Decimal:
        return self.revenue - self.cost


@dataclass(frozen=True)
class Reported:
    """A figure as it was told; it stays, whatever comes later."""

    value: Decimal
    as_of: date


@dataclass
class Reports:
    """What has been reported so far: `close` is to be called after each build, as a build reports."""

    told: dict[tuple[str, str, date], Reported]

    def close(self, archive: Archive) -> None:
        """Report each period that has closed, in so far as every file of it has come, and that was not reported before."""
        touched = {period for row in archive.rows("transactions") for period in periods(row.day("occurred_at"))}
        newest_file = max(archive.days("transactions"), default=date.min)
        for kind, first, last in touched:
            closing = last + timedelta(days=variable("investor_close_days"))
            days = set(span(first, last))
            if closing > newest_file or not days <= archive.days("transactions"):
                continue
            of_period = [sale for sale in sales(archive, closing) if first <= sale.day <= last]
            revenue = sum((sale.revenue for sale in of_period), Decimal(0))
            self.told.setdefault(("revenue", kind, first), Reported(revenue, closing))
            if days <= archive.days("marketing_spend"):
                spent = sum(amount for (day, _), amount in spend(archive, closing).items() if first <= day <= last)
                profit = sum((sale.profit for sale in of_period), Decimal(0)) - spent
                self.told.setdefault(("profit", kind, first), Reported(profit, closing))


def tables(archive: Archive, reports: Reports) -> dict[str, Table]:
    known = sales(archive, date.max)
    return {
        "kpi_aggregate_profit": profit(archive, known, reports),
        "kpi_aggregate_growth": growth(archive, known),
        "kpi_aggregate_engagement": engagement(archive),
        "kpi_experiment_daily_growth": experiment_days(archive, known),
        "kpi_experiment_unit_profit": experiment_profit(archive, known),
        "rec_restatements": restatements(archive, known, reports),
    }


def sales(archive: Archive, known_on: date) -> list[Sale]:
    """The newest version of each transaction in the files dated up to `known_on`. A refund takes the revenue back."""
    rows = [row for row in archive.rows("transactions") if row.file.day <= known_on]
    found = []
    for row in newest(rows, lambda row: row.known("transaction_id"), "updated_at").values():
        quantity = row.number("quantity")
        revenue = Decimal(0) if row.known("status") == "refunded" else quantity * row.number("unit_revenue")
        found.append(Sale(row.known("unit_id"), row.moment("occurred_at"), revenue, quantity * row.number("unit_cost")))
    return found


def spend(archive: Archive, known_on: date) -> dict[tuple[date, str], Decimal]:
    rows = [row for row in archive.rows("marketing_spend") if row.file.day <= known_on]
    rows_of = newest(rows, lambda row: (row.day("spend_date"), row.known("channel")))
    return {key: row.number("spend_amount") for key, row in rows_of.items()}


def periods(day: date) -> Iterator[Period]:
    """The month and the quarter of a day."""
    for kind, months in (("month", 1), ("quarter", 3)):
        first = date(day.year, day.month - (day.month - 1) % months, 1)
        following = first.month + months
        last = date(first.year + (following > 12), following - 12 * (following > 12), 1) - timedelta(days=1)
        yield kind, first, last


def span(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def of(period: Period, days: Iterable[date]) -> int:
    """How many of the days are in the period."""
    return sum(period[1] <= day <= period[2] for day in set(days))


def every(days: Iterable[date]) -> set[Period]:
    return {period for day in days for period in periods(day)}


def is_whole(period: Period, delivered: set[date]) -> bool:
    return set(span(period[1], period[2])) <= delivered


def against_before(rows: dict[tuple[Any, ...], Figures], name: str, to: str) -> None:
    """Growth of `name` against the period before: NULL unless both are complete and the one before is above zero."""
    for (kind, first), row in rows.items():
        before = next((first_day for of_kind, first_day, _ in periods(first - timedelta(days=1)) if of_kind == kind))
        old = rows.get((kind, before))
        comparable = old is not None and old["is_complete"] and row["is_complete"] and old[name] > 0
        row[to] = ratio(row[name] - old[name], old[name]) if comparable and old else None


def profit(archive: Archive, known: list[Sale], reports: Reports) -> Table:
    with_sales, with_spend = archive.days("transactions"), archive.days("marketing_spend")
    spent = spend(archive, date.max)
    rows: dict[tuple[Any, ...], Figures] = {}
    days = {sale.day for sale in known} | {day for day, _ in spent} | with_sales | with_spend
    for period in every(days):
        kind, first, last = period
        mine = [sale for sale in known if first <= sale.day <= last]
        revenue, cost = total(mine, lambda sale: sale.revenue), total(mine, lambda sale: sale.cost)
        marketing = sum((amount for (day, _), amount in spent.items() if first <= day <= last), Decimal(0))
        told = reports.told.get(("profit", kind, first))
        rows[kind, first] = {
            "period_end": last,
            "days_delivered": of(period, with_sales & with_spend),
            "is_complete": is_whole(period, with_sales & with_spend),
            "revenue": revenue,
            "cost": cost,
            "marketing_spend": marketing,
            "profit": revenue - cost - marketing,
            "profit_margin": ratio(revenue - cost - marketing, revenue),
            "reported_profit": told and told.value,
            "reported_as_of": told and told.as_of,
        }
    against_before(rows, "profit", "profit_growth")
    return Table(("period_type", "period_start"), rows)


def total(chosen: Iterable[Sale], amount: Callable[[Sale], Decimal]) -> Decimal:
    return sum((amount(sale) for sale in chosen), Decimal(0))


def growth(archive: Archive, known: list[Sale]) -> Table:
    rows: dict[tuple[Any, ...], Figures] = {}
    for period in every(sale.day for sale in known):
        kind, first, last = period
        mine = [sale for sale in known if first <= sale.day <= last]
        buyers = {sale.unit for sale in mine}
        earlier = {sale.unit for sale in known if sale.day < first}
        revenue = total(mine, lambda sale: sale.revenue)
        rows[kind, first] = {
            "period_end": last,
            "days_delivered": of(period, archive.days("transactions")),
            "is_complete": is_whole(period, archive.days("transactions")),
            "revenue": revenue,
            "transactions": len(mine),
            "buyers": len(buyers),
            "new_buyers": len(buyers - earlier),
            "revenue_per_buyer": ratio(revenue, len(buyers)),
        }
    against_before(rows, "revenue", "revenue_growth")
    against_before(rows, "buyers", "buyers_growth")
    return Table(("period_type", "period_start"), rows)


def engagement(archive: Archive) -> Table:
    events = newest(archive.rows("product_events"), lambda row: row.known("event_id")).values()
    delivered = archive.days("product_events")
    rows: dict[tuple[Any, ...], Figures] = {}
    for period in every(row.day("occurred_at") for row in events):
        kind, first, last = period
        mine = [row for row in events if first <= row.day("occurred_at") <= last]
        days = {row.day("occurred_at") for row in mine}
        units = {row.known("unit_id") for row in mine}
        unit_days = {(row.day("occurred_at"), row.known("unit_id")) for row in mine}
        sessions = len({(row.day("occurred_at"), row.known("unit_id"), row.known("session_id")) for row in mine})
        seconds = sum(int(row.text("duration_seconds") or 0) for row in mine)
        rows[kind, first] = {
            "period_end": last,
            "days_delivered": of(period, delivered),
            "holiday_days": sum(is_holiday(day) for day in days),
            "is_complete": is_whole(period, delivered),
            "active_units": len(units),
            "sessions": sessions,
            "sessions_per_unit": ratio(sessions, len(units)),
            "seconds_per_session": ratio(seconds, sessions),
            "stickiness": ratio(Fraction(len(unit_days), len(days)), len(units)),
        }
    against_before(rows, "active_units", "active_units_growth")
    return Table(("period_type", "period_start"), rows)


def is_holiday(day: date) -> bool:
    """A federal holiday of the United States, from Thanksgiving to Cyber Monday, or from 24 December on."""
    thanksgiving = nth_weekday(day.year, 11, 3, 4)
    fixed = {(1, 1), (6, 19), (7, 4), (11, 11)}
    moving = {nth_weekday(day.year, month, 0, nth) for month, nth in ((1, 3), (2, 3), (9, 1), (10, 2))}
    memorial = date(day.year, 5, 31) - timedelta(days=date(day.year, 5, 31).weekday())
    return (
        (day.month, day.day) in fixed
        or day in moving | {memorial}
        or thanksgiving <= day <= thanksgiving + timedelta(days=4)
        or (day.month == 12 and day.day >= 24)
    )


def nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


@dataclass(frozen=True)
class Arm:
    experiment: str
    name: str
    units: dict[str, datetime]
    """Unit → when it was assigned."""
    expected_share: float
    last_day: date

    def bought(self, known: list[Sale]) -> list[Sale]:
        """What its units bought since they were assigned, and while the experiment ran."""
        return [
            sale
            for sale in known
            if sale.unit in self.units and sale.at >= self.units[sale.unit] and sale.day <= self.last_day
        ]


def arms(archive: Archive) -> list[Arm]:
    """From the last extract that has the experiment; a unit in both arms belongs to neither."""
    found = []
    rows = archive.rows("experiment_assignments")
    for experiment in {row.known("experiment_id") for row in rows}:
        last = max(row.file.day for row in rows if row.known("experiment_id") == experiment)
        said = [row for row in rows if row.known("experiment_id") == experiment and row.file.day == last]
        arms_of: dict[str, set[str]] = {}
        for row in said:
            arms_of.setdefault(row.known("unit_id"), set()).add(row.known("arm"))
        clear = [row for row in said if len(arms_of[row.known("unit_id")]) == 1]
        for name in {row.known("arm") for row in clear}:
            of_arm = [row for row in clear if row.known("arm") == name]
            units = {row.known("unit_id"): row.moment("assigned_at") for row in of_arm}
            found.append(Arm(experiment, name, units, float(of_arm[0].known("expected_share")), last))
    return found


def experiment_days(archive: Archive, known: list[Sale]) -> Table:
    rows: dict[tuple[Any, ...], Figures] = {}
    for arm in arms(archive):
        first = min(arm.units.values()).date()
        bought = arm.bought(known)
        for day in sorted(day for day in archive.days("transactions") if first <= day <= arm.last_day):
            mine = [sale for sale in bought if sale.day == day]
            buyers = len({sale.unit for sale in mine})
            revenue, gain = total(mine, lambda sale: sale.revenue), total(mine, lambda sale: sale.profit)
            old = rows.get((arm.experiment, arm.name, day - timedelta(days=1)))
            rows[arm.experiment, arm.name, day] = {
                "units": len(arm.units),
                "buyers": buyers,
                "transactions": len(mine),
                "revenue": revenue,
                "profit": gain,
                "conversion": ratio(buyers, len(arm.units)),
                "revenue_growth": ratio(revenue - old["revenue"], old["revenue"]) if old else None,
                "profit_growth": ratio(gain - old["profit"], old["profit"]) if old and old["profit"] > 0 else None,
            }
    return Table(("experiment_id", "arm", "business_date"), rows)


def experiment_profit(archive: Archive, known: list[Sale]) -> Table:
    rows: dict[tuple[Any, ...], Figures] = {}
    of_experiments = arms(archive)
    for arm in of_experiments:
        siblings = [other for other in of_experiments if other.experiment == arm.experiment]
        control = next((other for other in siblings if other.name == "control" and arm.name != "control"), None)
        all_units = sum(len(other.units) for other in siblings)
        chi_square = sum(
            (len(other.units) - other.expected_share * all_units) ** 2 / (other.expected_share * all_units)
            for other in siblings
        )
        bought = arm.bought(known)
        gain = total(bought, lambda sale: sale.profit)
        is_off = chi_square > variable("srm_chi_square")
        difference = mean_profit(arm, known) - mean_profit(control, known) if control else None
        half = half_width(arm, control, known) if control else None
        rows[arm.experiment, arm.name] = {
            "first_date": min(min(other.units.values()).date() for other in siblings),
            "last_date": arm.last_day,
            "units": len(arm.units),
            "buyers": len({sale.unit for sale in bought}),
            "purchases": len(bought),
            "revenue": total(bought, lambda sale: sale.revenue),
            "profit": gain,
            "profit_per_unit": ratio(gain, len(arm.units)),
            "difference": difference,
            "difference_low": None if difference is None or half is None else difference - Fraction(half),
            "difference_high": None if difference is None or half is None else difference + Fraction(half),
            "expected_share": arm.expected_share,
            "actual_share": len(arm.units) / all_units,
            "sample_ratio_chi_square": chi_square,
            "is_sample_ratio_mismatch": is_off,
            "verdict": "invalid" if is_off else verdict(difference, half),
        }
    return Table(("experiment_id", "arm"), rows)


def profits(arm: Arm, known: list[Sale]) -> list[Decimal]:
    """Of each unit, those that bought nothing included."""
    bought = arm.bought(known)
    return [total((sale for sale in bought if sale.unit == unit), lambda sale: sale.profit) for unit in arm.units]


def mean_profit(arm: Arm, known: list[Sale]) -> Fraction:
    return Fraction(sum(profits(arm, known), Decimal(0))) / len(arm.units)


def half_width(arm: Arm, control: Arm, known: list[Sale]) -> float | None:
    """Of the always-valid interval: Robbins' normal mixture over the purchases of both arms."""
    error_sum = 0.0
    for group in (arm, control):
        values, middle = profits(group, known), mean_profit(group, known)
        if len(values) < 2:
            return None
        variance = sum((Fraction(value) - middle) ** 2 for value in values) / (len(values) - 1)
        error_sum += float(variance) / len(values)
    purchases = len(arm.bought(known)) + len(control.bought(known))
    if not purchases:
        return None
    tuned, rate = float(variable("experiment_tuned_purchases")), float(variable("experiment_error_rate"))
    # The mixture likelihood ratio of z standard errors is sqrt(1 / (1 + r)) * exp(z² r / (2 (1 + r))), with r purchases
    # in units of those it is tuned to; z is where it reaches 1 / rate.
    r = purchases / tuned
    z = math.sqrt(2 * (1 + r) / r * math.log(math.sqrt(1 + r) / rate))
    return math.sqrt(error_sum) * z


def verdict(difference: Fraction | None, half: float | None) -> str:
    if difference is None:
        return "baseline"
    if half is not None and abs(difference) > half:
        return "better" if difference > 0 else "worse"
    return "inconclusive"


def restatements(archive: Archive, known: list[Sale], reports: Reports) -> Table:
    spent = spend(archive, date.max)
    rows: dict[tuple[Any, ...], Figures] = {}
    for (metric, kind, first), told in reports.told.items():
        [last] = [last for of_kind, _, last in periods(first) if of_kind == kind]
        mine = [sale for sale in known if first <= sale.day <= last]
        if metric == "revenue":
            current = total(mine, lambda sale: sale.revenue)
        else:
            marketing = sum((amount for (day, _), amount in spent.items() if first <= day <= last), Decimal(0))
            current = total(mine, lambda sale: sale.profit) - marketing
        change = current - told.value
        rows[metric, kind, first] = {
            "period_end": last,
            "reported_as_of": told.as_of,
            "reported_value": told.value,
            "current_value": current,
            "change": change,
            "change_percent": ratio(100 * change, abs(told.value)),
            "is_beyond_tolerance": abs(change) * 100 > variable("investor_restatement_percent") * abs(told.value),
        }
    return Table(("metric", "period_type", "period_start"), rows)
