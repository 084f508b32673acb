"""Where alerts go: the routing tree and the inhibition rules of Alertmanager, and inhibition along the asset graph."""

from __future__ import annotations

import re
from datetime import timedelta

from pydantic import Field, field_validator

from ops_project.model.alerting.matcher import ConfiguredMatcher
from ops_project.model.base import Model
from ops_project.model.duration import Duration


class Route(Model):
    """A node of the tree. As in Alertmanager, a value that is not given is inherited from the parent, except for the
    time intervals.
    """

    receiver: str | None = None
    """The receiver of the alerts that take this route."""
    matchers: tuple[ConfiguredMatcher, ...] = ()
    """Matchers of the alerts that take this route."""
    continue_: bool = Field(default=False, alias="continue")
    """True: the routes after this one are tried as well."""
    group_by: tuple[str, ...] | None = None
    """Alerts that agree in these labels are sent in one message."""
    group_wait: Duration | None = None
    """How long the first message of a group waits for further alerts."""
    group_interval: Duration | None = None
    """The least time between two messages about a group that has changed."""
    repeat_interval: Duration | None = None
    """The time after which an unchanged message is sent again."""
    mute_time_intervals: tuple[str, ...] = ()
    """Names of intervals of calendar.yaml during which nothing is sent."""
    active_time_intervals: tuple[str, ...] = ()
    """Names of intervals of calendar.yaml outside of which nothing is sent."""
    digest: str | None = None
    """HH:MM in the platform's zone: the messages of this route are sent once a day, at that time."""
    routes: tuple[Route, ...] = ()
    """Routes below this one. The first one that matches is taken."""

    @field_validator("digest")
    @classmethod
    def _clock(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
            raise ValueError(f"{value!r} is not a time of day; write HH:MM")
        return value


class InhibitRule(Model):
    """While an alert matches `source`, alerts that match `target` and agree on `equal` are silent."""

    source_matchers: tuple[ConfiguredMatcher, ...] = Field(min_length=1)
    """Matchers of the alerts that make others silent."""
    target_matchers: tuple[ConfiguredMatcher, ...] = Field(min_length=1)
    """Matchers of the alerts that are made silent."""
    equal: tuple[str, ...] = ()
    """Labels that must have the same value in both alerts."""


class GraphInhibition(Model):
    """An alert on an asset is silent while an alert that is at least as severe fires on an asset upstream of it.
    If both come together, the message about the upstream alert lists the silent one. An alert that comes later is sent
    once, to its own owners, and names the suspected cause.
    """

    enabled: bool = True
    """False: no alert is silent because of another one upstream."""
    together: Duration = timedelta(minutes=10)
    """An alert that fires within this time after its cause, or in the same run as its cause, counts as coming together
    with it.
    """
    causes: tuple[ConfiguredMatcher, ...] = ()
    """Matchers of the alerts that can be a cause."""
    symptoms: tuple[ConfiguredMatcher, ...] = ()
    """Matchers of the alerts that can be a symptom."""


class Routes(Model):
    """routes.yaml: which receivers get which alerts, and which alerts are silent because of others."""

    route: Route
    inhibit_rules: tuple[InhibitRule, ...] = ()
    graph_inhibition: GraphInhibition = GraphInhibition()


DEFAULT_GROUP_WAIT = timedelta(seconds=30)
DEFAULT_GROUP_INTERVAL = timedelta(minutes=5)
DEFAULT_REPEAT_INTERVAL = timedelta(hours=4)
