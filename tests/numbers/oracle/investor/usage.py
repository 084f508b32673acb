"""Checks around the investors' figures: product use compared with its weekdays, unknown units, units in two arms."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from scipy import stats

from tests.dbt.macros import variable
from tests.numbers.oracle.archive import Archive, Row, newest
from tests.numbers.oracle.compare import Near, Table

Figures = dict[str, Any]
LEAST_NOISE = float(variable("investor_min_noise"))


def product_events(archive: Archive) -> list[Row]:
    return list(newest(archive.rows("product_events"), lambda row: row.known("event_id")).values())


def experiment_arms(archive: Archive) -> Table:
    """The last extract with an experiment: its units, and the units in more than one arm."""
    rows: dict[tuple[Any, ...], Figures] = {}
    said = archive.rows("experiment_assignments")
    for experiment in {row.known("experiment_id") for row in said}:
        of_it = [row for row in said if row.known("experiment_id") == experiment]
        last = max(row.file.day for row in of_it)
        arms: dict[str, set[str]] = {}
        for row in of_it:
            if row.file.day == last:
                arms.setdefault(row.known("unit_id"), set()).add(row.known("arm"))
        double = sorted(unit for unit, found in arms.items() if len(found) > 1)
        rows[experiment,] = {
            "last_date": last,
            "units": len(arms),
            "units_in_both_arms": len(double),
            "example_unit": double[0] if double else None,
        }
    return Table(("experiment_id",), rows, schema="silver")


def transaction_units(archive: Archive, units_of_days: Mapping[date, Sequence[str]]) -> Table:
    """`units_of_days`: the buyers of each day, one entry for each sale."""
    events = product_events(archive)
    known = {row.known("unit_id") for row in [*events, *archive.rows("experiment_assignments")]}
    known_days = len({row.day("occurred_at") for row in events})
    rows: dict[tuple[Any, ...], Figures] = {}
    for day, units in units_of_days.items():
        unknown = [unit for unit in units if unit not in known]
        rows[day,] = {
            "transactions": len(units),
            "unknown_units": len(unknown),
            "example_unit": min(unknown, default=None),
            "is_within": known_days < variable("investor_unit_days")
            or len(unknown) <= variable("investor_unknown_units")
            or 100 * len(unknown) <= variable("investor_unknown_percent") * len(units),
        }
    return Table(("business_date",), rows, schema="silver")


@dataclass(frozen=True)
class Expected:
    """The prediction from the days before, on logarithms. `distance`: how far the day itself is from the prediction, as
    a standard normal deviate.
    """

    size: float
    distance: Near


def engagement_days(archive: Archive, is_holiday: Callable[[date], bool]) -> Table:
    events = product_events(archive)
    by_day: dict[date, list[Row]] = {}
    for row in events:
        by_day.setdefault(row.day("occurred_at"), []).append(row)
    measures: dict[str, Callable[[list[Row]], int]] = {
        "active_units": lambda rows: len({row.known("unit_id") for row in rows}),
        "sessions": lambda rows: len({(row.known("unit_id"), row.known("session_id")) for row in rows}),
        "engaged_seconds": lambda rows: sum(int(row.text("duration_seconds") or 0) for row in rows),
    }
    rows: dict[tuple[Any, ...], Figures] = {}
    for day, of_it in by_day.items():
        before = [on for on in by_day if 0 < (day - on).days <= variable("investor_history") and not is_holiday(on)]
        judged: dict[str, Expected | None] = {}
        for name, measure in measures.items():
            sizes = {on: math.log(measure(by_day[on]) + 0.5) for on in [*before, day]}
            judged[name] = expected(day, sizes) if len(before) >= 8 else None
        values: Figures = {name: measure(of_it) for name, measure in measures.items()}
        values |= {"is_holiday": is_holiday(day), "baseline_days": len(before)}
        for name, short in (
            ("active_units", "units"),
            ("sessions", "sessions"),
            ("engaged_seconds", "engaged_seconds"),
        ):
            found = judged[name]
            places = 0 if name == "engaged_seconds" else 1
            half = 0.5 * 10.0**-places + 1e-6
            values[f"expected_{short}"] = found and Near(math.exp(found.size) - 0.5, half)
            values["z_score" if name == "active_units" else f"{name}_z_score"] = found and found.distance
        values["status"] = status([found.distance.value for found in judged.values() if found], is_holiday(day))
        rows[day,] = values
    return Table(("business_date",), rows, schema="silver")


def status(distances: list[float], holiday: bool) -> str:
    if not distances:
        return "Insufficient History"
    low, high = -float(variable("investor_drop_z")), float(variable("investor_anomaly_z"))
    if not any(distance < low or distance > high for distance in distances):
        return "Normal"
    return "Expected Holiday" if holiday else "Anomaly Detected"


def expected(day: date, sizes: Mapping[date, float]) -> Expected | None:
    """Least squares over the days before: a level for each weekday and one growth for all, or the mean of all days."""
    before = [on for on in sizes if on != day]
    by_weekday = len(before) >= 28 and sum(on.weekday() == day.weekday() for on in before) >= 3
    level_of = {on: on.weekday() if by_weekday else 0 for on in [*before, day]}
    kept = usual(before, sizes, level_of)
    levels = sorted({level_of[on] for on in kept})
    if level_of[day] not in levels:
        return None
    columns = [[float(level_of[on] == level) for on in kept] for level in levels]
    if by_weekday:
        columns.append([float((on - day).days) for on in kept])
    design, observed = np.array(columns).T, np.array([sizes[on] for on in kept])
    degrees = len(kept) - design.shape[1]
    if degrees <= 0:
        return None
    solution, _, _, _ = np.linalg.lstsq(design, observed, rcond=None)
    squares = float(np.sum((observed - design @ solution) ** 2))
    at = np.array([float(level == level_of[day]) for level in levels] + ([0.0] if by_weekday else []))
    size = float(at @ solution)
    spread = float(at @ np.linalg.inv(design.T @ design) @ at)
    noise = max(math.sqrt(squares / degrees), LEAST_NOISE) * math.sqrt(1 + spread)
    t = (sizes[day] - size) / noise
    tail = float(stats.t.sf(abs(t), degrees))
    z = float(stats.norm.isf(tail)) if tail > 1e-200 else 30.0
    # The table rounds to two places and approximates; the comment of the model gives its error.
    return Expected(size, Near(math.copysign(z, t), 0.01 + 0.02 * z if tail > 1e-200 else math.inf))


def usual(before: list[date], sizes: Mapping[date, float], level_of: Mapping[date, int]) -> list[date]:
    """The days that are not far from the median of their level. If more than 15 % of the days are far from it, all days
    are returned.
    """
    medians = {
        level: float(np.median([sizes[on] for on in before if level_of[on] == level]))
        for level in {level_of[on] for on in before}
    }
    distance = {on: abs(sizes[on] - medians[level_of[on]]) for on in before}
    limit = 4.5 * max(1.4826 * float(np.median(list(distance.values()))), LEAST_NOISE)
    far = {on for on in before if distance[on] > limit}
    return before if len(far) > 0.15 * len(before) else [on for on in before if on not in far]
