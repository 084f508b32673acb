"""Where alerts go: Alertmanager's tree, its inhibition rules, and inhibition from the asset graph."""

from __future__ import annotations

import re
from datetime import timedelta

from pydantic import Field, field_validator

from ops_project.model.alerting.matcher import ConfiguredMatcher
from ops_project.model.base import Model
from ops_project.model.duration import Duration


class Route(Model):
    """A node. What is not given is inherited from the parent, as in Alertmanager; the time intervals are not."""

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
    """HH:MM in the platform's zone: this route is told once a day, at that time."""
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
    """An alert on an asset is silent under a firing alert on an asset upstream of it that is at least as severe.

    It is listed in that alert's message when both come together. One that comes later is news: it is told once, to its
    own owners, and names the suspected cause.
    """

    enabled: bool = True
    together: Duration = timedelta(minutes=10)
    """What fires within this time after its cause, or in the cause's own run, comes with it."""
    causes: tuple[ConfiguredMatcher, ...] = ()
    """What can be a cause."""
    symptoms: tuple[ConfiguredMatcher, ...] = ()
    """What can be a symptom."""


class Routes(Model):
    """routes.yaml."""

    route: Route
    inhibit_rules: tuple[InhibitRule, ...] = ()
    graph_inhibition: GraphInhibition = GraphInhibition()


DEFAULT_GROUP_WAIT = timedelta(seconds=30)
DEFAULT_GROUP_INTERVAL = timedelta(minutes=5)
DEFAULT_REPEAT_INTERVAL = timedelta(hours=4)
