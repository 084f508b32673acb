"""The business dates of an alert that is about several dates of its subject. If the `by` of a rule does not contain the
partition, the rule makes one alert for all dates of its subject. So a file that does not come for a week is one
problem, with one alert. The alert names the dates that are still open.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from ops_project.model.alerting.rule import Rule

DATES = "dates"
PARTITION = "partition"
# If there are more dates than this, only the first date, the last date and their number are shown.
LISTED = 3


def collects(rule: Rule) -> bool:
    """Whether an alert of this rule is about all dates of its subject."""
    return PARTITION not in rule.by


def of(labels: Mapping[str, str]) -> tuple[str, ...]:
    """The dates that the labels of an alert name, in ascending order."""
    return tuple(sorted({day for day in labels.get(DATES, labels.get(PARTITION, "")).split(",") if day}))


def labelled(labels: Mapping[str, str], days: tuple[str, ...]) -> dict[str, str]:
    """The labels of an alert that is about these dates. Only an alert about a single date has the label `partition`."""
    result = {name: value for name, value in labels.items() if name not in (DATES, PARTITION)}
    if days:
        result[DATES] = ",".join(sorted(days))
    if len(days) == 1:
        result[PARTITION] = days[0]
    return result


def in_words(days: tuple[str, ...]) -> str:
    """The dates in words: `2026-11-18, 2026-11-19`. More than LISTED dates become `7 dates from 2026-11-18 to
    2026-11-24`.
    """
    if len(days) <= LISTED:
        return ", ".join(days)
    every = "" if _gapless(days) else ", with gaps"
    return f"{len(days)} dates from {days[0]} to {days[-1]}{every}"


def _gapless(days: tuple[str, ...]) -> bool:
    try:
        first, last = date.fromisoformat(days[0]), date.fromisoformat(days[-1])
    except ValueError:
        return True
    return last - first == timedelta(days=len(days) - 1)
