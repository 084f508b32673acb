"""What each arm of an experiment sold, by day and in total, and how certain its difference from the control arm is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.dbt.macros import variable
from tests.numbers.oracle.archive import Archive
from tests.numbers.oracle.compare import Table, ratio
from tests.numbers.oracle.investor.periods import Figures
from tests.numbers.oracle.investor.sales import Sale, total


@dataclass(frozen=True)
class Arm:
    experiment: str
    name: str
    units: dict[str, datetime]
    """Unit → when it was assigned."""
    expected_share: float
    last_day: date

    def bought(self, known: list[Sale]) -> list[Sale]:
        """The purchases of the experiment's units after the units were assigned, and while the experiment ran."""
        return [
            sale
            for sale in known
            if sale.unit in self.units and sale.at >= self.units[sale.unit] and sale.day <= self.last_day
        ]


def arms(archive: Archive) -> list[Arm]:
    """The arms from the last extract with the experiment. A unit in both arms belongs to neither."""
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
    """The profit of each unit, including units without a purchase."""
    bought = arm.bought(known)
    return [total((sale for sale in bought if sale.unit == unit), lambda sale: sale.profit) for unit in arm.units]


def mean_profit(arm: Arm, known: list[Sale]) -> Fraction:
    return Fraction(sum(profits(arm, known), Decimal(0))) / len(arm.units)


def half_width(arm: Arm, control: Arm, known: list[Sale]) -> float | None:
    """Half the width of the always-valid interval: Robbins' normal mixture over the purchases of both arms."""
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
    # The mixture likelihood ratio of z standard errors is sqrt(1 / (1 + r)) * exp(z² r / (2 (1 + r))). Here r is the
    # number of purchases divided by the number to which the mixture is tuned. The result is the z at which the ratio
    # reaches 1 / rate.
    r = purchases / tuned
    z = math.sqrt(2 * (1 + r) / r * math.log(math.sqrt(1 + r) / rate))
    return math.sqrt(error_sum) * z


def verdict(difference: Fraction | None, half: float | None) -> str:
    if difference is None:
        return "baseline"
    if half is not None and abs(difference) > half:
        return "better" if difference > 0 else "worse"
    return "inconclusive"
