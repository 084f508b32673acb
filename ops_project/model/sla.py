"""What must be ready by when, and the events that must happen."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from ops_project.model.base import Model
from ops_project.model.duration import Duration
from ops_project.model.severity import Severity

Clock = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class Sla(Model):
    """`assets` must have been built for the day, in the platform's zone, by `deadline`."""

    title: str
    domain: str
    assets: tuple[str, ...] = Field(min_length=1)
    """Asset keys, schema/table."""
    pipeline: str
    deadline: Clock
    days: Literal["daily", "weekdays"] = "daily"
    warn_before: Duration = timedelta(minutes=30)
    """A breach that can be foreseen is told at least this long before."""
    uptime_target: float | None = Field(default=None, gt=0, le=100)
    severity: Severity = "critical"
    enabled: bool = True


class Expectation(Model):
    """A job that succeeds every day: its success is told, and its absence is an alert."""

    title: str
    domain: str
    pipeline: str
    by: Clock
    """In the platform's zone."""
    days: Literal["daily", "weekdays", "sunday"] = "daily"
    notice: bool = True
    """Tell the success."""
    receiver: str | None = None
    enabled: bool = True

    @field_validator("by")
    @classmethod
    def _clock(cls, value: str) -> str:
        assert re.fullmatch(r"\d{2}:\d{2}", value)
        return value


class Slas(Model):
    """slas.yaml."""

    slas: dict[str, Sla] = {}
    expectations: dict[str, Expectation] = {}
