"""Writes our routing tree as a configuration of Alertmanager. Alertmanager's tools can read it, and its decisions can
be compared with ours.

Digests, holidays and inhibition by the asset graph are left out, because Alertmanager does not have them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ops_project.model.alerting.calendar import Calendar, TimeInterval
from ops_project.model.alerting.receiver import Receivers
from ops_project.model.alerting.route import Route, Routes
from ops_project.model.duration import format_duration

NO_LABEL = "no_alert_has_this_label"


def export(routes: Routes, calendar: Calendar, receivers: Receivers) -> dict[str, Any]:
    """The configuration file as plain data."""
    named = {
        name: [_interval(item) for item in items if not item.holidays]
        for name, items in calendar.time_intervals.items()
    }
    known = {name for name, items in named.items() if items}
    return {
        "route": _route(routes.route, known),
        "receivers": [{"name": name} for name in receivers.receivers],
        "inhibit_rules": [
            {
                "source_matchers": [str(m) for m in rule.source_matchers],
                "target_matchers": [str(m) for m in rule.target_matchers],
                "equal": list(rule.equal),
            }
            for rule in routes.inhibit_rules
        ],
        "time_intervals": [{"name": name, "time_intervals": items} for name, items in named.items() if items],
    }


def _route(route: Route, known: set[str]) -> dict[str, Any]:
    result: dict[str, Any] = {"receiver": route.receiver} if route.receiver else {}
    if route.matchers:
        result["matchers"] = [str(matcher) for matcher in route.matchers]
    if route.continue_:
        result["continue"] = True
    if route.group_by is not None:
        # In Alertmanager, an empty list means that the value is inherited. In routes.yaml, it means that all alerts
        # form one group.
        result["group_by"] = list(route.group_by) or [NO_LABEL]
    for name in ("group_wait", "group_interval", "repeat_interval"):
        if (value := getattr(route, name)) is not None:
            result[name] = format_duration(value)
    for name in ("mute_time_intervals", "active_time_intervals"):
        if kept := [item for item in getattr(route, name) if item in known]:
            result[name] = kept
    if route.routes:
        result["routes"] = [_route(child, known) for child in route.routes]
    return result


def _interval(interval: TimeInterval) -> Mapping[str, Any]:
    result: dict[str, Any] = {}
    if interval.times:
        result["times"] = [{"start_time": t.start_time, "end_time": t.end_time} for t in interval.times]
    for name in ("weekdays", "days_of_month", "months", "years"):
        if values := getattr(interval, name):
            result[name] = [str(value) for value in values]
    result["location"] = interval.location
    return result
