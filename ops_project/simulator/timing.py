"""When files arrive, and how busy a day is. All source systems use these functions."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from ops_project.simulator.world import World

# The e-commerce jobs start at 02:00 New York time, so the source systems deliver earlier.
FIRST_ARRIVAL = time(0, 30)
ARRIVAL_SPREAD = timedelta(minutes=30)
# The factor of each weekday, from Monday to Sunday.
WEEKDAYS = (1.02, 0.97, 0.96, 0.98, 1.06, 1.12, 0.89)


def arrival(world: World, zone: ZoneInfo, domain: str, name: str, day: date) -> datetime:
    """The time at which a daily file for business date `day` arrives, in UTC, in whole seconds. It is between 00:30 and
    01:00 of the next day in `zone`.
    """
    first = datetime.combine(day + timedelta(days=1), FIRST_ARRIVAL, zone)
    late_by = world.rng("arrival", domain, name, day).integers(0, int(ARRIVAL_SPREAD.total_seconds()))
    return first.astimezone(UTC) + timedelta(seconds=int(late_by))


def demand(world: World, domain: str, day: date, *, yearly_swing: float = 0.06, noise: float = 0.02) -> float:
    """The factor of a day's volume. It depends on the weekday, the time of year and chance. Its mean over a year is
    about 1.
    """
    season = 1.0 + yearly_swing * float(np.cos(2 * np.pi * (day.timetuple().tm_yday - 345) / 365.25))
    chance = float(np.exp(noise * world.rng(domain, "demand", day).standard_normal()))
    return WEEKDAYS[day.weekday()] * season * chance


def seconds_of_day(rng: np.random.Generator, size: int) -> np.ndarray:
    """Times within a day in seconds, sorted. There are few at night, more at noon, and most in the evening."""
    hours = np.array([3, 2, 1, 1, 1, 2, 4, 8, 14, 20, 24, 26, 28, 26, 24, 23, 24, 27, 32, 36, 36, 30, 20, 9], float)
    edges = np.concatenate([[0.0], np.cumsum(hours)])
    drawn = np.sort(rng.random(size)) * edges[-1]
    hour = np.searchsorted(edges, drawn, side="right") - 1
    seconds: np.ndarray = ((hour + (drawn - edges[hour]) / hours[hour]) * 3600.0).astype(np.int64).clip(0, 86_399)
    return seconds
