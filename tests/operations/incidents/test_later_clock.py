"""A rehearsal with tomorrow's clock does not keep today's ladder from climbing."""

from __future__ import annotations

from datetime import timedelta

from tests.operations.incidents.world import IncidentWorld

DAY = timedelta(days=1)


def _rehearsed(tmp_path) -> IncidentWorld:
    """The job failed in a rehearsal of tomorrow; then today's clock goes on."""
    day = IncidentWorld(tmp_path, "2026-03-05 09:00")
    day.job_fails()
    day.advance("1m")
    day.calls()
    day.now -= DAY
    return day


def test_the_ladder_of_an_incident_that_a_rehearsal_opened_climbs_today(tmp_path):
    day = _rehearsed(tmp_path)
    day.job_fails()
    day.advance("2h")
    steps = day.incident().policy.steps
    assert day.timeline().count("step_taken") + day.timeline().count("step_skipped") >= 2
    assert day.calls(), [step.after for step in steps]
    assert day.incident().triggered_at <= day.now


def test_an_incident_that_ended_in_a_rehearsal_is_opened_again_today(tmp_path):
    day = _rehearsed(tmp_path)
    day.now += DAY
    day.job_succeeds()
    day.advance("10m")
    assert not day.incident().open
    day.now -= DAY
    day.job_fails()
    day.advance("2h")
    open_now = [i for n in (1, 2) if (i := day.incident(n)) is not None and i.open]
    assert len(open_now) == 1 and open_now[0].triggered_at <= day.now and day.calls()
