"""Uptime counts only the time in which a process looked."""

from __future__ import annotations

from datetime import timedelta

from ops_project.lineage import Lineage
from ops_project.model.alerting.signal import FIRING, OK
from ops_project.operations.alerting.observers import service_levels as observe_expected
from ops_project.operations.alerting.service_levels import standing as service_levels
from ops_project.operations.alerting.service_levels.uptime import measured_time, uptime
from tests.operations.alerting.observers.place import KPIS, investor, new_york


def _days_of_looks(place, first, last, step=timedelta(minutes=5)):
    found, at = [], first
    while at <= last:
        found += place.look(observe_expected, at)
        at += step
    return found


def test_uptime_counts_only_measured_time_and_is_told_when_below_its_target(place):
    investor(place, new_york("03:00"))
    _days_of_looks(place, new_york("08:00"), new_york("08:00") + timedelta(hours=12))
    # No process looks at night. The next morning the tables are an hour late.
    tomorrow = timedelta(days=1)
    late = _days_of_looks(place, new_york("07:00") + tomorrow, new_york("08:55") + tomorrow)
    assert "sla.uptime_low" not in {s.kind for s in late}, "less than a day was measured"
    for kpi in KPIS:
        place.saw("asset.failure", OK, new_york("09:00") + tomorrow, asset=f"gold/{kpi}")
    found = _days_of_looks(place, new_york("09:00") + tomorrow, new_york("09:00") + timedelta(hours=34))
    [told] = [s for s in found if s.kind == "sla.uptime_low"]
    intervals = service_levels.measured(place.ledger)["investor-metrics"]
    assert measured_time(intervals, new_york("09:00") + timedelta(hours=34)) == timedelta(hours=24)
    assert told.state == FIRING and "95.83 % of 1.0 measured days" in told.message
    assert uptime(intervals, new_york("09:00") + timedelta(days=200)) is None


def test_a_look_without_the_assets_of_a_service_level_forgets_nothing_of_it(place):
    investor(place, new_york("03:00"))
    _days_of_looks(place, new_york("08:00"), new_york("10:00"))
    measured = service_levels.measured(place.ledger)
    assert measured_time(measured["investor-metrics"], new_york("10:00")) == timedelta(hours=2)
    place.lineage = Lineage()
    place.look(observe_expected, new_york("10:01"))
    assert service_levels.measured(place.ledger) == measured
    place.look(observe_expected, new_york("10:01") + timedelta(days=90))
    assert service_levels.measured(place.ledger) == {}
