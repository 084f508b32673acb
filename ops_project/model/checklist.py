"""checklists.yaml: the lines that are evaluated every day, week and month. A line is measured, or a person is asked."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from ops_project.model.base import Model, StoredName
from ops_project.model.severity import Severity


class Measure(Model):
    """What a line measures. Exactly one of the first five fields is given. `at_most` or `at_least` is the limit."""

    alerts: Severity | None = None
    """The number of firing alerts of this severity or above."""
    rules: tuple[str, ...] = ()
    """The number of firing alerts of these rules."""
    incidents: Literal["open", "overdue"] | None = None
    """The number of incidents that are open, or whose post-mortem is late."""
    metric: str | None = None
    """The worst of the newest readings of a metric in metrics.yaml. Without a reading the line is unknown."""
    sql: str | None = None
    """A query on the newest snapshot that gives one number. Without a snapshot, or if a table does not exist, the line
    is unknown. `getvariable('feeds')` is the list of the feeds that are configured and not switched off.
    """
    at_most: float | None = None
    """The largest number that is ok."""
    at_least: float | None = None
    """The least number that is ok."""

    @model_validator(mode="after")
    def _one(self) -> Measure:
        given = [self.alerts, self.rules or None, self.incidents, self.metric, self.sql]
        if sum(item is not None for item in given) != 1:
            raise ValueError("measure exactly one of alerts, rules, incidents, metric or sql")
        if (self.at_most is None) == (self.at_least is None):
            raise ValueError("give one limit: at_most or at_least")
        return self

    def well(self, value: float) -> bool:
        """Whether a measured number is within the limit."""
        return value <= self.at_most if self.at_most is not None else value >= (self.at_least or 0.0)


class Line(Model):
    """One line of a checklist."""

    text: str
    """What must be true, in a sentence."""
    measure: Measure | None = None
    ask: str | None = None
    """Who answers the line if it cannot be measured: a person's id, team:<id> or role:<id>."""
    do: str = ""
    """What to do if the line is not ok."""

    @model_validator(mode="after")
    def _either(self) -> Line:
        if (self.measure is None) == (self.ask is None):
            raise ValueError("give either measure or ask")
        return self


class Checklist(Model):
    """One checklist. Its lines are evaluated once in each period."""

    title: str
    """The checklist's name for people."""
    every: Literal["day", "week", "month"]
    """How often the lines of the checklist are evaluated."""
    lines: dict[StoredName, Line] = Field(min_length=1)


class Checklists(Model):
    """checklists.yaml: the lines that are evaluated every day, week and month."""

    checklists: dict[StoredName, Checklist] = {}
