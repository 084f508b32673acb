"""One year of on-call with an incident each day. Each minute has one outcome, and each incident reaches a person."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from datetime import timedelta

from ops_project import catalog
from ops_project.lineage import Lineage
from ops_project.model.alerting.alert import FIRING, RESOLVED, Alert
from ops_project.operations.incidents.decide.decide import decide
from ops_project.operations.incidents.decide.incident import acknowledge
from ops_project.operations.incidents.decide.setting import Setting
from ops_project.operations.oncall.build import rosters
from ops_project.operations.oncall.roster import spans
from ops_project.operations.oncall.targets import Surroundings
from ops_project.settings import Settings
from tests.operations.incidents.world import new_york

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def test_a_year_with_an_incident_each_day_has_one_outcome_in_each_minute(tmp_path):
    loaded = catalog.load(Settings.load(home=tmp_path, environ={}))
    roster = rosters(loaded.oncall, loaded.owners, loaded.platform.timezone, {}, {})["data-engineering"]
    begin = new_york("2026-01-05 00:00")
    found = spans(roster, begin, begin + 366 * DAY)
    starts = [span.start for span in found]
    assert found[0].start == begin and found[-1].end == begin + 366 * DAY
    around = Surroundings(
        loaded.owners, {"data-engineering": roster}, "data-engineering", loaded.escalation.class_roles
    )
    book, known, minutes, called = {}, {}, Counter(), Counter()
    for day in range(365):
        opened = begin + day * DAY + timedelta(minutes=(day * 487) % 900)
        answered = day % 3  # 0: nobody answers; 1: a person answers within the first hour; 2: the data recovers
        alert = Alert(
            number=day + 1,
            key=f"k{day}",
            rule="job_failure",
            status=FIRING,
            severity="critical",
            starts_at=opened,
            fired_at=opened,
            updated_at=opened,
            owners=("team:investor-metrics",),
            summary="failed",
            labels={"pipeline": "investor_pipeline", "domain": "investor"},
        )
        told = []
        for minute in range(0, 200):
            now = opened + minute * MINUTE
            # Each minute has one outcome: exactly one span contains it, and that span says who is paged.
            shown = found[bisect_right(starts, now) - 1]
            assert shown.start <= now < shown.end
            minutes[now] += 1
            paged = roster.at(now).paged if minute in (0, 60, 120) else shown.on_call.paged
            assert paged == shown.on_call.paged and len(paged) == 1 + shown.on_call.both
            alerts = [alert] if not (answered == 2 and minute >= 30) else []
            setting = Setting(loaded.escalation, around, Lineage(), paged, main_jobs={"investor": "investor_pipeline"})
            outcome = decide(book, alerts, known=known, next_number=day + 1, setting=setting, now=now)
            known |= {number: incident for number, (incident, _) in outcome.joined.items()}
            book |= outcome.changed
            told += [(minute, who) for call in outcome.calls if call.kind == "escalation" for who in call.who]
            if answered == 1 and minute == 20:
                book[day + 1], _ = acknowledge(book[day + 1], paged[0], "", now)
            if not outcome.changed and book[day + 1].status == RESOLVED:
                break
        expected = [(60, "engineer-a"), (120, "data-manager")] if answered == 0 else []
        assert told == expected, (day, answered, told)
        called[answered] += 1
        # The engine would end the incident together with its alert. Its post-mortem is tested elsewhere.
        book = {}
    assert max(minutes.values()) == 1
    assert sum(called.values()) == 365 and len(called) == 3
