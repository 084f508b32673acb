"""The tables that must be ready at a time, and the jobs that must succeed every day."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from ops_project.model.base import Model
from ops_project.model.duration import Duration

Clock = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class Sla(Model):
    """A service level. Its `assets` must be built for the day before a deadline. The deadline is `deadline`, or the end
    of the time `within` after `start`. `deadline` and `start` are local times of the platform's zone.
    """

    title: str
    """The service level's name for people."""
    domain: str
    """The domain of the tables."""
    assets: tuple[str, ...] = Field(min_length=1)
    """Asset keys, schema/table."""
    pipeline: str
    """The job that builds the tables."""
    deadline: Clock | None = None
    """The deadline, as a time of day in the platform's zone."""
    start: Clock | None = None
    """The scheduled start of the pipeline. It is given together with `within`, in place of `deadline`. Then the
    deadline moves with the start in the night in which the clocks change.
    """
    within: Duration | None = None
    """The time after `start` within which the tables must be built."""
    days: Literal["daily", "weekdays", "sunday"] = "daily"
    """The days on which the tables are due."""
    warn_before: Duration = timedelta(minutes=30)
    """If a missed deadline can be predicted, it is reported at least this long before the deadline."""
    uptime_target: float | None = Field(default=None, gt=0, le=100)
    """The required percentage of the measured time in which the tables were ready."""
    severity: Literal["critical", "high"] = "critical"
    """The severity of a missed deadline. A critical alert pages a person."""
    enabled: bool = True
    """False: the service level is not checked."""

    @model_validator(mode="after")
    def _one_deadline(self) -> Sla:
        if (self.deadline is None) == (self.start is None) or (self.start is None) != (self.within is None):
            raise ValueError("give either deadline, or start and within")
        return self

    @property
    def due(self) -> str:
        """The deadline in local time on an ordinary day, HH:MM."""
        if self.deadline is not None:
            return self.deadline
        assert self.start is not None and self.within is not None
        return f"{datetime.combine(date.min, time.fromisoformat(self.start)) + self.within:%H:%M}"


class Expectation(Model):
    """A job that must succeed every day. Its success is reported, and an alert fires on a day without a success."""

    title: str
    """The expectation's name for people."""
    domain: str
    """The domain of the job."""
    pipeline: str
    """The job that must succeed."""
    by: Clock
    """The time of day by which the job must have succeeded, in the platform's zone."""
    days: Literal["daily", "weekdays", "sunday"] = "daily"
    """The days on which the job must succeed."""
    notice: bool = True
    """Whether a success is reported."""
    receiver: str | None = None
    """The receiver of the message about a success. Default: the receiver of the root route."""
    enabled: bool = True
    """False: the job is not checked."""


class Slas(Model):
    """slas.yaml: the tables that must be ready at a time, and the jobs that must succeed every day."""

    slas: dict[str, Sla] = {}
    expectations: dict[str, Expectation] = {}
