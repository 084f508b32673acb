"""An alert about a promise ends with the promise. The alert of a renamed SLA was sent again every hour: 62 pages in 72
hours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from ops_project import catalog
from ops_project.catalog import Catalog
from ops_project.model.alerting.signal import OK
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.alerting.observers import service_levels
from ops_project.operations.alerting.observers.observer import Observer
from ops_project.operations.alerting.stages.decide import decide_and_record
from ops_project.operations.alerting.stages.observe import observe
from ops_project.operations.ledger import open_ledger
from ops_project.settings import Settings
from tests.operations.alerting.observers.place import KPIS, NOW, Place, investor, new_york

HOUR = timedelta(hours=1)
PROMISE = "investor-metrics"


@dataclass
class Site(Place):
    """A place whose cycles decide and send."""

    def cycle(self, at: datetime) -> list[str]:
        """The titles that the open alerts about promises name, after a cycle."""
        watched = [Observer("service_levels", service_levels.look)]
        run_once(
            self.settings,
            self.catalog,
            at,
            lineage=self.lineage,
            observers=watched,
            stages=(observe, decide_and_record),
            daemon=True,
        )
        return sorted(alert.labels["check"] for alert in self.ledger.alerts("open"))

    def messages(self) -> int:
        return sum(message["kind"] == "alert" for message in self.ledger.outbox_list(None, 999))


@pytest.fixture
def site(tmp_path) -> Site:
    settings = Settings.load(home=tmp_path)
    return Site(settings, open_ledger(settings), catalog.load(settings))


def _changed(loaded: Catalog, part: str, change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> Catalog:
    items = change(dict(getattr(loaded.slas, part)))
    return replace(loaded, slas=loaded.slas.model_copy(update={part: items}))


def _without(name: str) -> Callable[[dict[str, Any]], Mapping[str, Any]]:
    return lambda items: {key: item for key, item in items.items() if key != name}


def _with(name: str, **values: Any) -> Callable[[dict[str, Any]], Mapping[str, Any]]:
    return lambda items: items | {name: items[name].model_copy(update=values)}


def _under(name: str, other: str, **values: Any) -> Callable[[dict[str, Any]], Mapping[str, Any]]:
    return lambda items: _without(name)(items) | {other: items[name].model_copy(update=values)}


def _quiet_for_three_days(site: Site, since: datetime) -> None:
    """Assert that no message is sent in the three days after `since`, however often a cycle runs."""
    # The end of the alert is sent with the next message of its group.
    for minute in (0, 6):
        site.cycle(since + timedelta(minutes=minute))
    before = site.messages()
    for hour in range(3, 72, 6):
        site.cycle(since + hour * HOUR)
    assert site.messages() == before


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (_with(PROMISE, title="Investor numbers"), ["Investor numbers"]),
        (_under(PROMISE, "investor-numbers", title="Investor numbers"), ["Investor numbers"]),
        (_under(PROMISE, "investor-numbers"), ["Investor metrics, daily by 08:00 ET"]),
        (_with(PROMISE, pipeline="master_pipeline"), []),
        (_without(PROMISE), []),
        (_with(PROMISE, enabled=False), []),
    ],
    ids=["its title", "its title and name", "its name", "of another pipeline", "removed", "switched off"],
)
def test_the_breach_of_a_promise_that_was_renamed_ends_and_pages_nobody_for_days(site, change, left):
    investor(site)
    title = site.catalog.slas.slas[PROMISE].title
    assert site.cycle(new_york("08:01")) == [title]
    site.cycle(new_york("08:02"))
    paged = site.messages()
    assert paged
    site.catalog = _changed(site.catalog, "slas", change)
    assert site.cycle(new_york("08:10")) == left, "the same data is late under the new name"
    site.cycle(new_york("08:16"))
    assert (site.messages() > paged) is (left != [title]), "the end of the old one is sent"
    for kpi in KPIS:
        site.saw("asset.failure", OK, new_york("08:30"), asset=f"gold/{kpi}")
    assert site.cycle(new_york("08:31")) == []
    # The investor pipeline keeps its promise on the next days.
    for day in range(1, 4):
        for kpi in KPIS:
            site.saw("asset.failure", OK, new_york("03:00") + timedelta(days=day), asset=f"gold/{kpi}")
    _quiet_for_three_days(site, new_york("08:35"))


@pytest.mark.parametrize("how", ["its title", "removed", "switched off"])
def test_a_success_that_is_expected_under_another_name_or_no_more_ends_the_alert_about_it(site, how):
    [name] = [name for name, item in site.catalog.slas.expectations.items() if item.pipeline == "master_pipeline"]
    title = site.catalog.slas.expectations[name].title
    change = {
        "its title": _with(name, title="Shop, daily"),
        "removed": _without(name),
        "switched off": _with(name, enabled=False),
    }[how]
    site.saw("run.failure", OK, NOW - timedelta(days=1), pipeline="master_pipeline")
    assert site.cycle(new_york("06:01")) == [title]
    site.catalog = _changed(site.catalog, "expectations", change)
    assert site.cycle(new_york("06:10")) == (["Shop, daily"] if how == "its title" else [])
    for day in range(4):
        at = new_york("06:30") + timedelta(days=day, hours=-4 * bool(day))
        site.saw("run.failure", OK, at, pipeline="master_pipeline")
    assert site.cycle(new_york("06:31")) == []
    _quiet_for_three_days(site, new_york("06:35"))
