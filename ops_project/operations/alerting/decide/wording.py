"""Puts an alert into words: fills in its title, and formats its value for people."""

from __future__ import annotations

from collections.abc import Mapping

from ops_project.model.alerting.rule import Condition, Rule
from ops_project.operations.alerting.decide.dates import in_words, of


class _Blank(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "–"


def summary(rule: Rule, failure_class: str, labels: Mapping[str, str], shown: str, days: tuple[str, ...] = ()) -> str:
    """The title of an alert. `days`: its business dates, if its rule collects dates."""
    title = next((words for name, words in rule.titles.items() if name == failure_class), rule.title)
    if len(days) > 1 and rule.title_of_days:
        title = rule.title_of_days
    about = in_words(days or of(labels))
    dated = f": {about}" if about else ""
    return title.format_map(_Blank({**labels, "value": shown, "days": in_words(days), "dated": dated}))


def shown_value(value: float | None, condition: Condition, unit: str) -> str:
    """A value in the form in which people say it: 2 h 5 min, 25 %, 3.1 GB."""
    if value is None:
        return "unknown"
    if condition.aggregate == "count":
        return f"{value:g}"
    if condition.aggregate == "ratio" or unit == "ratio":
        return f"{value:.1%}".replace(".0%", "%").replace("%", " %")
    if unit == "seconds":
        hours, rest = divmod(round(value), 3600)
        minutes, seconds = divmod(rest, 60)
        return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{seconds} s"
    if unit == "percent":
        return f"{value:.1f} %".replace(".0 ", " ")
    if unit == "bytes":
        return human_bytes(value)
    return f"{value:g}"


def human_bytes(value: float) -> str:
    """A number of bytes in the form in which people say it: 1.5 GB. The units are decimal, as on the labels of
    disks.
    """
    units = ["B", "kB", "MB", "GB", "TB"]
    while abs(value) >= 1000 and len(units) > 1:
        value /= 1000
        units.pop(0)
    return f"{value:.3g} {units[0]}"


def shown_condition(condition: Condition, value: float | None) -> str:
    window = f" in {condition.window}" if condition.window else ""
    shown = "unknown" if value is None else f"{value:g}"
    return f"{condition.metric} {condition.aggregate}{window} = {shown} {condition.op} {condition.threshold:g}"
