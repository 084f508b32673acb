"""Compares the values of the newest files with those of earlier files, column by column. It finds what a contract
cannot express: two columns of the same type that were swapped, another unit, a column that is empty, words in a new
coding.

A difference is reported only if it is clear: several numbers of the distribution must lie outside of what the earlier
files predict. The prediction includes growth, weekends and rare values. If there are too few files, the result is
unknown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean, stdev

from asset_checks.counted import counted
from asset_checks.days import days_later
from asset_checks.parameters import ColumnParameters
from asset_checks.primitives.batches import recent_batches
from asset_checks.primitives.interval import t_quantile
from asset_checks.primitives.profiles import Profile, profiles
from asset_checks.specs import TableSpec
from asset_checks.verdict import Situation, Verdict

NAME = "column_values"
DESCRIPTION = "The values of each column in the newest files are distributed as in the files before them."
FAILURE_CLASS = "value_anomaly"
# A first load brings many dates. Only the newest of them are judged.
JUDGED_AT_MOST = 7
SHOWN = 20
# In a normal distribution, the tenth and the ninetieth percentile are this many standard deviations apart.
DECILES_APART = 2.563
# A number that has never varied shows no noise. Only if it changes by this factor, it counts as a change of unit.
CONSTANT_FACTOR = 50
# The mean length of a text changes by itself, for example in a name that ends with a number. A swapped column differs
# by more than this factor.
LENGTH_FACTOR = 1.5
# If at least this share of the words of a file occurs in no earlier file, the words have a new coding.
NEW_WORDS = 0.9
# The noise that is added for whole numbers, because they can only jump from one value to the next.
GRAIN = {"whole": 0.5, "moment": 0.5}


@dataclass(frozen=True)
class Departure:
    """A column of a file whose values differ from those of earlier files."""

    column: str
    what: str
    """The difference in words, together with the expected value."""
    severe: bool = False


def applies(table: TableSpec) -> bool:
    return table.feed is not None and bool(table.monitored)


def departures(
    history: Sequence[Profile], now: Profile, kind: str, parameters: ColumnParameters, personal: bool = False
) -> list[Departure]:
    """How a column of a file differs from the same column of earlier files. Empty if it does not differ. Also empty if
    there are too few earlier files or values to decide.
    """
    if len(history) < parameters.min_points:
        return []
    reach = t_quantile((1 + parameters.confidence) / 2, len(history) - 1)
    if emptied := _emptied(history, now, reach, parameters):
        return [emptied]
    before = [profile for profile in history if profile.filled >= parameters.min_rows]
    if now.filled < parameters.min_rows or len(before) < parameters.min_points:
        return []
    if kind == "flag":
        found = _share_of_true(before, now, reach, parameters)
    elif kind == "text":
        found = _length(before, now) or _words(before, now)
    else:
        found = _numbers(before, now, kind, reach, parameters)
    if found is None:
        return []
    return [Departure(now.column, "its values have changed (personal data, not shown)") if personal else found]


def _emptied(history: Sequence[Profile], now: Profile, reach: float, parameters: ColumnParameters) -> Departure | None:
    shares = [profile.share for profile in history]
    expected = fmean(shares)
    if now.share >= expected - reach * _share_noise(shares, now.rows, parameters):
        return None
    if not now.filled:
        return Departure(
            now.column, f"is empty in all {counted(now.rows, 'row')}, but it was filled in {expected:.0%} before", True
        )
    return Departure(now.column, f"is filled in {now.share:.0%} of the rows, but {expected:.0%} were expected")


def _share_of_true(
    before: Sequence[Profile], now: Profile, reach: float, parameters: ColumnParameters
) -> Departure | None:
    shares = [profile.mean or 0.0 for profile in before]
    expected, share = fmean(shares), now.mean or 0.0
    if abs(share - expected) <= reach * _share_noise(shares, now.filled, parameters):
        return None
    return Departure(now.column, f"is true in {share:.0%} of the rows, but {expected:.0%} were expected")


def _share_noise(shares: Sequence[float], rows: int, parameters: ColumnParameters) -> float:
    """The standard deviation of the next share. It combines the variation from day to day, the random variation among
    the rows, and a minimum.
    """
    smooth = (fmean(shares) * rows + 1) / (rows + 2) if rows else 0.5
    sampling = smooth * (1 - smooth) / rows if rows else 0.0
    return math.sqrt(stdev(shares) ** 2 * (1 + 1 / len(shares)) + sampling + parameters.min_noise**2)


def _numbers(
    before: Sequence[Profile], now: Profile, kind: str, reach: float, parameters: ColumnParameters
) -> Departure | None:
    lowest = min(profile.low or 0.0 for profile in before)
    highest = max(profile.high or 0.0 for profile in before)
    if lowest == highest:
        return _left_constant(lowest, now) if kind != "moment" else None
    spread = fmean(((profile.ninetieth or 0.0) - (profile.tenth or 0.0)) / DECILES_APART for profile in before)
    # In some columns, most values lie at one end of the range (no discount, no rain, full marks). On a busy day, all
    # four numbers below leave this end together; this happened on 24 of 728 half-days of weather. So in such a column,
    # only numbers beyond the earlier range count.
    at_end = sum(profile.median in (profile.low, profile.high) for profile in before)
    heaped = 2 * at_end > len(before)
    moved: list[tuple[float, str, float, float]] = []
    for name in ("tenth", "median", "ninetieth", "mean"):
        series = [getattr(profile, name) or 0.0 for profile in before]
        expected, value = fmean(series), getattr(now, name) or 0.0
        noise = math.sqrt(
            stdev(series) ** 2 * (1 + 1 / len(series))
            + (0.0 if kind == "moment" else (parameters.min_noise * expected) ** 2)
            + (2 * spread) ** 2 / now.filled
            + GRAIN.get(kind, 0.0) ** 2
        )
        distance = abs(value - expected)
        if noise and distance > reach * noise and not (heaped and lowest <= value <= highest):
            moved.append((distance / noise, name, value, expected))
    # In a healthy column whose distribution has two peaks or a long tail, one number alone may jump. So one number is
    # not enough.
    if len(moved) < 2:
        return None
    _, name, value, expected = next((item for item in moved if item[1] == "median"), max(moved))
    unit = " days from the file's date" if kind == "moment" else ""
    hint = ""
    if kind != "moment" and expected and value / expected > 0 and not 0.2 < value / expected < 5:
        hint = f", {value / expected:.3g} times as much"
    words = {"tenth": "lowest tenth", "median": "median", "mean": "mean", "ninetieth": "highest tenth"}[name]
    return Departure(now.column, f"has a {words} of {value:.6g}{unit}, but about {expected:.6g} was expected{hint}")


def _left_constant(constant: float, now: Profile) -> Departure | None:
    value = now.median or 0.0
    if not constant or (value and 1 / CONSTANT_FACTOR < abs(value / constant) < CONSTANT_FACTOR):
        return None
    return Departure(now.column, f"has a median of {value:.6g}, but every earlier value was {constant:.6g}")


def _length(before: Sequence[Profile], now: Profile) -> Departure | None:
    lengths = [profile.mean or 0.0 for profile in before]
    length = now.mean or 0.0
    if min(lengths) / LENGTH_FACTOR <= length <= max(lengths) * LENGTH_FACTOR:
        return None
    return Departure(
        now.column, f"has {length:.3g} characters on average, but about {fmean(lengths):.3g} were expected"
    )


def _words(before: Sequence[Profile], now: Profile) -> Departure | None:
    """The difference, if nearly all words of the file are new although a file usually brings hardly any new word. None
    if there is no such difference, or if a file has too many different words for them to be counted.
    """
    if now.counts is None or any(not profile.counts for profile in before):
        return None
    if max(len(profile.counts or ()) for profile in before) < 2:
        # Each file has one word in this column, such as a label or a date. It is normal that this word changes.
        return None
    half = len(before) // 2
    known: set[str] = set()
    usual = 0.0
    for index, profile in enumerate(before):
        if index >= half:
            usual = max(usual, _unseen(profile.counts or {}, known)[0])
        known.update(profile.counts or ())
    share, example = _unseen(now.counts, known)
    if share < NEW_WORDS or usual > 1 - NEW_WORDS:
        return None
    return Departure(
        now.column,
        f"holds {share:.0%} words that no earlier file held ({example!r}); before: {', '.join(sorted(known)[:5])}",
    )


def _unseen(counts: Mapping[str, int], known: set[str]) -> tuple[float, str]:
    strangers = {word: count for word, count in counts.items() if word not in known}
    total = sum(counts.values())
    return (sum(strangers.values()) / total if total else 0.0), max(strangers, key=lambda w: strangers[w], default="")


def judge(
    feed: str,
    found: Mapping[tuple[str, str], Sequence[Departure]],
    judged: int,
    too_few: bool,
    parameters: ColumnParameters,
) -> Verdict:
    """The verdict on the files of a feed. `found`: (file, date) → the differences in this file. `judged`: the number of
    judged files. `too_few`: there were too few earlier files to judge.
    """
    if too_few:
        return Verdict.unknown(
            f"{feed}: too few earlier files to know what its values are like (from {parameters.min_points} on).",
            passed=True,
        )
    bad = {where: items for where, items in found.items() if items}
    if not bad:
        return Verdict.ok(f"{feed}: the values of {counted(judged, 'file')} are as expected.", judged=judged)
    (file, _), items = list(bad.items())[-1]
    listed = "; ".join(f"{item.column} {item.what}" for item in items[:3])
    more = f"; and {counted(len(items) - 3, 'more column')}" if len(items) > 3 else ""
    return Verdict.fail(
        f"{feed}: {file}: {listed}{more}. Compare with the file before it: columns swapped, another unit, a field that "
        "is no longer filled? If it is right, nothing is to be done: the next files are compared with it too."
        + (f" {len(bad)} files are affected." if len(bad) > 1 else ""),
        "high" if any(item.severe for items in bad.values() for item in items) else "medium",
        FAILURE_CLASS,
        files=[name for name, _ in bad][:SHOWN],
        dates=sorted({when for _, when in bad})[:SHOWN],
        columns=[
            {"file": name, "date": when, "column": item.column, "finding": item.what}
            for (name, when), items in bad.items()
            for item in items
        ][:SHOWN],
        judged=judged,
    )


def evaluate(situation: Situation, table: TableSpec) -> Verdict:
    parameters = situation.parameters.columns
    measured = profiles(situation, table, parameters.history + JUDGED_AT_MOST)
    if not measured:
        return Verdict.unknown(f"{table.feed} has no loaded rows: nothing to compare.", passed=True)
    by_batch: dict[str, dict[str, Profile]] = {}
    for profile in measured:
        by_batch.setdefault(profile.batch_id, {})[profile.column] = profile
    recent = {batch.batch_id: batch.file_name for batch in recent_batches(situation, table) if batch.status == "loaded"}
    news = [batch_id for batch_id in by_batch if batch_id in recent]
    dates = sorted({_of(by_batch[batch_id]).business_date for batch_id in news})[-JUDGED_AT_MOST:]
    found: dict[tuple[str, str], list[Departure]] = {}
    most = 0
    for batch_id in news:
        now = by_batch[batch_id]
        if _of(now).business_date not in dates:
            continue
        history = _before(list(by_batch.values()), _of(now), parameters)
        most = max(most, len(history))
        found[recent[batch_id], str(_of(now).business_date)] = _of_file(table, history, now, parameters)
    return judge(str(table.feed), found, len(found), most < parameters.min_points, parameters)


def _of_file(
    table: TableSpec, history: Sequence[dict[str, Profile]], now: Mapping[str, Profile], parameters: ColumnParameters
) -> list[Departure]:
    found = [
        departure
        for column, kind in table.monitored.items()
        for departure in departures(
            [item[column] for item in history], now[column], kind, parameters, column in table.personal
        )
    ]
    changed = [departure.column for departure in found]

    def fits(column: str, other: str) -> bool:
        """Whether the present values of `column` are like the values that `other` had in the earlier files."""
        return (
            not departures([item[other] for item in history], now[column], table.monitored[other], parameters)
            and now[column].filled >= parameters.min_rows
        )

    for one, other in combinations(changed[:SHOWN], 2):
        if table.monitored[one] == table.monitored[other] and fits(one, other) and fits(other, one):
            swapped = Departure(one, f"and {other} look swapped: each has the values that the other used to have", True)
            return [swapped, *(item for item in found if item.column not in (one, other))]
    return found


def _of(columns: Mapping[str, Profile]) -> Profile:
    return next(iter(columns.values()))


def _before(
    batches: Sequence[dict[str, Profile]], now: Profile, parameters: ColumnParameters
) -> list[dict[str, Profile]]:
    """The newest files of earlier dates: at most `parameters.history`, and none older than 366 days. If enough of them
    are of the same part of the day as this file, only those are taken.
    """
    earlier = [item for item in batches if _of(item).business_date < now.business_date]
    same = [item for item in earlier if _of(item).part == now.part]
    chosen = same if len(same) >= parameters.min_points else earlier
    oldest = days_later(now.business_date, -366)
    return [item for item in chosen if _of(item).business_date >= oldest][-parameters.history :]
