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
    matchers: tuple[ConfiguredMatcher, ...] = ()
    continue_: bool = Field(default=False, alias="continue")
    group_by: tuple[str, ...] | None = None
    group_wait: Duration | None = None
    group_interval: Duration | None = None
    repeat_interval: Duration | None = None
    mute_time_intervals: tuple[str, ...] = ()
    active_time_intervals: tuple[str, ...] = ()
    digest: str | None = None
    """HH:MM in the platform's zone: the messages of this route are sent once a day, at that time."""
    routes: tuple[Route, ...] = ()

    @field_validator("digest")
    @classmethod
    def _clock(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
            raise ValueError(f"{value!r} is not a time of day; write HH:MM")
        return value


class InhibitRule(Model):
    """While an alert matches `source`, alerts that match `target` and agree on `equal` are silent."""

    source_matchers: tuple[ConfiguredMatcher, ...] = Field(min_length=1)
    target_matchers: tuple[ConfiguredMatcher, ...] = Field(min_length=1)
    equal: tuple[str, ...] = ()


class GraphInhibition(Model):
    """An alert on an asset is silent while an alert that is at least as severe fires on an asset upstream of it.
    If both come together, the message about the upstream alert lists the silent one. An alert that comes later is sent
    once, to its own owners, and names the suspected cause.
    """

    enabled: bool = True
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
